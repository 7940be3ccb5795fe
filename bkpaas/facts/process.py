"""The processes of a host."""

from __future__ import annotations

from bkpaas.facts.missing import Fact, Record


class Process(Record, frozen=True):
    """One process; kernel threads are left out."""

    pid: int
    ppid: int
    uid: int | None = None
    start: float | None = None
    """Epoch seconds of the host's clock."""
    state: str | None = None
    """The letter of ps: R S D Z T."""
    name: str = ""
    """The kernel's short name."""
    argv: tuple[str, ...] = ()
    """Without secrets, cut."""
    exe: str | None = None
    environ: dict[str, str] | None = None
    """The variables that were asked for, without secrets; None: not readable."""

    @property
    def command(self) -> str:
        return " ".join(self.argv)

    @property
    def service(self) -> str | None:
        """The open_paas service whose uwsgi this is: login, paas, esb, appengine ..."""
        raise NotImplementedError


class Processes(Fact, frozen=True):
    """All processes of a host."""

    items: tuple[Process, ...]

    def get(self, pid: int) -> Process | None:
        raise NotImplementedError

    def children(self, pid: int) -> tuple[Process, ...]:
        raise NotImplementedError

    def descends(self, pid: int, ancestor: int) -> bool:
        """Whether pid is the ancestor or one of its descendants."""
        raise NotImplementedError

    def named(self, name: str) -> tuple[Process, ...]:
        """Those with this short name."""
        raise NotImplementedError

    def uwsgi(self, service: str | None = None) -> tuple[Process, ...]:
        """The uwsgi processes of open_paas, of one service when it is given."""
        raise NotImplementedError

    def uwsgi_masters(self, service: str | None = None) -> tuple[Process, ...]:
        """Those uwsgi whose parent is not a uwsgi of the same service."""
        raise NotImplementedError

    def supervisords(self, conf_basename: str = "supervisor-open_paas.conf") -> tuple[Process, ...]:
        """The supervisord processes that were started with this configuration."""
        raise NotImplementedError

    def nginx_masters(self) -> tuple[Process, ...]:
        raise NotImplementedError


class PidsLater(Fact, frozen=True):
    """What became of some processes until the second visit."""

    by_pid: dict[str, float | None]
    """Start time in epoch seconds; None: gone."""
