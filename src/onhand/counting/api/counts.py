"""Counting and approving over HTTP. What who counts gets to see is blind: no answer here tells them what the book says."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field

from onhand import ledger
from onhand.access import CallerDep, needs
from onhand.counting import actions, reads
from onhand.counting.api import shapes
from onhand.counting.reads import BinFilter, ReviewFilter
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import (
    LIMIT,
    APIRouter,
    Body,
    Cursor,
    Id,
    IfMatch,
    Instant,
    Limit,
    Page,
    Reads,
    Text,
    Writes,
)

router = APIRouter()

BinCountId = Annotated[UUID, Path(description="The count of one bin of a sheet.")]
State = Literal["open", "claimed", "recount", "waiting", "posted", "cancelled"]
Code = Annotated[Text, Field(min_length=1, max_length=200)]


class CountLineBody(Body):
    """What lies there, by `variant_id`, `sku` or `barcode`; lot and condition where you know them."""

    variant_id: Id | None = None
    sku: Code | None = None
    barcode: Code | None = None
    quantity: Annotated[str, Field(max_length=40, examples=["12"])]
    unit: Annotated[Text, Field(max_length=40)] | None = None
    lot_code: Annotated[Text, Field(max_length=64)] | None = None
    condition: Annotated[str, Field(pattern=f"^({'|'.join(ledger.Condition.__members__)})$")] | None = None

    def told(self) -> actions.Told:
        """As the verb takes it."""
        goods = ledger.Goods(
            variant_id=self.variant_id, sku=self.sku, barcode=self.barcode, quantity=self.quantity, unit=self.unit,
            lot_code=self.lot_code,
        )  # fmt: skip
        return actions.Told(goods, None if self.condition is None else ledger.Condition[self.condition])


class CountEntryBody(Body):
    """What lay in a bin at an instant. `complete`: the whole bin was counted, so what no line names was not there. `empty`: it
    held nothing at all."""

    id: Id | None = None
    bin_count_id: Id
    happened_at: Instant | None = None
    lines: list[CountLineBody] = Field(default_factory=list, max_length=2000)
    complete: bool = True
    empty: bool = False


class ClaimBody(Body):
    """`user_id`: whom to give it to (default: yourself)."""

    user_id: Id | None = None


class DecideBody(Body):
    """Why."""

    note: Annotated[Text, Field(max_length=500)] | None = None


async def _shown(conn: Any, caller: Any, bin_count_id: UUID) -> Any:
    found = await reads.get_bin_count(conn, caller, bin_count_id)
    if found is None:
        raise NotFound("There is no count of a bin with this id.", param="id")
    return found


@router.get("/v1/bin-counts", response_model=Page[shapes.BinCountOut], dependencies=[needs("stock:count")])
async def list_bin_counts(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    sheet_id: UUID | None = None, location_id: UUID | None = None, state: State | None = None, todo: bool = False,
    mine: bool = False, format: Format = None,
) -> Any:  # fmt: skip
    """Counts of bins, sheet by sheet in the order of walking. `todo`: what can be counted now; `mine`: what you claimed."""
    wanted = BinFilter(
        site_id=site_id, sheet_id=sheet_id, location_id=location_id, state=state, todo=todo,
        mine=caller.id if mine else None, scope=caller.sites("stock:count"),
    )  # fmt: skip

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_bin_counts(conn, caller, wanted, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="bin-counts",
        columns=("id", "sheet_name", "site_code", "location_path", "due_on", "state", Column("round", number=True)),
    )  # fmt: skip


@router.get(
    "/v1/bin-counts/{bin_count_id}", response_model=shapes.BinCountOut, dependencies=[needs("stock:count")]
)
async def get_bin_count(conn: Reads, caller: CallerDep, bin_count_id: BinCountId) -> Any:
    """The count of one bin."""
    return await _shown(conn, caller, bin_count_id)


@router.post(
    "/v1/bin-counts/{bin_count_id}/claim",
    response_model=shapes.BinCountOut,
    dependencies=[needs("stock:count")],
)
async def claim_bin_count(
    tx: Writes, caller: CallerDep, bin_count_id: BinCountId, body: ClaimBody, version: IfMatch
) -> Any:
    """Take the count of a bin, or give it to somebody."""
    await actions.claim(tx, caller, bin_count_id, version=version, user_id=body.user_id)
    return await _shown(tx.conn, caller, bin_count_id)


@router.post(
    "/v1/bin-counts/{bin_count_id}/release",
    response_model=shapes.BinCountOut,
    dependencies=[needs("stock:count")],
)
async def release_bin_count(tx: Writes, caller: CallerDep, bin_count_id: BinCountId, version: IfMatch) -> Any:
    """Give the count of a bin back."""
    await actions.release(tx, caller, bin_count_id, version=version)
    return await _shown(tx.conn, caller, bin_count_id)


@router.post(
    "/v1/bin-counts/{bin_count_id}/cancel",
    response_model=shapes.BinCountOut,
    dependencies=[needs("counting:write")],
)
async def cancel_bin_count(
    tx: Writes, caller: CallerDep, bin_count_id: BinCountId, body: DecideBody, version: IfMatch
) -> Any:
    """Take the count of a bin off its sheet."""
    await actions.cancel(tx, caller, bin_count_id, version=version, note=body.note)
    return await _shown(tx.conn, caller, bin_count_id)


@router.post(
    "/v1/count-entries",
    status_code=201,
    response_model=shapes.CountEntryOut,
    dependencies=[needs("stock:count")],
)
async def create_count_entry(tx: Writes, caller: CallerDep, body: CountEntryBody) -> Any:
    """Say what lay in a bin. Sent twice with one `id` it counts once; a phone without a network may send it later."""
    entry_id = tx.new_id(body.id)
    state = await actions.submit(
        tx, caller, id=entry_id, bin_count_id=body.bin_count_id, happened_at=body.happened_at,
        lines=[line.told() for line in body.lines], complete=body.complete, empty=body.empty,
    )  # fmt: skip
    shown = await _shown(tx.conn, caller, body.bin_count_id)
    return {"id": entry_id, "bin_count_id": body.bin_count_id, "state": state, "round": shown["round"]}


@router.get("/v1/count-reviews", response_model=Page[shapes.ReviewOut], dependencies=[needs("stock:approve")])
async def list_count_reviews(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    state: State | None = None, over: bool = False, format: Format = None,
) -> Any:  # fmt: skip
    """Counts of bins with every variance, the latest first. `over`: only those beyond tolerance."""
    wanted = ReviewFilter(site_id=site_id, state=state, over_only=over, scope=caller.sites("stock:approve"))

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_reviews(conn, caller, wanted, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="count-reviews",
        columns=("id", "site_code", "location_path", "happened_at", "counted_by.name", "state", Column("round", number=True),
                 Column("variances", number=True), Column("value", number=True), "over", "decided_by.name", "decided_at"),
    )  # fmt: skip


@router.get(
    "/v1/count-reviews/{bin_count_id}", response_model=shapes.ReviewOut, dependencies=[needs("stock:approve")]
)
async def get_count_review(conn: Reads, caller: CallerDep, bin_count_id: BinCountId) -> Any:
    """One count of a bin with every variance."""
    wanted = ReviewFilter(bin_count_id=bin_count_id, scope=caller.sites("stock:approve"))
    rows, _ = await reads.list_reviews(conn, caller, wanted, limit=1, cursor=None)
    if not rows:
        raise NotFound("There is no count of a bin with this id that was submitted.", param="id")
    return rows[0]


@router.post(
    "/v1/bin-counts/{bin_count_id}/approve",
    response_model=shapes.ReviewOut,
    dependencies=[needs("stock:approve")],
)
async def approve_bin_count(
    tx: Writes, caller: CallerDep, bin_count_id: BinCountId, body: DecideBody, version: IfMatch
) -> Any:
    """Approve: the variance is posted at the instant the bin was counted, against the book as known now."""
    await actions.approve(tx, caller, bin_count_id, version=version, note=body.note)
    return await get_count_review(tx.conn, caller, bin_count_id)


@router.post(
    "/v1/bin-counts/{bin_count_id}/recount",
    response_model=shapes.ReviewOut,
    dependencies=[needs("stock:approve")],
)
async def recount_bin_count(
    tx: Writes, caller: CallerDep, bin_count_id: BinCountId, body: DecideBody, version: IfMatch
) -> Any:
    """Have it counted again; nothing is posted."""
    await actions.recount(tx, caller, bin_count_id, version=version, note=body.note)
    return await get_count_review(tx.conn, caller, bin_count_id)
