"""The client of the docker daemon: the words of its command line that operators use.

`docker ps|inspect|run|start|stop|restart|kill|pause|unpause|update|rm|logs`, with the options that the platform's documents
use. `--format json` prints the word json, as clients before version 23 do.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import say

SOCKET = "/run/docker.sock"
UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
NOT_FOUND = 404
FIELDS = ("ID", "Image", "Command", "CreatedAt", "Status", "Names", "State")


class Connection(HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


class Refusal(SystemExit):
    """End the program with a text that the daemon gave."""


def ask(method: str, path: str, body: Any = None) -> Any:
    """Send a request; return the content of the answer. Raises Refusal with the daemon's text."""
    connection = Connection("docker", timeout=60)
    try:
        connection.request(method, f"/v1.41{path}", json.dumps(body or {}))
        answer = connection.getresponse()
        content = json.loads(answer.read() or b"null")
    except PermissionError as error:
        raise fail(
            f"permission denied while trying to connect to the Docker daemon socket at unix://{SOCKET}"
        ) from error
    except OSError as error:
        raise fail(
            f"Cannot connect to the Docker daemon at unix://{SOCKET}. Is the docker daemon running?"
        ) from error
    if answer.status >= 400:
        raise fail(f"Error response from daemon: {content['message']}", answer.status)
    return content


def fail(text: str, status: int = 0) -> SystemExit:
    """Return the end of the program; a text about an unknown container is left to the caller."""
    if status != NOT_FOUND:
        print(text, file=sys.stderr)
    return Refusal(text if status == NOT_FOUND else "")


def options(words: list[str], flags: tuple[str, ...] = ()) -> tuple[dict[str, list[str]], list[str]]:
    """Split a command line in options with their values and the words behind them."""
    found: dict[str, list[str]] = {}
    while words and words[0].startswith("-"):
        name, equals, value = words.pop(0).lstrip("-").partition("=")
        if not equals and name not in flags:
            value = words.pop(0)
        found.setdefault(name, []).append(value)
    return found, words


def shown(template: str, values: Any) -> str:
    """Fill the part of Go's templates that operators use: {{json .}}, {{.Name}}, {{json .State}}."""

    def fill(match: re.Match[str]) -> str:
        value = values
        for key in match["path"].split(".")[1:]:
            value = value[key] if key else value
        return json.dumps(value) if match["json"] or not isinstance(value, str | int) else str(value)

    return re.sub(r"\{\{ *(?P<json>json )? *(?P<path>\.[\w.]*) *\}\}", fill, template)


def ps(words: list[str]) -> None:
    found, _ = options(words, ("a", "all", "no-trunc", "q"))
    names = [value.partition("=")[2] for value in found.get("filter", [])]
    path = f"/containers/json?all={int('a' in found or 'all' in found)}"
    rows = [
        {
            "ID": one["Id"] if "no-trunc" in found else one["Id"][:12], "Image": one["Image"],
            "Command": f'"{one["Command"]}"', "CreatedAt": one["Created"], "Status": one["Status"],
            "Names": one["Names"][0].lstrip("/"), "State": one["State"], "Networks": "host",
        }
        for one in ask("GET", path + f"&filters={quote(json.dumps({'name': names}))}")
    ]  # fmt: skip
    if "format" in found:
        for row in rows:
            say(shown(found["format"][0], row))
        return
    for row in [dict(zip(FIELDS, map(str.upper, FIELDS), strict=True)), *rows]:
        say("   ".join(row[field] for field in ("ID", "Image", "Status", "Names")))


def inspect(words: list[str]) -> None:
    found, names = options(words)
    template = next(iter([*found.get("f", []), *found.get("format", [])]), None)
    items = []
    for name in names:
        try:
            items.append(ask("GET", f"/containers/{name}/json"))
        except Refusal as error:
            say("[]")
            raise fail(f"Error: No such object: {name}") from error
    if template is None:
        say(json.dumps(items, indent=4))
        return
    for item in items:
        say(shown(template, item | {"Name": item["Name"]}))


def memory(text: str) -> int:
    match = re.fullmatch(r"(\d+)([bkmg]?)", text.lower())
    if match is None:
        raise fail(f'invalid argument "{text}" for "-m, --memory" flag: invalid size')
    return int(match[1]) * UNITS[match[2]]


def run(words: list[str]) -> None:
    found, (image, *_) = options(words, ("d", "detach"))
    limit = next(iter([*found.get("m", []), *found.get("memory", [])]), "0")
    volumes = [*found.get("v", []), *found.get("volume", [])]
    body = {
        "Image": image, "User": "".join(found.get("u", []) + found.get("user", [])), "Env": found.get("e", []),
        "HostConfig": {
            "Memory": memory(limit), "Binds": volumes,
            "NetworkMode": next(iter([*found.get("net", []), *found.get("network", [])]), "default"),
            "RestartPolicy": {"Name": next(iter(found.get("restart", [])), "no")},
        },
    }  # fmt: skip
    identity = ask("POST", f"/containers/create?name={found['name'][0]}", body)["Id"]
    ask("POST", f"/containers/{identity}/start")
    say(identity)


def update(words: list[str]) -> None:
    found, names = options(words)
    limit = next(iter([*found.get("m", []), *found.get("memory", [])]))
    for name in names:
        ask("POST", f"/containers/{name}/update", {"Memory": memory(limit)})
        say(name)


def logs(words: list[str]) -> None:
    found, names = options(words, ("f", "t"))
    for name in names:
        item = ask("GET", f"/containers/{name}/json")
        root = json.loads(Path("/etc/docker/daemon.json").read_text("utf-8"))["data-root"]
        file = Path(root) / "containers" / item["Id"] / f"{item['Id']}-json.log"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        most = next(iter([*found.get("tail", []), *found.get("n", [])]), "all")
        for line in lines if most == "all" else lines[-int(most) :]:
            say(line)


def change(verb: str, words: list[str]) -> None:
    found, names = options(words, ("f", "force"))
    for name in names:
        if verb == "rm":
            ask("DELETE", f"/containers/{name}?force=1")
        elif verb == "kill":
            word = next(iter([*found.get("s", []), *found.get("signal", [])]), "KILL").removeprefix("SIG")
            ask("POST", f"/containers/{name}/kill?signal={int(signal.Signals[f'SIG{word}'])}")
        else:
            seconds = next(iter([*found.get("t", []), *found.get("time", [])]), "10")
            ask("POST", f"/containers/{name}/{verb}?t={seconds}")
        say(name)


def main() -> None:
    verb, *words = sys.orig_argv[1:] or ["ps"]
    whole = {"ps": ps, "inspect": inspect, "run": run, "logs": logs, "update": update}
    if verb in whole:
        whole[verb](words)
    elif verb in ("start", "stop", "restart", "kill", "pause", "unpause", "rm"):
        change(verb, words)
    else:
        raise fail(f"docker: '{verb}' is not a docker command.")
