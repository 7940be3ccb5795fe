"""Print every HTTP request that arrives at this host as a line of JSON, until standard input ends."""

import json
import re
import select
import socket
import struct
import sys

ALL_PROTOCOLS = socket.htons(3)
FOR_THIS_HOST = 0
TCP = 6
REQUEST = re.compile(rb"([A-Z]{3,9}) (\S+) HTTP/1\.[01]\r\n")


def request(packet: bytes) -> dict[str, object] | None:
    """Return the request that begins in this IPv4 packet."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != TCP:
        return None
    start = (packet[0] & 15) * 4
    segment = packet[start : struct.unpack("!H", packet[2:4])[0]]
    data = segment[(segment[12] >> 4) * 4 :] if len(segment) >= 20 else b""
    match = REQUEST.match(data)
    if not match:
        return None
    lines = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {
        "from": socket.inet_ntoa(packet[12:16]),
        "to": socket.inet_ntoa(packet[16:20]),
        "port": struct.unpack("!H", segment[2:4])[0],
        "method": match[1].decode(),
        "path": match[2].decode("latin-1"),
        "headers": headers,
    }


def main() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ALL_PROTOCOLS) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([raw, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            packet, origin = raw.recvfrom(70_000)
            if origin[2] == FOR_THIS_HOST and (found := request(packet)):
                print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
