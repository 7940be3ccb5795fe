"""Read the configurations of log_agent (filebeat) and log_parser (logstash)."""

from __future__ import annotations

import re
from os.path import join
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bkpaas.facts import logstash
from bkpaas.facts.missing import Record
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import DEFAULT_PORTS
from bkpaas.messages import Message, msg

FieldName = Literal["host", "port", "db", "key", "type", "password"]


class RedisTarget(Record, frozen=True):
    """Represent a redis list that a plugin writes to or reads from by its configuration."""

    file: str
    line: int
    host: str | None = None
    port: int | None = None
    db: int | None = None
    key: str | None = None
    type: str | None = None
    """list or channel."""
    password: str | None = None
    """A digest."""
    tls: bool = False
    unknown: dict[str, Message | str] = field(default_factory=dict)
    """Why a field cannot be told from the file, by its name; the field is None then."""

    @property
    def server(self) -> str:
        """Return the key of a redis login: host:port/db and the digest of the password."""
        return f"{self.host}:{self.port}/{self.db}" + (f" {self.password}" if self.password else "")


class IndexName(Record, frozen=True):
    """Represent the index of an elasticsearch output of log_parser."""

    name: str
    """As written, such as paas_app_log-%{+YYYY.MM.dd}."""
    file: str
    line: int


class AgentPattern(Record, frozen=True):
    """Represent a glob of the paths, or an expression of the exclusions, of log_agent."""

    excludes: bool
    text: str
    file: str
    line: int


DEFAULT_INDEX = "logstash-%{+YYYY.MM.dd}"
"""Of an output without `index`."""
_REDIS_PORT = DEFAULT_PORTS["redis"]
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)")
_MOST_NODES = 20_000
_FALSE = ("false", "False", "FALSE", "no", "off")
_TRUE = ("true", "True", "TRUE", "yes", "on")
_PATHS = re.compile(r"filebeat\.(?:prospectors|inputs)\.\d+\.(?P<what>paths|exclude_files)\.\d+")
_SELECTS = re.compile(r"(?:^|\.)(?:include_lines|exclude_lines|drop_event)(?:\.|$)")


class PluginSettings:
    """Gather the settings of a plugin while its configurations are read."""

    def __init__(self) -> None:
        self.targets: list[RedisTarget] = []
        self.outputs: list[str] = []
        self.paths: list[str] = []
        self.left_out: list[str] = []
        self.patterns: list[AgentPattern] = []
        self.disabled: list[tuple[str, str]] = []
        self.selects = False
        self.indices: list[IndexName] = []
        self.drops: str | None = None
        self.registries: list[str] = []


class UnreadableConf(Exception):
    def __init__(self, line: int, reason: Message) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


class _Target:
    """Gather the fields of a target while it is read."""

    def __init__(self, file: str, line: int, secrets: Secrets) -> None:
        self.file, self.line, self.secrets = file, line, secrets
        self.fields: dict[str, Any] = {}
        self.unknown: dict[str, Message | str] = {}

    def text(self, name: FieldName, value: Any) -> None:
        """Set a text field; environment variables and parts of the event make it unknown."""
        if value is None or isinstance(value, list | dict):
            self._cannot(name, msg("is not a text"))
        elif variable := _VARIABLE.search(value):
            variable_name = variable["name"][:60]
            self._cannot(name, msg("comes from the variable {variable_name}", variable_name=variable_name))
        elif name == "key" and "%{" in value:
            self._cannot(name, msg("differs from event to event"))
        elif name == "password":
            self.fields[name] = self.secrets.digest(value) if value else None
        else:
            self.fields[name] = value

    def number(self, name: FieldName, value: Any) -> None:
        self.text(name, value)
        text = self.fields.pop(name, None)
        if text is not None and re.fullmatch(r"\d{1,5}", text):
            self.fields[name] = int(text)
        elif text is not None:
            self._cannot(name, msg("is not a number"))

    def _cannot(self, name: FieldName, reason: Message) -> None:
        self.fields.pop(name, None)
        self.unknown[name] = reason

    def made(self, **more: Any) -> RedisTarget:
        fields = {**self.fields, **more}
        return RedisTarget(self.file, self.line, unknown=dict(self.unknown), **fields)


def read_logstash(file: str, text: str, secrets: Secrets, read: PluginSettings) -> None:
    """Read the redis blocks of the inputs and the hosts of the elasticsearch blocks of the outputs."""
    try:
        blocks = logstash.plugins(text)
    except logstash.ParseError as error:
        raise UnreadableConf(error.line, msg("is not logstash's syntax")) from None
    read.selects |= any((block.section, block.name) == ("filter", "drop") for block in blocks)
    for block in blocks:
        percentage = block.settings.get("percentage", ("100", 0))[0]
        if (
            (block.section, block.name) == ("filter", "drop")
            and not block.conditional
            and percentage == "100"
        ):
            read.drops = f"{file}:{block.line}"
        if (block.section, block.name) == ("output", "elasticsearch"):
            index, line = block.settings.get("index", (DEFAULT_INDEX, block.line))
            if isinstance(index, str):
                read.indices.append(IndexName(index[:200], file, line))
            hosts = block.settings.get("hosts", ("127.0.0.1:9200", 0))[0]
            read.outputs += [
                address_of(host) for host in (hosts if isinstance(hosts, list) else [hosts]) if host
            ]
        if (block.section, block.name) != ("input", "redis"):
            continue
        target = _Target(file, block.line, secrets)
        settings = {name: value for name, (value, _) in block.settings.items()}
        target.text("host", settings.get("host", "127.0.0.1"))
        target.number("port", settings.get("port", str(_REDIS_PORT)))
        target.number("db", settings.get("db", "0"))
        target.text("key", settings.get("key", ""))
        target.text("password", settings.get("password", ""))
        target.text("type", settings.get("data_type", "list"))
        read.targets.append(target.made(tls=settings.get("ssl") in _TRUE))


def address_of(host: Any) -> str:
    """Return host:port of an address that may have a scheme, a login and a path."""
    text = str(host).rpartition("@")[2].partition("://")
    return (text[2] or text[0]).partition("/")[0][:300]


def read_filebeat(file: str, text: str, secrets: Secrets, read: PluginSettings) -> None:
    """Read output.redis, one target per host and key, and the paths of the logs."""
    settings = _settings(text)
    read.selects |= any(_SELECTS.search(name) for name in settings)
    _read_registry(settings, read)
    for name, node in settings.items():
        if match := _PATHS.fullmatch(name):
            enabled = settings.get(f"{name.rpartition(match['what'])[0]}enabled")
            if enabled is not None and _scalar(enabled) in _FALSE:
                location = (f"{file}:{enabled.start_mark.line + 1}", (_scalar(node) or "")[:300])
                read.disabled += [location] if match["what"] == "paths" else []
                continue
            excludes, written = match["what"] != "paths", (_scalar(node) or "")[:300]
            (read.left_out if excludes else read.paths).append(written)
            read.patterns.append(AgentPattern(excludes, written, file, node.start_mark.line + 1))
    options = {
        name.removeprefix("output.redis."): node
        for name, node in settings.items()
        if name.startswith("output.redis.")
    }
    if "hosts" not in options or _scalar(options.get("enabled")) in _FALSE:
        return
    secure = any(name.startswith("ssl.") for name in options) and _scalar(options.get("ssl.enabled")) not in (
        "false",
        "no",
    )
    keys = [_scalar(node) for name, node in options.items() if re.fullmatch(r"keys\.\d+\.key", name)]
    keys.append(next((_scalar(options[name]) for name in ("key", "index") if name in options), "filebeat"))
    for node in _items(options["hosts"]):
        for key in keys:
            target = _Target(file, node.start_mark.line + 1, secrets)
            target.text("password", _scalar(options["password"]) if "password" in options else "")
            tls = _set_address(
                target, _scalar(node), _scalar(options["port"]) if "port" in options else str(_REDIS_PORT)
            )
            target.number("db", _scalar(options["db"]) if "db" in options else "0")
            target.text("key", key)
            target.text("type", _scalar(options["datatype"]) if "datatype" in options else "list")
            read.targets.append(target.made(tls=tls or secure))


def _read_registry(settings: dict[str, Any], read: PluginSettings) -> None:
    """Read where filebeat keeps how far it has read; a relative path is below path.data."""
    data = _scalar(settings.get("path.data")) or "/var/lib/filebeat"
    file = _scalar(settings.get("filebeat.registry_file"))
    folder = _scalar(settings.get("filebeat.registry.path"))
    if folder is not None:
        read.registries.append(join(data, folder, "filebeat/data.json")[:300])
        return
    read.registries.append(join(data, file or "registry")[:300])
    if file is None:
        read.registries.append(join(data, "registry/filebeat/data.json")[:300])


def _set_address(target: _Target, text: str | None, port: str | None) -> bool:
    """Parse "host", "host:port", "[::1]:port" or "redis://:password@host:port"; return host, port, encrypted."""
    target.text("host", text)
    if "host" not in target.fields or text is None:
        target.number("port", port)
        return False
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, own = parts.hostname or "", parts.port
    except ValueError:
        parts, host, own = urlsplit(""), text, None
    target.text("host", host)
    target.number("port", port if own is None else str(own))
    if parts.password:
        target.text("password", parts.password)
    return parts.scheme == "rediss"


def _settings(text: str) -> dict[str, Any]:
    """Return {dotted name: node} of scalars and lists, nested or flat; the last of a repeated name."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = msg("is not YAML")
        raise UnreadableConf(mark.line + 1 if mark else 1, reason) from None
    except (RecursionError, ValueError):
        raise UnreadableConf(1, msg("is not YAML")) from None
    nodes: dict[str, Any] = {}
    todo: list[tuple[str, Any]] = [("", root)]
    for _ in range(_MOST_NODES):
        if not todo:
            return nodes
        name, node = todo.pop()
        if isinstance(node, MappingNode):
            dot = "." if name else ""
            pairs = [(key.value, value) for key, value in node.value if isinstance(key, ScalarNode)]
            todo += [(f"{name}{dot}{key}"[:300], value) for key, value in reversed(pairs)]
            continue
        nodes[name] = node
        if isinstance(node, SequenceNode):
            todo += [(f"{name}.{number}", item) for number, item in enumerate(node.value)]
    raise UnreadableConf(1, msg("has too many settings"))


def _scalar(node: Any) -> str | None:
    """Return the text of a scalar, None for other nodes; an empty value is an empty text."""
    if not isinstance(node, ScalarNode):
        return None
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, SequenceNode) else [node]
