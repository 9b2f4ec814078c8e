"""The search box and the scanner over HTTP."""

from typing import Annotated, Any

from fastapi import Query

from onhand.access import CallerDep, needs
from onhand.catalog import reads
from onhand.catalog.api.shapes import HitsOut, ScanOut
from onhand.kit.problem import InvalidBody, NotFound
from onhand.kit.web import APIRouter, Reads, Text
from onhand.values import format_units

router = APIRouter(tags=["search"])
KINDS = ("variant", "product", "location", "supplier", "customer", "sale", "lot", "transfer")


def _kinds(text: str | None) -> list[str]:
    wanted = [kind.strip() for kind in text.split(",") if kind.strip()] if text else list(KINDS)
    if unknown := set(wanted) - set(KINDS):
        raise InvalidBody(f"{min(unknown)[:40]} is nothing we search. Use {', '.join(KINDS)}.", param="kinds")
    return wanted


@router.get("/v1/search", response_model=HitsOut, dependencies=[needs("catalog:read")])
async def search(
    conn: Reads, caller: CallerDep, q: Annotated[Text, Query(max_length=200)],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    kinds: Annotated[Text | None, Query(max_length=200, description="Joined by commas; all without it.")] = None,
) -> Any:  # fmt: skip
    """Anything by what people type: an exact barcode or SKU first, then words in any order, then one typo forgiven."""
    wanted = _kinds(kinds)
    hits = await reads.search_variants(conn, q, limit=limit) if {"variant", "product"} & set(wanted) else []
    variants = [
        {"kind": "variant", "id": hit.id, "title": hit.name, "subtitle": hit.sku, "match": hit.match}
        for hit in hits
    ]
    found = variants if "variant" in wanted else []
    if "product" in wanted and hits:
        found = found[: limit - 2] + await reads.products_of_hits(conn, hits, limit=3)
    others: list[dict[str, Any]] = []
    for kind, (permission, finder) in reads.finders().items():
        if kind in wanted and caller.may(permission):
            others += await finder(conn, q, min(limit, 5), caller.sites(permission))
    exact = [hit for hit in found if hit["match"] in ("barcode", "sku")]
    rest = [hit for hit in found if hit["match"] not in ("barcode", "sku")]
    room = max(limit - len(exact) - len(others), 0)
    return {"data": (exact + rest[:room] + others + rest[room:])[:limit]}


@router.get("/v1/scan", response_model=ScanOut, dependencies=[needs("catalog:read")])
async def scan(
    conn: Reads, caller: CallerDep, code: Annotated[Text, Query(min_length=1, max_length=512)]
) -> Any:
    """What a scanned code is: a variant with the quantity it stands for, a place, or a document."""
    hit = await reads.scan_variant(conn, code)
    if hit is not None:
        found, units = hit
        known = found.resolved
        return {
            "kind": "variant", "id": known.variant_id, "title": known.name, "code": found.code, "sku": known.sku,
            "quantity": format_units(units, known.decimals), "unit": known.unit, "tracking": known.tracking,
            "archived": known.archived, "lot_code": found.lot_code, "serial_number": found.serial_number,
            "expiry": found.expiry,
        }  # fmt: skip
    for permission, scanner in reads.scanners():
        if not caller.may(permission):
            continue
        other = await scanner(conn, code.strip())
        if other is not None and caller.may(permission, other.get("site_id")):
            names = ScanOut.model_fields
            title = str(other.get("title") or other.get("name") or code)
            return {"code": code, **{k: v for k, v in other.items() if k in names}, "title": title}
    raise NotFound("Nobody knows this code. Add it as a barcode to an item, or scan again.", param="code")
