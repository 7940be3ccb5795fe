"""A docker daemon, as far as the platform uses it: containers whose image is not taken apart.

The state of a container is config.v2.json and hostconfig.json below the data root, as with the original. The API over
the socket has the requests that `docker` of this package needs. An image is a command and a directory of files that
the container sees instead of the host's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import say

SETTINGS = Path("/etc/docker/daemon.json")
SOCKET = Path("/run/docker.sock")
RUN = Path("/run/docker/containerd")
SHIM = "/opt/docker/bin/containerd-shim-runc-v2"
CGROUPS = Path("/sys/fs/cgroup/docker")
IMAGES = "image/images.json"
NEVER = "0001-01-01T00:00:00Z"
POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
"""What `docker stop` waits until it kills."""
START_SECONDS = 30.0
LEAST_MEMORY = 6 << 20


class Refused(Exception):
    """Signal a request that the daemon refuses: status and text."""


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


class Daemon:
    """The containers of this host."""

    def __init__(self) -> None:
        self.root = Path(json.loads(SETTINGS.read_text("utf-8"))["data-root"])
        self.lock = threading.RLock()
        self.images: dict[str, Any] = json.loads((self.root / IMAGES).read_text("utf-8"))
        self.known: dict[str, dict[str, Any]] = {}
        for file in (self.root / "containers").glob("*/config.v2.json"):
            one = json.loads(file.read_text("utf-8"))
            one["HostConfig"] = json.loads((file.parent / "hostconfig.json").read_text("utf-8"))
            self.known[one["ID"]] = one

    def find(self, name: str) -> dict[str, Any]:
        """Return a container by its name or the start of its id. Raises Refused."""
        for one in self.known.values():
            if one["Name"] == f"/{name}" or (len(name) >= 12 and one["ID"].startswith(name)):
                return one
        raise Refused(404, f"No such container: {name}")

    def write(self, one: dict[str, Any]) -> None:
        """Store the state of a container, readable by root only."""
        folder = self.root / "containers" / one["ID"]
        folder.mkdir(parents=True, exist_ok=True)
        stored = {key: value for key, value in one.items() if key != "HostConfig"}
        for name, content, mode in (
            ("config.v2.json", stored, 0o600),
            ("hostconfig.json", one["HostConfig"], 0o644),
        ):
            new = folder / f".{name}"
            new.write_text(json.dumps(content), "utf-8")
            new.chmod(mode)
            new.rename(folder / name)

    def create(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a container; the sources of its bind mounts become directories where they are missing."""
        if any(one["Name"] == f"/{name}" for one in self.known.values()):
            raise Refused(409, f'Conflict. The container name "/{name}" is already in use')
        image, host = self.images.get(body["Image"]), body["HostConfig"]
        if image is None:
            raise Refused(404, f"No such image: {body['Image']}")
        if 0 < host["Memory"] < LEAST_MEMORY:
            raise Refused(400, "Minimum memory limit allowed is 6MB.")
        mounts = {}
        for bind in host["Binds"]:
            source, destination = bind.split(":")[:2]
            if not os.path.lexists(source):
                os.makedirs(source)
            mounts[destination] = {"Type": "bind", "Source": source, "Destination": destination, "RW": True}
        state = {"Running": False, "Paused": False, "Restarting": False, "OOMKilled": False, "Dead": False}
        state |= {"Pid": 0, "ExitCode": 0, "Error": "", "StartedAt": NEVER, "FinishedAt": NEVER}
        config = {"Image": body["Image"], "User": body.get("User", ""), "Env": body.get("Env", [])}
        config |= {"Cmd": image["Cmd"], "WorkingDir": image["WorkingDir"]}
        one = {
            "ID": uuid.uuid4().hex + uuid.uuid4().hex, "Name": f"/{name}", "Created": now(), "State": state,
            "Image": image["Id"], "Config": config, "MountPoints": mounts, "RestartCount": 0,
            "HasBeenManuallyStopped": False, "Path": image["Cmd"][0], "Args": image["Cmd"][1:],
            "Files": image["Files"], "HostConfig": {"NetworkMode": "default", "RestartPolicy": {"Name": "no"}, **host},
        }  # fmt: skip
        self.known[one["ID"]] = one
        self.write(one)
        return one

    def start(self, one: dict[str, Any]) -> None:
        """Start a container under a shim of its own; returns when its first process runs or has ended."""
        if one["State"]["Running"]:
            return
        RUN.mkdir(parents=True, exist_ok=True)
        for ending in ("pid", "exit"):
            (RUN / f"{one['ID']}.{ending}").unlink(missing_ok=True)
        # `start` comes first, since an interpreter reads options before it.
        command = [SHIM, "start", "-namespace", "moby", "-id", one["ID"], "-root", str(self.root)]
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + START_SECONDS
        while not (RUN / f"{one['ID']}.pid").exists():
            if time.monotonic() > until:
                raise Refused(500, "failed to create task for container: the shim did not start")
            time.sleep(0.02)
        pid = int((RUN / f"{one['ID']}.pid").read_text("ascii"))
        one["State"] |= {"Running": True, "OOMKilled": False, "Pid": pid, "ExitCode": 0, "StartedAt": now()}
        one["HasBeenManuallyStopped"] = False
        self.write(one)

    def reap(self) -> None:
        """Note the containers that have ended, over and over."""
        while True:
            time.sleep(POLL_SECONDS)
            with self.lock:
                for one in list(self.known.values()):
                    self.note_end(one)

    def note_end(self, one: dict[str, Any]) -> None:
        file = RUN / f"{one['ID']}.exit"
        if not one["State"]["Running"] or not file.exists():
            return
        code, oom = json.loads(file.read_text("ascii") or "null") or (137, False)
        one["State"] |= {"Running": False, "Paused": False, "Pid": 0, "ExitCode": code, "OOMKilled": oom}
        one["State"]["FinishedAt"] = now()
        self.write(one)

    def kill(self, one: dict[str, Any], number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(one["State"]["Pid"] or 2**22, number)

    def end(self, one: dict[str, Any], seconds: float = STOP_SECONDS) -> None:
        """Stop a container: TERM, which makes uwsgi reload, and KILL after some seconds."""
        one["HasBeenManuallyStopped"] = True
        self.freeze(one, False)
        for number, limit in ((signal.SIGTERM, seconds), (signal.SIGKILL, 30.0)):
            until = time.monotonic() + limit
            if one["State"]["Running"] and limit:
                self.kill(one, number)
            while one["State"]["Running"] and time.monotonic() < until:
                time.sleep(POLL_SECONDS)
                with self.lock:
                    self.note_end(one)

    def freeze(self, one: dict[str, Any], frozen: bool) -> None:
        if one["State"]["Running"] and one["State"]["Paused"] != frozen:
            (CGROUPS / one["ID"] / "cgroup.freeze").write_text("1" if frozen else "0", "ascii")
            one["State"]["Paused"] = frozen
            self.write(one)

    def remove(self, one: dict[str, Any]) -> None:
        self.end(one, 0.0)
        del self.known[one["ID"]]
        folder = self.root / "containers" / one["ID"]
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()

    # what is shown

    def listed(self, everything: bool, names: list[str]) -> list[dict[str, Any]]:
        """Return the list of GET /containers/json."""
        chosen = [
            one
            for one in self.known.values()
            if (everything or one["State"]["Running"])
            and (not names or any(name in one["Name"] for name in names))
        ]
        return [
            {
                "Id": one["ID"], "Names": [one["Name"]], "Image": one["Config"]["Image"], "ImageID": one["Image"],
                "Command": " ".join([one["Path"], *one["Args"]]), "Created": one["Created"], "Ports": [],
                "Labels": {}, "State": status(one["State"]), "Status": words(one["State"]),
                "HostConfig": {"NetworkMode": one["HostConfig"]["NetworkMode"]}, "Mounts": list(one["MountPoints"].values()),
            }
            for one in chosen
        ]  # fmt: skip

    def inspected(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the object of GET /containers/ID/json."""
        shown = {key: one[key] for key in ("Name", "Created", "Path", "Args", "Image", "RestartCount")}
        state = {"Status": status(one["State"]), **one["State"]}
        more = {"Id": one["ID"], "State": state, "Config": one["Config"], "HostConfig": one["HostConfig"]}
        return {**shown, **more, "Mounts": list(one["MountPoints"].values())}


def status(state: dict[str, Any]) -> str:
    if state["Running"]:
        return "paused" if state["Paused"] else "running"
    return "created" if state["StartedAt"] == NEVER else "exited"


def words(state: dict[str, Any]) -> str:
    """Return the words of docker ps for a state."""
    at = state["StartedAt"] if state["Running"] else state["FinishedAt"]
    if at == NEVER:
        return "Created"
    then = datetime.strptime(at[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    ago = f"{int((datetime.now(timezone.utc) - then).total_seconds())} seconds"
    if state["Running"]:
        return f"Up {ago}{' (Paused)' if state['Paused'] else ''}"
    return f"Exited ({state['ExitCode']}) {ago} ago"


class Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    allow_reuse_address = True


def handler(daemon: Daemon) -> type[BaseHTTPRequestHandler]:
    """Return the class that answers the requests over the socket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *arguments: object) -> None:
            """No access log: the original has none."""

        def answer(self) -> None:
            url = urlsplit(self.path)
            parts = [part for part in url.path.split("/") if part and not part.startswith("v1.")]
            given = {name: values[0] for name, values in parse_qs(url.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                code, content = act(daemon, self.command, parts, given, body)
            except Refused as refusal:
                code, content = refusal.args[0], {"message": refusal.args[1]}
            data = json.dumps(content).encode() + b"\n"
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer

    return Handler


def act(
    daemon: Daemon, method: str, parts: list[str], given: dict[str, str], body: dict[str, Any]
) -> tuple[int, Any]:
    """Carry out one request; return status and content. Raises Refused."""
    if parts[:1] != ["containers"]:
        raise Refused(404, "page not found")
    if method == "GET" and parts[1:] == ["json"]:
        names = json.loads(given.get("filters", "{}")).get("name", [])
        return 200, daemon.listed(given.get("all", "0") not in ("0", "false"), names)
    if method == "GET" and parts[2:] == ["json"]:
        return 200, daemon.inspected(daemon.find(parts[1]))
    with daemon.lock:
        if method == "POST" and parts[1:] == ["create"]:
            return 201, {"Id": daemon.create(given["name"], body)["ID"], "Warnings": []}
        one = daemon.find(parts[1])
        if method == "POST" and parts[2:] == ["start"]:
            daemon.start(one)
        elif method == "POST" and parts[2:] in (["pause"], ["unpause"]):
            daemon.freeze(one, parts[2] == "pause")
        elif method == "POST" and parts[2:] == ["kill"]:
            daemon.kill(one, int(given.get("signal", signal.SIGKILL)))
        elif method == "POST" and parts[2:] == ["update"]:
            one["HostConfig"]["Memory"] = body["Memory"]
            daemon.write(one)
    if method == "POST" and parts[2:] in (["stop"], ["restart"]):
        daemon.end(one, float(given.get("t", STOP_SECONDS)))
        if parts[2] == "restart":
            daemon.start(one)
    elif method == "DELETE":
        daemon.remove(one)
    return 204, None


def main() -> None:
    daemon = Daemon()
    SOCKET.unlink(missing_ok=True)
    server = Server(str(SOCKET), handler(daemon))
    SOCKET.chmod(0o660)
    threading.Thread(target=daemon.reap, daemon=True).start()
    say(f"API listen on {SOCKET}")
    server.serve_forever()
