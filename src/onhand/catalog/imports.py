"""Products, variants, barcodes and minimums from files: thousands of rows a statement, each bad row named with its remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand.catalog import model, store
from onhand.catalog.actions import common
from onhand.catalog.actions.others import SEPARATOR, category_path, parse_category_name
from onhand.catalog.events import CatalogImported
from onhand.catalog.model import Barcode, Category, Product, Variant, parse_barcode
from onhand.kit.ids import uuid7
from onhand.kit.problem import Problem
from onhand.kit.tx import Tx
from onhand.values import (
    BadValue,
    BatchResult,
    Column,
    Money,
    RowProblem,
    check_currency,
    check_decimals,
    clean,
    parse_cost,
    parse_sku,
    parse_units,
)

VARIANT_COLUMNS: tuple[Column, ...] = (
    Column("sku", "Your code of the item; rows with a known SKU change that item.", "TEA-100", required=True),
    Column("name", "What people read. Needed for new items.", "Earl Grey, 100 bags"),
    Column("product", "Code of the product whose variants belong together; empty: a product for each SKU.", "TEA"),
    Column("product_name", "Name of that product.", "Earl Grey"),
    Column("category", 'Path of names from the root, joined by " > "; missing categories are made.', "Food > Tea"),
    Column("unit", "Unit it is counted in: each, kg, l, m … (default each).", "each"),
    Column("decimals", "Digits after the point it is counted with, 0 to 6 (default 0).", "0"),
    Column("tracking", "none, lot or serial (default none).", "none"),
    Column("barcodes", 'Codes joined by ";", with "*24" behind those that stand for more than one.', "4006381333931;14006381333938*24"),
    Column("list_price", "Price of one unit.", "3.49"),
    Column("cost", "Cost of one unit, up to 6 decimals.", "1.17"),
    Column("currency", "ISO 4217 code of price and cost (default: the organisation's).", "EUR"),
    Column("weight_g", "Weight of one unit in grams.", "250"),
    Column("description", "Longer text about the product.", "Black tea with bergamot."),
    Column("external_id", "The id another system knows it by.", "gid-123"),
)  # fmt: skip
"""Besides these, columns named `option:size` give option values and `attribute:colour` attributes."""

BARCODE_COLUMNS: tuple[Column, ...] = (
    Column("sku", "The item.", "TEA-100", required=True),
    Column("barcode", "The code as scanned.", "14006381333938", required=True),
    Column("quantity", "How many units one scan stands for (default 1).", "24"),
    Column("level", "each, case or pallet.", "case"),
    Column("kind", "gtin or other (default: by the check digit).", "gtin"),
)

MINIMUM_COLUMNS: tuple[Column, ...] = (
    Column("sku", "The item.", "TEA-100", required=True),
    Column("site", "Code of the store or warehouse.", "S01", required=True),
    Column(
        "minimum", "Least quantity to have there, in the item's unit; empty removes it.", "12", required=False
    ),
)

Cells = Mapping[str, str | None]


@dataclass(slots=True)
class _Batch:
    """What one batch knows: the rows in the database it may touch, and what it will write."""

    default_currency: str
    variants: dict[str, Variant]
    products: dict[UUID, Product]
    by_code: dict[str, Product]
    categories: dict[str, Category]
    owners: dict[str, UUID]
    barcodes: dict[UUID, list[Barcode]]
    units: frozenset[str]
    used: frozenset[UUID]
    external_ids: dict[str, str]
    new_categories: list[Category] = field(default_factory=list)
    created: dict[UUID, Variant] = field(default_factory=dict)
    changed: dict[UUID, Variant] = field(default_factory=dict)
    new_products: dict[UUID, Product] = field(default_factory=dict)
    changed_products: dict[UUID, Product] = field(default_factory=dict)
    new_barcodes: dict[str, tuple[UUID, Barcode]] = field(default_factory=dict)


def _cells(row: Cells) -> dict[str, str]:
    return {name: text.strip() for name, text in row.items() if text and text.strip()}


def barcode_codes(text: str) -> list[tuple[str, str | None]]:
    """Splits a cell of barcodes ("4006381333931;14006381333938*24") into codes and quantities (None: one)."""
    out = []
    for part in text.replace("|", ";").replace(",", ";").split(";"):
        code, star, quantity = part.strip().partition("*")
        if code.strip():
            out.append((code.strip(), quantity.strip() if star else None))
    return out


async def upsert_variants(
    tx: Tx, rows: Sequence[Cells], *, default_currency: str, first_row: int = 1
) -> BatchResult:
    """Makes or changes variants by SKU, with their products, categories and barcodes. Give 1,000 to 10,000 rows a call.

    Cells are texts as in the file (VARIANT_COLUMNS); empty cells keep what is there. Good rows are written, bad ones named
    with column and remedy; who wants all or nothing rolls back when `problems` is not empty. One `catalog.imported` event
    and one audit row a call. About a dozen statements, however many rows.
    """
    cells = [_cells(row) for row in rows]
    batch = await _load(tx, cells, default_currency)
    result = BatchResult()
    for number, row in enumerate(cells, start=first_row):
        try:
            _take(batch, row, result)
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, row.get(bad.field, ""), bad))
        except Problem as problem:
            result.problems.append(_row_problem(number, row, problem))
    await _write(tx, batch)
    result.created, result.updated = len(batch.created), len(batch.changed)
    _say(tx, result)
    return result


def _row_problem(number: int, row: Mapping[str, str], problem: Problem) -> RowProblem:
    column = {"barcodes": "barcodes", "options": "name", "unit": "unit"}.get(
        problem.param or "", problem.param or "sku"
    )
    return RowProblem(
        number, column, row.get(column, "")[:100], problem.code, problem.detail, "Correct the cell."
    )


def _say(tx: Tx, result: BatchResult) -> None:
    if result.created or result.updated:
        summary = {"created": result.created, "updated": result.updated}
        tx.record("catalog_import", uuid7(), None, summary)
        tx.emit(CatalogImported(created=result.created, updated=result.updated))


async def _load(tx: Tx, cells: Sequence[Mapping[str, str]], default_currency: str) -> _Batch:
    """Everything the rows may touch, in nine queries."""
    conn = tx.conn
    skus = {row["sku"] for row in cells if "sku" in row}
    by_code = await store.products_by_external_id(conn, {row["product"] for row in cells if "product" in row})
    wanted = await store.product_ids_of(conn, skus=skus) | {p.id for p in by_code.values()}
    products = await store.lock_products(conn, wanted) if wanted else {}
    variants = await store.variants_by_sku(conn, skus)
    codes = {
        text
        for row in cells
        if "barcodes" in row
        for code, _ in barcode_codes(row["barcodes"])
        for text in model.lookups(code)
    }
    categories = await store.categories(conn)
    unit_change = [
        v.id for row in cells if (v := variants.get(row.get("sku", ""))) and {"unit", "decimals"} & row.keys()
    ]
    externals = {row["external_id"] for row in cells if "external_id" in row}
    return _Batch(
        default_currency=check_currency(default_currency, "currency"),
        variants=variants,
        products=products,
        by_code={code: products[p.id] for code, p in by_code.items()},
        categories={c.path: c for c in categories.values()},
        owners=await store.barcode_owners(conn, codes) if codes else {},
        barcodes=await store.barcodes_of(conn, [v.id for v in variants.values()]) if variants else {},
        units=frozenset(await store.units(conn)),
        used=await common.use_check()(conn, unit_change) if unit_change else frozenset(),
        external_ids=await store.skus_by_external_id(conn, externals) if externals else {},
    )


def _take(batch: _Batch, row: Mapping[str, str], result: BatchResult) -> None:
    """Reads one row into the batch. Raises BadValue or Problem before anything of the row is kept."""
    if "sku" not in row:
        raise BadValue("sku", "The sku is empty.", "Each row needs the code of its item.")
    sku = parse_sku(row["sku"])
    old = batch.variants.get(sku)
    if old is not None and old.merged_into is not None:
        raise BadValue("sku", f"{sku} was merged into another item.", "Use the code of that item.")
    category, new_categories = _category(batch, row.get("category"))
    before = batch.products.get(old.product_id) if old is not None else None
    product = _product(batch, row, sku, before, category)
    variant = _variant(batch, row, sku, old, product)
    barcodes = _barcodes(batch, row, variant)
    if (owner := batch.external_ids.get(variant.external_id or "", sku)) != sku:
        raise BadValue("external_id", f"{owner} has this external_id already.", "Each item needs its own.")
    _keep(batch, sku, (old, variant), (before, product), new_categories, barcodes, result)


def _keep(
    batch: _Batch, sku: str, variants: tuple[Variant | None, Variant], products: tuple[Product | None, Product],
    categories: list[Category], barcodes: list[Barcode], result: BatchResult,
) -> None:  # fmt: skip
    (old, variant), (_, product) = variants, products
    batch.new_categories += categories
    batch.categories.update({c.path: c for c in categories})
    known = batch.products.get(product.id)
    if known is None:
        batch.new_products[product.id] = product
    elif known != product:
        (batch.new_products if product.id in batch.new_products else batch.changed_products)[product.id] = (
            product
        )
    batch.products[product.id] = product
    if product.external_id:
        batch.by_code[product.external_id] = product
    if old is None or variant.id in batch.created:
        batch.created[variant.id] = variant
    elif variant != old or barcodes or (known is not None and known != product):
        batch.changed[variant.id] = variant
    elif variant.id not in batch.changed:
        result.unchanged += 1
    batch.variants[sku] = variant
    if variant.external_id:
        batch.external_ids[variant.external_id] = sku
    for barcode in barcodes:
        batch.owners[barcode.code] = variant.id
        batch.new_barcodes[barcode.code] = (variant.id, barcode)


def _category(batch: _Batch, path: str | None) -> tuple[Category | None, list[Category]]:
    """The category of a path, and those that must be made for it."""
    if path is None:
        return None, []
    made: list[Category] = []
    parent: Category | None = None
    for part in path.split(">"):
        try:
            name = parse_category_name(part)
        except BadValue as bad:
            raise BadValue("category", bad.message, f'Write names joined by "{SEPARATOR}".') from bad
        full = category_path(name, parent)
        found = batch.categories.get(full) or next((c for c in made if c.path == full), None)
        if found is None:
            new_id = uuid7()
            found = Category(
                id=new_id, name=name, parent_id=parent.id if parent else None, path=full,
                ancestors=[*(parent.ancestors if parent else []), new_id],
            )  # fmt: skip
            made.append(found)
        parent = found
    return parent, made


def _product(
    batch: _Batch, row: Mapping[str, str], sku: str, before: Product | None, category: Category | None
) -> Product:
    named = batch.by_code.get(row["product"]) if "product" in row else None
    if before is not None and "product" in row and (named is None or named.id != before.id):
        if before.external_id not in (None, row["product"]):
            raise BadValue(
                "product",
                f"{sku} belongs to the product {before.external_id}.",
                "Items stay with their product.",
            )
        if named is not None:
            raise BadValue(
                "product", f"{sku} belongs to another product.", "Merge the items, or leave the cell empty."
            )
    base = named or before or Product(id=uuid7(), name=row.get("product_name") or row.get("name") or sku)
    name = row.get("product_name") or (row.get("name") if before is None and named is None else None)
    axes = _axes(base, row)
    return replace(
        base,
        name=clean(name, "name", longest=300) if name else base.name,
        external_id=clean(row["product"], "product", longest=200) if "product" in row else base.external_id,
        description=row.get("description", base.description)[:20_000],
        category_id=category.id if category else base.category_id,
        tracking=model.check_tracking(row["tracking"].lower()) if "tracking" in row else base.tracking,
        options=axes,
    )


def _axes(base: Product, row: Mapping[str, str]) -> tuple[model.Axis, ...]:
    """The product's axes, grown by the option values of a row."""
    given = {name.partition(":")[2]: text for name, text in row.items() if name.startswith("option:")}
    if not given:
        return base.options
    axes = {axis.name: list(axis.values) for axis in base.options}
    for name, value in given.items():
        values = axes.setdefault(name, [])
        if value not in values:
            values.append(value)
    return model.parse_axes(list(axes.items()))


def _price(batch: _Batch, row: Mapping[str, str], old: Variant | None) -> tuple[int | None, str | None]:
    if "list_price" not in row:
        return (old.list_price_minor, old.list_price_currency) if old else (None, None)
    currency = row.get("currency") or (old.list_price_currency if old else None) or batch.default_currency
    money = Money.parse(row["list_price"], currency, "list_price")
    if money.minor < 0:
        raise BadValue("list_price", f"{row['list_price']} is below zero.", "Give a price of zero or above.")
    return money.minor, money.currency


def _cost(batch: _Batch, row: Mapping[str, str], old: Variant | None) -> tuple[Decimal | None, str | None]:
    if "cost" not in row:
        return (old.cost, old.cost_currency) if old else (None, None)
    currency = row.get("currency") or (old.cost_currency if old else None) or batch.default_currency
    return parse_cost(row["cost"]), check_currency(currency)


def _variant(
    batch: _Batch, row: Mapping[str, str], sku: str, old: Variant | None, product: Product
) -> Variant:
    base = old or Variant(id=uuid7(), product_id=product.id, sku=sku, name="")
    unit, decimals = row.get("unit", base.unit), base.decimals
    if "decimals" in row:
        decimals = check_decimals(parse_units(row["decimals"], 0, "decimals"))
    if unit not in batch.units:
        unit = unit.lower()
    if unit not in batch.units:
        raise BadValue(
            "unit", f"{row['unit'][:20]!r} is not a unit we know.", "See the list of units, or add it there."
        )
    if old is not None and (unit, decimals) != (old.unit, old.decimals) and old.id in batch.used:
        raise BadValue(
            "unit",
            f"Stock of {sku} has moved; its unit stays {old.unit}.",
            "Use a new SKU for the other unit.",
        )
    model.check_serial(product.tracking, decimals)
    options = {n.partition(":")[2]: t for n, t in row.items() if n.startswith("option:")} or base.options
    attributes = {n.partition(":")[2]: t for n, t in row.items() if n.startswith("attribute:")}
    name = row.get("name") or base.name or model.variant_name(product.name, options)
    price, cost = _price(batch, row, old), _cost(batch, row, old)
    return replace(
        base,
        name=clean(name, "name", longest=300), unit=unit, decimals=decimals,
        options=model.check_options(options, product.options) if options else {},
        attributes=model.check_attributes({**base.attributes, **attributes}) if attributes else base.attributes,
        list_price_minor=price[0], list_price_currency=price[1], cost=cost[0], cost_currency=cost[1],
        weight_g=Decimal(parse_units(row["weight_g"], 3, "weight_g")).scaleb(-3) if "weight_g" in row else base.weight_g,
        external_id=clean(row["external_id"], "external_id", longest=200) if "external_id" in row else base.external_id,
    )  # fmt: skip


def _barcodes(batch: _Batch, row: Mapping[str, str], variant: Variant) -> list[Barcode]:
    """The barcodes of a row that the variant does not carry just so already."""
    if "barcodes" not in row:
        return []
    out = []
    present = set(batch.barcodes.get(variant.id, ()))
    for code, quantity in barcode_codes(row["barcodes"]):
        try:
            barcode = parse_barcode(code, kind=None, quantity=quantity, level=None, decimals=variant.decimals)
        except BadValue as bad:
            raise BadValue("barcodes", bad.message, bad.remedy) from bad
        if batch.owners.get(barcode.code, variant.id) != variant.id:
            raise BadValue(
                "barcodes", f"Another item carries {code} already.", "Remove it there first, or here."
            )
        if barcode not in present:
            out.append(barcode)
    return out


async def _write(tx: Tx, batch: _Batch) -> None:
    names = {c.id: c.name for c in batch.categories.values()}
    await store.insert_categories(tx.conn, batch.new_categories)
    await store.insert_products(tx.conn, list(batch.new_products.values()))
    changed_products = [replace(p, version=p.version + 1) for p in batch.changed_products.values()]
    await store.update_products(tx.conn, changed_products)
    changed = [replace(v, version=v.version + 1) for v in batch.changed.values()]
    await common.write_variants(
        tx,
        created=list(batch.created.values()),
        changed=changed,
        products=batch.products,
        category_names=names,
    )
    await store.put_barcodes(tx.conn, list(batch.new_barcodes.values()), upsert=True)


async def upsert_barcodes(tx: Tx, rows: Sequence[Cells], *, first_row: int = 1) -> BatchResult:
    """Adds or changes barcodes of known SKUs (BARCODE_COLUMNS). Works like `upsert_variants`."""
    cells = [_cells(row) for row in rows]
    variants = await store.variants_by_sku(tx.conn, {row["sku"] for row in cells if "sku" in row})
    codes = {text for row in cells if "barcode" in row for text in model.lookups(row["barcode"])}
    owners = await store.barcode_owners(tx.conn, codes)
    present = await store.barcodes_of(tx.conn, [v.id for v in variants.values()])
    known = {b.code: b for found in present.values() for b in found}
    put: dict[str, tuple[UUID, Barcode]] = {}
    result = BatchResult()
    for number, row in enumerate(cells, start=first_row):
        try:
            variant = _known_variant(variants, row)
            barcode = parse_barcode(
                _needed(row, "barcode"), kind=row.get("kind"), quantity=row.get("quantity"), level=row.get("level"),
                decimals=variant.decimals,
            )  # fmt: skip
            if owners.setdefault(barcode.code, variant.id) != variant.id:
                raise BadValue(
                    "barcode", f"Another item carries {row['barcode']} already.", "Remove it there first."
                )
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, row.get(bad.field, ""), bad))
            continue
        if known.get(barcode.code) == barcode:
            result.unchanged += 1
            continue
        result.updated += barcode.code in known
        result.created += barcode.code not in known
        known[barcode.code] = barcode
        put[barcode.code] = (variant.id, barcode)
    await store.put_barcodes(tx.conn, list(put.values()), upsert=True)
    _say(tx, result)
    return result


def _needed(row: Mapping[str, str], column: str) -> str:
    if column not in row:
        raise BadValue(column, f"The {column} is empty.", "Fill it in.")
    return row[column]


def _known_variant(variants: Mapping[str, Variant], row: Mapping[str, str]) -> Variant:
    found = variants.get(_needed(row, "sku"))
    if found is None or found.merged_into is not None:
        raise BadValue(
            "sku",
            f"There is no item with the SKU {row['sku'][:64]}.",
            "Import it first, or correct the code.",
        )
    return found


async def upsert_minimums(
    tx: Tx, rows: Sequence[Cells], *, sites: Mapping[str, UUID], first_row: int = 1
) -> BatchResult:
    """Sets minimums by SKU and site code (MINIMUM_COLUMNS). `sites` maps the codes the caller resolved to site ids."""
    cells = [_cells(row) for row in rows]
    variants = await store.variants_by_sku(tx.conn, {row["sku"] for row in cells if "sku" in row})
    put: dict[tuple[UUID, UUID], int] = {}
    result = BatchResult()
    for number, row in enumerate(cells, start=first_row):
        try:
            variant, site = _known_variant(variants, row), sites.get(_needed(row, "site"))
            if site is None:
                raise BadValue(
                    "site", f"There is no store or warehouse {row['site'][:64]}.", "Correct the code."
                )
            value = parse_units(_needed(row, "minimum"), variant.decimals, "minimum")
            if value < 0:
                raise BadValue("minimum", "A minimum is zero or above.", "Correct the number.")
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, row.get(bad.field, ""), bad))
            continue
        put[variant.id, site] = value
    await store.put_minimums(tx.conn, [(v, s, m) for (v, s), m in put.items()])
    result.updated = len(put)
    if put:
        summary: dict[str, Any] = {"set": len(put)}
        tx.record("minimum_import", uuid7(), None, summary)
    return result
