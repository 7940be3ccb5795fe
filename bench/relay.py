"""A relay that delays each direction of its connections: a network with a given round-trip time, without netem."""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Forward data `seconds` after it came; what comes meanwhile is not delayed by that."""
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def deliver() -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    delivery = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            queue.put_nowait((loop.time() + seconds, data))
    queue.put_nowait((loop.time() + seconds, b""))
    with contextlib.suppress(OSError):
        await delivery


async def serve(port: int, target_port: int, round_trip: float) -> None:
    """Accept connections on all loopback addresses and forward each to the same address."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        await asyncio.sleep(round_trip)  # of the handshake of TCP
        theirs, ours = await asyncio.open_connection(host, target_port)
        await asyncio.gather(_pipe(reader, ours, round_trip / 2), _pipe(theirs, writer, round_trip / 2))

    server = await asyncio.start_server(accept, "0.0.0.0", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
