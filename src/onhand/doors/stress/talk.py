"""HTTP as a till speaks it: one request a connection, so that every request may be cut anywhere."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

GONE = (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, IndexError)
"""What happens to a request whose server is killed."""


def request(path: str, key: str, body: Any) -> bytes:
    """A POST as bytes."""
    raw = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


async def ask(port: int, sent: bytes, seconds: float = 20) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer; 0 when there was none."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(sent)
                answer = await reader.read()
            finally:
                writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head[9:12]), json.loads(body)
    except GONE:
        return 0, {}


async def hang_up(port: int, sent: bytes, share: float, seconds: float) -> None:
    """Send a share of a request (1: all of it), wait a while, and cut the connection."""
    with suppress(*GONE):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent[: max(1, int(len(sent) * share))])
        with suppress(*GONE):
            await writer.drain()
        await asyncio.sleep(seconds)
        writer.transport.abort()
