"""A plugin of pytest for negative controls: the collector does what it must not, as BKPAAS_PROOF_DEED names it.

`-p selftests.proofs.deeds`. Each deed is a page of Python that runs on the host paas-1 before the collector.
"""

from __future__ import annotations

import os
from functools import cache

from bkpaas.collect import program

VARIABLE = "BKPAAS_PROOF_DEED"
PORT = 45671
"""Of the listening socket that is left."""
HOST = "paas-1"

_REDIS = """
connection = socket.create_connection(("10.66.0.51", 6379), 5)
for words in (("AUTH", "Lab-redis-4Wz7"), ("SET", "bkpaas-proof", "1"), ("DEL", "bkpaas-proof")):
    connection.sendall(("*%d\\r\\n" % len(words) + "".join("$%d\\r\\n%s\\r\\n" % (len(w), w) for w in words)).encode())
    connection.recv(100)
connection.close()
"""
_DATABASE = """
sys.path.append("/usr/lib/python3/dist-packages")
import pymysql
connection = pymysql.connect(host="10.66.0.51", user="open_paas", password="Lab-mysql-8Kd3", database="open_paas")
connection.cursor().execute("UPDATE esb_channel SET path = path WHERE 1 = 0")
connection.close()
"""
_REQUEST = """
connection = socket.create_connection(("10.66.0.11", 8003), 5)
connection.sendall(b"%s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n")
connection.recv(100)
connection.close()
"""
DEEDS = {
    "write a file": 'open("/tmp/bkpaas-proof", "w").close()',
    "change a mode": 'os.chmod("/data/bkce/etc/uwsgi-open_paas-login.ini", 0o600)',
    "leave a cron entry": 'os.makedirs("/etc/cron.d", exist_ok=True); open("/etc/cron.d/bkpaas-proof", "w").write("#")',
    "start a program": 'os.system("true bkpaas-proof")',
    "leave a process": """
if not os.fork():
    os.setsid()
    os.execvp("sh", ["sh", "-c", "exec >/dev/null 2>&1 </dev/null; sleep 600; : bkpaas-proof"])
""",
    "leave a socket": """
if not os.fork():
    os.setsid()
    for number in range(3, 20):
        try:
            os.close(number)
        except OSError:
            pass
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    listener = socket.socket()
    listener.bind(("127.0.0.1", PORT))
    listener.listen(1)
    import time
    time.sleep(600)
    os._exit(0)
""",
    "send a POST": _REQUEST % "POST /login/",
    "send a GET that changes state": _REQUEST % "GET /logout/",
    "write to redis": _REDIS,
    "write to the database": _DATABASE,
}
"""Actions that a collector must not take, by name."""

ALL = "all"
SIGNS = (
    ("files", "/tmp/bkpaas-proof", "a new file, seen by the listing"),
    ("files", "/etc/uwsgi-open_paas-login.ini", "a changed mode, seen by the listing"),
    ("files", "/etc/cron.d/bkpaas-proof", "a cron entry, seen by the listing"),
    ("calls", "/tmp/bkpaas-proof", "a file opened for writing, seen by strace"),
    ("calls", "chmod(", "a changed mode, seen by strace"),
    ("programs", "true bkpaas-proof", "a program that is not in the list, seen by strace"),
    ("left", "sleep 600", "a process that is left"),
    ("left", f"tcp 0100007F:{PORT:04X}", "a listening socket that is left"),
    ("others", "POST /login/", "a POST, seen by the host that it was sent to"),
    ("others", "GET /logout/", "a GET that changes state, seen by the host that it was sent to"),
    ("redis", "SET bkpaas-proof", "a command that writes, seen by redis' MONITOR"),
    ("database", "UPDATE esb_channel", "a statement that writes, seen by the database's general log"),
)
"""(net, what it must show, description)"""
UNDO = (
    "chmod 644 /data/bkce/etc/uwsgi-open_paas-login.ini; rm -f /tmp/bkpaas-proof /etc/cron.d/bkpaas-proof; "
    f"pkill -f 's[l]eep 600'; fuser -k {PORT}/tcp; true"
)


@cache
def changed(name: str) -> bytes:
    """Return the source of the collector with a deed in front, or with all of them."""
    chosen = DEEDS.values() if name == ALL else [DEEDS[name]]
    page = f'import os, socket, sys\nPORT = {PORT}\nif socket.gethostname() == "{HOST}":\n'
    for deed in chosen:
        page += "".join(f"    {line}\n" for line in deed.strip().splitlines())
    return page.encode() + b"\f" + original()


original = program.source

if deed := os.environ.get(VARIABLE):
    program.source = lambda: changed(deed)  # type: ignore[assignment]
