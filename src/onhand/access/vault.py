"""Secrets at work: slow password hashes off the event loop, second factors encrypted at rest, the shipped block list."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from onhand.access.model import BlockList, SecondFactorUnreadable
from onhand.kit.settings import Settings

T = TypeVar("T")

_HASHES_AT_ONCE = 2
_VERSION = b"\x01"
_NONCE = 12
_KEY_ID = 4


@cache
def shipped_block_list() -> BlockList:
    """The words guessers try first, as shipped."""
    return BlockList.of_lines(
        files("onhand.access").joinpath("weak_words.txt").read_text("utf-8").splitlines()
    )


def read_block_list(exact: Path | None) -> BlockList:
    """The shipped words, and whole passwords from a site's own file (one a line) where given."""
    if exact is None:
        return shipped_block_list()
    with exact.open(encoding="utf-8", errors="replace") as lines:
        return BlockList(words=shipped_block_list().words, exact=BlockList.of_lines([], lines).exact)


def read_key(settings: Settings) -> bytes:
    """The 32 bytes second factors are encrypted with: from `ONHAND_SECRET_KEY`, else made once in the data directory."""
    if settings.secret_key is not None:
        return hashlib.sha256(b"onhand/totp/" + settings.secret_key.get_secret_value().encode()).digest()
    path = settings.data / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"secret.key.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(32))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(fresh, path)  # the first of two starters wins, and both read the same key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return hashlib.sha256(b"onhand/totp/" + path.read_text().strip().encode()).digest()


@dataclass(slots=True)
class Vault:
    """Hashes passwords (argon2id, 19 MiB, 2 passes, 1 lane; at most two at once) and seals second factors (AES-256-GCM)."""

    key: bytes
    blocked: BlockList
    _hasher: PasswordHash = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _dummy: str = field(init=False)

    def __post_init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
        self._threads = ThreadPoolExecutor(max_workers=_HASHES_AT_ONCE, thread_name_prefix="argon2")
        self._dummy = self._hasher.hash(secrets.token_hex(16))

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """The vault of an installation."""
        return cls(key=read_key(settings), blocked=read_block_list(settings.weak_passwords_file))

    async def hash_password(self, password: str) -> str:
        """The argon2id hash, computed in a thread."""
        return await self._aside(self._hasher.hash, password)

    async def fits(self, password: str, stored: str | None) -> bool:
        """Does the password fit? For an unknown user (None) the same work is done, and the answer is no."""
        right = await self._aside(self._hasher.verify, password, stored or self._dummy)
        return right and stored is not None

    async def _aside(self, work: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def seal(self, plain: str, *, owner: bytes) -> bytes:
        """Encrypt a second factor so that it opens for this owner only: version, key id, nonce, ciphertext."""
        nonce = os.urandom(_NONCE)
        return _VERSION + self._key_id() + nonce + AESGCM(self.key).encrypt(nonce, plain.encode(), owner)

    def unseal(self, sealed: bytes, *, owner: bytes) -> str:
        """Decrypt what `seal` made; raises SecondFactorUnreadable when the key is another one."""
        head = len(_VERSION) + _KEY_ID
        if sealed[:head] != _VERSION + self._key_id():
            raise SecondFactorUnreadable()
        nonce, body = sealed[head : head + _NONCE], sealed[head + _NONCE :]
        try:
            return AESGCM(self.key).decrypt(nonce, body, owner).decode()
        except InvalidTag as error:
            raise SecondFactorUnreadable() from error

    def _key_id(self) -> bytes:
        return hashlib.sha256(b"id/" + self.key).digest()[:_KEY_ID]

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
