"""Canaries: secrets of every shape in every location of a host, and the search for them in all outputs of a run."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import string
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote

from lab.control import Lab
from selftests.judges.test_canaries import KINDS as SHAPES

PLANTED = "bkpaas-planted"
"""The first word of the processes that carry canaries."""
POLL_SECONDS = 0.2
MAX_FILE_BYTES = 64 << 20


def _plain(secret: str) -> str:
    return secret


def _percent(secret: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in secret)


def _base64(secret: str) -> str:
    return base64.b64encode(f"user:{secret}".encode()).decode()


MORE_SHAPES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("GET /login/?next=/x&access_token={} HTTP/1.1", _percent),
    ("Authorization: Basic {}", _base64),
    ('"{{\\"password\\": \\"{}\\"}}"', _plain),
    ("password=\\\n    {}", _plain),
    ("GET /api/c/compapi/v2/cc/search/?bk_app_code=a&bk_app_secret={}&x=1 HTTP/1.1", _plain),
    ("Record of bk_token [{}] does not exist", _plain),
    ('url http://10.0.0.1:4245/v1/app/healthz {{"sid": "{}"}}', _plain),
    ("Cookie: sessionid={}; bk_token=x", _plain),
    ("amqp://guest:{}@10.0.0.5:5672/prod", _plain),
    ("export MYSQL_PWD={}", _plain),
)
ALL_SHAPES = (*((shape, _plain) for shape in SHAPES), *MORE_SHAPES)

NGINX_TIME = "2018/07/30 09:47:00 [error] 1#0: *1 upstream timed out: "
LOGS = "/data/bkce/logs/open_paas"
PLACES = (
    ("paas-1", "/data/bkce/open_paas/login/conf/settings_production.py", "# {}"),
    ("paas-1", "/data/bkce/open_paas/paas/conf/settings_production.py", "# {}"),
    ("paas-1", "/data/bkce/etc/supervisor-open_paas.conf", "; {}"),
    ("paas-1", "/data/bkce/etc/uwsgi-open_paas-login.ini", "# {}"),
    ("paas-1", f"{LOGS}/login.log", "Login validity is illegal {}"),
    ("paas-1", f"{LOGS}/login_uwsgi.log", "ValueError: {}"),
    ("paas-1", f"{LOGS}/esb_api.log", "ERROR {}"),
    ("paas-2", f"{LOGS}/paas.log", "ERROR {}"),
    ("nginx-1", "/data/bkce/etc/nginx.conf", "# {}"),
    ("nginx-1", "/data/bkce/logs/nginx/paas_web_error.log", NGINX_TIME + "{}"),
    ("appo-1", "/data/bkce/etc/paas_agent_config.yaml", "# {}"),
    ("appo-1", "/data/bkce/paas_agent/apps/logs/bk_framework/uwsgi.log", "ValueError: {}"),
    ("cmdb-1", "/etc/environment", "# {}"),
    ("job-1", "/etc/profile.d/canaries.sh", "# {}"),
)
"""(host, file, form of a line); the time of the file stays."""
SETTINGS = ("BK_PASSWORD", "UNUSUAL_KEY", "SALT", "PRIVATE_BYTES", "LICENSE", "X_AK", "PSWD_OLD", "CONN")
"""Names of settings with a canary as the value, at the end of a settings file."""
SETTINGS_FILE = "/data/bkce/open_paas/esb/configs/default.py"
HEALTHZ = "location = /console/healthz/ { default_type application/json; alias /opt/canaries.json; }"


@dataclass
class Canaries:
    """Plant secrets in a lab, and find them."""

    lab: Lab
    planted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(15)

    def new(self) -> str:
        """Return the next secret: letters and digits only, so that its spellings are few."""
        letters = "".join(self._random.choices(string.ascii_letters, k=6))
        self.planted.append(f"Cn{len(self.planted):03}{letters}9q")
        return self.planted[-1]

    def texts(self) -> list[str]:
        """Return a text of each shape with a new secret in each."""
        return [shape.format(form(self.new())) for shape, form in ALL_SHAPES]

    def plant(self) -> None:
        """Plant a secret of each shape in each place, in settings, arguments, environments and an answer."""
        for host, path, form in PLACES:
            lines = [part for text in self.texts() for part in form.format(text).splitlines()]
            if form.startswith(("#", ";")):
                lines = [line if line.startswith(form[0]) else f"{form[0]} {line}" for line in lines]
            self._append(host, path, lines)
        self._append("paas-1", SETTINGS_FILE, [f"{name} = {self.new()!r}" for name in SETTINGS])
        self._append("cmdb-1", "/etc/environment", [f"no_proxy=http://u:{self.new()}@10.0.0.8:1"])
        words = json.dumps([[PLANTED, *text.split(" ")] for text in self.texts()])
        variables = f"http_proxy=http://u:{self.new()}@10.0.0.8:1"
        program = f"import time; time.sleep(86400) # {PLANTED}"
        self.lab.run(
            "paas-2",
            f"cat >/dev/shm/carry.py <<'END'\nimport os\nfor words in {words}:\n    if not os.fork():\n"
            f"        os.execv('/usr/bin/python3', ['/opt/carry', '-S', '-c', {program!r}, *words])\nEND\n"
            f"{variables} setsid python3 /dev/shm/carry.py </dev/null >/dev/null 2>&1; rm /dev/shm/carry.py",
        )
        body = json.dumps({"ok": False, "message": "\n".join(self.texts())})
        self.lab.run(
            "nginx-1",
            f"cat >/opt/canaries.json <<'END'\n{body}\nEND\n"
            f"sed -i '0,/server_name .*paas.bklab.test.*/s||&\\n    {HEALTHZ}|' $(grep -rl 'server_name.*paas.bklab.test' /data/bkce/etc/ | head -1)\n"
            "nginx -t && nginx -s reload",
        )

    def _append(self, host: str, path: str, lines: Iterable[str]) -> None:
        text = "\n".join(lines)
        self.lab.run(
            host,
            f"touch -a {path}; touch -r {path} /dev/shm/time; cat >>{path} <<'END'\n{text}\nEND\n"
            f"touch -r /dev/shm/time {path}; rm /dev/shm/time",
        )

    def found_in(self, data: bytes) -> set[str]:
        """Return the secrets in these bytes, however they are spelled."""
        text = data.decode("utf-8", "replace")
        variants = {text, html.unescape(text), unquote(text), text.replace("\\u00", "%")}
        variants.add(unquote(text.replace("\\u00", "%")))
        whole = "\0".join(variants)
        return {secret for secret in self.planted if any(needle in whole for needle in needles(secret))}

    def found_below(self, folder: Path) -> dict[str, set[str]]:
        """Return {file: secrets} of the files below a folder."""
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with open(path, "rb") as stream:
                    if secrets := self.found_in(stream.read(MAX_FILE_BYTES)):
                        found[str(path.relative_to(folder))] = secrets
        return found


def needles(secret: str) -> list[str]:
    """Return the spellings of a secret: itself, and the middle of its base64 at each offset."""
    spelled = [secret, _percent(secret), _percent(secret).lower()]
    for offset in range(3):
        whole = base64.b64encode(b"x" * offset + secret.encode()).decode().rstrip("=")
        spelled.append(whole[2 + offset : -2])
    return spelled


class ProcessWatch:
    """Search temporary files and the command lines of this machine while a run lasts."""

    def __init__(self, canaries: Canaries, folder: Path) -> None:
        self._canaries, self._folder = canaries, folder
        self._over = threading.Event()
        self.found: dict[str, set[str]] = {}
        self.looks = 0

    def __enter__(self) -> ProcessWatch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self.looks += 1
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    self._look(Path("/proc", entry, "cmdline"), "process")
            for path in list(self._folder.rglob("*")):
                if path.is_file():
                    self._look(path, path.name)

    def _look(self, path: Path, name: str) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            return
        if PLANTED.encode() not in data and (found := self._canaries.found_in(data)):
            self.found.setdefault(name, set()).update(found)


def spelled(secret: str) -> list[str]:
    """Return texts with a secret in each spelling that the search knows."""
    return [
        f"x{secret}x",
        _percent(secret),
        _base64(secret),
        f"&#{ord(secret[0])};{secret[1:]}",
        json.dumps(secret).replace("C", "\\u0043"),
    ]
