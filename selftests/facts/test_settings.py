"""Settings: Python 2 source read for its values, never executed."""

import json

import pytest
from recorded import HOME, LOGIN_DEFAULT, LOGIN_PRODUCTION, english, entry, missing

from bkpaas.errors import NoData
from bkpaas.facts.database import accounts
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import SettingsByProject, settings
from bkpaas.facts.shown import no_own, replace_own_names


class Everything(frozenset):
    """Each name is shown: what is read of a value does not depend on its name."""

    def __contains__(self, name):
        return True


DEFAULT = f"{HOME}/open_paas/login/conf/default.py"


def read(*texts):
    """One project whose files are these, in their order of reading."""
    files = {f"settings-login-{n}": [entry(f"/{n}.py", text)] for n, text in enumerate(texts, 1)}
    return settings(files, Secrets(b"key"), shown=Everything()).by_project["login"]


def value(text, name="X"):
    return read(text).get(name)


def test_default_and_production_of_login():
    project = read(LOGIN_DEFAULT, LOGIN_PRODUCTION)
    assert project.problems == () and project.placeholders == ()
    assert project.number("BK_TOKEN_OFFSET_ERROR_TIME") == 60
    assert project.number("BK_COOKIE_AGE") == 86400
    assert project.get("BK_COOKIE_DOMAIN").value == ".bk.com"
    assert project.get("ENVIRONMENT").kind == "expression"
    default = project.get("DATABASES").value["default"]
    assert (default["HOST"], default["PORT"], default["NAME"]) == ("10.0.1.4", "3306", "open_paas")
    assert default["PASSWORD"].startswith("secret:")
    secret = project.get("SECRET_KEY")
    assert (secret.kind, secret.value, secret.file, secret.line) == ("secret", None, "/2.py", 15)
    assert secret.digest.startswith("secret:") and secret.text == secret.digest
    assert "Pl4nted" not in str(project)


def test_equal_secrets_have_equal_digests_within_a_run():
    one = Secrets()
    files = {
        "settings-a-1": [entry("/a", "SECRET_KEY = 'same'\nX = 1")],
        "settings-b-1": [entry("/b", 'SECRET_KEY="same"')],
    }
    found = settings(files, one).by_project
    assert found["a"].get("SECRET_KEY").digest == found["b"].get("SECRET_KEY").digest
    again = settings(files, Secrets()).by_project
    assert found["a"].get("SECRET_KEY").digest != again["a"].get("SECRET_KEY").digest


def test_a_later_file_and_a_later_line_win_in_any_order_of_arrival():
    files = {
        "settings-paas-10": [entry("/last.py", "X = 10")],
        "settings-paas-2": [entry("/second.py", "X = 2\nX = 3")],
        "settings-paas-1": [entry("/first.py", "X = 1\nY = 1")],
    }
    project = settings(files, Secrets(), shown=Everything()).by_project["paas"]
    assert (project.number("X"), project.get("X").file, project.number("Y")) == (10, "/last.py", 1)
    assert [file.path for file in project.files] == ["/first.py", "/second.py", "/last.py"]


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("60 * 5", "int", 300),
        ("60 * 60 * 24  # a day", "int", 86400),
        ("(1 + 2) * 3 - 4 // 3", "int", 8),
        ("7 / 2", "int", 3),
        ("7 / 2.0", "float", 3.5),
        ("-1", "int", -1),
        ("2 ** 10", "int", 1024),
        ("0x10", "int", 16),
        ("0755", "int", 493),
        ("0o755", "int", 493),
        ("10L", "int", 10),
        ("1.5e3", "float", 1500.0),
        ("'60'", "str", "60"),
        ("True", "bool", True),
        ("not True", "bool", False),
        ("None", "none", None),
        ("'a' 'b'", "str", "ab"),
        ("u'中' + \"b\"", "str", "中b"),
        ("ur'a\\d'", "str", "a\\d"),
        ("b'ab'", "str", "ab"),
        ("'''a\nb'''", "str", "a\nb"),
        ("'.' + DOMAIN", "str", ".bk.com"),
        ("'http://%s:%d/' % (DOMAIN, 80)", "str", "http://bk.com:80/"),
        ("'http://%s/' % DOMAIN", "str", "http://bk.com/"),
        ("'{0}:{port}'.format(DOMAIN, port=80)", "str", "bk.com:80"),
        ("['a', 1, (2,)]", "list", ["a", 1, [2]]),
        ("()", "list", []),
        ("{'a': {'b': 1}, 'c': [DOMAIN],}", "dict", {"a": {"b": 1}, "c": ["bk.com"]}),
        ("{}", "dict", {}),
        ("{'a', 'b'}", "list", ["a", "b"]),
        ("MAP['k'][0]", "int", 5),
        ("DOMAIN or 'x'", "str", "bk.com"),
    ],
)
def test_values(source, kind, expected):
    found = value(f"DOMAIN = 'bk.com'\nMAP = {{'k': [5]}}\nX = {source}\n")
    assert (found.kind, found.value, found.line) == (kind, expected, 3)


@pytest.mark.parametrize(
    "source",
    [
        "os.environ.get('X', '1')",
        "int(UNKNOWN)",
        "UNKNOWN",
        "UNKNOWN + 1",
        "60 * UNKNOWN",
        "[x for x in y]",
        "lambda: 5",
        "2 ** 999999999",
        "9 ** 9 ** 9",
        "'a' * 999999999",
        "'%0999999999d' % 5",
        "'{:>999999999}'.format(5)",
        "'{0.__class__}'.format(5)",
        "1 / 0",
        "'a' + 1",
        "{'a': 1}['b']",
        "{**A}",
        "-'a'",
        "10 ** 40",
        "'%s %s' % ('a',)",
        "(" * 200 + "1" + ")" * 200,
    ],
)
def test_an_unknown_value_is_an_expression(source):
    project = read(f"X = {source}\n")
    assert project.get("X").kind in ("expression", "int" if source.startswith("((") else "expression")
    if project.get("X").kind == "expression":
        assert project.get("X").value is None
        with pytest.raises(NoData, match="X = "):
            project.number("X")


def test_numbers_that_are_none():
    project = read("A = '60'\nB = True\nC = 60 s\nD = 5\n")
    assert project.number("D") == 5
    for name, reason in (
        ("A", "is not a plain number"),
        ("B", "not a plain"),
        ("C", "C = 60 s"),
        ("E", "E is not set"),
    ):
        with pytest.raises(NoData, match=reason):
            project.number(name)


def test_decoys_in_comments_and_strings():
    source = '# X = 1\n"""\nX = 2\n"""\nA = """\nX = 3\n"""\nX = 4  # X = 5\ndef f():\n    X = 6\nclass C:\n    X = 7\nx = 8\n'
    assert (value(source).value, value(source).line) == (4, 8)


def test_a_value_in_brackets_over_several_lines_has_the_line_of_its_name():
    assert value("A = 1\nX = (\n  60 *\n  # comment\n  5\n)\n").line == 2


def test_branches():
    source = "DEBUG = False\nif DEBUG:\n    X = 1\nelif DEBUG == False:\n    X = 2\nelse:\n    X = 3\n"
    assert value(source).value == 2
    assert value("if UNKNOWN:\n    X = 1\nelse:\n    X = 2\n").kind == "expression"
    assert value("X = 1\nif False: X = 2\n").value == 1
    assert value("try:\n    X = 1\nexcept ImportError, e:\n    X = 2\n").kind == "expression"
    assert value("X = 1\ntry:\n    import y\nexcept ImportError, e:\n    pass\n").value == 1
    assert value("if UNKNOWN:\n    X = 1\nX = 5\n").value == 5


def test_several_targets():
    assert value("X = Y = 5\n", "Y").value == 5 and value("X = Y = 5\n").value == 5
    assert value("X, Y = 1, 2\n", "Y").value == 2
    assert value("A = ('a',)\nA += ('b',)\n", "A").value == ["a", "b"]
    assert value("X: int = 5\n").value == 5
    assert value("X = 1; Y = 2\n", "Y").value == 2
    assert value("X = {'a': 1}\nX['a'] = UNKNOWN\n").kind == "expression"


PYTHON_2 = """\
import os
print "starting", os
print >>f, "x"
exec "a = 1" in {}
try:
    raise ValueError, "x"
except (ImportError, ValueError), e:
    pass
if 1 <> 2:
    A = `5`
MODE = 0644
BIG = 10L
X = 360
"""


def test_python_2_is_no_syntax_error():
    project = read(PYTHON_2)
    assert project.problems == ()
    assert project.number("X") == 360 and project.number("MODE") == 420 and project.number("BIG") == 10


def test_python_3_is_no_syntax_error():
    assert read("print(f'{1}', end='')\nasync def f(): pass\nX = 1_000\nraise A from b\n").problems == ()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("A = 1\nX = 360 s\nB = 2\n", 2),
        ("A = 1\nX = 'abc\nB = 2\n", 2),
        ("A = 1\nX =\nB = 2\n", 2),
        ("A = 1\nX = 5 5\n", 2),
        ("A = 1\nX = = 5\n", 2),
        ("A = 1\n  X = 5\n", 2),
        ("A = 1\nif A\n    X = 5\n", 2),
        ("A = 1\nX = {'a': 1,\n", 2),
        ("<html>502</html>\n", 1),
    ],
)
def test_syntax_errors_have_their_line(source, line):
    project = read(source)
    assert [english(problem) for problem in project.problems] == [f"/1.py:{line}: syntax error"]
    broken = project.get("X")
    assert broken is None or broken.kind in ("broken", "int")


def test_an_assignment_that_touches_an_error_is_broken():
    project = read("A = 1\nX = 360 s\nB = 2\n")
    assert (project.get("X").kind, project.get("X").text, project.get("X").line) == ("broken", "360 s", 2)
    assert project.number("A") == 1 and project.number("B") == 2


def test_template_variables_that_were_never_replaced():
    project = read(
        "# __COMMENT__\nHOST = '__MYSQL_IP__:__MYSQL_PORT__'\nPORT = __PAAS_PORT__\nSECRET_KEY = '__BK_KEY__'\n"
        "BASE = __file__\n__all__ = ['x']\nif __name__ == '__main__': pass\n"
    )
    assert project.placeholders == (
        "/1.py:2: __MYSQL_IP__",
        "/1.py:2: __MYSQL_PORT__",
        "/1.py:3: __PAAS_PORT__",
        "/1.py:4: __BK_KEY__",
    )
    assert project.get("SECRET_KEY").value == "__BK_KEY__"


@pytest.mark.parametrize(
    "source",
    [
        "SECRET_KEY = 'Pl4nted'",
        "SECRET_KEY = os.environ.get('SECRET_KEY', 'Pl4nted')",
        "X = env('DB_PASSWORD', 'Pl4nted')",
        "X = env('DB_PASSWORD', 'Pl4nted-token')",
        "SECRET_KEY = 'Pl4nted' + unknown()",
        "SECRET_KEY = 'Pl4nted",
        "SECRET_KEY = 'Pl4nted' x",
        "DATABASES = {'default': {'PASSWORD': 'Pl4nted', 'PORT': unknown()}}",
        "DATABASES = {'default': {'PASSWORD': 'Pl4nted', }",
        "REDIS = 'redis://:Pl4nted@10.0.0.1:6379/0'",
        "ELASTICSEARCH_URLS = 'elastic:Pl4nted@10.0.0.1:9200;elastic:Pl4nted@10.0.0.2:9200'",
        "CONF = [{'redis_pass': 'Pl4nted'}]",
        "PASSWORD = 'Pl4nted'; USERNAME = 'admin'",
        "X = 5 # password: Pl4nted",
        "X = f(5, # password: Pl4nted\n 6)",
        "TOKENS = {'token': ('Pl4nted',)}",
        "X = {'tokens': {'app': 'Pl4nted'}}",
        "X = {'auth': [{'app': 'Pl4nted'}]}",
    ],
)
@pytest.mark.parametrize("secret", ["Pl4nted", "PL4NTED"])
def test_secrets_are_not_kept(source, secret):
    assert secret not in str(read(source.replace("Pl4nted", secret) + "\n"))


def test_what_is_named_like_a_secret_but_is_not_secret():
    project = read(
        "BK_TOKEN_OFFSET_ERROR_TIME = 60\nTOKEN_EXPIRE_SECONDS = '30'\nESB_TOKEN = ''\nUSE_TOKEN = True\nKEY = None\n"
    )
    assert [v.kind for v in project.values.values()] == ["int", "str", "str", "bool", "none"]
    assert read("PASSWORD = 123456\n").get("PASSWORD").kind == "secret"


def test_a_long_value_is_kept_as_its_digest():
    items = [f"item{n}" for n in range(1000)]
    project = read(f"X = {items!r}\nY = {items!r}\n")
    assert project.get("X").value is None and project.get("X").kind == "list"
    assert project.get("X").digest == project.get("Y").digest and len(json.dumps(project.get("X").text)) < 300


def test_files_that_are_not_there_or_not_whole():
    files = {
        "settings-login-1": [missing(DEFAULT)],
        "settings-login-2": [entry("/denied.py", error="Permission denied")],
        "settings-login-3": [entry("/long.py", "X = 1\nY = ", truncated=True)],
    }
    project = settings(files, Secrets(), shown=Everything()).by_project["login"]
    assert [file.exists for file in project.files] == [False, True, True]
    assert english(project.problems[0]) == "/denied.py: Permission denied"
    assert english(project.problems[1]) == "/long.py: only a part of it was read"
    assert project.get("X").value == 1
    with pytest.raises(NoData, match=r"/denied.py: Permission denied"):
        project.number("X")


def test_windows_line_ends_and_a_byte_order_mark():
    assert value("\ufeff# -*- coding: utf-8 -*-\r\nX = 360\r\n").value == 360


def test_an_empty_file():
    assert read("").values == {} and read("").problems == ()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("DEBUG = False\nX = 60 if not DEBUG else 0\n", 60),
        ("N = 3\nif N > 2:\n    X = 1\nelse:\n    X = 2\n", 1),
        ("import os\nX = 1 if os.environ.get('A') else 2\n", None),
    ],
)
def test_a_choice_is_read_when_its_test_is_known(text, known):
    assert value(text).value == known


@pytest.mark.parametrize(
    ("database", "where"),
    [
        ("'ENGINE': 'django.db.backends.mysql', 'HOST': '10.0.0.9', 'PORT': ''", ("10.0.0.9", 3306)),
        ("'ENGINE': 'django.db.backends.mysql', 'HOST': '/var/lib/mysql/mysql.sock'", None),
        ("'ENGINE': 'django.db.backends.sqlite3', 'HOST': '', 'NAME': 'x.db'", None),
    ],
)
def test_a_database_that_is_no_server_is_not_asked(database, where):
    own = read(f"DATABASES = {{'default': {{{database}}}}}\n")
    found = accounts(SettingsByProject(by_project={"login": own})).values()
    assert [(one.host, one.port) for one in found] == ([where] if where else [])


def kept(text, own=no_own, key=b"key"):
    files = {"settings-login-1": [entry("/1.py", text)]}
    return settings(files, Secrets(key), own).by_project["login"]


@pytest.mark.parametrize(
    "text",
    [
        "UNUSUAL = 'Pl4nted'",
        "UNUSUAL = ['a', 'Pl4nted']",
        "UNUSUAL = {'a': {'b': 'Pl4nted'}}",
        "UNUSUAL = f('Pl4nted')",
        "UNUSUAL = 'Pl4nted",
        "UNUSUAL = 'Pl' + '4nted'",
        "DATABASES = {'default': {'HOST': '10.0.0.4', 'UNUSUAL': 'Pl4nted', 'OPTIONS': {'x': ['Pl4nted']}}}",
        "ELASTICSEARCH_URLS = 'elastic:Pl4nted@10.0.0.1:9200'",
        "UNUSUAL = 'Pl4nted.service.consul.Pl4nted'",
    ],
)
def test_only_values_of_names_in_the_list_are_kept(text):
    found = kept(text)
    assert "Pl4nted" not in str(found).replace("Pl4nted.service.consul", "") and "secret:" in str(found)


def test_values_that_conditions_judge_are_kept():
    found = kept(
        LOGIN_DEFAULT + LOGIN_PRODUCTION + "HTTP_SCHEMA = 'http'\nHOST_CC = 'cmdb.service.consul:80'\n"
    )
    assert found.number("BK_TOKEN_OFFSET_ERROR_TIME") == 60 and found.number("BK_COOKIE_AGE") == 86400
    assert found.get("HTTP_SCHEMA").value == "http" and found.get("BK_COOKIE_DOMAIN").value == ".bk.com"
    default = found.get("DATABASES").value["default"]
    assert (default["HOST"], default["PORT"], default["NAME"], default["USER"]) == (
        "10.0.1.4", "3306", "open_paas", "bk_paas",
    )  # fmt: skip
    assert found.consul_names == ("cmdb.service.consul",)


def test_digests_are_of_normalised_values():
    texts = ("X = 3306", "X = '3306'", "X = ' 3306 '", "X = 3306.0")
    assert len({kept(text).get("X").digest for text in texts}) == 1
    assert len({kept(text).get("X").digest for text in ("X = [1]", "X = ['1']", "X = ('1',)")}) == 1
    assert kept("X = 3306").get("X").digest != kept("X = 3307").get("X").digest
    with pytest.raises(NoData):
        kept("X = 3306").number("X")


def test_a_digest_without_the_hosts_own_addresses_compares_across_hosts():
    here, there = (
        replace_own_names(["10.0.1.3", "::1"], "paas-1.x"),
        replace_own_names(["10.0.1.4"], "paas-2"),
    )
    one, other = (
        kept("X = 'http://10.0.1.3:80/'", here).get("X"),
        kept("X = 'http://10.0.1.4:80/'", there).get("X"),
    )
    assert one.digest != other.digest and one.own_digest == other.own_digest is not None
    assert kept("X = 'http://10.0.1.31/'", here).get("X").own_digest is None
    assert (
        kept("X = 'http://paas-1/a'", here).get("X").own_digest
        == kept("X = 'http://paas-2/a'", there).get("X").own_digest
    )
    assert kept("X = 'paas-11'", here).get("X").own_digest is None
    assert kept("X = 'http://[::1]/'", here).get("X").own_digest is not None
