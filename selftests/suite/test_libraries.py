"""Libraries print nothing: what they would print is redacted, counted and kept in libraries.log."""

import os
import re
import stat

import pytest

PLANTED = "Pl4ntedV4lue"
REUSED = f"first: &{PLANTED}0 {PLANTED}1\nsecond: &{PLANTED}0 {PLANTED}2\nsettings:\n  db: *{PLANTED}0\n"


@pytest.fixture
def inventory(tmp_path):
    """This machine as a host whose agent has anchors twice in its file, which ruamel warns of."""
    home = tmp_path / "bkce"
    (home / "etc").mkdir(parents=True)
    (home / "open_paas").mkdir()
    (home / "etc/paas_agent_config.yaml").write_text(REUSED)
    path = tmp_path / "deployment.yaml"
    path.write_text(
        f"generation: 5.x\ndomain: paas.example.test\nhome: {home}\n"
        "limits: {request_seconds: 1, healthz_seconds: 1, command_seconds: 2, resolve_seconds: 2}\n"
        "hosts:\n- {name: here, address: 127.0.0.1, roles: [appo], connect: {spec: 'local://'}}\n"
    )
    return ("--inventory", str(path), "--only", "agent-process", "--only", "disk-space")


def kept(done):
    return (done.directory / "libraries.log").read_text("utf-8")


OPTIONS = {
    "plain": ((), {}),
    "workers": (("-n", "2", "--dist", "load"), {}),
    "verbose": (("-vv", "-rA", "--showlocals", "--tb=long", "--log-cli-level=debug"), {}),
    "errors": (("-W", "error"), {"PYTHONWARNINGS": "always"}),
    "warnings": (("-p", "warnings", "-rw"), {"PYTHONWARNINGS": "default"}),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_warning_that_quotes_a_file_is_counted(run, inventory, tmp_path, kind):
    words, environment = OPTIONS[kind]
    done = run(*inventory, *words, snapshot=None, **environment)
    assert done.results["hosts"][0]["collected"] and "Traceback" not in done.out
    assert PLANTED not in done.out and "ReusedAnchor" not in done.out
    for path in done.directory.iterdir():
        assert PLANTED not in path.read_text("utf-8"), path
    assert re.search(r"\d messages? of libraries: ", done.out)
    (line,) = [line for line in kept(done).splitlines() if "ReusedAnchor" in line]
    assert "x ReusedAnchorWarning " in line and "found duplicate anchor ..." in line
    assert stat.S_IMODE((done.directory / "libraries.log").stat().st_mode) == 0o600


NOISE = f"""
import asyncio, gc, logging, os, sys, threading, warnings
from bkpaas.collect import deployment

SECRET = "{PLANTED}"

def noise():
    warnings.warn("about " + repr(SECRET) + "\\n" + SECRET)
    logging.getLogger("asyncssh").error("refused %s", SECRET)
    logging.getLogger("asyncssh").warning("refused %s %s", SECRET)  # arguments that do not fit
    def fail():
        raise ValueError(SECRET)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    async def leave():
        asyncio.ensure_future(coroutine())
        await asyncio.sleep(0)
        gc.collect()
    async def coroutine():
        fail()
    asyncio.run(leave())
    class Cycle:
        def __del__(self):
            fail()
    Cycle()
    gc.collect()

def loud(*args, **settings):
    noise()
    os.write(2, SECRET.encode() + b"\\n")
    os.system("echo " + SECRET + " >&2; echo " + SECRET)
    print(SECRET)
    print(SECRET, file=sys.stderr)
    return whole(*args, **settings)

whole, deployment.collect = deployment.collect, loud

def pytest_runtest_call(item):
    if "disk-space" in item.name:
        noise()
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1", "--dist", "load")])
def test_every_way_to_print_is_closed(run, inventory, workers):
    done = run(*inventory, "-vv", "--log-cli-level=info", *workers, snapshot=None, plugin=NOISE)
    text = kept(done)
    assert PLANTED not in done.out + text, "a library printed a value"
    assert "Traceback" not in done.out and "Exception ignored" not in done.out
    for origin in ("UserWarning", "asyncssh ERROR: refused", "asyncio ERROR", "exception: ValueError"):
        assert origin in text, origin
    assert "output: a line whose text is not kept" in text
    for path in done.directory.iterdir():
        assert PLANTED not in path.read_text("utf-8"), path


def test_an_internal_error_shows_no_value(run, inventory):
    plugin = f"""
    from bkpaas.collect import deployment
    def broken(*args, **settings):
        planted = "{PLANTED}"
        raise ValueError(f"bad value '{{planted}}'")
    deployment.collect = broken
    """
    done = run(*inventory, "--showlocals", "--tb=long", snapshot=None, plugin=plugin)
    assert done.exit == 3 and PLANTED not in done.out
    assert "INTERNALERROR> ValueError: bad value ..." in done.out and "spoiler.py:5 in broken" in done.out


def test_the_messages_of_an_earlier_run_are_removed(run, inventory):
    assert kept(run(*inventory, snapshot=None))
    again = run("--only", "disk-space")
    assert not os.path.exists(again.directory / "libraries.log") and "of libraries" not in again.out
