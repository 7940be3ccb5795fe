"""The floor: log in to each host with asyncssh, run `true`, leave. `python -m bench.floor FOLDER COUNT PORT SIMULTANEOUS`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncssh

from bench.hosts import Fleet


async def visit(fleet: Fleet, port: int, simultaneous: int) -> int:
    """Visit all hosts; return how many failed."""
    slots = asyncio.Semaphore(simultaneous)
    known = asyncssh.read_known_hosts(str(fleet.known_hosts))
    key = asyncssh.read_private_key(str(fleet.key))

    async def one(address: str) -> bool:
        async with slots:
            connection = await asyncssh.connect(
                address,
                port,
                username="root",
                known_hosts=known,
                client_keys=[key],
                config=(),
                kex_algs=["curve25519-sha256"],
            )
            async with connection:
                return (await connection.run("true")).exit_status == 0

    return sum(not good for good in await asyncio.gather(*map(one, fleet.addresses)))


if __name__ == "__main__":
    folder, count, port, simultaneous = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    sys.exit(min(100, asyncio.run(visit(Fleet(folder, count), port, simultaneous))))
