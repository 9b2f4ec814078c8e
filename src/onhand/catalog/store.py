"""Write-side SQL of the catalogue. Writes are set-based: one statement for one row or for thousands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.catalog.model import (
    Axis,
    Barcode,
    BarcodeTaken,
    Category,
    CategoryTaken,
    Product,
    SkuTaken,
    Variant,
)
from onhand.catalog.tables import barcode, category, minimum, product, search_word, unit, variant
from onhand.catalog.words import cuts_of
from onhand.kit.problem import Conflict, IdReused, NotFound, Problem

VARIANT_FIELDS = [variant.c[f.name] for f in fields(Variant)]
PRODUCT_FIELDS = [product.c[f.name] for f in fields(Product)]
CATEGORY_FIELDS = [category.c[f.name] for f in fields(Category)]

_CLASHES: dict[str, tuple[type[Problem], str | None, str]] = {
    "variant_pkey": (IdReused, None, "id"),
    "product_pkey": (IdReused, None, "id"),
    "category_pkey": (IdReused, None, "id"),
    "variant_sku_key": (SkuTaken, None, "sku"),
    "barcode_pkey": (BarcodeTaken, None, "barcodes"),
    "category_path_key": (CategoryTaken, None, "name"),
    "variant_external_id_key": (Conflict, "Another variant has this external_id. Leave it empty or use its own.", "external_id"),
    "product_external_id_key": (Conflict, "Another product has this external_id. Leave it empty or use its own.", "external_id"),
    "category_external_id_key": (Conflict, "Another category has this external_id. Leave it empty or use its own.", "external_id"),
    "variant_unit_fkey": (NotFound, "There is no such unit. See GET /v1/units, or add it there.", "unit"),
    "product_category_id_fkey": (NotFound, "There is no category with this id.", "category_id"),
    "variant_product_id_fkey": (NotFound, "There is no product with this id.", "product_id"),
    "minimum_site_id_fkey": (NotFound, "There is no place with this id.", "site_id"),
    "minimum_variant_id_fkey": (NotFound, "There is no variant with this id.", "variant_id"),
}  # fmt: skip


async def run(conn: AsyncConnection, statement: sa.Executable, values: Any = None) -> sa.CursorResult[Any]:
    """Executes a write; a broken constraint becomes the refusal that names the field."""
    try:
        return await conn.execute(statement, values)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name not in _CLASHES:
            raise
        kind, detail, param = _CLASHES[name]
        raise kind(detail, param=param) from error


def ids(values: Iterable[UUID]) -> sa.ColumnElement[Any]:
    """`ANY(array)` of ids: one parameter however many."""
    return sa.any_(sa.literal(list(values), sa.ARRAY(sa.Uuid)))


def texts(values: Iterable[str]) -> sa.ColumnElement[Any]:
    """`ANY(array)` of texts."""
    return sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text)))


def as_product(row: Any) -> Product:
    """A row of PRODUCT_FIELDS as a Product."""
    values = dict(row._mapping)
    values["options"] = tuple(Axis(axis["name"], tuple(axis["values"])) for axis in values["options"])
    return Product(**values)


def as_variant(row: Any) -> Variant:
    """A row of VARIANT_FIELDS as a Variant."""
    return Variant(**row._mapping)


# Whoever changes products or variants locks the products first, then the variants, each in id order. FOR NO KEY UPDATE:
# postings that refer to a variant are never held up by somebody who edits it.


async def product_ids_of(
    conn: AsyncConnection, *, variant_ids: Iterable[UUID] = (), skus: Iterable[str] = ()
) -> set[UUID]:
    """The products of some variants (that never changes), to be locked before the variants."""
    query = sa.select(variant.c.product_id).where(
        sa.or_(variant.c.id == ids(variant_ids), variant.c.sku == texts(skus))
    )
    return set((await conn.execute(query)).scalars())


async def lock_variants(conn: AsyncConnection, variant_ids: Iterable[UUID]) -> dict[UUID, Variant]:
    """Variants by id, locked in id order until the transaction ends."""
    rows = await conn.execute(
        sa.select(*VARIANT_FIELDS)
        .where(variant.c.id == ids(variant_ids))
        .order_by(variant.c.id)
        .with_for_update(key_share=True)
    )
    return {row.id: as_variant(row) for row in rows}


async def variants_by_sku(conn: AsyncConnection, skus: Iterable[str]) -> dict[str, Variant]:
    """Variants by SKU, locked in id order until the transaction ends."""
    rows = await conn.execute(
        sa.select(*VARIANT_FIELDS)
        .where(variant.c.sku == texts(skus))
        .order_by(variant.c.id)
        .with_for_update(key_share=True)
    )
    return {row.sku: as_variant(row) for row in rows}


async def variants_of(conn: AsyncConnection, product_ids: Iterable[UUID]) -> list[Variant]:
    """The variants of some products that were not merged away."""
    rows = await conn.execute(
        sa.select(*VARIANT_FIELDS)
        .where(variant.c.product_id == ids(product_ids), variant.c.merged_into.is_(None))
        .order_by(variant.c.id)
    )
    return [as_variant(row) for row in rows]


async def lock_products(conn: AsyncConnection, product_ids: Iterable[UUID]) -> dict[UUID, Product]:
    """Products by id, locked in id order until the transaction ends."""
    rows = await conn.execute(
        sa.select(*PRODUCT_FIELDS)
        .where(product.c.id == ids(product_ids))
        .order_by(product.c.id)
        .with_for_update(key_share=True)
    )
    return {row.id: as_product(row) for row in rows}


async def products_by_external_id(conn: AsyncConnection, external_ids: Iterable[str]) -> dict[str, Product]:
    """Products by external id."""
    rows = await conn.execute(sa.select(*PRODUCT_FIELDS).where(product.c.external_id == texts(external_ids)))
    return {row.external_id: as_product(row) for row in rows}


async def categories(
    conn: AsyncConnection, category_ids: Iterable[UUID] | None = None
) -> dict[UUID, Category]:
    """Categories by id; all of them without ids."""
    query = sa.select(*CATEGORY_FIELDS)
    if category_ids is not None:
        query = query.where(category.c.id == ids(category_ids))
    return {row.id: Category(**row._mapping) for row in await conn.execute(query)}


_VARIANT_COLUMNS = (
    ("id", "uuid"), ("product_id", "uuid"), ("sku", "text"), ("name", "text"), ("unit", "text"), ("decimals", "int"),
    ("options", "jsonb"), ("attributes", "jsonb"), ("list_price_minor", "bigint"), ("list_price_currency", "text"),
    ("cost", "numeric"), ("cost_currency", "text"), ("weight_g", "numeric"), ("dimensions_mm", "int[]"),
    ("archived_at", "timestamptz"), ("merged_into", "uuid"), ("external_id", "text"), ("metadata", "jsonb"),
    ("version", "int"),
)  # fmt: skip
_PRODUCT_COLUMNS = (
    ("id", "uuid"), ("name", "text"), ("external_id", "text"), ("description", "text"), ("category_id", "uuid"),
    ("attributes", "jsonb"), ("options", "jsonb"), ("tracking", "text"), ("pictures", "uuid[]"),
    ("archived_at", "timestamptz"), ("metadata", "jsonb"), ("version", "int"),
)  # fmt: skip


def _wire(kind: str, value: Any) -> Any:
    if kind == "jsonb":
        return "{}" if not value else orjson.dumps(value).decode()
    if kind.endswith("[]") and value is not None:
        return "{" + ",".join(str(item) for item in value) + "}"
    return value


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array literal. Writing it here costs a fifth of what the driver takes for arrays of thousands."""
    return "{" + ",".join(["NULL" if value is None else _element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    text = value if type(value) is str else str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _statements(
    table: str, columns: Sequence[tuple[str, str]], extra: str, extra_select: str
) -> tuple[str, str]:
    """INSERT and UPDATE from column arrays. Nested arrays and JSON travel as text and are cast in the SELECT."""
    names = ", ".join(name for name, _ in columns)
    as_text = {"jsonb", "int[]", "uuid[]"}
    wire = ", ".join(f"CAST(:{n} AS {'text' if t in as_text else t}[])" for n, t in columns)
    picked = {n: f"CAST(new.{n} AS {t})" if t in as_text else f"new.{n}" for n, t in columns}
    more = f", CAST(:{extra} AS text[])" if extra else ""
    source = f"unnest({wire}{more}) AS new({names}{', ' + extra if extra else ''})"
    into = f"{names}{', ' + extra if extra else ''}"
    insert = f"INSERT INTO {table} ({into}) SELECT {', '.join(picked.values())}{extra_select and ', ' + extra_select} FROM {source}"
    sets = ", ".join(f"{n} = {picked[n]}" for n, _ in columns if n != "id")
    extra_set = f", {extra} = {extra_select}" if extra else ""
    update = f"UPDATE {table} AS old SET {sets}{extra_set}, updated_at = clock_timestamp() FROM {source} WHERE old.id = new.id"
    return insert, update


_INSERT_VARIANTS, _UPDATE_VARIANTS = map(
    sa.text,
    _statements("variant", _VARIANT_COLUMNS, "words", "array_to_tsvector(string_to_array(new.words, ' '))"),
)
_INSERT_PRODUCTS, _UPDATE_PRODUCTS = map(sa.text, _statements("product", _PRODUCT_COLUMNS, "", ""))


def _variant_arrays(rows: Sequence[tuple[Variant, list[str]]]) -> dict[str, str]:
    arrays = {n: array(_wire(t, getattr(thing, n)) for thing, _ in rows) for n, t in _VARIANT_COLUMNS}
    arrays["words"] = array(" ".join(words) for _, words in rows)
    return arrays


def _product_arrays(rows: Sequence[Product]) -> dict[str, str]:
    out = {
        n: array(_wire(t, getattr(thing, n)) for thing in rows) for n, t in _PRODUCT_COLUMNS if n != "options"
    }
    out["options"] = array(
        orjson.dumps([{"name": a.name, "values": a.values} for a in thing.options]).decode() for thing in rows
    )
    return out


async def insert_variants(conn: AsyncConnection, rows: Sequence[tuple[Variant, list[str]]]) -> None:
    """Writes new variants with their search words. Raises SkuTaken, IdReused, Conflict, NotFound (unit, product)."""
    if rows:
        await run(conn, _INSERT_VARIANTS, _variant_arrays(rows))


async def update_variants(conn: AsyncConnection, rows: Sequence[tuple[Variant, list[str]]]) -> None:
    """Rewrites variants as given, with their search words (the caller raised `version`). Raises like `insert_variants`."""
    if rows:
        await run(conn, _UPDATE_VARIANTS, _variant_arrays(rows))


async def insert_products(conn: AsyncConnection, rows: Sequence[Product]) -> None:
    """Writes new products. Raises IdReused, Conflict (external_id), NotFound (category)."""
    if rows:
        await run(conn, _INSERT_PRODUCTS, _product_arrays(rows))


async def update_products(conn: AsyncConnection, rows: Sequence[Product]) -> None:
    """Rewrites products as given. Raises like `insert_products`."""
    if rows:
        await run(conn, _UPDATE_PRODUCTS, _product_arrays(rows))


async def insert_categories(conn: AsyncConnection, rows: Sequence[Category]) -> None:
    """Writes new categories, parents first. Raises CategoryTaken, IdReused, Conflict."""
    if rows:
        await run(
            conn,
            sa.insert(category),
            [{f.name: getattr(row, f.name) for f in fields(Category)} for row in rows],
        )


async def update_categories(conn: AsyncConnection, rows: Sequence[Category]) -> None:
    """Rewrites categories as given. Raises like `insert_categories`."""
    names = [f.name for f in fields(Category) if f.name != "id"]
    statement = (
        sa.update(category)
        .where(category.c.id == sa.bindparam("key"))
        .values({**{n: sa.bindparam(f"new_{n}", type_=category.c[n].type) for n in names},
                 "updated_at": sa.func.clock_timestamp()})
    )  # fmt: skip
    if rows:
        await run(
            conn, statement, [{"key": r.id, **{f"new_{n}": getattr(r, n) for n in names}} for r in rows]
        )


_LEARN = sa.text(
    'INSERT INTO search_word (word) SELECT DISTINCT w COLLATE "C" AS w FROM unnest(CAST(:words AS text[])) AS w'
    " ORDER BY w ON CONFLICT DO NOTHING RETURNING word"
)
_CUTS = sa.text(
    "INSERT INTO search_cut (cut, word) SELECT * FROM unnest(CAST(:cuts AS text[]), CAST(:words AS text[]))"
    " ON CONFLICT DO NOTHING"
)


async def learn(conn: AsyncConnection, words: Iterable[str]) -> None:
    """Adds words to the vocabulary, with the cuts that find them when they are misspelt. Known words cost nothing."""
    wanted = sorted(set(words))
    if not wanted:
        return
    known = set(
        (
            await conn.execute(sa.select(search_word.c.word).where(search_word.c.word == texts(wanted)))
        ).scalars()
    )
    fresh = [word for word in wanted if word not in known]
    if not fresh:
        return
    new = (await conn.execute(_LEARN, {"words": fresh})).scalars().all()
    pairs = sorted((cut, word) for word in new for cut in cuts_of(word))
    await conn.execute(
        _CUTS, {"cuts": array(cut for cut, _ in pairs), "words": array(word for _, word in pairs)}
    )


async def barcodes_of(conn: AsyncConnection, variant_ids: Iterable[UUID]) -> dict[UUID, list[Barcode]]:
    """Barcodes by variant, in code order."""
    found: dict[UUID, list[Barcode]] = {}
    query = sa.select(barcode).where(barcode.c.variant_id == ids(variant_ids)).order_by(barcode.c.code)
    for row in await conn.execute(query):
        found.setdefault(row.variant_id, []).append(Barcode(row.code, row.kind, row.quantity, row.level))
    return found


async def barcode_owners(conn: AsyncConnection, codes: Iterable[str]) -> dict[str, UUID]:
    """Which variants carry some barcodes."""
    query = sa.select(barcode.c.code, barcode.c.variant_id).where(barcode.c.code == texts(codes))
    return {row.code: row.variant_id for row in await conn.execute(query)}


_PUT_BARCODES = sa.text(
    "INSERT INTO barcode (code, variant_id, kind, quantity, level)"
    " SELECT * FROM unnest(CAST(:code AS text[]), CAST(:variant_id AS uuid[]), CAST(:kind AS text[]),"
    " CAST(:quantity AS bigint[]), CAST(:level AS text[]))"
)
_UPSERT_BARCODES = sa.text(
    f"{_PUT_BARCODES.text} ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, quantity = excluded.quantity,"
    " level = excluded.level WHERE barcode.variant_id = excluded.variant_id"
)


async def put_barcodes(
    conn: AsyncConnection, rows: Sequence[tuple[UUID, Barcode]], *, upsert: bool = False
) -> None:
    """Writes barcodes. Raises BarcodeTaken; with `upsert`, a variant's own barcode is changed instead."""
    if rows:
        arrays = {
            "code": array(b.code for _, b in rows), "variant_id": array(v for v, _ in rows),
            "kind": array(b.kind for _, b in rows), "quantity": array(b.units for _, b in rows),
            "level": array(b.level for _, b in rows),
        }  # fmt: skip
        await run(conn, _UPSERT_BARCODES if upsert else _PUT_BARCODES, arrays)


async def drop_barcodes(conn: AsyncConnection, codes: Iterable[str]) -> None:
    """Removes barcodes."""
    await conn.execute(sa.delete(barcode).where(barcode.c.code == texts(codes)))


async def move_barcodes(conn: AsyncConnection, source: UUID, target: UUID) -> None:
    """Gives all barcodes of one variant to another."""
    await conn.execute(sa.update(barcode).where(barcode.c.variant_id == source).values(variant_id=target))


async def move_minimums(conn: AsyncConnection, source: UUID, target: UUID) -> None:
    """Gives the minimums of one variant to another where that has none, and drops the rest."""
    await conn.execute(
        sa.text(
            "INSERT INTO minimum (variant_id, site_id, minimum) SELECT :target, site_id, minimum FROM minimum"
            " WHERE variant_id = :source ON CONFLICT DO NOTHING"
        ),
        {"source": source, "target": target},
    )
    await conn.execute(sa.delete(minimum).where(minimum.c.variant_id == source))


async def repoint_merged(conn: AsyncConnection, source: UUID, target: UUID) -> None:
    """Variants merged into `source` earlier now point to `target`, so that one hop always finds the survivor."""
    await conn.execute(sa.update(variant).where(variant.c.merged_into == source).values(merged_into=target))


async def put_minimums(conn: AsyncConnection, rows: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Sets minimums of (variant, site). Raises NotFound for an unknown variant or site."""
    statement = sa.text(
        "INSERT INTO minimum (variant_id, site_id, minimum)"
        " SELECT * FROM unnest(CAST(:v AS uuid[]), CAST(:s AS uuid[]), CAST(:m AS bigint[]))"
        " ON CONFLICT (variant_id, site_id) DO UPDATE SET minimum = excluded.minimum, updated_at = clock_timestamp()"
    )
    if rows:
        await run(
            conn, statement, {"v": [r[0] for r in rows], "s": [r[1] for r in rows], "m": [r[2] for r in rows]}
        )


async def drop_minimum(conn: AsyncConnection, variant_id: UUID, site_id: UUID) -> None:
    """Removes one minimum."""
    await conn.execute(
        sa.delete(minimum).where(minimum.c.variant_id == variant_id, minimum.c.site_id == site_id)
    )


async def insert_unit(conn: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Adds a unit; False when its code is taken."""
    result = await conn.execute(
        sa.text(
            "INSERT INTO unit (code, name, dimension, numerator, denominator)"
            " VALUES (:code, :name, :dimension, :numerator, :denominator) ON CONFLICT DO NOTHING"
        ),
        dict(values),
    )
    return bool(result.rowcount)


async def units(conn: AsyncConnection) -> dict[str, Any]:
    """All units by code, as rows."""
    return {
        row.code: row for row in await conn.execute(sa.select(unit).order_by(unit.c.dimension, unit.c.code))
    }


async def products_in_category(
    conn: AsyncConnection, category_id: UUID, *, chunk: int = 2000
) -> list[list[Product]]:
    """The products directly in a category, locked, in chunks."""
    query = (
        sa.select(*PRODUCT_FIELDS)
        .where(product.c.category_id == category_id)
        .order_by(product.c.id)
        .with_for_update(key_share=True)
    )
    rows = [as_product(row) for row in await conn.execute(query)]
    return [rows[at : at + chunk] for at in range(0, len(rows), chunk)]


async def skus_by_external_id(conn: AsyncConnection, external_ids: Iterable[str]) -> dict[str, str]:
    """Which SKUs have some external ids."""
    query = sa.select(variant.c.external_id, variant.c.sku).where(
        variant.c.external_id == texts(external_ids)
    )
    return {row.external_id: row.sku for row in await conn.execute(query)}
