"""consul-template on the nginx hosts: writes nginx's files anew when consul's services or keys change.

`consul-template -config /etc/consul-template/conf.d`. Of the templates only three forms are known: {{upstream NAME
SERVICE PORT}}, a placeholder on 127.0.0.1 when nothing passes, {{key NAME}}, and {{applications PREFIX}}.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import requests

from . import argument, say

CONSUL = "http://127.0.0.1:8500"
POLL_SECONDS = 1.0
TIMEOUT = 5.0
TEST = [
    "/usr/local/openresty/nginx/sbin/nginx",
    "-p",
    "/usr/local/openresty/nginx",
    "-c",
    "conf/nginx.conf",
    "-t",
]
FORM = re.compile(r"\{\{(upstream|key|applications) ([^}]*)\}\}")


def get(path: str) -> Any:
    """Return the answer of consul; an empty list for 404."""
    answer = requests.get(CONSUL + path, timeout=TIMEOUT)
    if answer.status_code == 404:
        return []
    answer.raise_for_status()
    return answer.json()


def upstream(name: str, service: str, port: str) -> str:
    passing = get(f"/v1/health/service/{service}?passing")
    servers = [
        f"    server {one['Service']['Address']}:{one['Service']['Port']} max_fails=1 fail_timeout=30s;\n    \n"
        for one in passing
    ]
    return f"upstream {name} {{\n{''.join(servers) or f'    server 127.0.0.1:{port};' + chr(10)}}}\n"


def key(name: str) -> str:
    rows = get(f"/v1/kv/{name}")
    return base64.b64decode(rows[0]["Value"]).decode() if rows else ""


def applications(prefix: str) -> str:
    """Return an upstream per key below prefix; one with an empty list is what nginx refuses."""
    text = ""
    for row in get(f"/v1/kv/{prefix}?recurse"):
        servers = json.loads(base64.b64decode(row["Value"]))
        lines = "".join(
            f"        \n          server {server} max_fails=1 fail_timeout=30s;\n" for server in servers
        )
        text += f"upstream {row['Key'].rpartition('/')[2]} {{ \n{lines or '        ' + chr(10)}}}\n\n"
    return text


FORMS = {"upstream": upstream, "key": key, "applications": applications}


def render(template: Path) -> str:
    return FORM.sub(lambda match: FORMS[match[1]](*match[2].split()), template.read_text("utf-8"))


def main() -> None:
    config = argument("-config")
    while True:
        changed = False
        for file in sorted(config.glob("*.conf")):
            source, _, destination = file.read_text("utf-8").strip().partition(" -> ")
            target = Path(destination)
            try:
                text = render(Path(source))
            except (requests.RequestException, ValueError) as error:
                say(f"[WARN] (view) {file.name}: {error} (retry)")
                continue
            if not target.exists() or target.read_text("utf-8") != text:
                target.write_text(text, "utf-8")
                say(f"[INFO] (runner) rendered {source!r} => {target}")
                changed = True
        if changed:
            reload()
        time.sleep(POLL_SECONDS)


def reload() -> None:
    """Test the configuration, and reload only what passes; a file that does not stays where it is."""
    done = subprocess.run(TEST, capture_output=True, text=True)
    if done.returncode:
        say(f"[ERR] (runner) error executing command: {done.stderr.strip()}")
        return
    subprocess.run(["systemctl", "--no-block", "reload", "openresty"], check=False)
