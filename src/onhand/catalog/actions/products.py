"""Verbs of products: create, change, archive, and making the variants their options still lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from onhand.catalog import model, store
from onhand.catalog.actions import common
from onhand.catalog.model import Axis, OptionsNotPossible, Product, Variant
from onhand.kit.ids import uuid7
from onhand.kit.problem import InvalidBody
from onhand.kit.tx import Tx
from onhand.values import check_decimals, clean, parse_sku


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """What is needed to make a product. `options` are pairs of axis name and values."""

    name: str
    id: UUID | None = None
    external_id: str | None = None
    description: str = ""
    category_id: UUID | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[tuple[str, Sequence[str]]] = ()
    tracking: str = "none"
    pictures: Sequence[UUID] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def build_product(new: NewProduct, product_id: UUID) -> Product:
    """The product described, checked. Raises `BadValue` or OptionsNotPossible."""
    return Product(
        id=product_id,
        name=clean(new.name, "name", longest=300),
        external_id=clean(new.external_id, "external_id", longest=200) if new.external_id else None,
        description=new.description[:20_000],
        category_id=new.category_id,
        attributes=model.check_attributes(new.attributes),
        options=model.parse_axes(new.options),
        tracking=model.check_tracking(new.tracking),
        pictures=list(dict.fromkeys(new.pictures)),
        metadata=dict(new.metadata),
    )


async def create_product(tx: Tx, new: NewProduct) -> Product:
    """Makes a product without variants. Raises BadValue, OptionsNotPossible, IdReused, Conflict, NotFound (category)."""
    product = build_product(new, tx.new_id(new.id))
    await store.insert_products(tx.conn, [product])
    common.say_product(tx, None, product)
    return product


CHANGEABLE = frozenset(
    {
        "name",
        "external_id",
        "description",
        "category_id",
        "attributes",
        "options",
        "tracking",
        "pictures",
        "metadata",
    }
)


async def change_product(
    tx: Tx, product_id: UUID, *, version: int | None, changes: Mapping[str, Any]
) -> Product:
    """Changes some fields (see CHANGEABLE). Its variants follow: they are searched by the new name and category.

    Raises Stale, NotFound, BadValue; OptionsNotPossible when variants have options that would vanish;
    TrackingNotPossible for serial numbers on parts.
    """
    if unknown := set(changes) - CHANGEABLE:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    before = await common.product_for_change(tx, product_id)
    common.check_version(before, version)
    merged = {name: getattr(before, name) for name in CHANGEABLE} | dict(changes)
    if "options" not in changes:
        merged["options"] = [(axis.name, axis.values) for axis in before.options]
    after = replace(
        build_product(NewProduct(**merged), product_id),
        archived_at=before.archived_at,
        version=before.version,
    )
    if after == before:
        return before
    variants = await store.variants_of(tx.conn, [product_id])
    _check_variants(after, variants)
    category = await common.category_name(tx, after.category_id)
    after = replace(after, version=before.version + 1)
    await store.update_products(tx.conn, [after])
    if (before.name, before.category_id) != (after.name, after.category_id) and variants:
        names = {after.category_id: category} if after.category_id and category else {}
        await common.write_variants(
            tx, created=[], changed=variants, products={product_id: after}, category_names=names
        )
    common.say_product(tx, before, after)
    return after


def _check_variants(after: Product, variants: Sequence[Variant]) -> None:
    for variant in variants:
        model.check_serial(after.tracking, variant.decimals)
        try:
            model.check_options(variant.options, after.options)
        except OptionsNotPossible as problem:
            if after.options:
                raise OptionsNotPossible(
                    f"{variant.sku} has options that would vanish. Change or archive that variant first.",
                    param="options",
                ) from problem


async def archive_product(tx: Tx, product_id: UUID, *, archived: bool) -> Product:
    """Takes a product with all its variants out of use, or brings both back. Nothing is deleted."""
    before = await common.product_for_change(tx, product_id)
    if (before.archived_at is not None) == archived:
        return before
    at = tx.now if archived else None
    after = replace(before, archived_at=at, version=before.version + 1)
    await store.update_products(tx.conn, [after])
    common.say_product(tx, before, after)
    variants = await store.variants_of(tx.conn, [product_id])
    changed = {
        v.id: replace(v, archived_at=at, version=v.version + 1) for v in variants if v.archived_at != at
    }
    name = await common.category_name(tx, after.category_id)
    await common.write_variants(
        tx, created=[], changed=list(changed.values()), products={product_id: after},
        category_names={after.category_id: name} if after.category_id and name else {},
    )  # fmt: skip
    for variant in variants:
        if variant.id in changed:
            common.say_variant(tx, variant, changed[variant.id])
    return after


async def generate_variants(
    tx: Tx,
    product_id: UUID,
    *,
    sku_prefix: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
) -> list[Variant]:
    """Makes the variants that the product's option axes ask for and that are not there yet.

    SKUs are the prefix (default: from the product's name) and the option values, numbered where taken. Unit, decimals and
    list price are taken from a present variant, else each and whole. Raises OptionsNotPossible without axes.
    """
    product = await common.product_for_change(tx, product_id)
    if not product.options:
        raise OptionsNotPossible(
            "The product has no options yet. Add some, such as size with S, M, L.", param="options"
        )
    present = await store.variants_of(tx.conn, [product_id])
    wanted = model.missing_options(product.options, [v.options for v in present])
    like = present[0] if present else None
    base = parse_sku(sku_prefix or model.sku_part(product.name), "sku_prefix")
    skus = await _free_skus(tx, [_sku(base, product.options, options) for options in wanted])
    made = [
        Variant(
            id=uuid7(), product_id=product_id, sku=sku, name=model.variant_name(product.name, options), options=options,
            unit=unit or (like.unit if like else "each"),
            decimals=check_decimals(decimals if decimals is not None else (like.decimals if like else 0)),
            list_price_minor=like.list_price_minor if like else None,
            list_price_currency=like.list_price_currency if like else None,
        )
        for sku, options in zip(skus, wanted, strict=True)
    ]  # fmt: skip
    for variant in made:
        model.check_serial(product.tracking, variant.decimals)
    name = await common.category_name(tx, product.category_id)
    await common.write_variants(
        tx, created=made, changed=[], products={product_id: product},
        category_names={product.category_id: name} if product.category_id and name else {},
    )  # fmt: skip
    for variant in made:
        common.say_variant(tx, None, variant)
    return made


def _sku(base: str, axes: Sequence[Axis], options: Mapping[str, str]) -> str:
    return "-".join([base[:30], *(model.sku_part(options[axis.name])[:10] for axis in axes)])[:60]


async def _free_skus(tx: Tx, wanted: list[str]) -> list[str]:
    """The wanted SKUs, with -2, -3 … behind those that are taken."""
    tries = {f"{sku}-{n}" if n > 1 else sku for sku in wanted for n in range(1, 6)}
    taken = set(await store.variants_by_sku(tx.conn, tries))
    out: list[str] = []
    for sku in wanted:
        number, free = 1, sku
        while free in taken:
            number += 1
            free = f"{sku}-{number}"
        taken.add(free)
        out.append(free)
    return out
