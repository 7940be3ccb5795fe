"""Read deployment.yaml: the whole inventory, or an overlay on install.config and the env files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, cast

from msgspec import Struct, convert, field
from msgspec.structs import fields

from bkpaas.inventory import schema, words
from bkpaas.inventory.connections import Connect, file_path, need_file, read_connect
from bkpaas.inventory.deployment import DEFAULT_PORTS, Generation, Limits, Thresholds
from bkpaas.inventory.environment import Scheme
from bkpaas.inventory.generation import Clue
from bkpaas.inventory.problems import Problems, quoted
from bkpaas.inventory.schema import Check, Node, Refused, Section
from bkpaas.inventory.source import Source
from bkpaas.inventory.waivers import NAME, Entry, read_waivers
from bkpaas.messages import msg

S = TypeVar("S", Limits, Thresholds)


class HostEntry(Struct, frozen=True):
    """Represent one host of deployment.yaml."""

    address: str
    line: int
    name: str | None = None
    roles: tuple[str, ...] | None = None
    """Instead of those of install.config."""
    add_roles: tuple[str, ...] = ()
    connect: Connect = field(default_factory=Connect)


class Overlay(Struct):
    """Hold a checked deployment.yaml; None and empty: not set."""

    file: str = ""
    generation: Generation | None = None
    install_root: str | None = field(default=None, name="home")
    domain: str | None = None
    cookie_domain: str | None = None
    scheme: Scheme | None = None
    port: int | None = None
    fqdns: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    application_paths: dict[str, str] = field(default_factory=dict)
    virtual_addresses: tuple[str, ...] = ()
    ca_file: str | None = None
    connect: Connect = field(default_factory=Connect)
    hosts: tuple[HostEntry, ...] = ()
    limits: Limits = field(default_factory=Limits)
    thresholds: Thresholds = field(default_factory=Thresholds)
    waivers: tuple[Entry, ...] = ()

    def clues(self) -> list[Clue]:
        return [Clue(self.generation, "generation:", self.file)] if self.generation else []

    def own_fields(self) -> set[str]:
        """Return the fields that it sets, named as in bkpaas.inventory.environment.understand."""
        plain = {name for name in ("domain", "cookie_domain", "scheme", "port") if getattr(self, name)}
        plain |= {"home"} if self.install_root else set()
        return plain | {f"fqdns.{role}" for role in self.fqdns} | {f"ports.{name}" for name in self.ports}


_ROLE_WORD = schema.matching(
    words.ROLE,
    msg("write a word of install.config: paas, nginx, appo"),
)


def read_overlay(source: Source, problems: Problems) -> Overlay:
    """Check the file against its schema and report errors to problems."""
    root = Section(source.file, schema.compose(source), "deployment.yaml", problems)
    overlay = Overlay(
        file=source.file,
        generation=cast("Generation | None", root.take("generation", schema.one_of("5.x", "6.x"))),
        install_root=root.take("home", _absolute_path),
        domain=root.take("domain", schema.domain),
        cookie_domain=root.take("cookie_domain", schema.domain),
        scheme=cast("Scheme | None", root.take("scheme", schema.one_of("http", "https"))),
        port=root.take("port", schema.port),
        fqdns=_table(root.section("fqdns"), ("cmdb", "job"), schema.domain),
        ports=_table(root.section("ports"), DEFAULT_PORTS, schema.port),
        application_paths=_application_paths(root.section("application_paths")),
        virtual_addresses=root.take("virtual_addresses", schema.many(schema.address)) or (),
        ca_file=root.take("ca_file", file_path(source.file)),
        connect=read_connect(root.section("connect"), of_host=False),
        hosts=_hosts(root, problems),
        limits=_numbers(root.section("limits"), Limits),
        thresholds=_numbers(root.section("thresholds"), Thresholds),
        waivers=read_waivers(root),
    )
    root.end()
    need_file(root, "ca_file", overlay.ca_file)
    return overlay


def _hosts(root: Section, problems: Problems) -> tuple[HostEntry, ...]:
    entries = []
    first_lines: dict[str, int] = {}
    for section in root.sections("hosts"):
        entry = _host(section)
        if entry is None:
            continue
        for word in dict.fromkeys((entry.address, entry.name or entry.address)):
            if word in first_lines:
                problems.add(
                    section.file,
                    section.line,
                    msg("{word} is listed twice, first in line {line}", word=word, line=first_lines[word]),
                    msg("give every host its own name and address, once"),
                )
            first_lines.setdefault(word, section.line)
        entries.append(entry)
    return tuple(entries)


def _host(section: Section) -> HostEntry | None:
    address = section.need("address", schema.address)
    name = section.take("name", _host_name)
    roles = section.take("roles", schema.many(_role))
    add_roles = section.take("add_roles", schema.many(_role))
    connect = read_connect(section.section("connect"), of_host=True)
    if section.has("roles") and section.has("add_roles"):
        section.refuse(
            "add_roles",
            msg("add_roles: is next to roles:"),
            msg("use roles: for the complete list, or add_roles: to add to install.config"),
        )
    section.end()
    if address is None:
        return None
    return HostEntry(
        address=address,
        line=section.line,
        name=name,
        roles=None if roles is None else _roles(roles),
        add_roles=_roles(add_roles or ()),
        connect=connect,
    )


def _role(node: Node) -> str:
    """Check that a role is known; only the suite reads this file, so an unknown word is an error."""
    word = _ROLE_WORD(node)
    if words.role(word) in words.ROLES:
        return word
    near, listed = words.near_roles(word), ", ".join(sorted(words.ROLES))
    raise Refused(
        msg("{word} is not a role", word=quoted(word)),
        msg("did you mean {near}?", near=near) if near else msg("roles: {listed}", listed=listed),
    )


def _roles(role_words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({words.role(word) for word in role_words}))


def _host_name(node: Node) -> str:
    name = NAME(node)
    if name in words.RESERVED_NAMES:
        raise Refused(
            msg("{name} is reserved by the suite", name=quoted(name)),
            msg("choose another name"),
        )
    return name


def _absolute_path(node: Node) -> str:
    path = schema.text(node)
    if not path.startswith("/"):
        raise Refused(
            msg("is not an absolute path"),
            msg("write it like /data/bkce"),
        )
    return path.rstrip("/") or "/"


def _table(section: Section | None, keys: Iterable[str], check: Check[schema.T]) -> dict[str, schema.T]:
    if section is None:
        return {}
    table = {key: value for key in keys if (value := section.take(key, check)) is not None}
    section.end()
    return table


def _application_paths(section: Section | None) -> dict[str, str]:
    """Return {application: path}; the keys are free."""
    return {} if section is None else _table(section, section.keys(), _url_path)


def _url_path(node: Node) -> str:
    path = schema.text(node)
    if not path.isascii() or not path.startswith("/") or " " in path:
        raise Refused(msg("is not a path of a URL"), msg("write it like /healthz"))
    return path


def _numbers(section: Section | None, kind: type[S]) -> S:
    if section is None:
        return kind()
    values = {}
    for setting in fields(kind):
        whole = setting.type is int
        low, high = (0.0, 100.0) if setting.name.endswith("_percent") else (1 if whole else 0.001, 1e9)
        value = section.take(setting.name, schema.number(low, high, whole=whole))
        if value is not None:
            values[setting.name] = value
    section.end()
    return convert(values, kind)
