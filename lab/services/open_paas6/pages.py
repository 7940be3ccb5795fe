"""The pages of 6.x: bodies of our own under the titles, forms and headings of the real ones."""

from __future__ import annotations

from html import escape

from ..open_paas.pages import LOOKS, page

FORMS = """<form action="" method="post" id="login-form" onsubmit="return refresh_token()">
<input type='hidden' name='csrfmiddlewaretoken' value='{csrf}' />
<input type="text" name="username"><input type="password" name="password">
<input type="hidden" name="next" value=""><input type="hidden" name="app_id" value="{app_id}">
<p class="error">{error}</p><button type="submit">登录</button></form>
<form id="language-form" action="/login/i18n/setlang/" method="post">
<input type='hidden' name='csrfmiddlewaretoken' value='{csrf}' /><input type="hidden" name="next" value=""></form>"""
FORMS += LOOKS


def login_form(csrf: str, app_id: str, error: str) -> str:
    forms = FORMS.format(csrf=escape(csrf, quote=True), app_id=escape(app_id, quote=True), error=error)
    return page("登录 | 腾讯蓝鲸智云", forms)


def csrf_failed() -> str:
    return page("403 Forbidden", "<h1>禁止访问</h1><p>CSRF verification failed. Request aborted.</p>")
