"""The HTML pages: bodies of our own under the titles and headings of the real ones."""

from __future__ import annotations

from html import escape

PAGE = "<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{title}</title></head><body>{body}</body></html>\n"

LOGIN_FORM = """<form id="login-form" action="" method="post">
<input type='hidden' name='csrfmiddlewaretoken' value='{csrf}' />
<input type="text" name="username"><input type="password" name="password">
<input type="hidden" name="next" value=""><input type="hidden" name="app_id" value="{app_id}">
<p class="error">{error}</p><button type="submit">登录</button></form>"""
LOOKS = f"<!-- {'styles and scripts of the page ' * 150}-->"
"""The real page has some kilobytes as well: it does not fit in one packet."""
LOGIN_FORM += LOOKS


def page(title: str, body: str) -> str:
    return PAGE.format(title=title, body=body)


def system_error(path: str, language: str) -> str:
    """`language` is empty for a service without languages; the login page itself fails without any title."""
    if language and path in ("/", "/login/"):
        return "<html><body>系统出现异常</body></html>\n"
    if language == "en":
        return page("System exception (page 500)", "<h1>Exceptions occurred in system</h1>")
    return page("系统异常(500页)", "<h1>系统出现异常</h1>" if language else "<p>系统出现异常</p>")


def not_found() -> str:
    return page("页面找不到（404页）", "<h1>页面找不到了</h1>")


def csrf_failed() -> str:
    return page("CSRF验证失败", "<h1>CSRF验证失败</h1>")


def login(csrf: str, app_id: str, error: str) -> str:
    form = LOGIN_FORM.format(csrf=escape(csrf, quote=True), app_id=escape(app_id, quote=True), error=error)
    return page("登录|蓝鲸智云", form)
