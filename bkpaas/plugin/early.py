"""The command line options, known to pytest before it looks for its configuration.

pytest takes the value of an option that it does not know yet for a test path, and looks for pytest.ini next to it:
`pytest --inventory /data/install` would then find neither pytest.ini nor conftest.py. The installed project
therefore brings this module as a plugin of its own; when pytest was led astray, or was called in another directory,
it is started once more where it belongs.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bkpaas import interruption, streams
from bkpaas.language import LANGUAGES, Language, get_language, language_of_locale, set_language
from bkpaas.messages import msg, to_text

HERE = Path(__file__).resolve().parents[2]  # selftests/pytest.ini comes here by way of ".."

_DEPLOYMENT_OPTIONS = ("--inventory", "--from-snapshot", "--explain")
"""One of them is on every command line of the suite."""


def _is_run(args: Sequence[str]) -> bool:
    """Return whether a command line is that of a run of the suite, in the process that controls it."""
    return "PYTEST_XDIST_WORKER" not in os.environ and any(
        word.partition("=")[0] in _DEPLOYMENT_OPTIONS for word in args
    )


_COLLECTED_OBJECTS = 100_000
"""New objects after which Python looks for cycles in a run: most of its objects live until its end."""

if _is_run(sys.argv):  # before the rest is imported, which takes half a second
    interruption.install()
    gc.set_threshold(_COLLECTED_OBJECTS)

Settings = dict[str, Any]
Group = tuple[str, dict[str, Settings]]
"""A title, and the arguments of argparse by the name of the option."""


def _inventory_options() -> Group:
    """Return the title and the options for which deployment is checked."""
    return to_text(msg("BlueKing PaaS: what is checked (pytest --inventory /data/install)")), {
        "--inventory": {
            "metavar": "PATH",
            "help": to_text(
                msg(
                    "the deployment: a copy of /data/install, an install.config, or a directory with deployment.yaml"
                )
            ),
        },
        "--plan": {
            "action": "store_true",
            "help": to_text(msg("print what would be read and requested on each host, and send nothing")),
        },
        "--transport": {
            "choices": ("asyncssh", "openssh"),
            "default": "asyncssh",
            "help": to_text(
                msg("how ssh:// hosts are reached; openssh is for ssh_config files that asyncssh cannot read")
            ),
        },
        "--waivers": {
            "metavar": "FILE",
            "help": to_text(
                msg(
                    "known failures that are accepted until a date, in addition to those of deployment.yaml: the same list under waivers: (docs/runs.md)"
                )
            ),
        },
    }


def _selection_options() -> Group:
    """Return the title and the options for which checks run."""
    return to_text(
        msg("BlueKing PaaS: selecting what to check (-m SYMPTOM, see --markers, includes all its causes)")
    ), {
        "--limit": {
            "metavar": "HOSTS",
            "help": to_text(msg("check only these hosts: names, addresses or roles, separated by commas")),
        },
        "--only": {
            "metavar": "ID",
            "action": "append",
            "default": [],
            "help": to_text(msg("check only this condition@subject, or this condition; may be repeated")),
        },
        "--failed-of": {
            "metavar": "FILE",
            "help": to_text(
                msg("after a repair: check again what a results.json has as failed or without data")
            ),
        },
    }


def _login_options() -> Group:
    """Return the title and the options for the login."""
    return to_text(msg("BlueKing PaaS: a real login (writes what a login writes)")), {
        "--login-user": {
            "metavar": "USER",
            "help": to_text(
                msg(
                    "log this user in for real; the password comes from BKPAAS_LOGIN_PASSWORD or --login-password-file, and is tried once"
                )
            ),
        },
        "--login-password-file": {
            "metavar": "FILE",
            "help": to_text(
                msg("file with the password of --login-user; only its owner may be able to read it")
            ),
        },
    }


def _run_options() -> Group:
    """Return the title and the options for what is kept between runs."""
    return to_text(msg("BlueKing PaaS: between runs")), {
        "--save-snapshot": {
            "metavar": "FILE",
            "help": to_text(msg("save what was collected, without secrets, to check it again later")),
        },
        "--from-snapshot": {
            "metavar": "FILE",
            "action": "append",
            "default": [],
            "help": to_text(
                msg(
                    "check the snapshot of an earlier run offline; no host is contacted. Given several times: merge the snapshots of several controllers, each of its part of the hosts (docs/engines.md)"
                )
            ),
        },
        "--collect-plan": {
            "metavar": "DIR",
            "help": to_text(
                msg(
                    "contact no host: write into DIR what an engine (Salt, Ansible, JOB) has to run on each of them; once for round 1, and again for round 2 when the answers of round 1 are there. docs/engines.md"
                )
            ),
        },
        "--from-answers": {
            "metavar": "DIR",
            "help": to_text(msg("check the answers that an engine collected for --collect-plan DIR")),
        },
        "--baseline": {
            "metavar": "SNAPSHOT",
            "help": to_text(
                msg("the snapshot of an earlier run to compare with: which verdicts and facts changed")
            ),
        },
        "--history": {
            "metavar": "DIR",
            "help": to_text(
                msg(
                    "record every run there: since when something fails, what is new, what was repaired; one directory for each deployment"
                )
            ),
        },
        "--secret-key-file": {
            "metavar": "FILE",
            "help": to_text(
                msg(
                    "a key common to several runs, so that equal secrets can be compared between their snapshots; at least 32 bytes, not readable by others. To make one: (umask 077; head -c 32 /dev/urandom | base64 > FILE)"
                )
            ),
        },
    }


def _output_options() -> Group:
    """Return the title and the options for the outputs."""
    return to_text(msg("BlueKing PaaS: what is written")), {
        "--report": {
            "metavar": "DIR",
            "default": "report",
            "help": to_text(
                msg("where results.json, report.html, details.html and junit.xml go (default: report/)")
            ),
        },
        "--lang": {
            "choices": LANGUAGES,
            "default": None,
            "help": to_text(msg("language of every text printed or written (default: from the locale)")),
        },
        "--summary": {
            "metavar": "FILE",
            "help": to_text(
                msg(
                    "the root causes in Markdown for a ticket, in plain text if it ends in .txt; - is standard output"
                )
            ),
        },
        "--junit-causes-only": {
            "action": "store_true",
            "help": to_text(
                msg("in JUnit XML each root cause is one failure; what follows from it is skipped")
            ),
        },
        "--code-quality": {
            "metavar": "FILE",
            "help": to_text(msg("the root causes as a code quality report of GitLab")),
        },
        "--explain": {
            "metavar": "ID",
            "help": to_text(
                msg(
                    "explain one condition@subject: what was read, the rule, the limits and why; from results.json in the directory of --report, or with --from-snapshot"
                )
            ),
        },
        "--bundle": {
            "metavar": "FILE",
            "help": to_text(
                msg(
                    "a zip file with the snapshot, the record and the versions for someone outside of the site; names and addresses are replaced"
                )
            ),
        },
        "--prometheus": {
            "metavar": "FILE",
            "help": to_text(msg("metrics for node_exporter's textfile collector; FILE ends in .prom")),
        },
    }


def _sending_options() -> Group:
    """Return the title and the options for what is sent."""
    return to_text(msg("BlueKing PaaS: what is sent")), {
        "--webhook-kind": {
            "choices": ("wecom", "feishu", "dingtalk", "slack", "json"),
            "help": to_text(
                msg(
                    "send the root causes to a group chat, or as JSON to a program of yours; the address is a secret and comes from BKPAAS_WEBHOOK or --webhook-file"
                )
            ),
        },
        "--webhook-file": {
            "metavar": "FILE",
            "help": to_text(
                msg("file with the address of the webhook; only its owner may be able to read it")
            ),
        },
        "--bkmonitor-file": {
            "metavar": "FILE",
            "help": to_text(
                msg(
                    "report the root causes as events to BlueKing Monitor; FILE holds url, data_id and access_token, and only its owner may be able to read it (docs/outputs.md)"
                )
            ),
        },
        "--report-url": {
            "metavar": "URL",
            "help": to_text(msg("the address of report.html, for the link in the message of --webhook-kind")),
        },
    }


def groups() -> dict[str, dict[str, Settings]]:
    """Return the options by the title of their group, in the language of the run."""
    return dict(
        (
            _inventory_options(),
            _selection_options(),
            _login_options(),
            _run_options(),
            _output_options(),
            _sending_options(),
        )
    )


@pytest.hookimpl(tryfirst=True)
def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    config = pluginmanager.get_plugin("pytestconfig")
    _restart_in_suite_directory(config)
    set_language(_language(config))  # --help is printed before the options are read
    if (
        config is not None
        and config.inipath == HERE / "pytest.ini"
        and "PYTEST_XDIST_WORKER" not in os.environ
    ):
        streams.protect(get_language())
    for title, options in groups().items():
        group = parser.getgroup(title)
        for name, settings in options.items():
            group.addoption(name, **settings)
    # The first to name a group gives it its title: testinfra's own options have no effect here.
    parser.getgroup(
        "testinfra",
        to_text(msg("testinfra (not used here: connections are set in deployment.yaml)")),
    )


def _language(config: pytest.Config | None) -> Language:
    """Return that of the last --lang on the command line, else that of the locale; a wrong one is refused later."""
    language = language_of_locale()
    args = [str(word) for word in config.invocation_params.args] if config else []
    for word, following in pairwise([*args, ""]):
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else following
        if word.startswith("--lang") and value in LANGUAGES:
            language = "zh" if value == "zh" else "en"
    return language


def suite_directory(otherwise: Path) -> Path:
    """Return the directory of pytest.ini: around this package, or `otherwise` if the package is installed."""
    return HERE if (HERE / "pytest.ini").is_file() else otherwise


def _restart_in_suite_directory(config: pytest.Config | None) -> None:
    if config is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    called_in = config.invocation_params.dir
    directory = suite_directory(called_in)
    ini = directory / "pytest.ini"
    if (config.inipath, called_in) == (ini, directory) or not ini.is_file():
        return
    args = [str(word) for word in config.invocation_params.args]
    configured = any(word in ("-c", "--rootdir") or word.startswith(("-c=", "--rootdir=")) for word in args)
    if _is_run(args) and not configured:
        again = ["-m", "pytest", "-c", str(ini), "--rootdir", str(directory)]
        again += _with_absolute_paths(called_in, directory, args)
        os.chdir(directory)
        os.execv(sys.executable, [sys.executable, *again])


def _with_absolute_paths(called_in: Path, directory: Path, args: list[str]) -> list[str]:
    """Return the arguments with absolute paths after our own options; reports go where pytest was called."""
    changed, before = list[str](), ""
    paths = {
        name
        for options in groups().values()
        for name, settings in options.items()
        if settings.get("metavar") in ("PATH", "FILE", "DIR", "SNAPSHOT")
    }
    for word in args:
        option, equals, value = word.partition("=")
        if before in paths and word != "-":  # standard output
            word = str(called_in / word)
        elif option in paths and equals and value != "-":
            word = f"{option}={called_in / value}"
        changed.append(word)
        before = word
    if called_in != directory and not any(word.partition("=")[0] == "--report" for word in args):
        changed.append(f"--report={called_in / 'report'}")
    return changed
