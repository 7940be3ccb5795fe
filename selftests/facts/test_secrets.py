"""Secrets are recognised by their names and shapes in every kind of text."""

import copy
import json

import pytest

from bkpaas.facts.process import command_line
from bkpaas.facts.redacted_texts import RedactedTexts
from bkpaas.facts.secrets import Secrets

SHAPES = [
    "GET /login/?bk_token=Pl4nted&c_url=/ HTTP/1.1",
    "http://paas/x?app_secret=Pl4nted",
    "/login/?c_url=http%3A%2F%2Fpaas%2F%3Fbk_token%3DPl4nted%26x%3D1",
    "sid=Pl4nted, token=Pl4nted, error=x",
    "password: Pl4nted",
    "db_password = 'Pl4nted x Pl4nted'",
    'requirepass="Pl4nted"',
    '{"bk_app_secret": "Pl4nted", "x": 1}',
    '{\\"password\\": \\"Pl4nted\\"}',
    '{"password": "Pl4nted\\"Pl4nted"}',
    "{'PASSWORD': u'Pl4nted'}",
    '{"token": "Pl4nted',
    "foo: bar password=Pl4nted",
    "redis://:Pl4nted@10.0.0.1:6379/0",
    "amqp://user:Pl4nted@10.0.0.1",
    "http://user:Pl/4nted:Pl4nted@Pl4nted@paas.bk.com/x",
    "elastic:Pl4nted@10.0.0.1:9200",
    "https://Pl4ntedPl4ntedPl4nted@git.bk.com/x.git",
    "Authorization: Basic Pl4nted==",
    "Proxy-Authorization: Bearer Pl4nted.Pl4nted",
    '"Authorization": "Pl4nted"',
    "curl -H 'X-Token: Pl4nted' -H 'X-ID: Pl4nted'",
    "Cookie: a=Pl4nted; bk_token=Pl4nted",
    "Set-Cookie: sessionid=Pl4nted; HttpOnly",
    "sessionid=Pl4nted",
    "auth Bearer Pl4ntedPl4nted",
    "<input type='hidden' name='csrfmiddlewaretoken' value='Pl4nted' />",
    '<input name="password" type="password" value="Pl4nted">',
    "Record of bk_token [Pl4nted] does not exist",
    "http://x/?ticket=Pl4ntedPl4ntedPl4ntedPl4nted&y=1",
    "-----BEGIN RSA PRIVATE KEY-----\nPl4nted\nPl4nted\n-----END RSA PRIVATE KEY-----",
    "SECRET_KEYS=Pl4nted",
    "secret_key=>Pl4nted",
    "--token=Pl4nted",
    "-Dredis.password=Pl4nted",
    "password=secret:Pl4nted",
    "redis-server --requirepass Pl4nted",
    "requirepass Pl4nted",
    "kubectl --token Pl4nted get",
    "GRANT ALL ON x TO 'u'@'h' IDENTIFIED BY 'Pl4nted'",
    "密码：Pl4nted",
    "管理员密码为: Pl4nted，请修改",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.Pl4nted",
    "/login/?ticket=Pl4nted",
    *(
        f"{name}=Pl4nted"
        for name in ("DB_PW", "PSWD", "PASSCODE", "PASSWORD_SALT", "AES_IV", "COS_AK", "COOKIE", "LICENSE")
    ),
    "PRIVATE_BYTES = 'Pl4nted'",
    "userPwd: Pl4nted",
    "mysql -uroot -pPl4nted open_paas",
    "sh -c 'mysqldump -h 10.0.0.1 -pPl4nted x'",
    "mysql -uroot -p'Pl4nted' open_paas",
    "prog --pw Pl4nted --x 1",
    "['prog', '--db-pw', 'Pl4nted']",
    "redis-cli -h 10.0.0.1 -a Pl4nted ping",
    "curl -u admin:Pl4nted http://10.0.0.1/",
    "rabbitmqctl add_user u Pl4nted",
    "GET /x?sig=Pl4nted HTTP/1.1",
    "return 302 http://paas.bk.com/cb?code=Pl4nted;",
    "http://Pl4nted@10.0.0.8:3128",
    "http_proxy=Pl4nted@10.0.0.8:3128",
    "https_proxy=socks5://Pl4nted@10.0.0.8:1080",
    "session Pl4nted expired",
    "token Pl4nted rejected",
    "the password 'Pl4nted' is wrong",
    'password "Pl4nted"',
    "Parameter[Pl4nted] parse failed",
    "bk_app_secret=Pl4nted&bk_app_code=bk_paas HTTP/1.1",
    "BK_PASS=Pw\\&1x\\$Pl4nted\\ z",
    "password: |\n  Pl4nted\nname: x",
    "password =\n    'Pl4nted'",
    "password = 'abc\\\nPl4nted'",
    "password = 'abc\nPl4nted'",
    "password = \\\n Pl4nted",
    "password = abc\\\nPl4nted",
    'password = """\nPl4nted\n"""',
    "bk_token%253DPl4nted",
    "# old password: Pl4nted",
    "bk_session=Pl4ntedPl4nted1",
]


@pytest.mark.parametrize("text", SHAPES)
def test_no_secret_is_left(text):
    secrets = Secrets()
    found = secrets.redact(text)
    assert "Pl4nted" not in found and "4nted" not in found
    assert "secret:" in found
    assert secrets.redact(found) == found


@pytest.mark.parametrize("length", range(0, 60, 7))
@pytest.mark.parametrize("text", SHAPES)
def test_no_half_of_a_secret_is_left_by_a_cut(text, length):
    assert "Pl4" not in Secrets().truncate("x" * 5 + " " + text, length)


@pytest.mark.parametrize(
    "text",
    [
        "BK_TOKEN_OFFSET_ERROR_TIME = 60",
        "BK_COOKIE_AGE: 86400",
        "TOKEN_TTL=60",
        "http://10.0.1.3:8003/healthz/",
        "http://10.0.1.3:8003/login/accounts/is_login/?x=a@b",
        "connect() to 10.0.1.3:8003 failed (111: Connection refused)",
        "缺少参数bk_token",
        "Missing parameters bk_token",
        "Signature [bk_signature] and APP Secret [bk_app_secret] cannot be empty at the same time",
        '{"token": null, "key": true, "password": ""}',
        "KeyError: 'ESB_TOKEN'",
        "unix:///data/bkce/logs/open_paas/supervisor.sock no such file",
        "author: someone, monkey: banana, INSIDE=1, address: 10.0.0.1",
        "HOST_BKAUTH = 'http://10.0.0.1'",
        "srwx------ 1 root root 0 Jul 30 09:47 /data/bkce/logs/open_paas/supervisor.sock",
        "2018/07/30 09:47:28 [error] 20935#0: *123 upstream timed out",
        "SESSION_COOKIE_NAME = 'bk_session'",
        "BK_COOKIE_DOMAIN = '.bk.com'",
        "SESSION_COOKIE_PATH = '/'",
        "LICENSE_HOST = 'license.service.consul'",
        "salt://10.0.0.1 ssh://root@10.0.0.1:22",
        "Session 12 of user root closed; session opened for user root by (uid=0)",
        "token expired; the session of paas-1 ended; cookie 'bk_token' and password 'required'",
        "XIV: 4, private: 5, IVY: 3, PAKET=1, DRIVE=2, activity=3",
        "nginx version: nginx/1.20.1, sha256 5d41402abc4b2a76b9719d911017c592, /data/bkce/open_paas/login/conf/default.py:12",
        "mkdir -pv /data/mysql",
        "GET /search?s=word&page=2",
        "Mon Jul 30 09:47:28 2018 - *** Starting uWSGI 2.0.13.1 (64bit) ***",
        "password:\n  length: 8",
    ],
)
def test_what_is_no_secret_stays(text):
    assert Secrets().redact(text) == text


def test_json_stays_json():
    body = '{"token": 12345, "sid": "a\\"b", "data": {"password": null, "key": "x"}, "ok": true}'
    found = json.loads(Secrets().redact(body))
    assert found["token"].startswith("secret:") and found["ok"] is True and found["data"]["password"] is None


def test_digests():
    one, same = Secrets(b"k"), Secrets(b"k")
    assert one.digest("a") == same.digest("a") != one.digest("b")
    assert Secrets().digest("a") != Secrets().digest("a")
    assert len(one.digest("a")) == len("secret:") + 12
    assert one.digest(one.digest("a")) == one.digest("a")


@pytest.mark.parametrize(
    "text", ["{}", "-p{}", "x {} y", "http_proxy={}@10.0.0.1:1", "a={}", "'{}'", "token {} x"]
)
def test_a_digest_stays_as_it_is(text):
    text = text.format(Secrets().digest("a"))
    assert Secrets().redact(text) == text


SPELLINGS = [
    ("Pl4nted/pass+word&1", "GET /x/Pl4nted%2Fpass%2Bword%261 HTTP/1.1"),
    ("Pl4nted/pass+word&1", "x%2Fy%253DPl4nted%252Fpass%252Bword%25261"),
    ("Pl4nted-password", "Basic? YWRtaW46UGw0bnRlZC1wYXNzd29yZA=="),
    ("Pl4nted-password", "blob UGw0bnRlZC1wYXNzd29yZA=="),
    ("Pl4nted-password", "blob eFBsNG50ZWQtcGFzc3dvcmR4"),
    ('Pl4nted"\\pass', 'dumped Pl4nted\\"\\\\pass end'),
    ("Pl4nted中pass", "dumped Pl4nted\\u4e2dpass end"),
    ("Pl4nted<pass>", "page Pl4nted&lt;pass&gt; end"),
    ("Pl4ntedpassword", "first half Pl4nted\n  password"),
    ("Pl4ntedpassword", "first half Pl4nted password in a joined line"),
    ("Pl4ntedpassword", "hex 506c346e74656470617373776f7264"),
]


@pytest.mark.parametrize(("secret", "text"), SPELLINGS)
def test_a_known_secret_is_found_in_other_spellings(secret, text):
    secrets = Secrets()
    digest = secrets.digest(secret)
    found = secrets.strings([text])[0]
    assert digest in found and "Pl4nted" not in found
    assert found.split(digest)[0] == text[: len(found.split(digest)[0])]


def test_a_known_secret_is_also_found_where_it_has_no_name():
    secrets = Secrets()
    secrets.redact("password='Hunter2\"Hunter2'")
    found = secrets.strings(
        {"refused_tokens": ({"text": 'Access denied: Hunter2"Hunter2 is wrong'},), "n": 5}
    )
    assert "Hunter2" not in str(found)
    assert found["n"] == 5 and found["refused_tokens"][0]["text"].startswith("Access denied: secret:")


def test_a_known_secret_that_is_a_common_word_does_not_eat_paths():
    secrets = Secrets()
    secrets.redact("password=open_paas")
    secrets.redact("ssl_key=/data/bkce/cert/x.key1")
    for path in ("/data/bkce/logs/open_paas/login.log", "/data/bkce/cert/x.key1"):
        assert secrets.strings(path) == path


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a=",
        "a:",
        "\\",
        '"',
        "a-",
        "://a:",
        "a='",
        "%26",
        "?a=b&",
        "name='token' ",
        "\n",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_hostile_text_takes_no_long_time(piece):
    """A pattern that goes back over a text again and again would not come to an end here."""
    Secrets().truncate(piece * 500_000, 4000)


def test_a_text_that_was_redacted_before_teaches_a_copy_its_secret():
    first = Secrets(b"k" * 32)
    copies = [copy.deepcopy(first) for _ in range(2)]
    for one in copies:
        shown = one.redact("password=Pl4nted-here99")
        assert shown == f"password={one.digest('Pl4nted-here99')}"
        assert one.strings(["x Pl4nted-here99"]) == [f"x {one.digest('Pl4nted-here99')}"]
    assert first.remembered() == ()
    again = copy.deepcopy(copies[0])
    assert again.remembered() == copies[0].remembered() and again.redact("password=Pl4nted-here99") == shown


def test_what_is_remembered_of_texts_is_bounded():
    known = RedactedTexts()
    for number in range(1000):
        known.add(f"{number} " + "x" * 15_000, "y")
    assert known.get("999 " + "x" * 15_000) == "y" and known.get("0 " + "x" * 15_000) is None
    known.add("x" * 20_000, "y")
    assert known.get("x" * 20_000) is None


def test_many_secrets_are_found_as_few_are():
    values = [f"Pl4nted-{number:05d}" for number in range(300)]
    one = Secrets(b"k" * 32)
    for value in values:
        one.digest(value)
    assert len(one._spellings) > 500
    assert one.strings([f"a {values[7]} b", "c"]) == [f"a {one.digest(values[7])} b", "c"]


SPLIT = (
    ("prog", "password", ":", "abc123"),
    ("prog", "password=", "hunter"),
    ("x", "Authorization:", "Bearer", "abcdefgh"),
    ("sh", "-c", "x", 'password="my', "dear", 'secret"'),
    ("x", "IDENTIFIED", "BY", "'abcdef'"),
    ("redis-server", "requirepass", "sekret"),
    ("java", *["-Dnumber=1234567890"] * 90, "password", "=", "abc123"),
)
"""Command lines in which several words together show a secret, each shorter than what is searched for elsewhere."""


@pytest.mark.parametrize("argv", SPLIT)
def test_a_secret_that_several_words_show(argv: tuple[str, ...]) -> None:
    shown = command_line(list(argv), Secrets())
    assert "secret:" in shown[-1] and len(shown) == len(argv)
    for secret in ("abc123", "hunter", "abcdefgh", "dear", "abcdef", "sekret"):
        assert secret not in " ".join(shown)


def test_a_known_secret_that_is_split_over_words() -> None:
    """Also when the line that names it is far away, or in another file of the host."""
    secrets = Secrets()
    digest = secrets.digest("Correct Horse Battery9")
    lines = ["a", "xCorrect", "Horse", "Battery9", *["x" * 300] * 30]
    assert secrets.strings({"argv": lines})["argv"][:4] == ["a", f"x{digest}", digest, digest]
    argv = ["a", "Correct", "Horse", "Battery9", "--password", "Correct Horse Battery9"]
    assert secrets.strings(list(command_line(argv, secrets)))[1:] == [
        *[digest] * 3,
        "--password",
        digest,
    ]


MORE_SHAPES = (
    "<db><password>{}</password></db>",
    "<Password><![CDATA[{}]]></Password>",
    "('password', '{}')",
    '["password","{}"]',
    "密码为{}",
    "sentinel auth-pass mymaster {}",
    "password={{SHA}}{}",
)


@pytest.mark.parametrize("shape", MORE_SHAPES)
def test_more_shapes(shape: str) -> None:
    assert "p4Ssw0rd" not in Secrets().redact(shape.format("p4Ssw0rd"))
    if shape.isascii():  # in UTF-16, read as UTF-8
        wide = shape.format("p4Ssw0rd").encode("utf-16-le").decode()
        assert "p4Ssw0rd" not in Secrets().redact(wide).replace("\0", "")


@pytest.mark.parametrize(
    "text", ["('password', 'token', 'is_active')", "<title>password</title>", "密码为空字符串"]
)
def test_names_alone_stay(text: str) -> None:
    assert Secrets().redact(text) == text


def test_more_spellings_of_a_known_secret() -> None:
    secrets = Secrets()
    secrets.digest("p4Ssw0rd/X")
    data = b"p4Ssw0rd/X"
    for spelling in (
        "".join(f"%{byte:02x}" for byte in data),
        "".join(f"%{byte:02X}" for byte in data),
        "".join(f"\\x{byte:02x}" for byte in data),
        data.decode().encode("utf-16-le").decode(),
    ):
        shown = secrets.strings([f"at {spelling} end"])[0]
        assert shown.replace("\\", "").startswith("at secret:") and shown.endswith(" end")
