"""Signs that a file was loaded: compiled settings; directives that nginx and supervisord would refuse."""

import base64
import py_compile
import struct

import pytest
from recorded import HOME, english, entry

from bkpaas.facts.bytecode import compiled, source_of
from bkpaas.facts.nginx_syntax import syntax_problems
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import supervisors

SOURCE = """import os
SECRET_KEY = 'abcdefgh-12345'
EVENT_STATE_EXPIRE_SECONDS = 3600
DATABASES = {'default': {'HOST': '10.0.0.1', 'PASSWORD': 'pw-12345'}}
"""


@pytest.fixture(scope="module")
def python3(tmp_path_factory):
    path = tmp_path_factory.mktemp("code") / "default.py"
    path.write_text(SOURCE)
    made = py_compile.compile(str(path))
    with open(made, "rb") as file:
        return made, base64.b64encode(file.read()).decode()


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("", "", ()),
        ("12345'\nEVENT", "99999'\nEVENT", ("SECRET_KEY",)),
        ("3600", "7200", ("EVENT_STATE_EXPIRE_SECONDS",)),
        ("10.0.0.1", "10.0.0.2", ("DATABASES",)),
        ("import os\n", "import os\nNEW_ONE = 1\n", ("NEW_ONE",)),
        ("EVENT_STATE_EXPIRE_SECONDS = 3600\n", "", ("EVENT_STATE_EXPIRE_SECONDS",)),
    ],
)
def test_values_that_are_not_in_the_compiled_file(python3, old, new, changed):
    path, text = python3
    found = compiled(path, 1.0, text, SOURCE.replace(old, new, 1))
    assert found.changed == changed and found.source_size == len(SOURCE)


@pytest.mark.parametrize(
    ("present", "commented"),
    [
        (SOURCE + "# reviewed by the operators\n", True),
        (SOURCE.replace("SECRET", "# first line\n# second line\nSECRET", 1), True),
        ("# old\n# older\n" + SOURCE + "DEBUG = True\n", False),
        (SOURCE + "\n", False),
        (SOURCE + "x = 1\n", False),
        (SOURCE.replace("3600", "7200") + "# reviewed by the operators\n", False),
        (SOURCE, False),
    ],
    ids=[
        "appended",
        "inserted",
        "a value too",
        "an empty line",
        "a statement",
        "a changed value",
        "as it was",
    ],
)
def test_lines_of_comments_that_were_added(python3, present, commented):
    path, text = python3
    assert compiled(path, 1.0, text, present).commented is commented


def test_compiled_by_python_2():
    """The header of 2.7 has the time of the source and no size; strings have four bytes of length."""
    name = b"t" + struct.pack("<I", 10) + b"SECRET_KEY"
    data = b"\x03\xf3\r\n" + struct.pack("<I", 1_500_000_000) + b"c\0\0\0\0s" + name + b"t\x08\0\0\0abcdefgh"
    text = base64.b64encode(data).decode()
    found = compiled("/x/conf/default.pyc", 1.0, text, "SECRET_KEY = 'abcdefgh'\n")
    assert (found.source, found.source_mtime, found.source_size) == (
        "/x/conf/default.py",
        1_500_000_000,
        None,
    )
    assert found.changed == ()
    assert compiled("/x/conf/default.pyc", 1.0, text, "SECRET_KEY = 'ijklmnop'\n").changed == ("SECRET_KEY",)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", base64.b64encode(b"x" * 64).decode()])
def test_what_is_not_a_compiled_file(text):
    assert compiled("/x/default.pyc", 1.0, text, SOURCE) is None


def test_sources():
    assert source_of("/x/__pycache__/default.cpython-36.pyc") == "/x/default.py"
    assert source_of("/x/default.py") is None


@pytest.mark.parametrize(
    "text",
    [
        "http { upstream A { server 10.0.0.1:80\n server 10.0.0.2:80; } }",
        "http { server { listen 80\n server_name x;\n } }",
        "http { proxy_pas http://a; }",
        "http { server { listen 80; ",
        "http { include a\n include b; }",
        "http {}}",
    ],
)
def test_what_nginx_refuses(text):
    assert syntax_problems(text)


def test_what_nginx_accepts():
    text = """http { log_format main '$a '
  '$b';
 proxy_next_upstream error timeout
    invalid_header http_502;
 map $a $b { default 0; listen 1; root
  2; }
 server { server_name a
   b c;
 location / { add_header X "a
  proxy_pass b"; lua_code_cache on; } } }"""
    assert syntax_problems(text) == ()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("startretries=many", "startretries"),
        ("stopsignal=STOP", "stopsignal"),
        ("[program:other", "[program"),
        ("autorestart=maybe", "autorestart"),
        ('environment=RATE="50%"', "lone"),
        ("command=/bin/x 'y", "quote"),
    ],
)
def test_what_supervisord_refuses(line, word):
    command = "" if line.startswith("command") else "command=/bin/x\n"
    conf = f"[supervisord]\n[program:x]\n{command}{line}\n"
    entries = {"supervisor-conf": [entry(f"{HOME}/etc/supervisor-open_paas.conf", conf)]}
    (found,) = supervisors(entries, None, None, Secrets()).by_module.values()
    assert any(word in english(problem) for problem in found.conf_refused)
