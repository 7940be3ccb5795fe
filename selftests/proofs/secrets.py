"""Secrets: planted ones appear in nothing that a run prints, writes, sends or keeps."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab import injection
from lab.control import Lab
from lab.services.layout import SECRETS
from selftests.proofs.canaries import Canaries, ProcessWatch, spelled
from selftests.proofs.figures import Figures
from selftests.proofs.live import Run, inventory_of, run_suite
from selftests.proofs.nets import folder_of

FAULTS = ("database-stopped", "http-proxy", "faq-fatal", "agent-nginx-not-listening", "firewall-drop")
LEAST = 150
REAL = (
    "MYSQL_PASS",
    "REDIS_PASS",
    "ESB_TOKEN",
    "LOGIN_SECRET_KEY",
    "PAAS_SECRET_KEY",
    "APPENGINE_SECRET_KEY",
    "SAAS_APP_TOKEN",
)
"""Secrets that the lab's settings hold anyway."""
CRASHES = {
    "crash of a check": """
        import pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(item):
            planted = "{secret}"
            if "disk_space" in item.nodeid or "disk-space" in item.nodeid:
                raise ValueError(f"bad value {{planted}}")
            return (yield)
        """,
    "crash of the collector": """
        from bkpaas.collect import program
        source = program.source()
        program.source = lambda: source + b"\\n\\f\\nplanted = '{secret}'\\nraise ValueError('bad value ' + planted)\\n"
        """,
    "crash of a writer": """
        from bkpaas.report import html, junit
        def broken(results, path):
            planted = "{secret}"
            raise ValueError(f"bad value {{planted}}")
        html.write = junit.write = broken
        """,
}
NO_REDACTION = """
from bkpaas.facts.secrets import Secrets
Secrets.redact = lambda self, text: text
Secrets.strings = lambda self, value: value
"""


def prove(lab: Lab, figures: Figures) -> None:
    """Prove the law on a lab of layout a that is up; the lab is not as before afterwards."""
    folder = folder_of(lab)
    canaries = Canaries(lab)
    canaries.plant()
    planted = len(canaries.planted)
    canaries.planted += [SECRETS[name] for name in REAL]
    figures.add(
        "canaries planted, and real secrets of the lab",
        [planted, len(REAL)],
        f"at least {LEAST}",
        planted >= LEAST,
    )
    trials = Trials(lab, figures, canaries, folder)
    saved = folder / "saved.json"
    ways: dict[str, tuple[str, ...]] = {
        "all outputs": ("--save-snapshot", str(saved), "--prometheus", str(folder / "out/x.prom"), "--summary", str(folder / "out/s.md"), "-rA"),
        "-vv": ("-vv",),
        "--showlocals": ("--showlocals", "--tb=long", "-rA", "--log-cli-level=debug"),
        "-n 4": ("-n", "4", "--dist", "load", "-vv", "--showlocals"),
        "openssh transport": ("--transport", "openssh"),
        "baseline": ("--baseline", str(saved)),
        "history": ("--history", str(folder / "out/history")),
    }  # fmt: skip
    for name, words in ways.items():
        trials.run(name, *words)
    trials.webhook()
    for name, plugin in CRASHES.items():
        trials.crash(name, plugin)
    for name in FAULTS:
        injection.inject(lab, name, lambda text: None)
        trials.run(f"fault {name}", "-vv", "--showlocals", "--save-snapshot", str(saved))
        injection.heal(lab, None, lambda text: None)
    trials.control()
    shutil.rmtree(folder, ignore_errors=True)


class Trials:
    """Runs of the suite, each searched for canaries."""

    def __init__(self, lab: Lab, figures: Figures, canaries: Canaries, folder: Path) -> None:
        self._lab, self._figures, self._canaries, self._folder = lab, figures, canaries, folder
        self._inventory = inventory_of(lab, folder / "as-root")
        self._out, self._temporary = folder / "out", folder / "tmp"

    def run(
        self, name: str, *words: str, environment: Mapping[str, str] | None = None, sent: bytes = b""
    ) -> None:
        """Run the suite, and add a figure with the canaries that are found."""
        self._figures.step(f"secrets: {name}")
        found, run, _ = self._searched(*words, environment=environment)
        self._figures.add(
            f"{name}: verdicts of the run", len(run.words()), "more than 300", len(run.words()) > 300
        )
        self._figures.none(
            f"{name}: canaries found in any output, temporary file, snapshot or command line", found
        )

    def _searched(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> tuple[list[str], Run, int]:
        for place in (self._out, self._temporary):
            place.mkdir(exist_ok=True)
        more = {"TMPDIR": str(self._temporary), **(environment or {})}
        with ProcessWatch(self._canaries, self._temporary) as watcher:
            run = run_suite(
                self._lab, self._out / "report", *words, inventory=self._inventory, environment=more
            )
        (self._out / "terminal.txt").write_text(run.out, "utf-8")
        below = {**self._canaries.found_below(self._out), **self._canaries.found_below(self._temporary)}
        for path in self._folder.glob("*.json"):
            if secrets := self._canaries.found_in(path.read_bytes()):
                below[path.name] = secrets
        below |= watcher.found
        return (
            [f"{place}: {secret}" for place, secrets in below.items() for secret in sorted(secrets)],
            run,
            watcher.looks,
        )

    def webhook(self) -> None:
        """Send the message of a run to a server of this proof."""
        received = self._folder / "received.json"
        with _receiver(self._lab, received) as url:
            self.run("webhook", "--webhook-kind", "json", environment={"BKPAAS_WEBHOOK": url})
        size = received.stat().st_size if received.exists() else 0
        self._figures.add("webhook: bytes received, searched too", size, "more than 100", size > 100)

    def crash(self, name: str, plugin: str) -> None:
        """Break a part of the suite while it handles a secret."""
        place = self._folder / "plugins"
        place.mkdir(exist_ok=True)
        secret = self._canaries.new()
        (place / "spoiler.py").write_text(textwrap.dedent(plugin).format(secret=secret), "utf-8")
        environment = {"PYTHONPATH": str(place)}
        self._figures.step(f"secrets: {name}")
        found, run, _ = self._searched(
            "-p", "spoiler", "-vv", "--showlocals", "--tb=long", environment=environment
        )
        self._figures.add(f"{name}: exit code, not green", run.exit, "not 0", run.exit != 0)
        self._figures.none(f"{name}: canaries found", found)

    def control(self) -> None:
        """Run without redaction: the search has to find canaries."""
        self._figures.step("secrets: negative control, a suite without redaction")
        place = self._folder / "site"
        place.mkdir(exist_ok=True)
        (place / "sitecustomize.py").write_text(NO_REDACTION, "utf-8")
        saved = self._folder / "saved.json"
        found, _, _ = self._searched(
            "-vv", "--save-snapshot", str(saved), environment={"PYTHONPATH": str(place)}
        )
        self._figures.caught("canaries found in the outputs of a suite that does not redact", found)
        for text in spelled(self._canaries.planted[0]):
            self._figures.caught(
                f"a canary is found in {text[:6]}...", self._canaries.found_in(text.encode())
            )


@contextlib.contextmanager
def _receiver(lab: Lab, file: Path) -> Iterator[str]:
    """Serve the address of a webhook in the network of the lab; the body goes to a file."""
    source = textwrap.dedent(
        f"""
        import http.server, os, sys, threading
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                open({str(file)!r}, "wb").write(body)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        os._exit(0)
        """
    )
    child = subprocess.Popen(
        lab.inside(sys.executable, "-c", source), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdin and child.stdout
        yield f"http://127.0.0.1:{int(child.stdout.readline())}/hook"
    finally:
        child.communicate()
