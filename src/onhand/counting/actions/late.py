"""Counts stay right when facts arrive late (docs/why/counts.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from onhand import ledger, locations
from onhand.counting import store
from onhand.counting.events import CountCorrected
from onhand.counting.model import corrections
from onhand.kit.ids import NIL, derive_id, uuid7
from onhand.kit.tx import Tx
from onhand.values import format_cost, format_units

WINDOW = 10_000
"""Postings looked at in one transaction."""


async def note_count(tx: Tx, taken: ledger.CountTaken) -> None:
    """Remember a count reported for one level, so that facts that come later can be set against it."""
    variant, location, lot, condition = taken.key
    await store.insert_counted(
        tx.conn,
        [
            {
                "id": taken.id, "entry": None, "site": taken.site, "variant": variant, "location": location, "lot": lot,
                "condition": condition, "happened_at": taken.happened_at, "quantity": taken.quantity,
                "variance": taken.variance, "known": taken.known.seq, "known_at": taken.known.recorded_at,
                "posting": taken.posting, "unit_cost": taken.unit_cost, "currency": taken.currency,
            }
        ],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """One step of the reader: how many corrections it posted, and whether there is more to read."""

    corrections: int
    more: bool


async def keep_right(tx: Tx) -> Kept:
    """Look at the postings since last time; where one happened before a count that did not know it, correct the count.

    Take the reader's place → which counted levels do the new moves touch? → under the levels' locks, is the book at each
    count's instant what was counted? → post the difference at that instant, once, linked to the count and the late facts.
    """
    cursor = await store.lock_cursor(tx.conn)
    if cursor is None:
        return Kept(0, more=False)
    head = await ledger.known_now(tx.conn)
    through = min(head.seq, cursor.seq + WINDOW)
    if through <= cursor.seq:
        return Kept(0, more=False)
    await store.insert_counted(
        tx.conn,
        [
            {
                "id": derive_id("counted_level", str(r.entry), str(r.variant), str(r.lot), str(r.condition)),
                "entry": r.entry, "site": r.site, "variant": r.variant, "location": r.location, "lot": r.lot,
                "condition": r.condition, "happened_at": r.happened_at, "quantity": 0, "variance": 0, "known": r.known,
                "known_at": r.known_at, "posting": r.posting, "unit_cost": None, "currency": None,
            }
            for r in await store.unlisted(tx.conn, cursor, through)
        ],
    )  # fmt: skip
    levels = await store.touched(tx.conn, cursor, through)
    made = await _correct(tx, cursor, through, levels) if levels else 0
    await store.move_cursor(tx.conn, through)
    return Kept(made, more=through < head.seq)


@dataclass(frozen=True, slots=True)
class _Due:
    """A correction to be posted."""

    id: UUID
    level: store.CheckedLevel
    quantity: int
    late: list[UUID]


async def _correct(tx: Tx, cursor: store.Cursor, through: int, levels: Sequence[store.Touched]) -> int:
    facts = await store.variant_facts(tx.conn, sorted({x.variant for x in levels}))
    due: list[_Due] = []

    async def revise(_: ledger.Book) -> Sequence[ledger.Posting]:
        by_level: dict[ledger.LevelKey, list[store.CheckedLevel]] = {}
        for one in await store.check(tx.conn, levels):
            by_level.setdefault(one.key, []).append(one)
        wanted: list[tuple[store.CheckedLevel, int]] = []
        for found in by_level.values():
            of = {one.checked.id: one for one in found}
            wanted += [(of[c.id], change) for c, change in corrections([one.checked for one in found])]
        late = await store.late_postings(tx.conn, cursor, [one.checked.id for one, _ in wanted])
        for one, change in wanted:
            new_id = derive_id("count_correction", str(one.checked.id), str(through))
            due.append(_Due(new_id, one, change, late.get(one.checked.id, [])))
        return [_posting(x) for x in due]

    await ledger.post(tx, [_naming(tx, levels)], revise=revise)
    await store.insert_corrections(
        tx.conn,
        [
            {
                "id": x.id, "counted_level": x.level.checked.id, "quantity": x.quantity,
                "happened_at": x.level.checked.happened_at, "recorded_at": tx.now, "late": x.late,
            }
            for x in due
        ],
    )  # fmt: skip
    places = await locations.directory(tx.conn)
    for x in due:
        _publish(tx, x, facts[x.level.key[0]], places[x.level.key[1]])
    return len(due)


def _naming(tx: Tx, levels: Sequence[store.Touched]) -> ledger.Posting:
    """Names the levels to lock; never written."""
    elsewhere = locations.virtual_id("adjustment")
    moves = tuple(
        ledger.Move(
            variant=x.variant, lot=x.lot, quantity=1, from_location=x.location, from_condition=x.condition,
            to_location=elsewhere,
        )
        for x in levels
    )  # fmt: skip
    return ledger.Posting(
        id=uuid7(), kind=ledger.Kind.count_.value, source_type="count_correction", source_id=NIL, actor=NIL,
        happened_at=tx.now, moves=moves, digest=b"", mode=ledger.Mode.fact,
    )  # fmt: skip


def _posting(x: _Due) -> ledger.Posting:
    variant, location, lot, condition = x.level.key
    elsewhere, out, cost = locations.virtual_id("adjustment"), x.quantity < 0, x.level.unit_cost
    move = ledger.Move(
        variant=variant, lot=lot, quantity=abs(x.quantity),
        from_location=location if out else elsewhere, from_condition=condition if out else 0,
        to_location=elsewhere if out else location, to_condition=0 if out else condition,
        unit_cost=None if out or cost is None else format_cost(cost),
        currency=None if out or cost is None else x.level.currency,
    )  # fmt: skip
    return ledger.Posting(
        id=x.id, kind=ledger.Kind.count_.value, source_type="count_correction", source_id=x.level.checked.id, actor=NIL,
        happened_at=x.level.checked.happened_at, moves=(move,), mode=ledger.Mode.fact,
        reason=ledger.Reason.cycle_count.value, digest=ledger.digest_of(str(x.level.checked.id), x.quantity, str(x.id)),
    )  # fmt: skip


def _publish(tx: Tx, x: _Due, fact: store.Facts, place: locations.Place) -> None:
    variant, location, _, _ = x.level.key
    quantity = format_units(x.quantity, fact.decimals)
    tx.emit(
        CountCorrected(
            posting_id=x.id, counted_level_id=x.level.checked.id, variant_id=variant, sku=fact.sku, location_id=location,
            site_id=x.level.site, happened_at=x.level.checked.happened_at, quantity=quantity,
            late_posting_ids=tuple(x.late[:50]),
        )
    )  # fmt: skip
    tx.emit(
        ledger.Adjusted(
            posting_id=x.id, kind=ledger.Kind.count_.value, variant_id=variant, sku=fact.sku, location_id=location,
            location_code=place.code, site_id=x.level.site, quantity=quantity, reason=ledger.Reason.cycle_count.value,
        )
    )  # fmt: skip
    tx.record("counted_level", x.level.checked.id, None, {"correction": quantity, "posting_id": str(x.id)})
