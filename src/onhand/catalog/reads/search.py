"""The search box over the whole catalogue: an exact barcode or SKU first, then words in any order, then one typo forgiven.

Words are matched by their beginnings through the GIN index on `variant.words`. Misspelt words are mapped to known ones
through `search_cut` (see words.py). At most five queries, whatever is asked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.catalog.reads.resolve import Lookup, resolve
from onhand.catalog.words import can_be_misspelt, cuts_of, near, words_of
from onhand.values import BadValue, read_scan

MAX_QUERY_WORDS = 8
MAX_ALTERNATIVES = 20
CONSIDERED = 400
"""Matches that are ranked against each other; words as common as that tell little apart anyway."""

Finder = Callable[[AsyncConnection, str, int, frozenset[UUID] | None], Awaitable[list[dict[str, Any]]]]
"""(conn, q, limit, sites the caller may see or None) → hits {kind, id, title, subtitle, match}."""
Scanner = Callable[[AsyncConnection, str], Awaitable[dict[str, Any] | None]]
"""(conn, code) → {kind, id, …} or None. A hit may carry `site_id`: callers who may not see that site get none."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One variant found. `match` is barcode, sku, words or fuzzy."""

    id: UUID
    product_id: UUID
    sku: str
    name: str
    match: str


_finders: dict[str, tuple[str, Finder]] = {}
_scanners: list[tuple[str, Scanner]] = []


def add_finder(kind: str, permission: str, finder: Finder) -> None:
    """Registers what else the search box finds (places, parties, sales), and the permission it needs."""
    _finders[kind] = (permission, finder)


def finders() -> dict[str, tuple[str, Finder]]:
    """The registered finders by kind: (permission, finder)."""
    return dict(_finders)


def add_scanner(permission: str, scanner: Scanner) -> None:
    """Registers what else a scan may mean, tried in order after barcodes and SKUs, and the permission it needs."""
    if (permission, scanner) not in _scanners:
        _scanners.append((permission, scanner))


def scanners() -> Sequence[tuple[str, Scanner]]:
    """The registered scanners: (permission, scanner)."""
    return tuple(_scanners)


_MATCH = sa.text(
    "SELECT id, product_id, sku, name FROM ("
    " SELECT id, product_id, sku, name, words FROM variant"
    " WHERE words @@ CAST(:wide AS tsquery) AND archived_at IS NULL LIMIT :considered) AS found"
    " ORDER BY (words @@ CAST(:whole AS tsquery)) DESC, length(name), sku LIMIT :limit"
)
_SKU = sa.text(
    'SELECT id, product_id, sku, name FROM variant WHERE lower(sku) COLLATE "C" = :sku AND archived_at IS NULL'
    " ORDER BY sku LIMIT :limit"
)
_NEAR = sa.text("SELECT DISTINCT word FROM search_cut WHERE cut = ANY(CAST(:cuts AS text[]))")


def whole_query(words: Sequence[str]) -> str:
    """A tsquery of whole words, all of which must be there."""
    return " & ".join(f"'{word}'" for word in words)


def prefix_query(words: Sequence[str]) -> str:
    """A tsquery of beginnings of words, all of which must be there. Words hold letters and digits only: nothing to escape."""
    return " & ".join(f"'{word}':*" for word in words)


async def _exact(conn: AsyncConnection, text: str, limit: int) -> list[Hit]:
    try:
        codes = read_scan(text).lookup
    except BadValue:
        return []
    barcodes = await resolve(conn, codes, by=Lookup.BARCODE)
    hits = [
        Hit(hit.variant_id, hit.product_id, hit.sku, hit.name, "barcode")
        for code in codes
        if (hit := barcodes.get(code)) is not None
    ]
    for row in await conn.execute(_SKU, {"sku": text.lower(), "limit": limit}):
        hits.append(Hit(row.id, row.product_id, row.sku, row.name, "sku"))
    return hits


async def _match(conn: AsyncConnection, wide: str, whole: str, limit: int, kind: str) -> list[Hit]:
    rows = await conn.execute(
        _MATCH, {"wide": wide, "whole": whole, "limit": limit, "considered": CONSIDERED}
    )
    return [Hit(row.id, row.product_id, row.sku, row.name, kind) for row in rows]


async def fuzzy_query(conn: AsyncConnection, words: Sequence[str]) -> str | None:
    """A tsquery that takes each word as it is or as a known word one typo away; None when there is no such word."""
    asked = [word for word in words if can_be_misspelt(word)]
    if not asked:
        return None
    cuts = {cut for word in asked for cut in cuts_of(word)}
    known = (await conn.execute(_NEAR, {"cuts": sorted(cuts)})).scalars().all()
    other = {word: [w for w in near(word, known) if w != word][:MAX_ALTERNATIVES] for word in asked}
    if not any(other.values()):
        return None
    parts = [
        "(" + " | ".join([f"'{word}':*", *(f"'{w}'" for w in other.get(word, []))]) + ")" for word in words
    ]
    return " & ".join(parts)


async def search_variants(conn: AsyncConnection, q: str, *, limit: int) -> list[Hit]:
    """Variants for the search box, best first; each once. At most five queries."""
    text = q.strip()
    found: dict[UUID, Hit] = {}
    for hit in await _exact(conn, text, limit):
        found.setdefault(hit.id, hit)
    words = words_of(text)[:MAX_QUERY_WORDS]
    if words and len(found) < limit and not any(hit.match == "barcode" for hit in found.values()):
        whole = whole_query(words)
        for hit in await _match(conn, prefix_query(words), whole, limit, "words"):
            found.setdefault(hit.id, hit)
        if len(found) < limit and (wide := await fuzzy_query(conn, words)) is not None:
            for hit in await _match(conn, wide, whole, limit, "fuzzy"):
                found.setdefault(hit.id, hit)
    return list(found.values())[:limit]


_PRODUCTS = sa.text(
    "SELECT p.id, p.name, count(*) AS n FROM product p JOIN variant v ON v.product_id = p.id AND v.merged_into IS NULL"
    " WHERE p.id = ANY(CAST(:ids AS uuid[])) GROUP BY p.id, p.name HAVING count(*) > 1 ORDER BY p.name LIMIT :limit"
)


async def products_of_hits(conn: AsyncConnection, hits: Sequence[Hit], *, limit: int) -> list[dict[str, Any]]:
    """The products with several variants among some hits, as search results. One query."""
    rows = await conn.execute(_PRODUCTS, {"ids": list({hit.product_id for hit in hits}), "limit": limit})
    return [
        {
            "kind": "product",
            "id": row.id,
            "title": row.name,
            "subtitle": f"{row.n} variants",
            "match": "words",
        }
        for row in rows
    ]
