"""The load client, in a process of its own and cheap enough not to be what is measured: raw keep-alive connections.

python -m bench.load PORT KEY CONNECTIONS SALES_A_REQUEST SECONDS
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from datetime import UTC, datetime

import uvloop

from bench.ground import STORES, VARIANTS


class Load:
    """What all connections share: how long, how much, and what came of it."""

    def __init__(self, key: str, batch: int, seconds: float) -> None:
        self.batch = batch
        self.sales = 0
        self.failed = 0
        self.head = (
            f"POST /v1/pos/{'sales' if batch == 1 else 'sale-batches'} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self.pick = random.Random()
        self.at = datetime.now(UTC).isoformat()
        count = int(seconds * (9000 if batch == 1 else 60))
        # Made beforehand: the machine's cores belong to the server. In order, as the ids of tills come.
        self.ready = [self._make() for _ in range(count)][::-1]
        self.stop_at = time.perf_counter() + seconds

    def sale(self) -> str:
        """One sale as a till writes it; UUIDv7 made here."""
        value = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | 0b10 << 62
        rand = int.from_bytes(os.urandom(9))
        hexed = f"{value | (rand & 0xFFF) << 64 | (rand >> 12) & ((1 << 60) - 1):032x}"
        uid = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
        variant, store = int(self.pick.random() * VARIANTS), int(self.pick.random() * STORES)
        return (
            f'{{"id":"{uid}","register":"R{store:02d}","happened_at":"{self.at}","currency":"EUR",'
            f'"lines":[{{"sku":"SKU-{variant:05d}","quantity":"1","total":"1.99"}}]}}'
        )

    def request(self) -> bytes:
        """The next request."""
        return self.ready.pop() if self.ready else self._make()

    def _make(self) -> bytes:
        body = (
            self.sale()
            if self.batch == 1
            else f'{{"sales":[{",".join(self.sale() for _ in range(self.batch))}]}}'
        )
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body.encode())

    def answered(self, status: bytes, body: bytes) -> None:
        """Count what came back."""
        if self.batch == 1:
            done = 1 if status == b"201" else 0
        else:
            done = body.count(b'"status":"posted"') if status == b"200" else 0
        self.sales += done
        self.failed += self.batch - done
        if self.failed == self.batch - done and done < self.batch:
            print(status, body[:500], file=sys.stderr)


class Till(asyncio.Protocol):
    """One keep-alive connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.closed = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]
        self.transport.write(self.load.request())

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data if self.buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = buffer.lower().find(b"content-length:", 0, end)
        length = int(buffer[at + 15 : buffer.find(b"\r\n", at)])
        if len(buffer) < end + 4 + length:
            return
        self.load.answered(buffer[9:12], buffer[end + 4 :])
        self.buffer = b""
        if time.perf_counter() >= self.load.stop_at:
            self.transport.close()
        else:
            self.transport.write(self.load.request())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def main(port: int, key: str, connections: int, batch: int, seconds: float) -> int:
    """Load until the time is over; prints the rate."""
    load = Load(key, batch, seconds)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    tills = [
        (await loop.create_connection(lambda: Till(load), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(t.closed for t in tills))
    took = time.perf_counter() - started
    print(json.dumps({"sales_a_second": load.sales / took, "failed": load.failed}))
    return 1 if load.failed else 0


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        words = sys.argv[1:]
        sys.exit(runner.run(main(int(words[0]), words[1], int(words[2]), int(words[3]), float(words[4]))))
