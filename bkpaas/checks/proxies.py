"""The proxies that programs are given: by their files, and by the command line of a JVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bkpaas.facts import HostView, Process
from bkpaas.facts.missing import Missing

ProxyVariable = tuple[str, str, str]
"""Its name in lower case, its value, and where it is set."""


class ConfiguredProxies(NamedTuple):
    """Hold the proxy variables that a file gives to a program."""

    program: str
    location: str
    variables: Mapping[str, str]
    """By name in lower case."""


def configured_proxies(host: HostView) -> Iterator[ConfiguredProxies]:
    """Yield what `env =` in uwsgi files and `environment` in supervisor's files set, also while nothing runs."""
    services = {} if isinstance(host.facts.services, Missing) else host.facts.services.by_name
    for name, service in services.items():
        yield ConfiguredProxies(name, f"{service.ini.path}: env", service.proxies)
    supervisors = {} if isinstance(host.facts.supervisors, Missing) else host.facts.supervisors.by_module
    for supervisor in supervisors.values():
        for program in supervisor.programs_in_conf:
            variables = supervisor.environment | program.environment
            location = f"{program.file} [program:{program.name}]"
            yield ConfiguredProxies(
                program.name, location, {name.lower(): value for name, value in variables.items()}
            )


def java_proxies(process: Process, location: str) -> list[ProxyVariable]:
    """Return the proxies of a JVM, from -Dhttp.proxyHost and -Dhttp.nonProxyHosts; it reads no environment."""
    options = dict(word[2:].split("=", 1) for word in process.argv if word.startswith("-D") and "=" in word)
    matches = [
        (f"{scheme}_proxy", options[f"{scheme}.proxyHost"], location)
        for scheme in ("http", "https")
        if options.get(f"{scheme}.proxyHost")
    ]
    exceptions = options.get("http.nonProxyHosts", "").replace("*.", ".")
    return [*matches, ("no_proxy", exceptions, location)] if matches else []
