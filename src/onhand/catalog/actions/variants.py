"""Verbs of variants: create, change, archive, merge duplicates, change many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand.catalog import model, store
from onhand.catalog.actions import common
from onhand.catalog.events import VariantMerged
from onhand.catalog.model import (
    Barcode,
    OptionsNotPossible,
    Product,
    UnitInUse,
    UnitsDiffer,
    Variant,
    plain,
)  # fmt: skip
from onhand.catalog.model import (
    VariantMerged as AlreadyMerged,
)
from onhand.kit.ids import uuid7
from onhand.kit.problem import InvalidBody, LimitExceeded, NotFound
from onhand.kit.tx import Tx
from onhand.values import BadValue, Money, check_decimals, clean, parse_sku

MAX_BULK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """What is needed to make a variant. Without `product_id` a product of the same name is made for it."""

    sku: str
    name: str | None = None
    id: UUID | None = None
    product_id: UUID | None = None
    category_id: UUID | None = None
    tracking: str = "none"
    options: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "each"
    decimals: int = 0
    barcodes: Sequence[Barcode] = ()
    list_price: Money | None = None
    cost: Decimal | None = None
    cost_currency: str | None = None
    weight_g: Decimal | None = None
    dimensions_mm: Sequence[int] | None = None
    external_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def build_variant(new: NewVariant, variant_id: UUID, product: Product) -> Variant:
    """The variant described, checked. Raises `BadValue`, OptionsNotPossible, TrackingNotPossible."""
    decimals = check_decimals(new.decimals)
    model.check_serial(product.tracking, decimals)
    options = model.check_options(new.options, product.options)
    dimensions = list(new.dimensions_mm) if new.dimensions_mm is not None else None
    if dimensions is not None and (len(dimensions) != 3 or not all(0 <= side < 2**31 for side in dimensions)):
        raise BadValue(
            "dimensions_mm", "Dimensions are length, width, height.", "Give three whole millimetres."
        )
    if new.weight_g is not None and not 0 <= new.weight_g < 10**11:
        raise BadValue("weight_g", "This weight is not possible.", "Give grams, zero or above.")
    if (new.cost is None) != (new.cost_currency is None):
        raise BadValue("cost", "A cost needs its currency.", "Give amount and currency.")
    return Variant(
        id=variant_id, product_id=product.id, sku=parse_sku(new.sku),
        name=clean(new.name or model.variant_name(product.name, options), "name", longest=300),
        unit=new.unit, decimals=decimals, options=options, attributes=model.check_attributes(new.attributes),
        list_price_minor=new.list_price.minor if new.list_price else None,
        list_price_currency=new.list_price.currency if new.list_price else None,
        cost=new.cost, cost_currency=new.cost_currency, weight_g=new.weight_g, dimensions_mm=dimensions,
        external_id=clean(new.external_id, "external_id", longest=200) if new.external_id else None,
        metadata=dict(new.metadata),
    )  # fmt: skip


async def _category_names(tx: Tx, products: Sequence[Product]) -> dict[UUID, str]:
    wanted = {p.category_id for p in products if p.category_id}
    return {c.id: c.name for c in (await store.categories(tx.conn, wanted)).values()} if wanted else {}


def _distinct(barcodes: Sequence[Barcode]) -> None:
    if len(barcodes) > model.MAX_BARCODES:
        raise InvalidBody(f"A variant has at most {model.MAX_BARCODES} barcodes.", param="barcodes")
    if len({b.code for b in barcodes}) != len(barcodes):
        raise InvalidBody("The same barcode is given twice.", param="barcodes")


async def create_variant(tx: Tx, new: NewVariant) -> Variant:
    """Makes a variant, and its product when none is named.

    Raises SkuTaken, BarcodeTaken, IdReused, NotFound (product, unit, category), BadValue, OptionsNotPossible.
    """
    variant_id = tx.new_id(new.id)
    parse_sku(new.sku)
    if new.product_id is not None:
        product = await common.product_for_change(tx, new.product_id, param="product_id")
        if new.category_id not in (None, product.category_id):
            raise InvalidBody("The category belongs to the product. Change it there.", param="category_id")
    else:
        from onhand.catalog.actions.products import NewProduct, create_product

        name = new.name or new.sku
        product = await create_product(
            tx, NewProduct(id=uuid7(), name=name, category_id=new.category_id, tracking=new.tracking)
        )
    _distinct(new.barcodes)
    variant = build_variant(new, variant_id, product)
    if variant.options:
        others = await store.variants_of(tx.conn, [product.id])
        if any(other.options == variant.options for other in others):
            raise OptionsNotPossible("The product has a variant with these options already.", param="options")
    await common.write_variants(
        tx, created=[variant], changed=[], products={product.id: product},
        category_names=await _category_names(tx, [product]),
    )  # fmt: skip
    await store.put_barcodes(tx.conn, [(variant.id, b) for b in new.barcodes])
    common.say_variant(tx, None, variant, barcodes=([], [b.code for b in new.barcodes]))
    return variant


CHANGEABLE = frozenset(
    {"sku", "name", "options", "attributes", "unit", "decimals", "list_price", "cost", "cost_currency", "weight_g",
     "dimensions_mm", "external_id", "metadata"}
)  # fmt: skip


def list_price(variant: Variant) -> Money | None:
    """The list price of one unit, or None."""
    if variant.list_price_minor is None or variant.list_price_currency is None:
        return None
    return Money(variant.list_price_minor, variant.list_price_currency)


def _changed(before: Variant, product: Product, changes: Mapping[str, Any]) -> Variant:
    if unknown := set(changes) - CHANGEABLE:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    fields = {name: getattr(before, name) for name in CHANGEABLE - {"list_price"}}
    fields["list_price"] = list_price(before)
    built = build_variant(NewVariant(**(fields | dict(changes))), before.id, product)
    return replace(
        built, archived_at=before.archived_at, merged_into=before.merged_into, version=before.version
    )


async def lock(
    tx: Tx, variant_ids: Sequence[UUID], *, param: str = "id"
) -> tuple[dict[UUID, Variant], dict[UUID, Product]]:
    """Variants and their products, locked: products first, then variants. Raises NotFound, VariantMerged. Three queries."""
    wanted = await store.product_ids_of(tx.conn, variant_ids=variant_ids)
    products = await store.lock_products(tx.conn, wanted)
    found = await store.lock_variants(tx.conn, variant_ids)
    for variant_id in variant_ids:
        if variant_id not in found:
            raise NotFound(f"There is no variant with the id {variant_id}.", param=param)
        if (into := found[variant_id].merged_into) is not None:
            raise AlreadyMerged(param=param, merged_into=str(into))
    return found, products


async def _refuse_used_units(tx: Tx, before: Variant, after: Variant) -> None:
    if (before.unit, before.decimals) == (after.unit, after.decimals):
        return
    if await common.use_check()(tx.conn, [before.id]):
        raise UnitInUse(param="unit" if before.unit != after.unit else "decimals", sku=before.sku)


async def change_variant(
    tx: Tx,
    variant_id: UUID,
    *,
    version: int | None,
    changes: Mapping[str, Any],
    barcodes: Sequence[Barcode] | None = None,
) -> Variant:
    """Changes some fields (see CHANGEABLE), and replaces the whole list of barcodes when one is given.

    Raises Stale, NotFound, VariantMerged, UnitInUse, SkuTaken, BarcodeTaken, BadValue, OptionsNotPossible.
    """
    found, products = await lock(tx, [variant_id])
    before = found[variant_id]
    product = products[before.product_id]
    common.check_version(before, version)
    after = _changed(before, product, changes)
    await _refuse_used_units(tx, before, after)
    present = (await store.barcodes_of(tx.conn, [variant_id])).get(variant_id, [])
    if before.decimals != after.decimals and present and barcodes is None:
        raise InvalidBody(
            "Give the barcodes again: their quantities depend on the decimals.", param="barcodes"
        )
    wanted = list(present if barcodes is None else barcodes)
    _distinct(wanted)
    if after == before and set(wanted) == set(present):
        return before
    after = replace(after, version=before.version + 1)
    await common.write_variants(
        tx, created=[], changed=[after], products={product.id: product},
        category_names=await _category_names(tx, [product]),
    )  # fmt: skip
    await store.drop_barcodes(tx.conn, [b.code for b in present if b not in wanted])
    await store.put_barcodes(tx.conn, [(variant_id, b) for b in wanted if b not in present])
    codes = ([b.code for b in present], [b.code for b in wanted])
    common.say_variant(tx, before, after, barcodes=codes)
    return after


async def archive_variant(tx: Tx, variant_id: UUID, *, archived: bool) -> Variant:
    """Takes a variant out of use, or brings it back. It keeps its SKU, barcodes, stock and history."""
    found, products = await lock(tx, [variant_id])
    before = found[variant_id]
    if (before.archived_at is not None) == archived:
        return before
    product = products[before.product_id]
    after = replace(before, archived_at=tx.now if archived else None, version=before.version + 1)
    await common.write_variants(
        tx, created=[], changed=[after], products={product.id: product},
        category_names=await _category_names(tx, [product]),
    )  # fmt: skip
    common.say_variant(tx, before, after)
    return after


async def merge_variants(tx: Tx, *, keep_id: UUID, merge_id: UUID) -> Variant:
    """Makes one variant of two: `merge_id` stands for `keep_id` from now on, and its barcodes and minimums go over.

    Past ledger rows are never rewritten: they are resolved through `merged_into`. Upper floors act in the same transaction
    through `on_merge`. Raises UnitsDiffer, VariantMerged, NotFound, InvalidBody (one with itself).
    """
    if keep_id == merge_id:
        raise InvalidBody("A variant cannot be merged with itself.", param="merge_id")
    both, products = await lock(tx, [keep_id, merge_id], param="merge_id")
    keep, gone = both[keep_id], both[merge_id]
    if (keep.unit, keep.decimals) != (gone.unit, gone.decimals):
        raise UnitsDiffer(
            f"{keep.sku} is counted in {keep.unit} with {keep.decimals} decimals, {gone.sku} in {gone.unit} with "
            f"{gone.decimals}. Make them equal first.", param="merge_id",
        )  # fmt: skip
    after = replace(
        gone, merged_into=keep_id, archived_at=gone.archived_at or tx.now, version=gone.version + 1
    )
    await common.write_variants(
        tx, created=[], changed=[after], products=products,
        category_names=await _category_names(tx, list(products.values())),
    )  # fmt: skip
    await store.repoint_merged(tx.conn, merge_id, keep_id)
    await store.move_barcodes(tx.conn, merge_id, keep_id)
    await store.move_minimums(tx.conn, merge_id, keep_id)
    for hook in common.merge_hooks():
        await hook(tx, keep_id, merge_id)
    common.say_variant(tx, gone, after)
    tx.emit(VariantMerged(keep_id=keep_id, merge_id=merge_id, keep_sku=keep.sku, merge_sku=gone.sku))
    return keep


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What a bulk edit does to one variant: field → (before, after), empty where nothing changes. Categories by their path."""

    id: UUID
    sku: str
    changes: dict[str, tuple[Any, Any]]
    prices: tuple[Money | None, Money | None] = (None, None)


BULK_FIELDS = frozenset(
    {"list_price", "cost", "cost_currency", "attributes", "metadata", "weight_g", "archived", "category_id"}
)


async def bulk_change(
    tx: Tx, variant_ids: Sequence[UUID], *, changes: Mapping[str, Any], preview: bool
) -> list[BulkChange]:
    """Changes up to 500 variants alike, all or nothing; with `preview` only says what would change.

    A bare text as `list_price` keeps each item's currency, a bare `cost` too;
    `attributes` and `metadata` are merged in (a null value removes the name), `archived` archives or restores,
    `category_id` moves the products. Raises LimitExceeded, NotFound, VariantMerged, BadValue.
    """
    if unknown := set(changes) - BULK_FIELDS:
        raise InvalidBody(f"{min(unknown)} cannot be changed in bulk.", param=f"changes.{min(unknown)}")
    distinct = list(dict.fromkeys(variant_ids))
    if len(distinct) > MAX_BULK:
        raise LimitExceeded(f"At most {MAX_BULK} variants at once.", param="ids", limit=MAX_BULK)
    found, products = await lock(tx, distinct, param="ids")
    if "category_id" in changes:
        await common.category_name(tx, changes["category_id"])
    paths = await _category_paths(tx, list(products.values()), changes.get("category_id"))
    moved = _moved_products(products, changes)
    after = {v.id: _bulk_one(tx, v, products[v.product_id], changes) for v in found.values()}
    report = [_difference(found[i], after[i], products, moved, paths) for i in distinct]
    if preview:
        return report
    changed = [v for v in after.values() if v != found[v.id]]
    await store.update_products(tx.conn, list(moved.values()))
    touched = {v.id for v in changed} | {v.id for v in after.values() if v.product_id in moved}
    bumped = {i: replace(after[i], version=after[i].version + (after[i] != found[i])) for i in touched}
    now = products | moved
    await common.write_variants(
        tx, created=[], changed=list(bumped.values()), products=now,
        category_names=await _category_names(tx, list(now.values())),
    )  # fmt: skip
    for product_id, product in moved.items():
        common.say_product(tx, products[product_id], product)
    for variant in changed:
        common.say_variant(tx, found[variant.id], bumped[variant.id])
    return report


def _moved_products(products: dict[UUID, Product], changes: Mapping[str, Any]) -> dict[UUID, Product]:
    if "category_id" not in changes:
        return {}
    target = changes["category_id"]
    return {
        p.id: replace(p, category_id=target, version=p.version + 1)
        for p in products.values()
        if p.category_id != target
    }


def _bulk_one(tx: Tx, before: Variant, product: Product, changes: Mapping[str, Any]) -> Variant:
    direct = {n: changes[n] for n in ("list_price", "cost", "cost_currency", "weight_g") if n in changes}
    if isinstance(direct.get("list_price"), str):
        direct["list_price"] = _in_its_currency(before, direct["list_price"])
    if direct.get("cost") is not None and "cost_currency" not in direct:
        direct["cost_currency"] = before.cost_currency or before.list_price_currency
    for name in ("attributes", "metadata"):
        if name in changes:
            merged = {**getattr(before, name), **changes[name]}
            direct[name] = {key: value for key, value in merged.items() if value is not None}
    after = _changed(before, product, direct)
    if "archived" in changes:
        after = replace(after, archived_at=(before.archived_at or tx.now) if changes["archived"] else None)
    return after


def _in_its_currency(variant: Variant, amount: str) -> Money:
    if variant.list_price_currency is None:
        raise BadValue("changes.list_price", f"{variant.sku} has no price yet.", "Give amount and currency.")
    return Money.parse(amount, variant.list_price_currency, "changes.list_price")


async def _category_paths(tx: Tx, products: Sequence[Product], target: UUID | None) -> dict[UUID | None, str]:
    wanted = {p.category_id for p in products if p.category_id} | ({target} if target else set())
    return {c.id: c.path for c in (await store.categories(tx.conn, wanted)).values()}


def _difference(
    before: Variant, after: Variant, products: dict[UUID, Product], moved: dict[UUID, Product],
    paths: Mapping[UUID | None, str],
) -> BulkChange:  # fmt: skip
    old, new = plain(before), plain(after)
    changes = {name: (old[name], new[name]) for name in new if name != "version" and old[name] != new[name]}
    if before.product_id in moved:
        was, target = products[before.product_id].category_id, moved[before.product_id].category_id
        changes["category_id"] = (paths.get(was), paths.get(target))
    return BulkChange(before.id, before.sku, changes, (list_price(before), list_price(after)))
