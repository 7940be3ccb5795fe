"""List the processes and the listening sockets of this host on standard output."""

import json
import os
from pathlib import Path

LISTENING, UNCONNECTED = "0A", "07"


def processes() -> list[str]:
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            words = (
                Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
            state = Path("/proc", entry, "stat").read_text("utf-8", "replace").rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if words.strip() and state != "Z":
            found.append(words.strip())
    return found


def sockets() -> list[str]:
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path("/proc/net", protocol).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] in (LISTENING, UNCONNECTED):
                found.append(f"{protocol} {words[1]}")
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "00010000":
            found.append(f"unix {words[7] if len(words) > 7 else ''}")
    return found


if __name__ == "__main__":
    print(json.dumps({"processes": processes(), "sockets": sockets()}))
