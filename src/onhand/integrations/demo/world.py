"""Everything the demo knows once read: the chain's receipts, products, plan and calendar."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811 - both classes are called UUID

from onhand import catalog, locations
from onhand.integrations.demo.catalogue import Tills, sku_of
from onhand.integrations.demo.model import CURRENCY, cost_of, demo_id
from onhand.integrations.demo.places import WAREHOUSE, Place, stores
from onhand.integrations.demo.plan import DELIVERY_SECOND, TRANSFER_SECOND, Chain, Delivery, Transfer
from onhand.integrations.demo.source import Fuel, Sales, SourceProduct, read_products, read_sales
from onhand.integrations.demo.state import State
from onhand.kit.database import Database
from onhand.kit.ids import derive_id
from onhand.ledger import Item, Kind, Mode, Move, Posting, digest_of
from onhand.values import format_units

SUPPLIER = locations.virtual_id("supplier")
CUSTOMER = locations.virtual_id("customer")


def key_id(code: str) -> UUID:
    """The id of the API key of a store's tills, or of the warehouse: who acts in the demo."""
    return derive_id("demo", "key", code)


@dataclass(slots=True)
class World:
    """The demo in memory. `variants` and `sites` are filled once catalogue and places are in the database."""

    state: State
    products: list[SourceProduct]
    sales: Sales
    chain: Chain
    places: list[Place]
    tills: Tills
    costs: dict[int, str] = field(default_factory=dict)
    variants: dict[str, catalog.Resolved] = field(default_factory=dict)
    sites: dict[str, UUID] = field(default_factory=dict)

    def site(self, store: int) -> UUID:
        """The id of a store by its index."""
        return self.sites[self.places[store].code]

    def transfer(self, event: Transfer) -> Item:
        """A transfer as a posting."""
        at = self.state.calendar.instant(event.day, TRANSFER_SECOND, _zone(WAREHOUSE))
        store, home = self.site(event.store), self.sites[WAREHOUSE.code]
        moves = tuple(
            Move(self.variant(product), home, store, units)
            for product, units in event.lines
            if self.knows(product)
        )
        return self._posting(
            Kind.transfer, "transfer", at, moves, self.places[event.store].code, str(event.day)
        )

    def delivery(self, event: Delivery) -> Item:
        """A delivery to the warehouse as a posting, at cost."""
        at = self.state.calendar.instant(event.day, DELIVERY_SECOND, _zone(WAREHOUSE))
        return self._receive("receipt", at, self.sites[WAREHOUSE.code], event.lines, str(event.day))

    def opening(self, place: Place, part: int, lines: list[tuple[int, int]]) -> Item:
        """Some of a place's opening stock as a posting, at cost, on the evening before the first day."""
        at = self.state.calendar.instant(self.state.first_day - 1, 22 * 3600, _zone(place))
        return self._receive(
            "opening", at, self.sites[place.code], lines, place.code, str(part), reason="opening"
        )

    def variant(self, product: int) -> UUID:
        """The variant of a product number of the source."""
        return self.variants[sku_of(product)].variant_id

    def knows(self, product: int) -> bool:
        """Whether the catalogue has a product. The source's list lacks two that were sold: those lines stay unresolved."""
        return sku_of(product) in self.variants

    def _receive(
        self,
        source: str,
        at: datetime,
        place: UUID,
        lines: list[tuple[int, int]],
        *parts: str,
        reason: str | None = None,
    ) -> Item:
        moves = tuple(
            Move(
                self.variant(product),
                SUPPLIER,
                place,
                units,
                unit_cost=self.costs.get(product),
                currency=CURRENCY,
            )
            for product, units in lines
            if self.knows(product)
        )
        return self._posting(Kind.receive, source, at, moves, *parts, reason=reason)

    def _posting(
        self,
        kind: Kind,
        source: str,
        at: datetime,
        moves: tuple[Move, ...],
        *parts: str,
        reason: str | None = None,
    ) -> Item:
        posting_id = demo_id(at, source, *parts)
        return Item(
            Posting(
                id=posting_id, kind=kind.value, source_type=source, source_id=posting_id, actor=key_id(WAREHOUSE.code), happened_at=at,
                moves=moves, digest=digest_of(kind.value, source, at, [(str(m.variant), m.quantity) for m in moves]),
                mode=Mode.fact, reason=reason, caller=key_id(WAREHOUSE.code),
            )
        )  # fmt: skip


def _zone(place: Place) -> ZoneInfo:
    return ZoneInfo(place.time_zone)


def quick(known: UUID) -> UUID:
    """The same id in the driver's own class: it hashes and compares in C, which a year's lines notice."""
    same: UUID = DriverUUID(known.bytes)
    return same


def read_world(state: State) -> World:
    """Read the source and plan the chain: a few seconds of work, no database."""
    sales = read_sales(stores=state.stores)
    products = read_products()
    places = stores(sales.stores)
    fuel: dict[int, Fuel] = {
        product.product: product.fuel for product in products if product.fuel is not Fuel.no
    }
    prepaid = frozenset(number for number, kind in fuel.items() if kind is Fuel.prepaid)
    return World(
        state=state, products=products, sales=sales, chain=Chain(sales, prepaid), places=places,
        tills=Tills(sales, state.calendar, places, fuel),
        costs={p.product: format_units(cost_of(p.price, p.department, fuel=p.fuel is not Fuel.no), 2) for p in products},
    )  # fmt: skip


async def find_ids(world: World, database: Database) -> None:
    """Look up the variants that are ever sold and the sites by their codes."""
    async with database.reading() as conn:
        skus = sorted({sku_of(product) for product in world.sales.product})
        found = await catalog.resolve(conn, skus, by=catalog.Lookup.SKU)
        world.variants = {sku: hit._replace(variant_id=quick(hit.variant_id)) for sku, hit in found.items()}
        world.sites = await locations.resolve(conn, [WAREHOUSE.code, *(place.code for place in world.places)])
