"""The count of a bin against the book at its instant: judged, and posted under the levels' locks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand import ledger, locations
from onhand.access import Caller
from onhand.counting import store
from onhand.counting.events import CountApproved
from onhand.counting.model import (
    FREE,
    CountedLine,
    LevelThen,
    Policy,
    Variance,
    over_tolerance,
    spread,
    variances,
)
from onhand.kit.ids import NIL, derive_id, uuid7
from onhand.kit.tx import Tx
from onhand.locations import Place
from onhand.values import format_cost, format_units

Key = tuple[UUID, UUID, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A bin's count against the book: each level, the same as stored for who approves, and the whole at cost."""

    found: list[Variance]
    rows: list[dict[str, Any]]
    value: Decimal | None
    over: bool


def lines_of(entry: Any) -> list[CountedLine]:
    """The lines of an entry as stored."""
    return [
        CountedLine(UUID(x["variant"]), x["quantity"], UUID(x["lot"]) if x["lot"] else None, x["condition"])
        for x in entry.lines
    ]


async def levels_of(tx: Tx, location: UUID, entry: Any) -> list[LevelThen]:
    """What lay in the bin at the entry's instant, as known now; of an entry of some lines only their variants."""
    wanted = None if entry.complete else [UUID(x["variant"]) for x in entry.lines]
    rows = await ledger.levels_then(tx.conn, location, entry.happened_at, variants=wanted)
    return [LevelThen(r.variant, r.lot, r.condition, r.then, r.on_hand, r.allocated) for r in rows]


async def judged(tx: Tx, found: store.BinCount, entry: Any, policy: Policy) -> Judged:
    """What the count of a bin says, as the ledger stands now; nothing is locked."""
    lines = lines_of(entry)
    levels = await levels_of(tx, found.location, entry)
    counted = spread(lines, levels, complete=entry.complete)
    facts = await store.variant_facts(tx.conn, sorted({k[0] for k in counted}))
    return weighed(variances(counted, levels, lambda v: (facts[v].decimals, facts[v].cost)), levels, policy)


def weighed(found: list[Variance], levels: Sequence[LevelThen], policy: Policy) -> Judged:
    """The same with its sums. Pure."""
    now = {level.key: level for level in levels}
    rows = []
    for v in found:
        level = now.get((v.variant, v.lot, v.condition))
        rows.append(
            {
                "variant": str(v.variant), "lot": None if v.lot == NIL else str(v.lot), "condition": v.condition,
                "counted": v.counted, "book": v.book, "on_hand": level.on_hand if level else 0,
                "allocated": level.allocated if level else 0, "over": over_tolerance(v, policy),
                "unit_cost": None if v.unit_cost is None else str(v.unit_cost),
            }
        )  # fmt: skip
    wrong = [v for v in found if v.quantity != 0]
    value = (
        None
        if any(v.value is None for v in wrong)
        else sum((v.value or Decimal(0) for v in wrong), Decimal(0))
    )
    return Judged(found, rows, value, any(over_tolerance(v, policy) for v in wrong))


async def post_bin(
    tx: Tx, found: store.BinCount, entry: Any, policy: Policy, *, by: Caller, note: str | None,
    check: Callable[[Judged], None],
) -> None:  # fmt: skip
    """Post what a bin's count found, at the instant it was counted, in the name of who counted.

    Lock every level of the bin → what lay there then, as known now → `check` may refuse → one posting of all variances →
    the levels as counted, so that facts that come later can be set against them.
    """
    covered = await ledger.known_now(tx.conn)
    lines = lines_of(entry)
    counted = spread(lines, await levels_of(tx, found.location, entry), complete=entry.complete)
    keys = set(counted) | {(x.variant, x.lot or NIL, x.condition or FREE) for x in lines}
    facts = await store.variant_facts(tx.conn, sorted({k[0] for k in keys}))
    place = (await locations.directory(tx.conn))[found.location]
    posting_id = derive_id("bin_count", str(found.id), str(entry.id))
    known = [covered]
    result = [weighed([], [], policy)]

    async def revise(_: ledger.Book) -> Sequence[ledger.Posting]:
        known[0] = await ledger.known_now(tx.conn)
        levels = [x for x in await levels_of(tx, found.location, entry) if x.key in keys]
        sure = spread(lines, levels, complete=entry.complete)
        result[0] = weighed(
            variances(sure, levels, lambda v: (facts[v].decimals, facts[v].cost)), levels, policy
        )
        check(result[0])
        return _postings(found, entry, posting_id, result[0].found, facts)

    if keys:
        await ledger.post(tx, [_naming(found, entry, keys)], revise=revise)
    else:
        check(result[0])
    wrong = [v for v in result[0].found if v.quantity != 0]
    posting = posting_id if wrong else None
    await _keep(tx, found, entry, result[0], facts, known[0], posting)
    if entry.complete:
        await store.insert_cover(
            tx.conn,
            {
                "entry": entry.id, "location": found.location, "site": found.site, "happened_at": entry.happened_at,
                "known": covered.seq, "known_at": covered.recorded_at, "posting": posting,
            },
        )  # fmt: skip
    await store.change_bin_count(
        tx.conn, found, tx.now, state="posted", decided_by=by.id, decided_by_name=by.name, decided_at=tx.now, note=note,
        lines=result[0].rows, value=result[0].value, over=result[0].over,
    )  # fmt: skip
    _publish(tx, found, entry, place, result[0], facts, by.id, posting)


def _naming(found: store.BinCount, entry: Any, keys: set[Key]) -> ledger.Posting:
    """Names the levels to lock; never written."""
    elsewhere = locations.virtual_id("adjustment")
    moves = tuple(
        ledger.Move(
            variant=v,
            lot=lot,
            quantity=1,
            from_location=found.location,
            from_condition=c,
            to_location=elsewhere,
        )
        for v, lot, c in sorted(keys, key=lambda k: (k[0].bytes, k[1].bytes, k[2]))
    )
    return ledger.Posting(
        id=uuid7(), kind=ledger.Kind.count_.value, source_type="bin_count", source_id=found.id, actor=entry.actor,
        happened_at=entry.happened_at, moves=moves, digest=b"", mode=ledger.Mode.fact,
    )  # fmt: skip


def _postings(
    found: store.BinCount,
    entry: Any,
    posting_id: UUID,
    said: Sequence[Variance],
    facts: dict[UUID, store.Facts],
) -> list[ledger.Posting]:
    elsewhere = locations.virtual_id("adjustment")
    moves = []
    for v in said:
        if v.quantity == 0:
            continue
        out, fact = v.quantity < 0, facts[v.variant]
        moves.append(
            ledger.Move(
                variant=v.variant, lot=v.lot, quantity=abs(v.quantity),
                from_location=found.location if out else elsewhere, from_condition=v.condition if out else 0,
                to_location=elsewhere if out else found.location, to_condition=0 if out else v.condition,
                unit_cost=None if out or fact.cost is None else format_cost(fact.cost),
                currency=None if out or fact.cost is None else fact.currency,
            )
        )  # fmt: skip
    if not moves:
        return []
    return [
        ledger.Posting(
            id=posting_id, kind=ledger.Kind.count_.value, source_type="bin_count", source_id=found.id, actor=entry.actor,
            caller=entry.actor, happened_at=entry.happened_at, moves=tuple(moves), mode=ledger.Mode.fact,
            reason=ledger.Reason.cycle_count.value, digest=ledger.digest_of(str(entry.id), bytes(entry.digest).hex()),
        )
    ]  # fmt: skip


async def _keep(
    tx: Tx, found: store.BinCount, entry: Any, said: Judged, facts: dict[UUID, store.Facts], known: ledger.Known,
    posting: UUID | None,
) -> None:  # fmt: skip
    rows = [
        {
            "id": derive_id("counted_level", str(entry.id), str(v.variant), str(v.lot), str(v.condition)),
            "entry": entry.id, "site": found.site, "variant": v.variant, "location": found.location, "lot": v.lot,
            "condition": v.condition, "happened_at": entry.happened_at, "quantity": v.counted, "variance": v.quantity,
            "known": known.seq, "known_at": known.recorded_at, "posting": posting, "unit_cost": v.unit_cost,
            "currency": facts[v.variant].currency,
        }
        for v in said.found
    ]  # fmt: skip
    await store.insert_counted(tx.conn, rows)
    await store.place_counted(tx.conn, found.location, entry.happened_at)


def _publish(
    tx: Tx, found: store.BinCount, entry: Any, place: Place, said: Judged, facts: dict[UUID, store.Facts], by: UUID,
    posting: UUID | None,
) -> None:  # fmt: skip
    wrong = [v for v in said.found if v.quantity != 0]
    tx.emit(
        CountApproved(
            bin_count_id=found.id, site_id=found.site, location_id=found.location, location_code=place.code,
            happened_at=entry.happened_at, approved_by=by, posting_id=posting, lines=len(said.found), variances=len(wrong),
            value=None if said.value is None else f"{said.value:.2f}",
        )
    )  # fmt: skip
    for v in wrong:
        fact = facts[v.variant]
        tx.emit(
            ledger.Adjusted(
                posting_id=posting or found.id, kind=ledger.Kind.count_.value, variant_id=v.variant, sku=fact.sku,
                location_id=place.id, location_code=place.code, site_id=found.site,
                quantity=format_units(v.quantity, v.decimals), reason=ledger.Reason.cycle_count.value,
            )
        )  # fmt: skip
