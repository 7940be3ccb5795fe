"""Read domain, scheme, ports and install root of a deployment from its env files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct, field

from bkpaas.inventory import words
from bkpaas.inventory.deployment import Generation
from bkpaas.inventory.env_file import Setting, read_env
from bkpaas.inventory.problems import Problems, quoted
from bkpaas.inventory.source import Source
from bkpaas.messages import Message, msg

Scheme = Literal["http", "https"]


class Names(Struct, frozen=True):
    """Hold the variable names and defaults of one generation."""

    root: str
    domain: str
    domain_ports: dict[Scheme, str]
    scheme: str
    install_root: str
    fqdns: dict[str, str]
    """By role."""
    ports: dict[str, str]
    """By service."""
    shipped_root: str
    shipped_ports: dict[str, int]
    """Where they differ from DEFAULT_PORTS."""


NAMES: dict[Generation, Names] = {
    "5.x": Names(
        root="BK_DOMAIN",
        domain="PAAS_FQDN",
        domain_ports={"http": "PAAS_HTTP_PORT", "https": "PAAS_HTTPS_PORT"},
        scheme="HTTP_SCHEMA",
        install_root="INSTALL_PATH",
        fqdns={"cmdb": "CMDB_FQDN", "job": "JOB_FQDN"},
        ports={
            "agent_nginx": "APP_NGXPROXY_PORT",
            "paas_agent": "PAAS_AGENT_PORT",
            "redis": "REDIS_PORT",
            "rabbitmq": "RABBITMQ_PORT",
            "es": "ES_REST_PORT",
            "mysql": "MYSQL_PORT",
        },
        shipped_root="bk.com",
        shipped_ports={},
    ),
    "6.x": Names(
        root="BK_DOMAIN",
        domain="BK_PAAS_PUBLIC_ADDR",
        domain_ports={},
        scheme="BK_HTTP_SCHEMA",
        install_root="BK_HOME",
        fqdns={"cmdb": "BK_CMDB_PUBLIC_ADDR", "job": "BK_JOB_PUBLIC_ADDR"},
        ports={
            "agent_nginx": "BK_PAASAGENT_NGINX_PROXY_PORT",
            "paas_agent": "BK_PAASAGENT_SERVER_PORT",
            "redis": "BK_PAAS_REDIS_PORT",
            "es": "BK_PAAS_PLUGINS_ES7_REST_PORT",
            "mysql": "BK_PAAS_MYSQL_PORT",
        },
        shipped_root="bktencent.com",
        shipped_ports={"es": 9200},
    ),
}


class Environment(Struct):
    """Hold the values of the env files; None and absent keys: not set."""

    root: str | None = None
    domain: str | None = None
    overruled: dict[str, str] = field(default_factory=dict)
    """What the env files have for domain, cookie_domain and scheme where deployment.yaml settles them."""
    domain_ports: dict[str, int] = field(default_factory=dict)
    """Where the domain is served, by scheme."""
    scheme: Scheme | None = None
    install_root: str | None = None
    fqdns: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


def understand(
    sources: Iterable[Source], generation: Generation, overlay_fields: Collection[str], problems: Problems
) -> Environment:
    """Read the env files in order.

    overlay_fields: fields that deployment.yaml settles (domain, scheme, home, cookie_domain, port, fqdns.ROLE,
    ports.SERVICE); what the env files say of them is not looked at, so it cannot be wrong either.
    """
    names = NAMES[generation]
    variables = {names.root, names.domain, names.scheme, names.install_root}
    variables |= {*names.domain_ports.values(), *names.fqdns.values(), *names.ports.values()}
    reading = _Reading(read_env(sources, variables), overlay_fields, problems)
    environment = Environment(
        root=reading.host("cookie_domain", names.root)[0],
        scheme=reading.scheme(names.scheme),
        install_root=reading.install_root(names.install_root),
        fqdns={
            role: host for role, key in names.fqdns.items() if (host := reading.host(f"fqdns.{role}", key)[0])
        },
        ports={
            service: port
            for service, key in names.ports.items()
            if (port := reading.port(f"ports.{service}", key))
        },
        domain_ports={
            scheme: port for scheme, key in names.domain_ports.items() if (port := reading.port("port", key))
        },
    )
    environment.overruled = reading.overruled(
        {"domain": names.domain, "cookie_domain": names.root, "scheme": names.scheme}
    )
    environment.domain, port = reading.host("domain", names.domain)
    if port:
        environment.domain_ports = {"http": port, "https": port}
    return environment


class _Reading:
    """Turn variables into checked values; an empty variable counts as not set."""

    def __init__(
        self, settings: dict[str, Setting], overlay_fields: Collection[str], problems: Problems
    ) -> None:
        self.settings, self.overlay_fields, self.problems = settings, overlay_fields, problems

    def _text(self, field: str, key: str) -> str | None:
        setting = self.settings.get(key)
        if setting is None or field in self.overlay_fields or setting.text == "":
            return None
        if setting.why is not None:
            self._refuse(field, key, setting.why)
        return setting.text

    def _refuse(self, field: str, key: str, reason: Message) -> None:
        setting = self.settings[key]
        if setting.unset:
            unset = ", ".join(setting.unset[:3])
            reason = msg("{reason} ({unset} is not set)", reason=reason, unset=unset)
        self.problems.add(
            setting.file,
            setting.line,
            msg("{key} {reason}", key=key, reason=reason),
            msg("correct it, or set {setting} in deployment.yaml", setting=_yaml(field)),
        )

    def overruled(self, keys: dict[str, str]) -> dict[str, str]:
        """Return the values of fields that deployment.yaml settles, as far as they can be read."""
        settings = {
            field: setting
            for field, key in keys.items()
            if field in self.overlay_fields and (setting := self.settings.get(key)) is not None
        }
        texts = {
            field: (one.text or "").lower().partition(":")[0]
            for field, one in settings.items()
            if not one.why
        }
        return {field: text for field, text in texts.items() if words.is_domain(text)}

    def host(self, field: str, key: str) -> tuple[str | None, int | None]:
        """Return a host name and its port, None without one."""
        text = self._text(field, key)
        if text is None:
            return None, None
        name, colon, port = text.lower().partition(":")
        if not words.is_domain(name) or (colon and not _port(port)):
            self._refuse(field, key, msg("is not a host name: {text}", text=quoted(text)))
            return None, None
        return name, _port(port)

    def port(self, field: str, key: str) -> int | None:
        text = self._text(field, key)
        if text is None:
            return None
        port = _port(text)
        if port is None:
            self._refuse(field, key, msg("is not a port: {text}", text=quoted(text)))
        return port

    def scheme(self, key: str) -> Scheme | None:
        text = self._text("scheme", key)
        for scheme in ("http", "https"):
            if text is not None and text.lower() == scheme:
                return scheme
        if text is not None:
            reason = msg("is not http or https: {text}", text=quoted(text))
            self._refuse("scheme", key, reason)
        return None

    def install_root(self, key: str) -> str | None:
        text = self._text("home", key)
        if text is not None and not text.startswith("/"):
            reason = msg("is not an absolute path: {text}", text=quoted(text))
            self._refuse("home", key, reason)
            return None
        return text.rstrip("/") or None if text else None


def _port(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536:
        return int(text)
    return None


def _yaml(field: str) -> str:
    section, _, key = field.rpartition(".")
    return f"{section}: {{{key}: ...}}" if section else f"{field}: ..."
