"""The ledger's reads over HTTP: parse, permit, read, shape."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime

from onhand.access import CallerDep, needs
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import InvalidBody, NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, Limit, Page, Reads
from onhand.ledger import reads
from onhand.ledger.api import shapes
from onhand.ledger.model import Condition, Kind

router = APIRouter()
Instant = Annotated[AwareDatetime | None, Query(description="RFC 3339, with an offset.")]


def _numbers(*names: str) -> list[Column | str]:
    return [Column(name, number=True) for name in names]


LEVELS: list[Column | str] = ["sku", "location_path", "condition", "lot_code", *_numbers("on_hand", "allocated", "overdrawn"), "unit", "variant_id"]  # fmt: skip
SITE_LEVELS: list[Column | str] = [
    "sku", "name", "site_code", *_numbers("on_hand", "sellable", "reserved", "available", "on_order", "in_transit", "overdrawn", "minimum"),
    "unit", Column("list_price.amount", title="list_price", number=True), Column("cost.amount", title="cost", number=True), "variant_id", "site_id",
]  # fmt: skip
MATRIX: list[Column | str] = ["sku", "name", "category_name", *[Column(f"totals.{n}", title=n, number=True) for n in ("on_hand", "available", "reserved", "on_order", "in_transit")], "unit", "variant_id"]  # fmt: skip
POSTINGS: list[Column | str] = ["seq", "id", "kind", "source.type", "source.id", "actor.name", "happened_at", "recorded_at", "reason", "reverses", "reversed_by"]  # fmt: skip
HISTORY: list[Column | str] = ["happened_at", "recorded_at", "seq", "kind", *_numbers("quantity", "balance"), "location_code", "other_code", "condition", "lot_code", "reason", "actor.name", "source.type", "source.id", "posting_id"]  # fmt: skip
EXCEPTIONS: list[Column | str] = ["opened_at", "kind", "site_code", "sku", *_numbers("quantity"), "unit", "state", "source.type", "source.id", "resolved_at", "resolution", "id"]  # fmt: skip
APPROVALS: list[Column | str] = ["asked_at", "verb", "site_code", "asked_by.name", "why", "state", "decided_by.name", "decided_at", "decision_note", "id"]  # fmt: skip


@router.get("/v1/levels", response_model=Page[shapes.LevelOut], dependencies=[needs("stock:read")])
async def list_levels(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    sku: str | None = None, location_id: UUID | None = None, site_id: UUID | None = None,
    condition: str | None = None,
    rollup: Annotated[reads.Rollup | None, Query(description="Add up: per site, per place of the tree, or for one place.")] = None,
    as_of: Instant = None, as_known_at: Instant = None, format: Format = None,
) -> Any:  # fmt: skip
    """What lies where: by variant over places, by place over variants, or rolled up; now or at another instant."""
    wanted = reads.LevelFilter(
        variant_id=variant_id, sku=sku, location_id=location_id, site_id=site_id, condition=_condition(condition),
        rollup=rollup, as_of=as_of, as_known_at=as_known_at, scope=caller.sites("stock:read"),
    )  # fmt: skip

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.list_levels(conn, wanted, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="levels", columns=LEVELS)


def _condition(word: str | None) -> int | None:
    if word is None:
        return None
    if word not in Condition.__members__:
        raise InvalidBody(f"A condition is one of: {', '.join(Condition.__members__)}.", param="condition")
    return int(Condition[word])


@router.get("/v1/site-levels", response_model=Page[shapes.SiteLevelOut], dependencies=[needs("stock:read")])
async def list_site_levels(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    sku: str | None = None, site_id: UUID | None = None, q: str | None = None, category_id: UUID | None = None,
    below: reads.Below | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """The quantities of variants at sites. `below=minimum` and `below=zero` are the lists to act on."""
    wanted = reads.StockFilter(
        variant_id=variant_id, sku=sku, site_id=site_id, q=q, category_id=category_id, below=below,
        scope=caller.sites("stock:read"),
    )  # fmt: skip
    costs = caller.may("costs:read")

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.list_site_levels(conn, wanted, limit=limit, cursor=cursor, costs=costs)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="stock", columns=SITE_LEVELS)


@router.get("/v1/stock-matrix", response_model=Page[shapes.MatrixOut], dependencies=[needs("stock:read")])
async def stock_matrix(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    sku: str | None = None, site_id: UUID | None = None, q: str | None = None, category_id: UUID | None = None,
    below: reads.Below | None = None, unstocked: bool = False, format: Format = None,
) -> Any:  # fmt: skip
    """Variants by sites: totals, and a cell for each site you may see. Without a filter, `unstocked` adds those that never
    were in stock."""
    wanted = reads.StockFilter(
        variant_id=variant_id, sku=sku, site_id=site_id, q=q, category_id=category_id, below=below,
        scope=caller.sites("stock:read"), unstocked=unstocked,
    )  # fmt: skip

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.stock_matrix(conn, wanted, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="stock", columns=MATRIX)


@router.get("/v1/postings", response_model=Page[shapes.PostingOut], dependencies=[needs("stock:read")])
async def list_postings(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    location_id: UUID | None = None, kind: Kind | None = None, source_type: str | None = None,
    source_id: UUID | None = None, actor: UUID | None = None, happened_after: Instant = None,
    happened_before: Instant = None, recorded_after: Instant = None, format: Format = None,
) -> Any:  # fmt: skip
    """The ledger, the newest record first."""
    wanted = reads.PostingFilter(
        variant_id=variant_id, location_id=location_id, kind=kind.value if kind else None, source_type=source_type,
        source_id=source_id, actor=actor, happened_after=happened_after, happened_before=happened_before,
        recorded_after=recorded_after, scope=caller.sites("stock:read"),
    )  # fmt: skip
    costs = caller.may("costs:read")

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.list_postings(conn, wanted, limit=limit, cursor=cursor, costs=costs)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="postings", columns=POSTINGS)


@router.get("/v1/postings/{posting_id}", response_model=shapes.PostingOut, dependencies=[needs("stock:read")])
async def get_posting(conn: Reads, caller: CallerDep, posting_id: UUID) -> Any:
    """One posting with its lines."""
    found = await reads.get_posting(
        conn, posting_id, scope=caller.sites("stock:read"), costs=caller.may("costs:read")
    )
    if found is None:
        raise NotFound(
            "There is no posting with this id, or it moved nothing at places you may see.", param="posting_id"
        )
    return found


@router.get(
    "/v1/variants/{variant_id}/history",
    response_model=Page[shapes.HistoryOut],
    dependencies=[needs("stock:read")],
)
async def history(
    conn: Reads, caller: CallerDep, variant_id: UUID, limit: Limit = LIMIT, cursor: Cursor = None,
    site_id: UUID | None = None, location_id: UUID | None = None, quantity: reads.Measure = "on_hand",
    format: Format = None,
) -> Any:  # fmt: skip
    """What happened to a variant at a place, newest first, with the balance after each entry."""
    wanted = reads.HistoryFilter(
        variant_id=variant_id, site_id=site_id, location_id=location_id, measure=quantity,
        scope=caller.sites("stock:read"),
    )  # fmt: skip

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.history(conn, wanted, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="history", columns=HISTORY)


@router.get(
    "/v1/variants/{variant_id}/chart",
    response_model=list[shapes.ChartOut],
    dependencies=[needs("stock:read")],
)
async def chart(
    conn: Reads, caller: CallerDep, variant_id: UUID, site_id: UUID | None = None, location_id: UUID | None = None,
    first: Annotated[date | None, Query(alias="from")] = None, last: Annotated[date | None, Query(alias="to")] = None,
    step: Literal["day"] = "day",
) -> Any:  # fmt: skip
    """On hand at the end of each business day."""
    wanted = reads.HistoryFilter(
        variant_id=variant_id, site_id=site_id, location_id=location_id, scope=caller.sites("stock:read")
    )
    return await reads.chart(conn, wanted, first=first, last=last, now=now())


@router.get("/v1/explain", response_model=shapes.ExplainOut, dependencies=[needs("stock:read")])
async def explain(
    conn: Reads, caller: CallerDep, variant_id: UUID, site_id: UUID | None = None, quantity: reads.Measure = "on_hand",
    limit: Limit = LIMIT,
) -> Any:  # fmt: skip
    """Why is this number what it is? Its value, what each kind of posting adds, and the newest rows."""
    wanted = reads.HistoryFilter(
        variant_id=variant_id, site_id=site_id, measure=quantity, scope=caller.sites("stock:read")
    )
    return await reads.explain(conn, wanted, limit=limit)


@router.get(
    "/v1/exceptions", response_model=Page[shapes.ExceptionOut], dependencies=[needs("exceptions:read")]
)
async def list_exceptions(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None,
    state: Literal["open", "resolved"] | None = None, kind: str | None = None, site_id: UUID | None = None,
    variant_id: UUID | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """What a person should settle, the newest first."""
    wanted = reads.ExceptionFilter(
        state=state, kind=kind, site_id=site_id, variant_id=variant_id, scope=caller.sites("exceptions:read")
    )

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.list_exceptions(conn, wanted, limit=limit, cursor=cursor)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="exceptions", columns=EXCEPTIONS
    )


@router.get("/v1/approvals", response_model=Page[shapes.ApprovalOut], dependencies=[needs("stock:read")])
async def list_approvals(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None,
    state: Literal["waiting", "approved", "rejected"] | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """What waits, or waited, for a second person."""

    async def fetch(limit: int, cursor: str | None) -> Any:
        return await reads.list_approvals(
            conn, state=state, scope=caller.sites("stock:read"), caller=caller.id, limit=limit, cursor=cursor
        )

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="approvals", columns=APPROVALS
    )


@router.get("/v1/integrity", response_model=shapes.IntegrityOut, dependencies=[needs("stock:read")])
async def integrity(conn: Reads) -> Any:
    """Whether the books hold together: the stream head, the last verification, the self checks of the last week."""
    return await reads.integrity(conn)
