"""The gate: whose request is this? Callers are remembered for moments, so that a sale costs no lookup of its key.

Rights take effect within 2 × TTL everywhere (4 s), and at once in the process that changed them.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakSet

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from onhand.access import reads, store
from onhand.access.model import Caller, CrossSiteRefused, new_token, parse_key, sha256
from onhand.access.reads import ScopeResolver
from onhand.access.vault import Vault
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.problem import UnsupportedMedia
from onhand.kit.settings import Settings
from onhand.kit.tx import Tx

log = logging.getLogger(__name__)

TTL = 2.0
"""Seconds a caller is taken as remembered; up to twice that while a newer load is under way."""

SECURE_COOKIE, PLAIN_COOKIE = "__Host-onhand_session", "onhand_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_KEPT = 20_000

PlaceResolver = Callable[[AsyncConnection, Collection[UUID]], Awaitable[Mapping[UUID, UUID]]]
"""Given location ids, the site each lies in (or is); places outside of every site are left out."""
CodeResolver = Callable[[AsyncConnection, Collection[str]], Awaitable[Mapping[str, UUID]]]
"""Given codes people write (`location_code`), the location id of each; unknown ones are left out."""


async def _no_sites(conn: AsyncConnection, location_ids: Collection[UUID]) -> Collection[UUID]:
    return ()


async def _no_places(conn: AsyncConnection, location_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    return {}


@dataclass(slots=True)
class Resolvers:
    """What access must know of places but may not import; doors/wiring.py registers it."""

    scope: ScopeResolver = _no_sites
    place: PlaceResolver = _no_places
    codes: dict[str, CodeResolver] = field(default_factory=dict)


RESOLVERS = Resolvers()


def set_scope_resolver(resolve: ScopeResolver) -> None:
    """Register how an assignment's places become sites: `resolve(conn, location_ids) -> site ids at or below them`."""
    RESOLVERS.scope = resolve


def set_place_resolver(resolve: PlaceResolver) -> None:
    """Register how a place named in a request becomes its site: `resolve(conn, location_ids) -> {location_id: site_id}`."""
    RESOLVERS.place = resolve


def set_code_resolver(name: str, resolve: CodeResolver) -> None:
    """Register how a field of codes (`location_code`) becomes locations: `resolve(conn, codes) -> {code: location_id}`."""
    RESOLVERS.codes[name] = resolve


@dataclass(slots=True)
class _Kept:
    """A caller in memory: whom it is about, and when it was loaded."""

    caller: Caller
    at: float
    rotate: bool = False
    credential: UUID = field(init=False)
    until: float | None = field(init=False)

    def __post_init__(self) -> None:
        self.credential = self.caller.session_id or self.caller.id
        self.until = self.caller.expires_at.timestamp() if self.caller.expires_at is not None else None


_GATES: WeakSet[Gate] = WeakSet()


def rights_changed(tx: Tx) -> None:
    """Rights, keys or sessions change with this transaction: once it is committed, nothing remembered counts."""

    def forget() -> None:
        for gate in list(_GATES):
            gate.forget_all()

    tx.after_commit.append(forget)


class Gate:
    """Knows callers by their credentials; one for each process."""

    def __init__(
        self, database: Database, *, admin_totp: frozenset[str] = frozenset(), ttl: float = TTL
    ) -> None:
        self._database = database
        self._admin_totp = admin_totp
        self._ttl = ttl
        self._kept: dict[bytes, _Kept] = {}
        self._loading: dict[bytes, asyncio.Task[_Kept | None]] = {}
        self._sites: dict[UUID, tuple[UUID | None, float]] = {}
        self._seen: dict[str, dict[UUID, float]] = {"user": {}, "key": {}}
        self._era = 0
        _GATES.add(self)

    # --- who ---

    async def authenticate(self, request: HTTPConnection) -> Caller | None:
        """The caller of a request: by `Authorization: Bearer onh_live_…`, else by session cookie; None when neither fits."""
        for name, value in request.scope["headers"]:  # raw: this runs once a sale
            if name == b"authorization":
                if value[:7].lower() != b"bearer ":
                    return None
                return await self.by_key(value[7:].strip().decode("latin-1"))
        token = session_token(request)
        return await self.by_session(token) if token else None

    async def by_key(self, text: str) -> Caller | None:
        """The caller of an API key; no slow hash, and mostly no query."""
        digest = sha256(text)
        kept = self._kept.get(digest)
        if kept is not None and time.monotonic() - kept.at < self._ttl:
            return self._note(kept)
        if kept is None and parse_key(text) is None:
            return None
        return self._note(await self._remembered(digest, lambda: self._load_key(text)))

    async def by_session(self, token: str) -> Caller | None:
        """The caller of a session token."""
        digest = sha256(token)
        found = await self._remembered(digest, lambda: self._load_session(digest))
        return self._note(found)

    def _note(self, found: _Kept | None) -> Caller | None:
        if found is None:
            return None
        instant = time.time()
        if found.until is not None and found.until <= instant:
            return None
        self._seen[found.caller.kind][found.credential] = instant
        return found.caller

    async def _remembered(self, digest: bytes, load: Callable[[], Awaitable[_Kept | None]]) -> _Kept | None:
        """What is remembered, refreshed behind the request when it ages; loaded once however many ask at the same time."""
        kept = self._kept.get(digest)
        age = time.monotonic() - kept.at if kept is not None else 0.0
        if kept is not None and age < self._ttl:
            return kept
        task = self._loading.get(digest)
        if task is None:
            task = asyncio.create_task(self._fetch(digest, load, era=self._era))
            self._loading[digest] = task
            task.add_done_callback(lambda done: self._loaded(digest, done))
        if kept is not None and age < 2 * self._ttl:
            return kept
        return await asyncio.shield(task)

    async def _fetch(
        self, digest: bytes, load: Callable[[], Awaitable[_Kept | None]], *, era: int
    ) -> _Kept | None:
        found = await load()
        if era != self._era:  # rights changed while we read: what we read may be the old ones
            found = await load()
        if found is None:
            self._kept.pop(digest, None)
        else:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[digest] = found
        return found

    def _loaded(self, digest: bytes, task: asyncio.Task[_Kept | None]) -> None:
        self._loading.pop(digest, None)
        if not task.cancelled() and task.exception() is not None:
            log.warning("a caller could not be loaded", exc_info=task.exception())

    async def _load_key(self, text: str) -> _Kept | None:
        key = parse_key(text)
        if key is None:
            return None
        started = time.monotonic()
        # Credentials are read from the primary: one just made must be known, one just ended must be gone.
        async with self._database.engine.connect() as conn:
            found = await reads.load_key(conn, public_id=key.public_id, now=now(), resolve=RESOLVERS.scope)
        if found is None or not hmac.compare_digest(found.secret_hash, key.digest):
            return None
        return _Kept(found.caller, started)

    async def _load_session(self, digest: bytes) -> _Kept | None:
        started = time.monotonic()
        async with self._database.engine.connect() as conn:
            found = await reads.load_session(
                conn, token_hash=digest, now=now(), resolve=RESOLVERS.scope, admin_totp=self._admin_totp
            )
        return _Kept(found.caller, started, rotate=found.rotate) if found is not None else None

    # --- still? ---

    async def refresh(self, caller: Caller) -> Caller | None:
        """The same caller as of now (at most 2 × TTL old), or None when their session or key has ended."""
        if caller.kind == "system":
            return caller
        credential = caller.session_id or caller.id
        found = await self._remembered(
            caller.kind.encode() + credential.bytes, lambda: self._load_again(caller)
        )
        return found.caller if found is not None else None

    async def _load_again(self, caller: Caller) -> _Kept | None:
        started = time.monotonic()
        async with self._database.engine.connect() as conn:
            if caller.kind == "key":
                key = await reads.load_key_by_id(conn, key_id=caller.id, now=now(), resolve=RESOLVERS.scope)
                return _Kept(key.caller, started) if key is not None else None
            found = await reads.load_session_by_id(
                conn,
                session_id=caller.session_id,
                now=now(),
                resolve=RESOLVERS.scope,
                admin_totp=self._admin_totp,
            )
        return _Kept(found.caller, started) if found is not None else None

    async def still_valid(self, caller: Caller) -> bool:
        """Do this caller's session or key and exact rights still hold? Streams ask every few seconds, and end on no."""
        present = await self.refresh(caller)
        return present is not None and present.same_rights(caller)

    def forget_all(self) -> None:
        """Drop everything remembered: rights, keys or sessions changed in this process."""
        self._era += 1
        self._kept.clear()
        self._sites.clear()

    # --- where ---

    async def sites_of(self, location_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
        """The site each place lies in; None for unknown places and those outside of every site."""
        instant = time.monotonic()
        known = {
            i: hit[0] for i in location_ids if (hit := self._sites.get(i)) and instant - hit[1] < self._ttl
        }
        missing = [i for i in location_ids if i not in known]
        if missing:
            async with self._database.reading() as conn:
                found = await RESOLVERS.place(conn, missing)
            if len(self._sites) >= _KEPT:
                self._sites.clear()
            for location_id in missing:
                known[location_id] = found.get(location_id)
                self._sites[location_id] = (known[location_id], instant)
        return known

    async def locations_of(self, name: str, codes: Collection[str]) -> list[UUID | None]:
        """The location of each code of a field; None for unknown ones."""
        async with self._database.reading() as conn:
            found = await RESOLVERS.codes[name](conn, codes)
        return [found.get(code) for code in codes]

    # --- upkeep ---

    async def rotate(self, token: str) -> str | None:
        """A new token for a session whose owner's rights changed; None when there is nothing to do."""
        digest = sha256(token)
        kept = self._kept.get(digest)
        if kept is None or not kept.rotate or kept.caller.session_id is None:
            return None
        fresh = new_token()
        async with self._database.engine.begin() as conn:
            done = await store.rotate_session(
                conn, session_id=kept.caller.session_id, old_hash=digest, new_hash=sha256(fresh), now=now()
            )
        kept.rotate = False
        return fresh if done else None

    async def write_seen(self) -> None:
        """Write down who was seen since the last time. Never on the path of a request."""
        users, self._seen["user"] = self._seen["user"], {}
        keys, self._seen["key"] = self._seen["key"], {}
        if not users and not keys:
            return
        async with self._database.engine.begin() as conn:
            await store.note_seen(conn, sessions=_instants(users), keys=_instants(keys))

    async def keep_house(self, *, every: float = 15.0) -> None:
        """Runs until cancelled: writes down who was seen, and now and then forgets what ended long ago."""
        rounds = 0
        while True:
            try:
                await asyncio.sleep(every)
                await self.write_seen()
                if rounds % 240 == 0:
                    async with self._database.engine.begin() as conn:
                        await store.prune(conn, now=now())
                rounds += 1
            except asyncio.CancelledError:
                with suppress(Exception):
                    await self.write_seen()
                raise
            except Exception:
                log.warning("could not write down who was seen; trying again", exc_info=True)


def _instants(seen: dict[UUID, float]) -> dict[UUID, datetime]:
    return {credential: datetime.fromtimestamp(at, UTC) for credential, at in seen.items()}


@dataclass(slots=True)
class Access:
    """What requests need of access; wiring.py makes one a process and keeps it as `app.state.access`."""

    database: Database
    settings: Settings
    vault: Vault
    gate: Gate

    @classmethod
    def open(cls, database: Database, settings: Settings) -> Access:
        """Ready to work; nothing connects yet."""
        admin_totp = reads.roles_needing_totp(require_admin_totp=settings.require_admin_totp)
        return cls(database, settings, Vault.open(settings), Gate(database, admin_totp=admin_totp))

    def close(self) -> None:
        """Stop the threads."""
        self.vault.close()


# --- cookies and cross-site requests ----------------------------------------------------------------------------


def session_token(request: HTTPConnection) -> str | None:
    """The session token of a request; the cookie without `__Host-` counts on plain HTTP only."""
    token = request.cookies.get(SECURE_COOKIE)
    if token is None and request.url.scheme in ("http", "ws"):
        token = request.cookies.get(PLAIN_COOKIE)
    return token if token and len(token) <= 100 else None


def check_same_site(request: HTTPConnection) -> None:
    """Raises CrossSiteRefused when a page of another site sends a changing request (OWASP ASVS 3.5.1).

    Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`. Programs with an API key are no browsers.
    """
    if request.scope.get("method", "GET") in SAFE_METHODS or "authorization" in request.headers:
        return
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        if fetched not in ("same-origin", "none"):
            raise CrossSiteRefused()
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise CrossSiteRefused()


def check_media_type(request: HTTPConnection) -> None:
    """Raises UnsupportedMedia for bodies a plain web form could send; uploads must prove that they are no foreign form's."""
    if request.scope.get("method", "GET") in SAFE_METHODS or not _has_body(request):
        return
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json" or (media.startswith("application/") and media.endswith("+json")):
        return
    proven = any(name in request.headers for name in ("authorization", "sec-fetch-site", "origin"))
    if media == "multipart/form-data" and proven:
        return
    raise UnsupportedMedia("Send the body as application/json.", param="Content-Type")


def _has_body(request: HTTPConnection) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
