"""The progress line while the hosts are collected."""

import io
from types import SimpleNamespace

import pytest

from bkpaas.language import set_language
from bkpaas.messages import both, msg
from bkpaas.plugin import progress
from bkpaas.report.text import columns


class Terminal(io.StringIO):
    def isatty(self):
        return True


QUIET, LOUD = -2, -1


@pytest.fixture
def watch(monkeypatch):
    """A progress that writes to a stream, of a terminal so many columns wide or of none."""

    def make(width=None, verbose=LOUD):
        stream = Terminal() if width else io.StringIO()
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("COLUMNS", str(width or 80))
        monkeypatch.setenv("TERM", "xterm")
        return progress.Progress(SimpleNamespace(option=SimpleNamespace(verbose=verbose))), stream

    yield make
    set_language("en")


def lines(stream):
    return [line for line in stream.getvalue().replace("\x1b[K", "").replace("\r", "\n").split("\n") if line]


def test_those_waited_for_are_named_from_the_start(watch):
    shown, stream = watch(width=100)
    shown.start(5)
    for host in ("paas-1", "appo-1"):
        shown(host, "start")
    assert lines(stream)[-1] == "collected 0 of 5 hosts; waiting for appo-1, paas-1 (+3)"
    for host in ("paas-1", "appo-1", "job-1", "es-1"):
        shown(host, "done" if host != "job-1" else "failed")
    shown("nginx-1", "round_1")
    assert lines(stream)[-1] == "collected 4 of 5 hosts; waiting for nginx-1"
    shown("nginx-1", "done")
    shown.end(msg("collected 5 hosts in 2.0 s"))
    assert stream.getvalue().endswith("collected 5 hosts in 2.0 s\n") and stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_moving_line_never_wraps(watch, language):
    set_language(language)
    shown, stream = watch(width=40)
    shown.start(9)
    for number in range(9):
        shown(f"a-host-with-a-long-name-{number}", "start")
    shown.end(both(en="collected many hosts in a very long time", zh="用很长很长的时间查看了很多很多的主机"))
    assert max(map(columns, lines(stream))) < 40


def test_without_a_terminal_it_is_two_plain_lines(watch):
    shown, stream = watch()
    shown.start(2)
    for host in ("a", "b"):
        for state in ("start", "round_1", "done"):
            shown(host, state)
    shown.end(msg("collected 2 hosts in 1.0 s"))
    assert stream.getvalue() == "collecting 2 hosts, read-only\ncollected 2 hosts in 1.0 s\n"


def test_one_host_is_no_hosts(watch):
    shown, stream = watch()
    shown.start(1)
    assert stream.getvalue() == "collecting 1 host, read-only\n"


def test_a_terminal_that_cannot_move_gets_plain_lines(watch, monkeypatch):
    _, stream = watch(width=80)
    monkeypatch.setenv("TERM", "dumb")
    shown = progress.Progress(SimpleNamespace(option=SimpleNamespace(verbose=LOUD)))
    shown.start(2)
    assert stream.getvalue() == "collecting 2 hosts, read-only\n"


def test_quiet_is_quiet(watch):
    shown, stream = watch(width=80, verbose=QUIET)
    shown.start(2)
    shown.end(msg("over"))
    assert stream.getvalue() == ""
