"""Settings → objects. The only place that chooses implementations and knows everyone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from onhand import access, catalog, counting, ledger, locations, parties, pos, quality, transfers
from onhand.counting import jobs as _counts  # noqa: F401 - registers its jobs
from onhand.doors import schema
from onhand.doors import upkeep as _upkeep  # noqa: F401 - registers its jobs
from onhand.doors.supervise import kept_up
from onhand.integrations.imports import jobs as _imports  # noqa: F401 - registers its jobs
from onhand.kit.database import Database, metadata, refuse_weak_durability
from onhand.kit.migrate import upgrade
from onhand.kit.outbox import flush_directory, flush_events
from onhand.kit.postgres import APP, EmbeddedPostgres
from onhand.kit.settings import Settings
from onhand.ledger import jobs as _books  # noqa: F401 - registers its jobs
from onhand.ledger.api.promises import Promises
from onhand.pos.api.intake import Counter
from onhand.quality import jobs as _lots  # noqa: F401 - registers its jobs

__all__ = ["Onhand", "Urls", "bring_up", "database_up", "hooks", "metadata", "opened", "prepare"]

log = structlog.get_logger("onhand")

RIDERS = {**pos.RIDERS, **ledger.RESERVATION_RIDERS, "audit": access.AUDIT_RIDER}
"""Document rows the lane writes, in this order (documents before levels)."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database is: as its owner (migrations), and as the application."""

    owner: str
    app: str
    embedded: EmbeddedPostgres | None = None


def bring_up(settings: Settings) -> Urls:
    """The database: the configured one, or the embedded server, started; then migrated. Blocking."""
    if settings.database_url is not None:
        owner = settings.database_url.get_secret_value()
        app = settings.app_database_url.get_secret_value() if settings.app_database_url else owner
        urls = Urls(owner, app)
    else:
        embedded = EmbeddedPostgres.at(settings.data, archive=settings.archiving)
        embedded.start()
        urls = Urls(embedded.url(), embedded.url(APP), embedded)
    ran = upgrade(urls.owner)
    if ran:
        log.info("migrated", revisions=ran)
    if urls.owner == urls.app:
        log.warning(
            "one_role",
            remedy="Only triggers guard the ledger. Set ONHAND_APP_DATABASE_URL to a least-privileged role.",
        )
    return urls


def hooks(database: Database) -> None:
    """What runs before every commit, in lock order: postings, audit, directory, events (the stream head last)."""
    database.before_commit = [ledger.flush_postings, access.write_audit, flush_directory, flush_events]


def register() -> None:
    """Tell lower floors what they may not import."""
    access.set_scope_resolver(locations.sites_under)
    access.set_place_resolver(locations.sites_of)
    for field in (
        "location_code",
        "from_location_code",
        "to_location_code",
        "from_site_code",
        "to_site_code",
    ):
        access.set_code_resolver(field, locations.resolve)
    access.set_code_resolver("register", _register_codes)
    catalog.add_finder("location", "locations:read", locations.find)
    catalog.add_finder("supplier", "parties:read", parties.find_suppliers)
    catalog.add_finder("customer", "parties:read", parties.find_customers)
    catalog.add_scanner("locations:read", locations.scan)
    catalog.add_finder("sale", "sales:read", pos.find_sales)
    catalog.add_scanner("sales:read", pos.scan_sale)
    catalog.add_finder("transfer", "transfers:read", transfers.find_transfers)
    catalog.add_scanner("transfers:read", transfers.scan_transfer)
    catalog.add_finder("lot", "stock:read", quality.find_lots)
    catalog.add_scanner("stock:read", quality.scan_lot)
    ledger.register_check("serial_levels", quality.serial_sums)
    locations.set_stock_check(ledger.holding_stock)
    catalog.set_use_check(ledger.used_variants)
    catalog.on_merge(transfers.follow_merge)
    catalog.on_merge(ledger.carry_over)
    ledger.register_check("sale_documents", pos.document_sums)
    ledger.register_check("transfer_documents", transfers.document_sums)
    ledger.on_count(counting.note_count)
    ledger.register_check("counted_levels", counting.counts_hold)


async def _register_codes(conn: Any, codes: Any) -> dict[str, Any]:
    found = {code: await pos.find_till(conn, code) for code in codes}
    return {code: till.location for code, till in found.items() if till is not None}


async def prepare(database: Database) -> None:
    """What an empty database needs before anything else: units, virtual places, built-in roles; refuses weak durability."""
    async with database.engine.connect() as conn:
        await refuse_weak_durability(conn)
    async with database.writing(action="prepare") as tx:
        await catalog.ensure_units(tx)
        await locations.ensure_virtual(tx)
        await access.ensure_builtin_roles(tx.conn)
    async with database.engine.begin() as conn:
        for parent in schema.PARTITIONED:
            await conn.exec_driver_sql("SELECT onhand_partitions(%s, 3)", (parent,))


@dataclass(slots=True)
class Onhand:
    """The objects of one server process."""

    settings: Settings
    database: Database
    access: access.Access
    engine: ledger.Engine
    desk: pos.Desk
    counter: Counter
    promises: Promises

    @classmethod
    def assemble(cls, settings: Settings, urls: Urls) -> Onhand:
        """Make the objects; nothing runs yet."""
        replica = settings.replica_url.get_secret_value() if settings.replica_url else None
        database = Database.open(urls.app, replica_url=replica, pool_size=settings.pool_size)
        hooks(database)
        register()

        async def load_directory() -> Any:
            async with database.engine.connect() as conn:
                return await ledger.load_directory(conn)

        engine = ledger.Engine(
            url=urls.app, load_directory=load_directory, riders=dict(RIDERS), batch_size=settings.lane_batch,
            queue_size=settings.lane_queue,
        )  # fmt: skip
        resolver = catalog.Resolver(database)
        desk = pos.Desk(database, resolver)
        return cls(
            settings, database, access.Access.open(database, settings), engine, desk, Counter(engine, desk),
            Promises(engine, database, resolver, reads_url=replica or urls.app),
        )  # fmt: skip


@asynccontextmanager
async def opened(settings: Settings, urls: Urls) -> AsyncIterator[tuple[Database, ledger.Engine]]:
    """The database with its hooks and a running lane, without the HTTP server: for commands that post in bulk."""
    objects = Onhand.assemble(settings, urls)
    try:
        await prepare(objects.database)
        await objects.engine.start()
        yield objects.database, objects.engine
    finally:
        await objects.engine.stop()
        objects.access.close()
        await objects.database.close()


@asynccontextmanager
async def database_up(settings: Settings) -> AsyncIterator[Urls]:
    """The database, brought up and migrated; an embedded server is looked after, and stopped at the end if started here."""
    urls = await asyncio.to_thread(bring_up, settings)
    try:
        async with kept_up(urls.embedded):
            yield urls
    finally:
        if urls.embedded is not None and urls.embedded.started_here:
            await asyncio.to_thread(urls.embedded.stop)
