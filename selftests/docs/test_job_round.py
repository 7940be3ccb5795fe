"""docs/examples/job_round.py against a stand-in of JOB's interface, constructed from its documentation.

The stand-in runs each script in a shell of this machine; it was not tried with a real JOB.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from collect.test_exchange import collect_through

from docs.pages import EXAMPLES

SECRET = "Pl4nted-s3cret"
STARTED = "[2026-03-07 03:15:02][PID:56875] job_start\n"
"""Text that JOB puts before the output of a script."""


class Job:
    """Answer the requests of both generations; a host of `silent` never ends, one of `lost` has no output."""

    silent, lost = ("10.0.0.3",), ("10.0.0.4",)

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.outputs: list[tuple[str, str]] = []
        self.looks = 0

    def answer(self, path: str, request: dict[str, Any]) -> Any:
        self.requests.append((path, request))
        generation, name = path.strip("/").split("/")[-2:]
        if request.get("bk_app_secret") != SECRET:
            return {"result": False, "code": 1306101, "message": "app authentication failed", "data": None}
        found = getattr(self, f"{generation}_{name}")(request)
        return {"result": True, "code": 0, "message": "", "data": found}

    def _start(self, request: dict[str, Any], servers: list[dict[str, Any]]) -> dict[str, Any]:
        (server,) = servers
        script = base64.b64decode(request["script_content"])
        done = subprocess.run(["/bin/sh"], input=script, capture_output=True, check=True, timeout=240)
        self.outputs.append((server["ip"], STARTED + done.stdout.decode()))
        return {"job_instance_name": "API", "job_instance_id": 10_000 + len(self.outputs) - 1}

    def jobv3_fast_execute_script(self, request: dict[str, Any]) -> dict[str, Any]:
        assert (request["script_language"], request["account_alias"]) == (1, "root") and request[
            "timeout"
        ] >= 60
        return {**self._start(request, request["target_server"]["ip_list"]), "step_instance_id": 1}

    def jobv3_get_job_instance_status(self, request: dict[str, Any]) -> dict[str, Any]:
        self.looks += 1
        address = self.outputs[request["job_instance_id"] - 10_000][0]
        return {"finished": address not in self.silent and self.looks > 1, "step_instance_list": []}

    def jobv3_batch_get_job_instance_ip_log(self, request: dict[str, Any]) -> dict[str, Any]:
        address, output = self.outputs[request["job_instance_id"] - 10_000]
        assert request["ip_list"] == [{"ip": address, "bk_cloud_id": 0}] and request["step_instance_id"] == 1
        logs = [] if address in self.lost else [{"ip": address, "bk_cloud_id": 0, "log_content": output}]
        return {"log_type": 1, "script_task_logs": logs}

    def job_fast_execute_script(self, request: dict[str, Any]) -> dict[str, Any]:
        assert (request["script_type"], request["account"]) == (1, "root") and request["script_timeout"] >= 60
        return self._start(request, request["ip_list"])

    def job_get_job_instance_log(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        self.looks += 1
        address, output = self.outputs[request["job_instance_id"] - 10_000]
        log = {"ip": address, "bk_cloud_id": 0, "exit_code": 0, "log_content": output}
        results = [{"ip_status": 9, "ip_logs": [] if address in self.lost else [log]}]
        finished = address not in self.silent and self.looks > 1
        return [{"is_finished": finished, "status": 3, "step_results": results if finished else []}]


@contextmanager
def serving(job: Job) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(job.answer(self.path, request)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def run(folder: Path, url: str, *words: str, secret: str = SECRET, mode: int = 0o600) -> tuple[int, str]:
    """Return exit status and output of the example."""
    settings = folder.parent / "job.json"
    values = {
        "url": url, "bk_app_code": "bkpaas", "bk_app_secret": secret, "bk_username": "admin", "bk_biz_id": 2,
        "account": "root", "hosts": {"paas-1": "10.0.0.1", "paas-2": "0:10.0.0.2"},
    }  # fmt: skip
    settings.write_text(json.dumps(values))
    settings.chmod(mode)
    command = [sys.executable, str(EXAMPLES / "job_round.py"), str(folder), str(settings), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def round_1(tmp_path: Path) -> Path:
    folder = tmp_path / "round-1"
    folder.mkdir()
    for name in ("paas-1", "paas-2"):
        (folder / f"{name}.sh").write_text(f"#!/bin/sh\necho 'script of {name}'\n")
    return folder


@pytest.mark.parametrize("api", ["jobv3", "job"])
def test_answers_are_written(round_1: Path, api: str) -> None:
    with serving(job := Job()) as url:
        code, text = run(round_1, url, "--api", api, "--pause", "0.05")
    assert code == 0, text
    for name in ("paas-1", "paas-2"):
        output = round_1 / f"{name}.out"
        assert output.read_text() == f"{STARTED}script of {name}\n"
        assert output.stat().st_mode & 0o777 == 0o600
        times = json.loads((round_1 / f"{name}.json").read_text())
        assert times["sent"] <= times["received"]
    assert [address for address, _ in job.outputs] == ["10.0.0.1", "10.0.0.2"]
    assert {path.split("/")[5] for path, _ in job.requests} == {api}


@pytest.mark.parametrize("api", ["jobv3", "job"])
def test_both_rounds_of_the_suite_arrive(tmp_path: Path, api: str) -> None:
    """The collector itself, behind the line that JOB puts before its output, is read as over ssh."""
    exchange = tmp_path / "exchange"
    with serving(Job()) as url:
        for number in (1, 2):
            collect_through(exchange, number)
            code, text = run(exchange / f"round-{number}", url, "--api", api, "--pause", "0.05")
            assert code == 0, text
            assert (exchange / f"round-{number}/a.out").read_text().startswith(STARTED)
    answers = collect_through(exchange)
    assert answers.error is None and answers.round_1 and answers.round_2 and answers.clock


@pytest.mark.parametrize("api", ["jobv3", "job"])
def test_hosts_without_an_answer_cost_only_themselves(round_1: Path, api: str) -> None:
    for name in ("10.0.0.3", "10.0.0.4"):
        (round_1 / f"{name}.sh").write_text("echo\n")
    with serving(Job()) as url:
        code, text = run(round_1, url, "--api", api, "--pause", "0.05", "--seconds", "2")
    assert code == 1 and "no answer: 10.0.0.3 10.0.0.4" in text and "10.0.0.4: JOB has no output" in text
    assert sorted(path.stem for path in round_1.glob("*.out")) == ["paas-1", "paas-2"]


def test_refusal_is_reported_without_the_secret(round_1: Path) -> None:
    with serving(Job()) as url:
        code, text = run(round_1, url, secret="0ther-s3cret")
    assert code == 1 and "code 1306101" in text and "0ther" not in text and not list(round_1.glob("*.out"))
    code, text = run(round_1, "http://127.0.0.1:9")
    assert code == 1 and "URLError" in text


def test_settings_that_others_can_read_are_refused(round_1: Path) -> None:
    code, text = run(round_1, "http://127.0.0.1:9", mode=0o644)
    assert code == 1 and "chmod 600" in text
