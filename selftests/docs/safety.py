"""The lists of docs/safety.md, from the plan and the collector: `python -m selftests.docs.safety` writes them.

They are between <!-- written: NAME --> and <!-- end -->. What the second visits ask depends on what the first ones found:
here, on the recorded hosts of the lab.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bkpaas.catalogue.model import Text
from bkpaas.collect import plan
from bkpaas.collect.probes import MAX_REDIRECTS
from bkpaas.facts import Snapshot
from bkpaas.facts.query import Earlier, TcpName
from bkpaas.facts.setting_places import PLACES
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import DEFAULT_PORTS, Connection, Deployment, Host
from bkpaas.language import Language

ROOT = Path(__file__).parents[2]
FILES: dict[Language, Path] = {"en": ROOT / "docs/safety.md", "zh": ROOT / "docs/safety.zh-CN.md"}
SNAPSHOT = ROOT / "selftests/snapshots/healthy.json"
ROLES = ("paas", "nginx", "appo", "appt", "cmdb", "job", "mysql", "redis", "rabbitmq", "es", "fta")
ASKING = platform.LOGIN_CALLER_ROLES
"""The roles for whose sake something is requested."""

_EVERY = Text(en="every host", zh="所有主机")
_PATH = Text(en="path", zh="路径")
_WHERE = Text(en="hosts", zh="主机")
_FROM = Text(en="from", zh="发起方")
_WHAT = Text(en="what", zh="内容")
_KINDS = {
    "read": Text(en="read", zh="读取"),
    "stat": Text(en="metadata only", zh="只读属性"),
    "tail": Text(en="the end of the newest files", zh="最新几个文件的末尾"),
    "nginx": Text(en="read, with all that it includes", zh="读取，包括其 include 的文件"),
}
_LOGIN = Text(
    en="the login itself: account, proof of the password, name of the database",
    zh="登录本身：账号、密码的证明、数据库名",
)
_CONTROLLER = Text(en="the controller", zh="运行套件的机器")


def commands(language: Language) -> list[str]:
    """COMMANDS of the collector."""
    known: dict[str, list[str]] = _constant("COMMANDS")
    return [f"    {' '.join([name, *words])}" for name, words in known.items()]


def docker(language: Language) -> list[str]:
    """DOCKER_REQUESTS of the collector."""
    known: dict[str, str] = _constant("DOCKER_REQUESTS")
    return [f"    GET {request}" for request in known.values()]


def statements(language: Language) -> list[str]:
    """Return what a database is sent: the login, then DATABASE_COMMANDS and DATABASE_STATEMENTS of the collector."""
    known: dict[str, bytes] = _constant("DATABASE_COMMANDS")
    texts: dict[str, str] = _constant("DATABASE_STATEMENTS")
    lines = [f"- {_LOGIN.in_(language)}"]
    for name in known:
        lines.append(f"- `{name}`")
        lines += [f"  - `{text}`" for text in texts.values() if name == "COM_QUERY"]
    return lines


def _constant(name: str) -> Any:
    """Return a constant of the collector from its source, since importing it is for hosts."""
    tree = ast.parse((ROOT / "bkpaas/collect/collector.py").read_text("utf-8"))
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    return ast.literal_eval(value)


def environment(language: Language) -> list[str]:
    names = plan.round_1(_host("paas"), _recorded().deployment)["processes"]["environ"]
    return [", ".join(f"`{name}`" for name in names)]


def paths(language: Language) -> list[str]:
    """Return the paths that round 1 reads, by role."""
    found: dict[tuple[str, str], list[str]] = {}
    deployment = _recorded().deployment
    for role in ROLES:
        queries = plan.round_1(_host(role), deployment)
        for one in queries["files"]:
            found.setdefault(("read" if one["read"] else "stat", one["path"]), []).append(role)
        for one in queries["tails"]:
            found.setdefault(("tail", one["path"]), []).append(role)
        for conf in queries.get("nginx", {}).get("confs", ()):
            found.setdefault(("nginx", conf), []).append(role)
    return _table(
        (_PATH, _WHAT, _WHERE),
        [
            (f"`{path}`", _KINDS[kind].in_(language), _roles(roles, language))
            for (kind, path), roles in found.items()
        ],
        language,
    )


def places(language: Language) -> list[str]:
    """Return the file systems whose free space is read, by role."""
    found: dict[str, list[str]] = {}
    deployment = _recorded().deployment
    for role in ROLES:
        for path in plan.round_1(_host(role), deployment)["disks"]:
            found.setdefault(path, []).append(role)
    rows = [(f"`{path}`", _roles(roles, language)) for path, roles in found.items()]
    return _table((_PATH, _WHERE), rows, language)


def requests(language: Language) -> list[str]:
    """The requests to the services, with their senders."""
    recorded = _recorded()
    found: dict[str, list[str]] = {}
    for host in recorded.deployment.selected():
        for ask in _queries_of(host, recorded):
            roles = found.setdefault(ask, [])
            roles += [role for role in host.roles if role in ASKING and role not in roles]
    deployment = recorded.deployment
    own = [
        f"GET http://DOMAIN{path}"
        for path in dict.fromkeys(
            (
                *platform.DOMAIN_HEALTHZ_PATHS.values(),
                *platform.domain_paths(deployment),
                platform.IS_LOGIN_PATH,
            )
        )
    ]
    follows = Text(
        en=f"and at most {MAX_REDIRECTS} redirects within the domain",
        zh=f"及域名内最多 {MAX_REDIRECTS} 次跳转",
    )
    rows = [(f"`{ask}`", _roles(roles, language)) for ask, roles in sorted(found.items())]
    rows += [(f"`{ask}`", _CONTROLLER.in_(language)) for ask in own]
    last = f"`GET http://DOMAIN{platform.PLATFORM_PATH}` {follows.in_(language)}"
    return _table((_WHAT, _FROM), [*rows, (last, _CONTROLLER.in_(language))], language)


def counts(language: Language) -> list[str]:
    recorded = _recorded()
    queries = [ask for host in recorded.deployment.selected() for ask in _queries_of(host, recorded)]
    gets, rest = sum(ask.startswith("GET") for ask in queries), sum(ask.startswith("TCP") for ask in queries)
    hosts = len(recorded.deployment.selected())
    text = Text(
        en=f"On the lab's {hosts} hosts a run makes {gets} GET requests and {rest} TCP connections from the hosts.",
        zh=f"在实验环境的 {hosts} 台主机上，一次运行从各主机共发出 {gets} 个 GET 请求和 {rest} 个 TCP 连接。",
    )
    return [text.in_(language)]


WRITTEN = {
    "commands": commands,
    "docker": docker,
    "statements": statements,
    "environment": environment,
    "places": places,
    "paths": paths,
    "requests": requests,
    "counts": counts,
}


def written(language: Language) -> str:
    """The page with its lists as they are today."""
    text = FILES[language].read_text("utf-8")
    for name, lines in WRITTEN.items():
        pattern = rf"(<!-- written: {name} -->\n).*?(<!-- end -->)"
        body = "\n" + "\n".join(lines(language)) + "\n\n"
        text, count = re.subn(
            pattern, lambda found, body=body: found[1] + body + found[2], text, flags=re.DOTALL
        )
        assert count == 1, f"{FILES[language]}: {name}"
    return text


def _recorded() -> Snapshot:
    return Snapshot.load(SNAPSHOT)


def _host(*roles: str) -> Host:
    return Host("host", "192.0.2.1", roles, Connection("ssh://192.0.2.1"))


def _queries_of(host: Host, recorded: Snapshot) -> Iterator[str]:
    deployment = recorded.deployment
    second = plan.round_2(host, deployment, Earlier(recorded.hosts, lambda digest: "password"))
    known = [plan.round_1(host, deployment), second or {}]
    for one in known:
        for ask in one.get("http", ()):
            where = _place(ask, host, deployment)
            yield (
                f"GET {where} on the socket of the application"
                if "uwsgi" in ask or "unix" in ask
                else f"GET {where}"
            )
        for ask in one.get("tcp", ()):
            if ask["name"].startswith(TcpName.SETTING.prefix):
                yield f"TCP ADDRESS, one of {', '.join(PLACES)} in the settings; nothing is sent"
                continue
            service = next((name for name, port in DEFAULT_PORTS.items() if port == ask["port"]), "port")
            if "mysql" in ask:
                yield f"TCP {service.upper()}:{ask['port']} login {' '.join(_constant('DATABASE_COMMANDS'))}"
                continue
            commands = ["AUTH"] if "auth" in ask else []
            commands += re.findall(r"\*\d+\r\n\$\d+\r\n(\w+)", ask.get("send", ""))
            yield f"TCP {service.upper()}:{ask['port']} {' '.join(dict.fromkeys(commands))}".strip()


def _place(ask: dict[str, Any], host: Host, deployment: Deployment) -> str:
    if ask["name"].startswith("upstream-"):
        return "http://UPSTREAM_SERVER/"
    url: str = ask["url"].replace(host.address, "OWN").replace(deployment.domain, "DOMAIN")
    url = re.sub(r"\d{4}\.\d\d\.\d\d", "DATE", url)
    url = re.sub(r"&q=.*", "&q=HOST AND FILE", url)
    for other in deployment.hosts:
        url = re.sub(rf"//{re.escape(other.address)}\b", f"//{other.roles[0].upper()}", url)
    return url


def _roles(roles: list[str], language: Language) -> str:
    return _EVERY.in_(language) if len(roles) == len(ROLES) else ", ".join(roles)


def _table(head: tuple[Text, ...], rows: list[tuple[str, ...]], language: Language) -> list[str]:
    lines = [f"| {' | '.join(cells)} |" for cells in ([text.in_(language) for text in head], *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


def main() -> None:
    for language, file in FILES.items():
        file.write_text(written(language), "utf-8")


if __name__ == "__main__":
    main()
