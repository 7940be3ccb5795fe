"""Replace the names and addresses of a site in plain data, each by the same other one wherever it occurs.

Replaced are the hosts of the inventory, what hosts call themselves, the domain with its labels, hosts in URLs, addresses
of both families also as eight hexadecimal digits, users, files of the inventory, and who accepted a waiver. Loopback,
the paths of the platform and names of its own services stay, since they are the same everywhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

GENERIC = frozenset(
    (
        *("paas", "login", "esb", "appengine", "apigw", "cmdb", "job", "gse", "nodeman", "bkdata", "monitor"),
        *("nginx", "redis", "mysql", "rabbitmq", "elasticsearch", "kafka", "zookeeper", "consul", "license"),
        *("appo", "appt", "controller", "deployment", "localhost", "localdomain", "root", "blueking"),
        *("www", "api", "bk", "com", "net", "org", "local", "internal", "example", "test", "site", "console"),
        *("apps", "o", "t", "log", "logs", "data", "es", "db", "proxy", "docker", "node", "host", "service"),
        *("bkce", "bkee", "bkcec", "admin", "centos", "ubuntu", "debian"),
    )
)
"""Names that say nothing about a site."""
_IPV4 = re.compile(r"(?:(?<![\w.-])|(?<=%[0-9A-Fa-f]{2}))(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}:[0-9A-Fa-f:.]{0,39}(?![\w:])")
_URL_HOST = re.compile(
    r"\b(?:https?|wss?|ldaps?|redis|amqp|mysql|ssh)://(?:[^/@\s]*@)?([A-Za-z0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*)"
)
_MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
_BEFORE = r"(?:(?<![A-Za-z0-9_])|(?<=%[0-9A-Fa-f]{2}))"
"""The end of another word, or an encoded character of a URL."""
_SHORTEST_WORD = 4
"""A label of the domain that is shorter is not replaced where it stands alone."""


class Names:
    """The original names of a site and their replacements."""

    def __init__(self) -> None:
        self.replacements: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, name: str | None, kind: str) -> None:
        """Replace a name from now on; kind: the word that its replacement begins with."""
        known = {original.lower() for original in self.replacements}
        if name and name.lower() not in known and name.lower() not in GENERIC:
            self._count[kind] = self._count.get(kind, 0) + 1
            self.replacements[name] = f"{kind}-{self._count[kind]:02}"

    def add_domain(self, domain: str) -> None:
        """Replace a domain, its parents and its labels, which may be the name of the company."""
        labels = domain.strip(".").split(".")
        if len(labels) < 2 or domain in self.replacements:
            return
        base = ".".join(labels[-2:])
        number = len({text for text in self.replacements.values() if text.endswith(".example")}) + 1
        self.replacements.setdefault(base, f"site-{number:02}.example")
        for position in reversed(range(len(labels) - 1)):
            label, parent = labels[position], ".".join(labels[position:])
            if len(label) >= _SHORTEST_WORD:
                self.add(label, "name")
            if parent not in self.replacements:
                front = self._front(label)
                self.replacements[parent] = f"{front}.{self.replacements[parent.partition('.')[2]]}"

    def _front(self, label: str) -> str:
        """Return what a label of a domain becomes there; a short one is not replaced where it stands alone."""
        if label.lower() in GENERIC:
            return label
        known = {original.lower(): new for original, new in self.replacements.items()}
        if label.lower() in known:
            return known[label.lower()]
        return self._short.setdefault(label, f"part-{len(self._short) + 1:02}")

    def add_address(self, text: str) -> None:
        """Replace an address that is not loopback, unspecified or a mask."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return
        if (
            text in self.replacements
            or address.is_loopback
            or address.is_unspecified
            or text.startswith("255.")
        ):
            return
        kind = f"address{address.version}"
        self._count[kind] = number = self._count.get(kind, 0) + 1
        if address.version == 6:
            self.replacements[text] = f"2001:db8::{number:x}"
            return
        new = ipaddress.ip_address("198.18.0.0") + number
        self.replacements[text] = str(new)
        self.replacements[f"{int(address):08X}"] = f"{int(new):08X}"

    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of all originals, the longest first, in upper and lower case."""
        words = sorted(self.replacements, key=len, reverse=True)
        return re.compile(_BEFORE + "(?:" + "|".join(map(re.escape, words)) + r")(?![A-Za-z0-9_])", re.I)


def replaced(data: Any, names: Names) -> Any:
    """Return plain data with every original replaced, in keys too."""
    if not names.replacements:
        return data
    pattern = names.pattern()
    table = {original.lower(): new for original, new in names.replacements.items()}

    def text_of(text: str) -> str:
        return pattern.sub(lambda match: table[match[0].lower()], text)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return text_of(value)
        if isinstance(value, dict):
            return {text_of(key) if isinstance(key, str) else key: walk(one) for key, one in value.items()}
        return [walk(one) for one in value] if isinstance(value, (list, tuple)) else value

    return walk(data)


def texts(value: Any) -> Iterator[str]:
    """Yield every string of plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from texts(key)
            yield from texts(one)
    elif isinstance(value, Iterable):
        for one in value:
            yield from texts(one)


def names_of(snapshot: Mapping[str, Any], results: Mapping[str, Any]) -> Names:
    """Return the names of a site: those of the inventory first, then what the facts contain."""
    names = Names()
    deployment = snapshot["deployment"]
    for host in deployment["hosts"]:
        names.add(host["name"], "host")
    for facts in snapshot["hosts"].values():
        hostname = str((facts.get("system") or {}).get("hostname") or "")
        names.add(hostname.partition(".")[0], "host")
        if "." in hostname:
            names.add_domain(hostname)
    domains = [
        deployment.get("domain"),
        deployment.get("cookie_domain"),
        *deployment.get("fqdns", {}).values(),
    ]
    for domain in filter(None, domains):
        names.add_domain(str(domain).lstrip("."))
    _add_inventory(names, deployment, results)
    for text in texts([snapshot, results]):
        for match in _IPV4.findall(text):
            names.add_address(match)
        for match in _IPV6.findall(text):
            names.add_address(match)
        for match in (*_URL_HOST.findall(text), *_MAIL.findall(text)):
            if "." in match and match.lower() not in GENERIC:
                names.add_domain(match)
    return names


def _add_inventory(names: Names, deployment: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    names.add(deployment["source"], "/inventory")
    names.add(results["run"]["inventory"], "/inventory")
    for host in deployment["hosts"]:
        connection = host["connection"]
        for field in ("key", "known_hosts", "ssh_config"):
            names.add(connection.get(field), f"/{field}")
        for account in (connection.get("spec"), connection.get("bastion")):
            user, _, rest = (account or "").rpartition("://")[2].rpartition("@")
            names.add(user.partition(":")[0], "user")
            bastion = rest.partition(":")[0]
            if not re.fullmatch(r"[\d.]*", bastion):
                names.add(bastion, "host")
        names.add(connection.get("sudo_user"), "user")
        if not re.fullmatch(r"[\d.:a-f]*", host["address"]):
            names.add(host["address"], "host")
    for waiver in deployment.get("waivers", ()):
        names.add(waiver.get("owner"), "owner")
        names.add(waiver.get("reason"), "reason")
