"""A small shop to try the ledger in: a warehouse with two bins, two stores, a few variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from onhand import catalog, ledger, locations
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.ledger import Mode, Move, Posting, digest_of
from onhand.locations import virtual_id

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass
class World:
    """Places and variants by code."""

    places: dict[str, UUID] = field(default_factory=dict)
    variants: dict[str, UUID] = field(default_factory=dict)
    ticks: int = 0

    def at(self) -> datetime:
        """An instant, later each time."""
        self.ticks += 1
        return START + timedelta(seconds=self.ticks)

    def place(self, code: str) -> UUID:
        """A place by path, or a virtual one by kind."""
        return self.places[code] if code in self.places else virtual_id(code)

    def move(self, sku: str, quantity: int, source: str, target: str, **more: object) -> Move:
        """A move by codes."""
        return Move(
            variant=self.variants[sku], from_location=self.place(source), to_location=self.place(target),
            quantity=quantity, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def posting(self, *moves: Move, kind: str = "move", mode: Mode = Mode.strict, **more: object) -> Posting:
        """A posting of some moves."""
        fields: dict[str, object] = {
            "id": uuid7(), "source_type": "test", "source_id": uuid7(), "actor": UUID(int=1), "happened_at": self.at(),
        } | more  # fmt: skip
        fields.setdefault("digest", digest_of(kind, mode.value, moves))
        return Posting(kind=kind, moves=moves, mode=mode, **fields)  # type: ignore[arg-type]


async def build(db: Database, *, skus: dict[str, int] | None = None) -> World:
    """Units, virtual places, W1 (W1/A, W1/B, W1/Q in quarantine), stores S1 and S2, and variants (SKU → decimals)."""
    world = World()
    async with db.writing() as tx:
        await catalog.ensure_units(tx)
        await locations.ensure_virtual(tx)
        for code, kind, parent, role in (
            ("W1", "warehouse", None, None), ("W1/A", "bin", "W1", "storage"), ("W1/B", "bin", "W1", "storage"),
            ("W1/Q", "bin", "W1", "quarantine"), ("S1", "store", None, None), ("S2", "store", None, None),
        ):  # fmt: skip
            place = await locations.create_location(
                tx,
                locations.NewLocation(
                    code=code.rpartition("/")[2], name=code, kind=kind, role=role,
                    parent_id=world.places.get(parent) if parent else None,
                ),
            )  # fmt: skip
            world.places[code] = place.id
    async with db.writing() as tx:
        for sku, decimals in (skus or {"TEA": 0, "RICE": 3, "SALT": 0}).items():
            world.variants[sku] = await new_variant(tx.conn, sku, decimals)
    return world


async def new_variant(conn: object, sku: str, decimals: int = 0) -> UUID:
    """A bare variant."""
    product, variant = uuid7(), uuid7()
    await conn.execute(  # type: ignore[attr-defined]
        sa.text("INSERT INTO product (id, name) VALUES (:p, :n)"), {"p": product, "n": sku.title()}
    )
    await conn.execute(  # type: ignore[attr-defined]
        sa.text(
            "INSERT INTO variant (id, product_id, sku, name, unit, decimals, cost, cost_currency, words)"
            " VALUES (:v, :p, :s, :n, :u, :d, 2.5, 'EUR', to_tsvector('simple', :n))"
        ),
        {
            "v": variant,
            "p": product,
            "s": sku,
            "n": sku.title(),
            "u": "kg" if decimals else "each",
            "d": decimals,
        },
    )
    return variant


async def post(db: Database, *postings: Posting) -> ledger.Posted:
    """Post in a transaction of its own."""
    async with db.writing() as tx:
        return await ledger.post(tx, postings)


async def document_claims(db: Database) -> None:
    """Write a reservation for every claim that was posted without one, so that the books hold together."""
    async with db.writing() as tx:
        for statement in (
            "INSERT INTO reservation (id, kind, state, created_by) SELECT reservation, 'order',"
            " CASE WHEN bool_or(q > 0) THEN 'open' ELSE 'released' END, :by FROM (SELECT reservation, sum(quantity) AS q FROM claim"
            " GROUP BY reservation, variant, site) c GROUP BY reservation ON CONFLICT DO NOTHING",
            "INSERT INTO reservation_line (reservation, line, variant, site, policy, requested, claimed)"
            " SELECT reservation, row_number() OVER (PARTITION BY reservation ORDER BY variant, site), variant, site,"
            " 'all_or_nothing', greatest(1, sum(quantity)), sum(quantity) FROM claim GROUP BY reservation, variant, site"
            " ON CONFLICT DO NOTHING",
        ):
            await tx.conn.execute(sa.text(statement), {"by": UUID(int=1)} if ":by" in statement else {})
