"""Identifiers: time-ordered UUIDv7 made by whoever creates, and ids derived from a retry key."""

from __future__ import annotations

import hashlib
import os
import time
from typing import cast
from uuid import UUID

from asyncpg.pgproto import pgproto

NIL = UUID(int=0)
"""Stands for "none" where a key may not be null (a lot, for instance)."""

_last_ms = 0
_counter = 0
_pool: list[bytes] = []


def uuid7() -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, a 12-bit counter that grows within one millisecond
    of this process, and 62 random bits."""
    return UUID(int=_next())


def quick(value: UUID) -> UUID:
    """The same id as asyncpg's subclass of UUID: made, compared, hashed and written several times faster. For hot paths."""
    return value if type(value) is pgproto.UUID else cast(UUID, pgproto.UUID(value.bytes))


def quick7() -> UUID:
    """A UUIDv7 for hot paths; see `uuid7`."""
    return cast(UUID, pgproto.UUID(_next().to_bytes(16)))


def _next() -> int:
    global _last_ms, _counter
    now = time.time_ns() // 1_000_000
    if now <= _last_ms:
        _counter += 1
        if _counter > 0xFFF:
            _last_ms += 1
            _counter = 0
        now = _last_ms
    else:
        _last_ms = now
        _counter = os.urandom(1)[0] & 0x7F
    rand = int.from_bytes(_random8()) & ((1 << 62) - 1)
    return (now << 80) | (0x7 << 76) | (_counter << 64) | (0b10 << 62) | rand


def _random8() -> bytes:
    """Eight bytes of the operating system's randomness, of which much is fetched at once."""
    if not _pool:
        block = os.urandom(4096)
        _pool.extend(block[at : at + 8] for at in range(0, 4096, 8))
    return _pool.pop()


os.register_at_fork(after_in_child=_pool.clear)  # two processes never draw from one pool


def derive_id(*parts: str) -> UUID:
    """A UUIDv8 (RFC 9562, 5.8) from the SHA-256 of its parts: the same caller, route and key give the same id."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    value = int.from_bytes(digest[:16])
    value = (value & ~(0xF << 76)) | (0x8 << 76)
    value = (value & ~(0b11 << 62)) | (0b10 << 62)
    return UUID(int=value)


def first_id_at(ms: int) -> UUID:
    """The smallest UUIDv7 of a Unix millisecond: a lower bound for "made since"."""
    return UUID(int=(ms << 80) | (0x7 << 76) | (0b10 << 62))
