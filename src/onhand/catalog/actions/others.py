"""Verbs of categories, units and minimums."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from onhand.catalog import store
from onhand.catalog.actions import common
from onhand.catalog.events import CategoryChanged, MinimumChanged
from onhand.catalog.model import Category, plain
from onhand.kit.problem import Conflict, InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.values import STANDARD_UNITS, BadValue, Unit, clean, format_units, parse_code

SEPARATOR = " > "
MAX_DEPTH = 20


def category_path(name: str, parent: Category | None) -> str:
    """Names from the root down, joined by " > "."""
    return f"{parent.path}{SEPARATOR}{name}" if parent else name


def parse_category_name(text: str) -> str:
    """A category's name: visible, at most 100 characters, without ">" (it separates the names of a path)."""
    name = clean(text, "name", longest=100)
    if ">" in name:
        raise BadValue("name", 'The name holds ">", which separates categories in a path.', "Leave it out.")
    return name


async def _parent(tx: Tx, parent_id: UUID | None) -> Category | None:
    if parent_id is None:
        return None
    found = (await store.categories(tx.conn, [parent_id])).get(parent_id)
    if found is None:
        raise NotFound("There is no category with the id in parent_id.", param="parent_id")
    if len(found.ancestors) >= MAX_DEPTH:
        raise InvalidBody(f"Categories may be {MAX_DEPTH} deep.", param="parent_id")
    return found


async def create_category(
    tx: Tx, *, name: str, category_id: UUID | None = None, parent_id: UUID | None = None,
    external_id: str | None = None, metadata: Mapping[str, Any] | None = None,
) -> Category:  # fmt: skip
    """Makes a category. Raises CategoryTaken, NotFound (parent), IdReused, BadValue."""
    parent = await _parent(tx, parent_id)
    new_id, title = tx.new_id(category_id), parse_category_name(name)
    made = Category(
        id=new_id, name=title, parent_id=parent_id, path=category_path(title, parent),
        ancestors=[*(parent.ancestors if parent else []), new_id], external_id=external_id, metadata=dict(metadata or {}),
    )  # fmt: skip
    await store.insert_categories(tx.conn, [made])
    _say_category(tx, None, made)
    return made


def _say_category(tx: Tx, before: Category | None, after: Category) -> None:
    tx.record("category", after.id, plain(before) if before else None, plain(after))
    tx.emit(CategoryChanged(category_id=after.id, name=after.name, path=after.path))


async def change_category(
    tx: Tx, category_id: UUID, *, version: int | None, changes: Mapping[str, Any]
) -> Category:
    """Renames or moves a category (name, parent_id, external_id, metadata); everything below follows.

    Raises Stale, NotFound, CategoryTaken, InvalidBody (into itself), BadValue.
    """
    every = await store.categories(tx.conn)
    before = every.get(category_id)
    if before is None:
        raise NotFound("There is no category with this id.", param="id")
    if version is not None and version != before.version:
        raise Stale(param="If-Match", version=before.version)
    parent = await _parent(tx, changes.get("parent_id", before.parent_id))
    if parent is not None and category_id in parent.ancestors:
        raise InvalidBody("A category cannot stand inside itself.", param="parent_id")
    name = parse_category_name(changes.get("name", before.name))
    after = replace(
        before, **{**changes, "name": name}, path=category_path(name, parent),
        ancestors=[*(parent.ancestors if parent else []), category_id],
    )  # fmt: skip
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    below = [c for c in every.values() if category_id in c.ancestors and c.id != category_id]
    carried = [
        replace(
            c, path=after.path + c.path[len(before.path) :],
            ancestors=after.ancestors + c.ancestors[c.ancestors.index(category_id) + 1 :],
        )
        for c in below
    ]  # fmt: skip
    await store.update_categories(tx.conn, [after, *carried])
    if after.name != before.name:
        await _reindex(tx, after)
    _say_category(tx, before, after)
    return after


async def _reindex(tx: Tx, category: Category) -> None:
    """Variants are found by the name of their category, so a new name is written into their words."""
    for chunk in await store.products_in_category(tx.conn, category.id):
        variants = await store.variants_of(tx.conn, [p.id for p in chunk])
        await common.write_variants(
            tx, created=[], changed=variants, products={p.id: p for p in chunk},
            category_names={category.id: category.name},
        )  # fmt: skip


async def ensure_units(tx: Tx) -> None:
    """Adds the standard units that are missing. Call it on an empty database."""
    present = await store.units(tx.conn)
    for unit in STANDARD_UNITS.values():
        if unit.code not in present:
            await store.insert_unit(tx.conn, _unit_row(unit))


def _unit_row(unit: Unit) -> dict[str, Any]:
    return {"code": unit.code, "name": unit.name, "dimension": unit.dimension,
            "numerator": unit.factor.numerator, "denominator": unit.factor.denominator}  # fmt: skip


DIMENSIONS = frozenset(unit.dimension for unit in STANDARD_UNITS.values())


async def create_unit(
    tx: Tx, *, code: str, name: str, dimension: str, numerator: int, denominator: int
) -> dict[str, Any]:
    """Adds a unit: one of it is numerator/denominator of the base unit (each, g, ml, m, m2, s). Raises Conflict, BadValue."""
    if dimension not in DIMENSIONS:
        raise BadValue(
            "dimension",
            f"{dimension[:20]!r} is not a dimension.",
            f"Use one of: {', '.join(sorted(DIMENSIONS))}.",
        )
    if not (0 < numerator < 2**62 and 0 < denominator < 2**62):
        raise BadValue(
            "numerator", "Numerator and denominator must be above zero.", "Give whole numbers above zero."
        )
    row = {"code": parse_code(code), "name": clean(name, "name", longest=100), "dimension": dimension,
           "numerator": numerator, "denominator": denominator}  # fmt: skip
    if not await store.insert_unit(tx.conn, row):
        raise Conflict(
            "There is a unit with this code. Units never change once they exist: choose another code.",
            param="code",
        )
    tx.record("unit", str(row["code"]), None, row)
    return row


async def set_minimums(tx: Tx, rows: Sequence[tuple[UUID, UUID, int | None]]) -> None:
    """Sets the minimum of (variant, site) in smallest units; None removes it. Raises NotFound, VariantMerged."""
    from onhand.catalog.actions.variants import lock

    variants, _ = await lock(tx, list(dict.fromkeys(row[0] for row in rows)), param="variant_id")
    await store.put_minimums(tx.conn, [(v, s, m) for v, s, m in rows if m is not None])
    for variant_id, site_id, minimum in rows:
        if minimum is None:
            await store.drop_minimum(tx.conn, variant_id, site_id)
        shown = format_units(minimum, variants[variant_id].decimals) if minimum is not None else None
        tx.record("minimum", f"{variant_id}@{site_id}", None, {"minimum": shown})
        tx.emit(MinimumChanged(variant_id=variant_id, site_id=site_id, minimum=shown))
