"""Lots by variant and code: found, or made on first sight; and the rows of policies and holds."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import derive_id
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.lots.model import LotExists, NewLot
from onhand.lots.tables import hold, hold_line, lot, lot_policy
from onhand.values import parse_lot_code

LotKey = tuple[UUID, str]
"""variant, lot code"""


def lot_id(variant_id: UUID, code: str) -> UUID:
    """The id of a lot: the same wherever the same variant and code are named, so nobody has to look it up first."""
    return derive_id("onhand", "lot", str(variant_id), code)


_ENSURE = sa.text(
    "INSERT INTO lot (id, variant_id, code, expires_on, kind) SELECT * FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:variants AS uuid[]), CAST(:codes AS text[]), CAST(:expiries AS date[]), CAST(:kinds AS text[]))"
    " ON CONFLICT (variant_id, code)"
    " DO UPDATE SET expires_on = coalesce(lot.expires_on, excluded.expires_on)"
    " WHERE lot.expires_on IS NULL AND excluded.expires_on IS NOT NULL"
)
_FIND = sa.text(
    "SELECT l.id, l.variant_id, l.code FROM lot l"
    " JOIN unnest(CAST(:variants AS uuid[]), CAST(:codes AS text[])) AS w(v, c) ON l.variant_id = w.v AND l.code = w.c"
)


async def ensure(tx: Tx, lots: Sequence[NewLot]) -> dict[LotKey, UUID]:
    """The ids of lots, made where they are new; a date is added where none was known. One query.

    Raises BadValue for a code that is none.
    """
    wanted: dict[LotKey, NewLot] = {}
    for new in lots:
        code = parse_lot_code(new.code)
        key = (new.variant_id, code)
        if key not in wanted or wanted[key].expires_on is None:
            wanted[key] = NewLot(new.variant_id, code, new.expires_on, new.kind)
    ordered = sorted(wanted.values(), key=lambda n: (n.variant_id.bytes, n.code))
    if ordered:
        await tx.conn.execute(
            _ENSURE,
            {
                "ids": [lot_id(n.variant_id, n.code) for n in ordered],
                "variants": [n.variant_id for n in ordered],
                "codes": [n.code for n in ordered],
                "expiries": [n.expires_on for n in ordered],
                "kinds": [n.kind for n in ordered],
            },
        )
    return {key: lot_id(*key) for key in wanted}


async def find(conn: AsyncConnection, keys: Sequence[LotKey]) -> dict[LotKey, UUID]:
    """The ids of lots that exist; unknown ones are left out. One query."""
    rows = await conn.execute(_FIND, {"variants": [v for v, _ in keys], "codes": [c for _, c in keys]})
    return {(row.variant_id, row.code): row.id for row in rows}


async def copy(tx: Tx, lot_ids: Sequence[UUID], *, variant_id: UUID) -> dict[UUID, UUID]:
    """For each of some lots, the lot of the same code and expiry of another variant, made where it is new. Two queries."""
    if not lot_ids:
        return {}
    rows = await tx.conn.execute(
        sa.text("SELECT id, code, expires_on, kind FROM lot WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(lot_ids)},
    )
    old = {row.id: NewLot(variant_id, row.code, row.expires_on, row.kind) for row in rows}
    ids = await ensure(tx, list(old.values()))
    return {lot: ids[variant_id, new.code] for lot, new in old.items()}


async def lock_lot(conn: AsyncConnection, lot_key: UUID) -> sa.Row[Any] | None:
    """A lot, locked until the transaction ends; goods may still come in under it."""
    return (
        await conn.execute(sa.select(lot).where(lot.c.id == lot_key).with_for_update(key_share=True))
    ).one_or_none()


async def insert_lot(conn: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Write a new lot; False when its variant has one of that code. Raises LotExists for a taken external id."""
    statement = (
        pg.insert(lot).values(dict(values)).on_conflict_do_nothing(index_elements=["variant_id", "code"])
    )
    try:
        return (await conn.execute(statement.returning(lot.c.id))).first() is not None
    except IntegrityError as error:
        raise _taken(error) from error


async def update_lot(conn: AsyncConnection, lot_key: UUID, values: Mapping[str, Any]) -> None:
    """Change a lot and raise its version. Raises LotExists for a taken external id."""
    changed = {**values, "version": lot.c.version + 1, "updated_at": sa.func.clock_timestamp()}
    try:
        await conn.execute(sa.update(lot).where(lot.c.id == lot_key).values(changed))
    except IntegrityError as error:
        raise _taken(error) from error


def _taken(error: IntegrityError) -> Exception:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    if name == "lot_external_id_key":
        return LotExists("Another lot has this external_id.", param="external_id")
    if name.endswith("supplier_id_fkey"):
        return NotFound("There is no supplier with this id.", param="supplier_id")
    return error


async def put_policy(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Write what rules a product's or variant's lots, over what was there."""
    statement = pg.insert(lot_policy).values(dict(values))
    changed: dict[str, Any] = {
        n: statement.excluded[n] for n in ("needs_certificate", "strategy", "near_expiry_days")
    }
    changed["version"] = lot_policy.c.version + 1
    changed["updated_at"] = sa.func.clock_timestamp()
    await conn.execute(statement.on_conflict_do_update(index_elements=["subject_id"], set_=changed))


async def insert_hold(conn: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Write a new hold; False when its id is taken."""
    statement = pg.insert(hold).values(dict(values)).on_conflict_do_nothing(index_elements=["id"])
    return (await conn.execute(statement.returning(hold.c.id))).first() is not None


async def lock_hold(conn: AsyncConnection, hold_id: UUID, *, wait: bool = True) -> sa.Row[Any] | None:
    """A hold, locked until the transaction ends; without `wait` None when somebody else has it."""
    query = sa.select(hold).where(hold.c.id == hold_id).with_for_update(skip_locked=not wait, key_share=True)
    return (await conn.execute(query)).one_or_none()


async def update_hold(conn: AsyncConnection, hold_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a hold and raise its version."""
    changed = {**values, "version": hold.c.version + 1}
    await conn.execute(sa.update(hold).where(hold.c.id == hold_id).values(changed))


HeldLine = tuple[UUID, UUID, UUID, int]
"""variant, lot, location, quantity in smallest units"""


async def add_hold_lines(conn: AsyncConnection, hold_id: UUID, lines: Sequence[HeldLine]) -> None:
    """Note what a hold moved, added to what it moved there before."""
    if not lines:
        return
    rows: dict[tuple[UUID, UUID, UUID], int] = {}
    for variant, of_lot, place, quantity in lines:
        rows[variant, of_lot, place] = rows.get((variant, of_lot, place), 0) + quantity
    statement = pg.insert(hold_line).values(
        [
            {"hold_id": hold_id, "variant_id": v, "lot": o, "location_id": p, "quantity": q}
            for (v, o, p), q in rows.items()
        ]
    )
    keys = ["hold_id", "variant_id", "lot", "location_id"]
    more = {"quantity": hold_line.c.quantity + statement.excluded.quantity}
    await conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=more))
