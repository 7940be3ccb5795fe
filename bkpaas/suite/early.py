"""The command line options, known to pytest before it looks for its configuration.

pytest takes the value of an option that it does not know yet for a test path, and looks for pytest.ini beside it:
`pytest --inventory /data/install` would then find neither pytest.ini nor conftest.py. The installed project
therefore brings this module as a plugin of its own; when pytest was led astray, or was called in another directory,
it is started once more where it belongs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2]  # selftests/pytest.ini comes here by way of ".."

GROUPS: dict[str, dict[str, dict[str, Any]]] = {
    "BlueKing PaaS acceptance: what is judged": {
        "--inventory": {
            "metavar": "PATH",
            "help": "what to judge: a copy of /data/install, an install.config, or a directory with deployment.yaml",
        },
        "--limit": {
            "metavar": "HOSTS",
            "help": "judge only these hosts: names, addresses or roles, separated by commas",
        },
        "--only": {
            "metavar": "ID",
            "action": "append",
            "default": [],
            "help": "judge only this condition@subject, or this condition; may be repeated",
        },
        "--waivers": {
            "metavar": "FILE",
            "help": "failures that are known and accepted until a day, beside those of deployment.yaml: the same "
            "list under waivers: (docs/runs.md)",
        },
        "--login-user": {
            "metavar": "USER",
            "help": "log this user in for real, which writes what a login writes; the password comes from "
            "BKPAAS_LOGIN_PASSWORD or --login-password-file, and is tried once",
        },
        "--login-password-file": {
            "metavar": "FILE",
            "help": "holds the password of --login-user; nobody but its owner may read it",
        },
        "--transport": {
            "choices": ("asyncssh", "openssh"),
            "default": "asyncssh",
            "help": "how ssh:// hosts are reached; openssh is for ssh_config files that asyncssh cannot read",
        },
        "--plan": {
            "action": "store_true",
            "help": "print what would be read and requested on each host, and send nothing",
        },
    },
    "BlueKing PaaS acceptance: between runs": {
        "--save-snapshot": {
            "metavar": "FILE",
            "help": "keep what was collected, without secrets, to judge it again later",
        },
        "--from-snapshot": {
            "metavar": "FILE",
            "help": "judge what an earlier run kept, offline, instead of visiting the hosts",
        },
        "--baseline": {
            "metavar": "SNAPSHOT",
            "help": "what an earlier run kept, to be compared with: which verdicts and which facts changed",
        },
        "--history": {
            "metavar": "DIR",
            "help": "remember every run there: since when something fails, what is new, what was repaired; one "
            "directory for each deployment",
        },
        "--secret-key-file": {
            "metavar": "FILE",
            "help": "a key common to several runs, so that equal secrets are seen to be equal between their "
            "snapshots; at least 32 bytes that nobody else may read. To make one: "
            "(umask 077; head -c 32 /dev/urandom | base64 > FILE)",
        },
    },
    "BlueKing PaaS acceptance: what is written": {
        "--report": {
            "metavar": "DIR",
            "default": "report",
            "help": "where results.json, report.html, details.html and junit.xml go (default: report/)",
        },
        "--lang": {
            "choices": ("en", "zh"),
            "default": None,
            "help": "language of every text printed or written (default: from the locale)",
        },
        "--summary": {
            "metavar": "FILE",
            "help": "the root causes in Markdown, for a ticket; - is standard output",
        },
        "--prometheus": {
            "metavar": "FILE",
            "help": "metrics for node_exporter's textfile collector; FILE ends in .prom",
        },
        "--webhook-kind": {
            "choices": ("wecom", "feishu", "dingtalk", "slack", "json"),
            "help": "send the root causes to a group chat, or as JSON to a program of yours; the address is a "
            "secret and comes from BKPAAS_WEBHOOK or --webhook-file",
        },
        "--webhook-file": {
            "metavar": "FILE",
            "help": "holds the address of the webhook; nobody but its owner may read it",
        },
        "--report-url": {
            "metavar": "URL",
            "help": "where report.html can be seen, for the link in the message of --webhook-kind",
        },
    },
}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _start_again_at_home(pluginmanager.get_plugin("pytestconfig"))
    for title, options in GROUPS.items():
        group = parser.getgroup(title)
        for name, settings in options.items():
            group.addoption(name, **settings)


PATHS = ("--inventory", "--from-snapshot", "--save-snapshot", "--report", "--login-password-file")
"""Options whose value is a path, seen from where pytest was called."""


def _start_again_at_home(config: pytest.Config | None) -> None:
    if config is None or config.inipath == HERE / "pytest.ini":
        return
    words = [str(word) for word in config.invocation_params.args]
    ours = any(word.split("=")[0] in ("--inventory", "--from-snapshot") for word in words)
    told = any(word in ("-c", "--rootdir") or word.startswith(("-c=", "--rootdir=")) for word in words)
    if ours and not told:
        again = ["-m", "pytest", "-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE)]
        again += _as_seen_from(config.invocation_params.dir, words)
        os.chdir(HERE)
        os.execv(sys.executable, [sys.executable, *again])


def _as_seen_from(place: Path, words: list[str]) -> list[str]:
    """The words with whole paths after our own options; the reports go where pytest was called."""
    found, before = list[str](), ""
    for word in words:
        option, equals, value = word.partition("=")
        if before in PATHS:
            word = str(place / word)
        elif option in PATHS and equals:
            word = f"{option}={place / value}"
        found.append(word)
        before = word
    if place != HERE and not any(word.partition("=")[0] == "--report" for word in words):
        found.append(f"--report={place / 'report'}")
    return found
