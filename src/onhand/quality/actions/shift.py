"""Change the condition of goods where they lie: all of them in one posting batch, as a fact, by what lies there under the locks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from onhand import ledger
from onhand.kit.ids import derive_id
from onhand.kit.tx import Tx
from onhand.ledger import Book, Kind, Mode, Move, Posting
from onhand.quality.store import Lying, acted
from onhand.values import format_units

LINES = 1_000
"""Moves of one posting at most; the batch holds as many postings as it takes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Goods that should lie in another condition; at most `most` of them."""

    lying: Lying
    to: int
    most: int | None = None

    @property
    def key(self) -> tuple[UUID, UUID, UUID, int]:
        """The level they are taken from."""
        return (*_place(self.lying), self.lying.condition)


def _place(lying: Lying) -> tuple[UUID, UUID, UUID]:
    return lying.variant, lying.location, lying.lot


@dataclass(frozen=True, slots=True)
class Shifted:
    """What really moved, in smallest units."""

    wanted: Wanted
    quantity: int


async def shift(
    tx: Tx, wanted: Sequence[Wanted], *, kind: Kind, source: tuple[str, UUID], reason: str,
    id_of: Callable[[Wanted], UUID],
) -> list[Shifted]:  # fmt: skip
    """Post the change of condition of some goods. Facts: what is reserved elsewhere may become overdrawn, and says so.

    Goods with the same `id_of` share a posting (and must stand together); an id that acted before must not be asked for.
    """
    if not wanted:
        return []
    found: list[Shifted] = []

    def postings(shifted: Iterable[Shifted]) -> list[Posting]:
        out = []
        for posting_id, group in groupby(shifted, key=lambda s: id_of(s.wanted)):
            moves = tuple(_move(s) for s in group)
            out.append(
                Posting(
                    id=posting_id, kind=kind.value, source_type=source[0], source_id=source[1], actor=tx.actor.id,
                    caller=tx.actor.id, happened_at=tx.now, moves=moves, mode=Mode.fact, reason=reason,
                    digest=ledger.digest_of("shift", posting_id),
                )
            )  # fmt: skip
        return out

    async def revise(book: Book) -> Sequence[Posting]:
        left = {key: row.on_hand for key, row in book.levels.items()}
        for one in wanted:
            quantity = min(left[one.key], left[one.key] if one.most is None else one.most)
            if quantity > 0:
                left[one.key] -= quantity
                found.append(Shifted(one, quantity))
        return postings(found)

    await ledger.post(tx, postings(Shifted(one, 1) for one in wanted), revise=revise)
    return found


def _move(shifted: Shifted) -> Move:
    lying = shifted.wanted.lying
    return Move(
        variant=lying.variant, lot=lying.lot, quantity=shifted.quantity, from_location=lying.location,
        to_location=lying.location, from_condition=lying.condition, to_condition=shifted.wanted.to,
    )  # fmt: skip


def numbered(*parts: str, wanted: Sequence[Wanted]) -> Callable[[Wanted], UUID]:
    """Ids of the postings of one batch of many lines: `LINES` lines each, derived from its parts."""
    position = {id(one): n // LINES for n, one in enumerate(wanted)}
    return lambda one: derive_id("onhand", *parts, str(position[id(one)]))


async def unused_ids(tx: Tx, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], UUID]:
    """For each key the first id derived from it that has not acted yet: a key may act again when there is more to do."""
    out: dict[tuple[str, ...], UUID] = {}
    waiting = list(dict.fromkeys(keys))
    turn = 0
    while waiting:
        ids = {key: derive_id("onhand", *key, str(turn)) for key in waiting}
        used = await acted(tx.conn, list(ids.values()))
        out.update({key: i for key, i in ids.items() if i not in used})
        waiting = [key for key in waiting if key not in out]
        turn += 1
    return out


@dataclass(frozen=True, slots=True)
class SiteSum:
    """What moved at one site: how many levels, and the quantity where it is all of one variant (and lot)."""

    site_id: UUID | None
    site_code: str
    levels: int
    variant_id: UUID | None
    sku: str | None
    quantity: str | None
    lot_id: UUID | None
    lot_code: str | None


def by_site(shifted: Sequence[Shifted]) -> list[SiteSum]:
    """What moved, a sum for each site, in order of code."""
    sites: dict[UUID | None, list[Shifted]] = {}
    for one in shifted:
        sites.setdefault(one.wanted.lying.site, []).append(one)
    out = []
    for site, group in sites.items():
        first = group[0].wanted.lying
        one_variant = len({s.wanted.lying.variant for s in group}) == 1
        one_lot = one_variant and len({s.wanted.lying.lot for s in group}) == 1 and first.lot_code is not None
        total = sum(s.quantity for s in group)
        out.append(
            SiteSum(
                site_id=site, site_code=first.site_code, levels=len(group),
                variant_id=first.variant if one_variant else None, sku=first.sku if one_variant else None,
                quantity=format_units(total, first.decimals) if one_variant else None,
                lot_id=first.lot if one_lot else None, lot_code=first.lot_code if one_lot else None,
            )
        )  # fmt: skip
    return sorted(out, key=lambda s: s.site_code)
