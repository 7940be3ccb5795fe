"""Commands of remedies that edit files, carried out on a copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bkpaas.checks import (
    CaseMessage,
    Edit,
    SettingReading,
    add_setting,
    agent_edits,
    conf_edits,
    copy_setting,
    deliver_to,
    edit_of,
    name_index,
    proxy_exceptions,
    replace_first,
    unset_setting,
    without_drop,
    without_nameservers,
)
from bkpaas.checks.edits import RESOLV_CONF, insert_after
from bkpaas.checks.nginx_edits import move_server, put_up
from bkpaas.checks.start_edits import run_as, start_by_itself
from bkpaas.facts import (
    ConfProgram,
    FileFact,
    LogPlugin,
    NginxUpstream,
    NginxUpstreamServer,
    ProxySetting,
    Secrets,
)
from bkpaas.facts.log_plugin_conf import PluginSettings, read_filebeat, read_logstash
from bkpaas.messages import Message

SITE = """upstream OPEN_PAAS_LOGIN {
    server 10.0.0.9:8003 max_fails=1;
    server 10.0.0.2:8003 max_fails=1 down;
}
upstream OTHER {
    server 10.0.0.9:8003 max_fails=1;
}
"""


def run(*edits: Edit | None) -> None:
    subprocess.run(["sh", "-c", str(edit_of(edits, "paas-1"))], check=True)


def reading(file: Path, name: str, text: str, line: int = 1, host: str = "paas-1") -> SettingReading:
    return SettingReading(host, "login", name, frozenset((text,)), text, f"{file}:{line}")


def test_a_setting_is_set_in_the_last_line(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("A = 'x'")  # no end of the line
    port = reading(file, "DATABASES.default.PORT", "1")
    run(add_setting(reading(file, "A", '"x"'), '"it\'s"'), add_setting(port, '"3306"'))
    lines = [line for line in file.read_text().splitlines() if line]
    assert lines == ["A = 'x'", 'A = "it\'s"', 'DATABASES["default"]["PORT"] = "3306"']
    assert (tmp_path / "settings.py.bak").read_text() == "A = 'x'", "the file as it was before the first edit"


def test_a_secret_is_copied_on_its_host_and_never_shown(tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.py", tmp_path / "right.py"
    wrong.write_text("TOKEN = 'a'\n")
    right.write_text("B = 1\nTOKEN = 'hunter2'\n")
    command = copy_setting(reading(wrong, "TOKEN", "***"), reading(right, "TOKEN", "***", 2))
    assert command is not None and "hunter2" not in str(edit_of([command], "paas-1"))
    run(command)
    assert wrong.read_text().splitlines()[-1] == "TOKEN = 'hunter2'"
    assert copy_setting(reading(wrong, "TOKEN", "***"), reading(right, "TOKEN", "***", 2, "paas-2")) is None


def test_what_is_no_literal_is_edited_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    assert copy_setting(reading(file, "A", "1"), reading(file, "A", "B + 1")) is None
    known = Edit("a b", "true")
    for edits in ([], [None, known]):
        assert str(edit_of(edits, "paas-1")).startswith("# edit")
    assert edit_of([known, known], "paas-1") == "cp -p 'a b' 'a b'.bak && true"


def test_added_lines_do_not_move_the_place_of_other_edits(tmp_path: Path) -> None:
    file = tmp_path / "site.conf"
    file.write_text(SITE)
    run(insert_after(str(file), 1, "    # first"), insert_after(str(file), 5, "    # second"))
    lines = file.read_text().splitlines()
    assert lines[1] == "    # first" and lines[lines.index("upstream OTHER {") + 1] == "    # second"


def test_only_the_first_match_from_the_line_on_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "site.conf"
    file.write_text(SITE)
    old, down = NginxUpstreamServer("10.0.0.9", 8003), NginxUpstreamServer("10.0.0.2", 8003, ("down",))
    upstream = NginxUpstream("OPEN_PAAS_LOGIN", (old, down), str(file), 1)
    run(move_server(upstream, old, "10.0.0.1:8003"), put_up(upstream, down))
    assert Path(f"{file}.bak").read_text() == SITE
    assert file.read_text() == SITE.replace("10.0.0.9", "10.0.0.1", 1).replace(" down", "")
    run(replace_first(str(file), 5, "OTHER", "THIRD"))
    assert "upstream THIRD {" in file.read_text()
    assert move_server(upstream, old, None) is None, "the inventory may lack the host"


def test_a_setting_becomes_a_comment_or_gets_its_shipped_value(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("A = 1\nSESSION_COOKIE_PATH = '/x'\nBK_COOKIE_AGE = 24\n")
    run(unset_setting("SESSION_COOKIE_PATH", f"{file}:2"), unset_setting("BK_COOKIE_AGE", f"{file}:3"))
    lines = file.read_text().splitlines()
    assert lines[1] == "# SESSION_COOKIE_PATH = '/x'" and lines[-1] == "BK_COOKIE_AGE = 60 * 60 * 24"


def test_a_nameserver_becomes_a_comment(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 10.0.0.1\nnameserver 10.0.0.11\n")
    command = str(edit_of([without_nameservers(["10.0.0.1"])], "job-1")).replace(RESOLV_CONF, str(file))
    subprocess.run(["sh", "-c", command], check=True)
    assert file.read_text() == "# nameserver 10.0.0.1\nnameserver 10.0.0.11\n"
    assert without_nameservers([]) is None


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("environment", 'export no_proxy="127.0.0.1,paas.x"'),
        (".curlrc", 'noproxy = "127.0.0.1,paas.x"'),
        (".wgetrc", "no_proxy=127.0.0.1,paas.x"),
    ],
)
def test_the_platform_is_excepted_from_a_proxy(tmp_path: Path, name: str, line: str) -> None:
    file = tmp_path / name
    file.write_text("http_proxy=http://p:1")
    settings = [
        ProxySetting(name=name, value=value, location=f"{file}:1")
        for name, value in (("http_proxy", "http://p:1"), ("no_proxy", "127.0.0.1"))
    ]
    run(*proxy_exceptions([f"{file}:1"], settings, ["paas.x"]))
    assert file.read_text().splitlines()[-1] == line
    assert list(proxy_exceptions(["/etc/uwsgi.ini: env"], settings, ["paas.x"])) == [None]


FILEBEAT = """filebeat.prospectors:
- input_type: log
  paths: PATHS
  exclude_files: EXCLUDED
"""


@pytest.mark.parametrize(
    ("paths", "excluded", "problem"),
    [
        ("['/logs/*/*/*.log']", "[]", "not-covered"),
        ("\n    - /logs/*/*/*.log", "[]", "not-covered"),
        ("[/logs/*/*.log]", "['\\.log$', '\\.gz$']", "excluded"),
        ("[/logs/*/*.log]", "\n  - '\\.log$'\n  - b", "excluded"),
    ],
)
def test_log_agent_reads_a_log_again(tmp_path: Path, paths: str, excluded: str, problem: str) -> None:
    file = tmp_path / "filebeat.yml"
    file.write_text(FILEBEAT.replace("PATHS", paths).replace("EXCLUDED", excluded))

    def plugin() -> LogPlugin:
        read = PluginSettings()
        read_filebeat(str(file), file.read_text(), Secrets(b"k" * 32), read)
        lists = tuple(read.paths), tuple(read.left_out), tuple(read.patterns)
        folder = FileFact(path=str(tmp_path), type="dir")
        return LogPlugin(folder, True, (), (), (), (), paths=lists[0], left_out=lists[1], patterns=lists[2])

    assert plugin().covers("/logs/a/a.log") is False
    message = CaseMessage(problem, Message("not read"), {"path": "/logs/a/a.log"})
    run(*agent_edits(plugin(), [message]))
    assert plugin().covers("/logs/a/a.log") is True


@pytest.mark.parametrize("index", ["", 'index => "paas_app_log-%{+YYYY.MM}"'])
def test_log_parser_delivers_where_paas_searches(tmp_path: Path, index: str) -> None:
    file = tmp_path / "paas.conf"
    file.write_text(
        'output {\n  elasticsearch {\n  INDEX\n  hosts => ["10.0.0.62:9200"] }\n}\nfilter { drop { } }\n'.replace(
            "  INDEX\n", f"  {index}\n" if index else ""
        )
    )

    def read() -> PluginSettings:
        settings = PluginSettings()
        read_logstash(str(file), file.read_text(), Secrets(b"k" * 32), settings)
        return settings

    before = read()
    assert before.drops
    run(
        without_drop(before.drops),
        name_index(before.indices[0], "paas_app_log-%{+YYYY.MM.dd}"),
        *deliver_to([str(file)], before.outputs, "10.0.0.53:9200"),
    )
    after = read()
    assert after.drops is None and after.outputs == ["10.0.0.53:9200"]
    assert [one.name for one in after.indices] == ["paas_app_log-%{+YYYY.MM.dd}"]


def test_a_program_starts_with_an_account_that_exists(tmp_path: Path) -> None:
    conf, main = tmp_path / "supervisor.conf", tmp_path / "nginx.conf"
    conf.write_text(
        "[program:a]\nautostart=false\nuser=old\n[program:b]\nautostart=false\n[program:c]\nuser=older\n"
    )
    main.write_text("user  old;\nworker_processes 1;\n")
    edits = [run_as("old", 0, str(main)), run_as("old", 0, str(conf))]
    run(*edits, start_by_itself(ConfProgram("b", "/bin/b", file=str(conf))))
    assert main.read_text() == "user  root;\nworker_processes 1;\n"
    assert conf.read_text().split() == [
        "[program:a]",
        "autostart=false",
        "user=root",
        "[program:b]",
        "[program:c]",
        "user=older",
    ]
    assert run_as("a/b", 0, str(main)) is None


SUPERVISOR = """[program:a
command=/bin/a
[program:b]
startretries=many
environment=RATE="50%",HOME="%(here)s"
stopsignal=INTERRUPT
[program:c]
startretries=3
"""


def test_files_that_a_program_refuses(tmp_path: Path) -> None:
    conf, site, ini = (tmp_path / name for name in ("a.conf", "b.conf", "c.ini"))
    conf.write_text(SUPERVISOR)
    site.write_text("server {\n  proxy_redirect off # as before\n  client_max_boddy_size 512m;\n}\n")
    ini.write_text("[uwsgi]\nchdir /srv\n")
    run(
        *conf_edits(
            [
                f"{conf}: [program:b]: startretries = many is refused",
                f"{conf}: [program:b]: environment has a lone %: write %%",
                f"{conf}: [program:b]: [program lacks its bracket: it is an option here",
                f'{site}:2: directive "proxy_redirect" is not terminated by ";"',
                f'{site}:3: unknown directive "client_max_boddy_size", perhaps client_max_body_size',
                f"{ini}: line 2: chdir without =",
            ]
        )
    )
    assert conf.read_text().splitlines() == [
        "[program:a]",
        "command=/bin/a",
        "[program:b]",
        ";startretries=many",
        'environment=RATE="50%%",HOME="%(here)s"',
        "stopsignal=INTERRUPT",
        "[program:c]",
        "startretries=3",
    ]
    assert site.read_text().splitlines()[1:3] == [
        "  proxy_redirect off;# as before",
        "  client_max_body_size 512m;",
    ]
    assert ini.read_text() == "[uwsgi]\nchdir = /srv\n"
    undecided = [f"{conf}: [program:b]: stopsignal = INTERRUPT is refused", f'{site}:6: unexpected "}}"']
    assert list(conf_edits(undecided)) == [None, None], "stopsignal has no default that uwsgi understands"
