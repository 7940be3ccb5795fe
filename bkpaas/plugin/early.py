"""The command line options, known to pytest before it looks for its configuration.

pytest takes the value of an option that it does not know yet for a test path, and looks for pytest.ini beside it:
`pytest --inventory /data/install` would then find neither pytest.ini nor conftest.py. The installed project
therefore brings this module as a plugin of its own; when pytest was led astray, or was called in another directory,
it is started once more where it belongs.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bkpaas import lang, streams
from bkpaas.lang import say

HERE = Path(__file__).resolve().parents[2]  # selftests/pytest.ini comes here by way of ".."

Settings = dict[str, Any]
Group = tuple[str, dict[str, Settings]]
"""A title, and the arguments of argparse by the name of the option."""


def _inventory_options() -> Group:
    """Return the title and the options for which deployment is checked."""
    return say(
        en="BlueKing PaaS: what is judged (pytest --inventory /data/install)",
        zh="蓝鲸 PaaS：检查什么（pytest --inventory /data/install）",
    ), {
        "--inventory": {
            "metavar": "PATH",
            "help": say(
                en="the deployment: a copy of /data/install, an install.config, or a directory with deployment.yaml",
                zh="要检查的部署：/data/install 的副本、install.config，或含 deployment.yaml 的目录",
            ),
        },
        "--plan": {
            "action": "store_true",
            "help": say(
                en="print what would be read and requested on each host, and send nothing",
                zh="打印将在每台主机上读取和请求的内容，不发送任何请求",
            ),
        },
        "--transport": {
            "choices": ("asyncssh", "openssh"),
            "default": "asyncssh",
            "help": say(
                en="how ssh:// hosts are reached; openssh is for ssh_config files that asyncssh cannot read",
                zh="如何连接 ssh:// 主机；openssh 用于 asyncssh 无法读取的 ssh_config",
            ),
        },
        "--waivers": {
            "metavar": "FILE",
            "help": say(
                en="failures that are known and accepted until a day, beside those of deployment.yaml: the same list "
                "under waivers: (docs/runs.md)",
                zh="已知并在某日之前接受的失败，补充 deployment.yaml 中的豁免：waivers: 下的相同列表（docs/runs.zh-CN.md）",
            ),
        },
    }


def _selection_options() -> Group:
    """Return the title and the options for which checks run."""
    return say(
        en="BlueKing PaaS: less than everything (-m SYMPTOM, see --markers, takes one with all its causes)",
        zh="蓝鲸 PaaS：只检查一部分（-m 现象：一个现象及其所有可能原因，见 --markers）",
    ), {
        "--limit": {
            "metavar": "HOSTS",
            "help": say(
                en="judge only these hosts: names, addresses or roles, separated by commas",
                zh="只判定这些主机：名称、地址或角色，用逗号分隔",
            ),
        },
        "--only": {
            "metavar": "ID",
            "action": "append",
            "default": [],
            "help": say(
                en="judge only this condition@subject, or this condition; may be repeated",
                zh="只判定该 检查项@对象 或该检查项；可重复",
            ),
        },
    }


def _login_options() -> Group:
    """Return the title and the options for the login."""
    return say(
        en="BlueKing PaaS: a real login (writes what a login writes)",
        zh="蓝鲸 PaaS：真实登录（会写入登录记录）",
    ), {
        "--login-user": {
            "metavar": "USER",
            "help": say(
                en="log this user in for real; the password comes from BKPAAS_LOGIN_PASSWORD or "
                "--login-password-file, and is tried once",
                zh="真实登录该用户；密码取自 BKPAAS_LOGIN_PASSWORD 或 --login-password-file，只尝试一次",
            ),
        },
        "--login-password-file": {
            "metavar": "FILE",
            "help": say(
                en="holds the password of --login-user; nobody but its owner may read it",
                zh="存放 --login-user 的密码；只能由属主读取",
            ),
        },
    }


def _run_options() -> Group:
    """Return the title and the options for what is kept between runs."""
    return say(en="BlueKing PaaS: between runs", zh="蓝鲸 PaaS：多次运行之间"), {
        "--save-snapshot": {
            "metavar": "FILE",
            "help": say(
                en="keep what was collected, without secrets, to judge it again later",
                zh="保存采集到的内容（不含密钥），以便之后再次判定",
            ),
        },
        "--from-snapshot": {
            "metavar": "FILE",
            "help": say(
                en="judge what an earlier run kept, offline, instead of visiting the hosts",
                zh="离线判定以前保存的内容，不访问主机",
            ),
        },
        "--baseline": {
            "metavar": "SNAPSHOT",
            "help": say(
                en="what an earlier run kept, to be compared with: which verdicts and which facts changed",
                zh="与以前保存的内容比较：哪些结果和哪些内容发生了变化",
            ),
        },
        "--history": {
            "metavar": "DIR",
            "help": say(
                en="remember every run there: since when something fails, what is new, what was repaired; one "
                "directory for each deployment",
                zh="在该目录记录每次运行：从何时开始失败、新出现的、已修复的；每个部署使用单独的目录",
            ),
        },
        "--secret-key-file": {
            "metavar": "FILE",
            "help": say(
                en="a key common to several runs, so that equal secrets are seen to be equal between their "
                "snapshots; at least 32 bytes that nobody else may read. To make one: "
                "(umask 077; head -c 32 /dev/urandom | base64 > FILE)",
                zh="多次运行共用的密钥，使相同的机密在各快照之间可以比较；至少 32 字节，且他人不可读。生成方法："
                "(umask 077; head -c 32 /dev/urandom | base64 > FILE)",
            ),
        },
    }


def _output_options() -> Group:
    """Return the title and the options for the outputs."""
    return say(en="BlueKing PaaS: what is written", zh="蓝鲸 PaaS：输出"), {
        "--report": {
            "metavar": "DIR",
            "default": "report",
            "help": say(
                en="where results.json, report.html, details.html and junit.xml go (default: report/)",
                zh="results.json、report.html、details.html 和 junit.xml 的目录（默认 report/）",
            ),
        },
        "--lang": {
            "choices": lang.LANGUAGES,
            "default": None,
            "help": say(
                en="language of every text printed or written (default: from the locale)",
                zh="所有输出文字的语言（默认取自 locale）",
            ),
        },
        "--summary": {
            "metavar": "FILE",
            "help": say(
                en="the root causes in Markdown, for a ticket; - is standard output",
                zh="Markdown 格式的根因，可用于工单；- 表示标准输出",
            ),
        },
        "--prometheus": {
            "metavar": "FILE",
            "help": say(
                en="metrics for node_exporter's textfile collector; FILE ends in .prom",
                zh="供 node_exporter 的 textfile 采集器使用的指标；文件名以 .prom 结尾",
            ),
        },
        "--webhook-kind": {
            "choices": ("wecom", "feishu", "dingtalk", "slack", "json"),
            "help": say(
                en="send the root causes to a group chat, or as JSON to a program of yours; the address is a secret "
                "and comes from BKPAAS_WEBHOOK or --webhook-file",
                zh="把根因发送到群聊，或以 JSON 发送给您的程序；地址属于机密，取自 BKPAAS_WEBHOOK 或 --webhook-file",
            ),
        },
        "--webhook-file": {
            "metavar": "FILE",
            "help": say(
                en="holds the address of the webhook; nobody but its owner may read it",
                zh="存放 webhook 的地址；只能由属主读取",
            ),
        },
        "--report-url": {
            "metavar": "URL",
            "help": say(
                en="where report.html can be seen, for the link in the message of --webhook-kind",
                zh="report.html 的访问地址，用于 --webhook-kind 消息中的链接",
            ),
        },
    }


def groups() -> dict[str, dict[str, Settings]]:
    """Return the options by the title of their group, in the language of the run."""
    return dict(
        (_inventory_options(), _selection_options(), _login_options(), _run_options(), _output_options())
    )


@pytest.hookimpl(tryfirst=True)
def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    config = pluginmanager.get_plugin("pytestconfig")
    _start_again_at_home(config)
    lang.speak(_language(config))  # --help is printed before the options are read
    if (
        config is not None
        and config.inipath == HERE / "pytest.ini"
        and "PYTEST_XDIST_WORKER" not in os.environ
    ):
        streams.protect(lang.spoken())
    for title, options in groups().items():
        group = parser.getgroup(title)
        for name, settings in options.items():
            group.addoption(name, **settings)
    # The first to name a group gives it its title: testinfra's own options have no effect here.
    parser.getgroup(
        "testinfra",
        say(
            en="testinfra (not used here: deployment.yaml says how hosts are reached)",
            zh="testinfra（此处不使用：连接方式由 deployment.yaml 决定）",
        ),
    )


def _language(config: pytest.Config | None) -> lang.Language:
    """Return that of the last --lang on the command line, else that of the locale; a wrong one is refused later."""
    language = lang.of_locale()
    words = [str(word) for word in config.invocation_params.args] if config else []
    for word, following in pairwise([*words, ""]):
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else following
        if word.startswith("--lang") and value in lang.LANGUAGES:
            language = "zh" if value == "zh" else "en"
    return language


def suite_directory(otherwise: Path) -> Path:
    """Return the directory of pytest.ini: around this package, or `otherwise` if the package is installed."""
    return HERE if (HERE / "pytest.ini").is_file() else otherwise


def _start_again_at_home(config: pytest.Config | None) -> None:
    if config is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    called_in = config.invocation_params.dir
    home = suite_directory(called_in)
    ini = home / "pytest.ini"
    if (config.inipath, called_in) == (ini, home) or not ini.is_file():
        return
    words = [str(word) for word in config.invocation_params.args]
    ours = any(word.split("=")[0] in ("--inventory", "--from-snapshot") for word in words)
    told = any(word in ("-c", "--rootdir") or word.startswith(("-c=", "--rootdir=")) for word in words)
    if ours and not told:
        again = ["-m", "pytest", "-c", str(ini), "--rootdir", str(home)]
        again += _as_seen_from(called_in, home, words)
        os.chdir(home)
        os.execv(sys.executable, [sys.executable, *again])


def _as_seen_from(place: Path, home: Path, words: list[str]) -> list[str]:
    """The words with whole paths after our own options; the reports go where pytest was called."""
    found, before = list[str](), ""
    paths = {
        name
        for options in groups().values()
        for name, settings in options.items()
        if settings.get("metavar") in ("PATH", "FILE", "DIR", "SNAPSHOT")
    }
    for word in words:
        option, equals, value = word.partition("=")
        if before in paths and word != "-":  # standard output
            word = str(place / word)
        elif option in paths and equals and value != "-":
            word = f"{option}={place / value}"
        found.append(word)
        before = word
    if place != home and not any(word.partition("=")[0] == "--report" for word in words):
        found.append(f"--report={place / 'report'}")
    return found
