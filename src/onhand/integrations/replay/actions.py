"""Replays an export: read it dry, make what it needs, post it through the lane, and count what stands in the books afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from onhand import access, catalog, locations, pos
from onhand.integrations.replay import reads
from onhand.integrations.replay.mapping import Mapping, ReplayMapping
from onhand.integrations.replay.model import Document, Line, Rejected, Report, translate
from onhand.integrations.replay.reader import open_export
from onhand.integrations.replay.translate import Books, opening_item, to_item
from onhand.kit.database import Database
from onhand.kit.ids import derive_id
from onhand.kit.problem import Problem
from onhand.kit.tx import SYSTEM
from onhand.ledger import Engine, Item, Outcome, Status
from onhand.values import BadValue, BatchResult

Say = Callable[[str, float], None]
"""Told what is going on and how much of it is done, 0 to 1."""

BATCH_LINES = 5_000
OPENING_LINES = 1_000


class Missing(StrEnum):
    """What to do with codes the catalogue does not know."""

    keep = "keep"
    """Record their lines as unresolved exceptions of the sale."""
    create = "create"
    """Create items by the code and name in the file."""


class Before(StrEnum):
    """What to assume of the stock before the file begins."""

    nothing = "nothing"
    """Nothing: what is sold beyond known stock is recorded as oversold."""
    cover = "cover"
    """As much as was needed: opening stock to the lowest running balance of each item."""


@dataclass(slots=True)
class Replayed:
    """What a replay did, beside the file's own report: outcomes by status, and what could not be posted, with the reason."""

    report: Report
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    totals: dict[str, dict[str, Decimal]] = field(default_factory=dict)


Each = Callable[[Line | Rejected], None]
"""Told of every line of the file once it is judged: its fate and why."""


def rehearse(path: Path, mapping: Mapping, say: Say, each: Each | None = None) -> Report:
    """Read a whole file without touching anything: what each line would become, and the totals."""
    report = Report(each=each)
    with open_export(path) as export:
        for n, _ in enumerate(translate(mapping, export.headers, export.rows(), report)):
            if n % 1000 == 0:
                say("reading", export.read)
    say("reading", 1.0)
    return report


async def replay(
    database: Database,
    engine: Engine,
    path: Path,
    mapping: Mapping,
    *,
    missing: Missing,
    before: Before,
    say: Say,
    each: Each | None = None,
) -> Replayed:
    """Post a file. A second run, or one that goes on after a crash, changes nothing that stands already.

    Raises ReplayMapping for a place that does not exist.
    """
    report = await asyncio.to_thread(rehearse, path, mapping, say, each)
    done = Replayed(report)
    if missing is Missing.create:
        await _create_items(database, mapping, report)
    books = await _open_books(database, mapping, report, missing)
    if before is Before.cover:
        await _post_opening(engine, books, report, done)
    await _post(engine, path, mapping, books, done, say)
    await _note(database, mapping, path, done)
    async with database.reading() as conn:
        done.totals = await reads.totals(conn, books, mapping)
    return done


async def _create_items(database: Database, mapping: Mapping, report: Report) -> None:
    async with database.reading() as conn:
        known = await catalog.resolve(conn, report.skus, by=catalog.Lookup.SKU)
    rows: list[dict[str, str | None]] = [
        {
            "sku": sku, "name": name or sku, "decimals": str(min(6, report.decimals.get(sku, 0))),
            "category": "Services" if sku in report.services else None,
        }
        for sku, name in sorted(report.skus.items())
        if sku not in known
    ]  # fmt: skip
    result = BatchResult()
    for at in range(0, len(rows), BATCH_LINES):
        async with database.writing(action="replay items") as tx:
            result.add(
                await catalog.upsert_variants(
                    tx, rows[at : at + BATCH_LINES], default_currency=mapping.currency
                )
            )
    for problem in result.problems:
        report.why[f"item not created: {problem.value} ({problem.message})"] += 1


async def _open_books(database: Database, mapping: Mapping, report: Report, missing: Missing) -> Books:
    """Look up what the file names; make a till for the replay at each of its places, and a store where one is missing and
    may be created."""
    async with database.writing(action="replay tills") as tx:
        places = await locations.resolve(tx.conn, report.places)
        unknown = sorted(report.places - places.keys())
        if missing is Missing.create and "" not in unknown:
            for code in unknown:
                new = locations.NewLocation(code=code, name=code, kind="store", time_zone=mapping.time_zone)
                places[code] = (await locations.create_location(tx, new)).id
        elif unknown:
            raise ReplayMapping(
                f"There is no place {unknown[0]!r}. Name one with --place, or map the column of the store.",
                param="place",
            )
        tills: dict[str, pos.Till] = {}
        for place, location in places.items():
            code = mapping.register or f"REPLAY-{mapping.source}-{place}"[:64]
            till = await pos.find_till(tx.conn, code)
            if till is None:
                await pos.open_register(
                    tx, register_id=None, code=code, name=f"Replay of {mapping.source}", location_id=location,
                    external_id=None, metadata={"replay": mapping.source},
                )  # fmt: skip
                till = await pos.find_till(tx.conn, code)
            assert till is not None
            tills[place] = till
        known = await catalog.resolve(tx.conn, report.skus, by=catalog.Lookup.SKU)
    services = frozenset(known[sku].variant_id for sku in report.services if sku in known)
    return Books(mapping.source, mapping.currency, _actor(mapping), known, tills, services)


def _actor(mapping: Mapping) -> UUID:
    """Who acts: the system itself. The ids of a replay are its own, so it needs no other name."""
    return SYSTEM.id


async def _post_opening(engine: Engine, books: Books, report: Report, done: Replayed) -> None:
    """Opening stock, one second before the first line. Its id comes from source, place and part, so it is posted once."""
    assert report.first_at is not None
    by_place: dict[str, dict[str, Decimal]] = {}
    for (place, sku), low in report.lowest.items():
        by_place.setdefault(place, {})[sku] = low
    for place, lowest in by_place.items():
        codes = sorted(lowest)
        for at in range(0, len(codes), OPENING_LINES):
            some = {sku: lowest[sku] for sku in codes[at : at + OPENING_LINES]}
            item = opening_item(place, some, report.first_at - timedelta(seconds=1), books, str(at))
            if item is not None:
                outcome = await engine.submit(item)
                done.outcomes[f"opening {outcome.status.value}"] += 1


async def _post(engine: Engine, path: Path, mapping: Mapping, books: Books, done: Replayed, say: Say) -> None:
    """Read the file again and post it in file order; the next batch is prepared while the present one is written."""
    sent: asyncio.Task[list[Outcome]] | None = None
    with open_export(path) as export:
        for batch in _batches(translate(mapping, export.headers, export.rows(), Report())):
            items = _items(batch, books, done)
            if sent is not None:
                _count(await sent, done)
                say("posting", export.read)
            sent = asyncio.create_task(engine.submit_many(items))
            await asyncio.sleep(0)
    if sent is not None:
        _count(await sent, done)
    say("posting", 1.0)


def _batches(documents: Iterator[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    lines = 0
    for document in documents:
        batch.append(document)
        lines += len(document.lines)
        if lines >= BATCH_LINES:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


def _items(batch: list[Document], books: Books, done: Replayed) -> list[Item]:
    items = []
    for document in batch:
        try:
            items.append(to_item(document, books))
        except (Problem, BadValue) as problem:
            done.outcomes["refused"] += 1
            done.refused.append((document.number, str(problem)))
    return items


def _count(outcomes: list[Outcome], done: Replayed) -> None:
    for outcome in outcomes:
        done.outcomes[outcome.status.value] += 1
        if outcome.oversold:
            done.outcomes["oversold"] += 1
        if outcome.status not in (Status.posted, Status.already_posted):
            done.refused.append(("", outcome.status.value))


async def _note(database: Database, mapping: Mapping, path: Path, done: Replayed) -> None:
    """One audit row for the whole replay."""
    async with database.writing(action="replay") as tx:
        access.name_action(tx, "replay.finished")
        tx.record(
            "replay", derive_id("replay", mapping.source, path.name), None,
            {"source": mapping.source, "file": path.name, "lines": done.report.rows, **done.outcomes},
        )  # fmt: skip
