"""healthz and is_login: what real services answered, good and bad."""

import json

import pytest
from recorded import got

from bkpaas.facts.answers import answers, connections, greeting
from bkpaas.facts.healthz import health, is_login_refusal
from bkpaas.facts.secrets import Secrets

PAGE_500 = "<!DOCTYPE html>\n<html><head><title>系统异常(500页)</title></head><body><h1>系统出现异常</h1></body></html>"
PAGE_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def answer(body, status=200, headers=(), **more):
    raw = {"x": got("http://10.0.1.3:8003/healthz/", body, status, headers, **more)}
    return answers(raw, Secrets()).by_name["x"]


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        ("login", '{"bk_error_msg": "", "bk_error_code": 0, "data": {"database": "ok", "settings": "ok"}, "result": true}', 0),
        ("paas", '{"result": true}', None),
        ("esb", '{"data": {}, "message": "OK", "code": "1306000", "ok": true}', "1306000"),
        ("appengine", '{"message": "", "data": {}, "result": true}', None),
        ("login", '{"ok": true, "code:": "1302000", "message": "OK", "data": {"settings": "ok", "reids": "ok"}}', "1302000"),
    ],
)  # fmt: skip
def test_healthy(service, body, code):
    found = health(service, answer(body))
    assert (found.healthy, found.message, found.code) == (True, "", code)


@pytest.mark.parametrize(
    ("service", "status", "body", "message", "code"),
    [
        ("login", 200, '{"result": false, "bk_error_code": 1302001, "bk_error_msg": "配置文件不正确", "data": {}}', "配置文件不正确", 1302001),
        ("login", 500, PAGE_500, "login: HTTP 500, not a JSON object: a page '系统异常(500页)'", None),
        ("paas", 500, "数据库连接存在问题: (2003, \"Can't connect to MySQL server\")", "HTTP 500, not a JSON object: 数据库连接存在问题", None),
        ("esb", 200, '{"data": {}, "message": "settings \\u914d\\u7f6e\\u4e2d HOST_CC \\u4e0d\\u80fd\\u4e3a\\u7a7a", "code": "1306000", "ok": false}', "settings 配置中 HOST_CC 不能为空", "1306000"),
        ("appengine", 200, '{"message": "paasagent health check failed, error: have not registered", "data": {}, "result": false}', "paasagent health check failed", None),
        ("login", 200, '{"ok": false, "code:": 1302002, "message": "db", "data": {}}', "db", 1302002),
        ("paas", 200, '{"ok": true, "code:": "1301000", "message": "OK", "data": {"redis": "1301004 Redis连接存在问题"}}', "redis: 1301004 Redis连接存在问题", "1301000"),
        ("paas", 200, '{"ok": true, "data": {"paas_agent_test": "WARNING: 1301005 当前没有可用的[测试服务器]"}}', "WARNING: 1301005", None),
        ("paas", 500, '{"result": true}', 'HTTP 500: {"result": true}', None),
        ("paas", 200, "{}", "{}", None),
        ("paas", 200, '{"result": "true"}', '{"result": "true"}', None),
        ("paas", 200, '{"result": 1}', '{"result": 1}', None),
        ("paas", 200, '{"ok": true, "result": false}', '{"ok": true', None),
        ("paas", 200, "[true]", "not a JSON object: [true]", None),
        ("paas", 200, "", "paas: HTTP 200, not a JSON object: an empty body", None),
        ("login", 502, PAGE_502, "HTTP 502, not a JSON object: a page '502 Bad Gateway'", None),
        ("login", 404, "<title>Error response</title> File not found", "HTTP 404", None),
        ("login", 200, "<title>Directory listing for /</title>", "not a JSON object", None),
        ("login", 200, '{"result": true, "data": {"a', "not a JSON object", None),
        ("login", 301, "", "HTTP 301", None),
        ("login", 200, "[" * 5000, "not a JSON object", None),
    ],
)  # fmt: skip
def test_not_healthy(service, status, body, message, code):
    found = health(service, answer(body, status))
    assert not found.healthy and found.code == code
    text = found.message if isinstance(found.message, str) else found.message.render("en")
    assert message in text and len(text) < 400


def test_no_answer_at_all():
    silent = answer("", None, error={"kind": "silent", "text": "no complete answer in 25 s"})
    assert health("esb", silent).message == "no complete answer in 25 s"
    assert not health("esb", silent).healthy and not silent.ok


def test_tokens_in_a_message_of_appengine_are_hidden_and_the_message_stays():
    body = json.dumps(
        {
            "code": 1304104,
            "ok": False,
            "message": "paasagent healthz FAIL! Request exception! url=http://10.0.1.2:4245/v1/app/healthz, sid=Pl4nted1, token=Pl4nted2, error=x",
        }
    )  # fmt: skip
    found = health("appengine", answer(body))
    assert "Pl4nted" not in found.message and "url=http://10.0.1.2:4245/v1/app/healthz" in found.message
    assert found.code == 1304104


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ('{"message": "\\u7f3a\\u5c11\\u53c2\\u6570bk_token", "code": "1200", "data": {}, "result": false}', True),
        ('{"bk_error_msg": "Missing parameters bk_token", "bk_error_code": 1302100, "data": {}, "result": false}', True),
        ('{"bk_error_msg": "缺少参数bk_token", "bk_error_code": 1302100, "data": {}, "result": false}', True),
        ('{"message": "Missing parameters bk_token", "code": "00", "data": {}, "result": true}', False),
        ('{"bk_error_msg": null, "bk_error_code": 1302100, "data": {}, "result": false}', False),
        ('{"bk_error_msg": "参数bk_token非法", "bk_error_code": 1302100, "data": {}, "result": false}', False),
        ('{"message": ["Missing parameters bk_token"], "result": false}', False),
        ("<title>Directory listing for /</title>", False),
        ("Missing parameters bk_token", False),
    ],
)  # fmt: skip
def test_login_refuses_a_request_without_a_token(body, refusal):
    assert is_login_refusal(answer(body)) is refusal


def test_a_refusal_has_status_200():
    assert not is_login_refusal(answer('{"message": "Missing parameters bk_token", "result": false}', 404))


def test_headers_without_cookies_but_with_their_attributes():
    headers = [
        ("Set-Cookie", "bklogin_csrftoken=Pl4nted1; expires=Tue, 23-Nov-2027 17:19:30 GMT; Max-Age=31449600; Path=/"),
        ("Set-Cookie", "bk_token=Pl4nted2; Domain=.bk.com; HttpOnly"),
        ("Location", "http://paas.bk.com/login/?c_url=/platform/&bk_token=Pl4nted3"),
        ("X-Token", "Pl4nted4"),
        ("Server", "nginx"),
    ]  # fmt: skip
    found = answer("", 302, headers).headers
    assert "Pl4nted" not in str(found)
    first, second = found["set-cookie"].split("\n")
    assert first.startswith("bklogin_csrftoken=secret:") and "expires=Tue, 23-Nov-2027 17:19:30 GMT" in first
    assert second.endswith("; Domain=.bk.com; HttpOnly")
    assert found["location"].startswith("http://paas.bk.com/login/?c_url=/platform/&bk_token=secret:")
    assert found["server"] == "nginx"


def test_bodies_are_cut_and_say_so():
    found = answer("x" * 5000)
    assert len(found.body) == 4000 and found.truncated
    assert answer("x", truncated=True).truncated and not answer("x").truncated


def test_an_answer_without_a_status_is_an_error():
    assert answer("", None).error_kind == "other"


MYSQL = b"J\0\0\0\n5.5.68-MariaDB\0\x05\0\0\0abcdefgh\0"
DENIED = b"G\0\0\0\xffj\x04Host '10.0.1.3' is not allowed to connect to this MariaDB server"


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (MYSQL, "mysql", "5.5.68-MariaDB"),
        (DENIED, "mysql-error", "1130 Host '10.0.1.3' is not allowed to connect to this MariaDB server"),
        (b"SSH-2.0-OpenSSH_7.4\r\n", "ssh", "SSH-2.0-OpenSSH_7.4."),
        (b"AMQP\0\0\x09\x01", "amqp", "AMQP...."),
        (b"", "none", ""),
        (b"HTTP/1.1 400", "other", "HTTP/1.1 400"),
        (b"\0\0\0\0\x0a", "other", "....."),
        (b"\xff\xfe", "other", "\ufffd\ufffd"),
    ],
)
def test_greetings(data, kind, text):
    assert greeting(data)[0] == kind
    assert greeting(data)[1].replace(".", "").startswith(text.replace(".", "")[:20])


def test_connections():
    raw = {
        "refused": {
            "seconds": 0.1,
            "data": "",
            "peer": None,
            "error": {"kind": "refused", "text": "Connection refused"},
        },
        "odd": {"data": "not base64 é", "error": "x"},
    }
    found = connections(raw, Secrets())
    assert (found.by_name["refused"].error_kind, found.by_name["refused"].ok) == ("refused", False)
    assert (found.by_name["odd"].error_kind, found.by_name["odd"].greeting) == ("other", "none")


def test_fields_of_a_form_are_seen_beyond_where_the_page_is_cut():
    page = (
        "<html>"
        + "<p>x</p>" * 2000
        + "<form><input name='username'><INPUT type=password name=\"password\"/></form>"
    )
    html, text = ([("Content-Type", kind)] for kind in ("text/html; charset=utf-8", "application/json"))
    found = answers(
        {"a": got("http://x/", page, 200, html), "b": got("http://x/", page, 200, text)}, Secrets()
    )
    assert found.by_name["a"].inputs == ("username", "password")
    assert found.by_name["b"].inputs == ()
