"""The stock verbs over HTTP. Each is a resource one creates; its `id` makes every retry safe."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field

from onhand.access import CallerDep, needs
from onhand.kit.problem import NotFound
from onhand.kit.web import APIRouter, Body, Id, Instant, Text, Writes
from onhand.ledger import actions, reads
from onhand.ledger.actions import Done, Goods, Spot
from onhand.ledger.api import shapes
from onhand.ledger.model import Condition, Reason
from onhand.values import check_currency, format_units, parse_cost

router = APIRouter()

PLACE = ("location_id", "location_code")
Conditions = Annotated[str, Field(pattern=f"^({'|'.join(Condition.__members__)})$", examples=["available"])]
Reasons = Annotated[str, Field(pattern=f"^({'|'.join(r.value for r in Reason)})$", examples=["damaged"])]
Amount = Annotated[
    str, Field(max_length=40, examples=["-3"], description="Decimal text, in `unit` or the item's own.")
]
Code = Annotated[Text, Field(min_length=1, max_length=200)]


class MoneyIn(Body):
    """An amount in a currency."""

    amount: str = Field(max_length=40, examples=["1.99"])
    currency: str = Field(max_length=3, examples=["EUR"])


class ItemBody(Body):
    """Goods: the item by `variant_id`, `sku` or `barcode`, and how much. A barcode's quantity counts what it stands for."""

    variant_id: Id | None = None
    sku: Code | None = None
    barcode: Code | None = None
    quantity: Amount
    unit: Annotated[Text, Field(max_length=40)] | None = None
    lot_code: Annotated[Text, Field(max_length=64)] | None = None
    serial_number: Annotated[Text, Field(max_length=64)] | None = None

    def goods(self) -> Goods:
        """As the verbs take it."""
        return Goods(
            variant_id=self.variant_id, sku=self.sku, barcode=self.barcode, quantity=self.quantity, unit=self.unit,
            lot_code=self.lot_code, serial_number=self.serial_number,
        )  # fmt: skip


class PlacedBody(ItemBody):
    """Goods in one place, by `location_id` or `location_code` (the full path, or a code only one place has)."""

    id: Id | None = None
    location_id: Id | None = None
    location_code: Code | None = None
    condition: Conditions = "available"
    note: Annotated[Text, Field(max_length=500)] | None = None

    def spot(self) -> Spot:
        """As the verbs take it."""
        return Spot(id=self.location_id, code=self.location_code)


class AdjustmentBody(PlacedBody):
    """By how much the stock was wrong, signed, and why. `unit_cost` for goods found (default: what the item costs)."""

    reason: Reasons
    unit_cost: MoneyIn | None = None
    happened_at: Instant | None = None


class StockSetBody(PlacedBody):
    """What lies there. `expected_quantity`: what you saw before; null: set it whatever it is by now."""

    expected_quantity: Amount | None
    reason: Reasons


class CountBody(PlacedBody):
    """What was counted, and when the shelf was looked at (default: now)."""

    happened_at: Instant | None = None


class MoveBody(ItemBody):
    """From a place to a place. A change of condition in one place is a hold or its release."""

    id: Id | None = None
    from_location_id: Id | None = None
    from_location_code: Code | None = None
    to_location_id: Id | None = None
    to_location_code: Code | None = None
    from_condition: Conditions = "available"
    to_condition: Conditions | None = None
    reason: Annotated[Text, Field(max_length=500)] | None = None
    happened_at: Instant | None = None


class ReversalBody(Body):
    """Which posting to undo, and why. `preview`: only show what it would write."""

    id: Id | None = None
    posting_id: Id
    reason: Annotated[Text, Field(min_length=1, max_length=500)]
    preview: bool = False


class DecisionBody(Body):
    """A decision, and why."""

    reason: Annotated[Text, Field(max_length=500)] | None = None


class ResolutionBody(Body):
    """How it was settled."""

    reason: Annotated[Text, Field(min_length=1, max_length=500)]


def done(what: Done) -> dict[str, Any]:
    """What a verb answers."""
    item = what.item
    return {
        "id": what.id, "seq": str(what.seq) if what.seq is not None else None, "state": what.state, "kind": what.kind,
        "quantity": format_units(what.quantity, item.decimals) if item and what.quantity is not None else None,
        "unit": item.unit if item else None, "level": what.level, "why": what.why,
    }  # fmt: skip


@router.post(
    "/v1/adjustments",
    status_code=201,
    response_model=shapes.DoneOut,
    dependencies=[needs("stock:adjust", at=PLACE)],
)
async def create_adjustment(tx: Writes, caller: CallerDep, body: AdjustmentBody) -> Any:
    """Correct stock by a signed quantity. Beyond your limits it waits for a second person (`waiting_approval`)."""
    cost = body.unit_cost
    return done(
        await actions.adjust(
            tx, caller, id=body.id, spot=body.spot(), goods=body.goods(), reason=Reason(body.reason), note=body.note,
            condition=Condition[body.condition],
            unit_cost=parse_cost(cost.amount) if cost is not None else None,
            currency=check_currency(cost.currency) if cost is not None else None, happened_at=body.happened_at,
        )
    )  # fmt: skip


@router.post(
    "/v1/stock-sets",
    status_code=201,
    response_model=shapes.DoneOut,
    dependencies=[needs("stock:set", at=PLACE)],
)
async def create_stock_set(tx: Writes, caller: CallerDep, body: StockSetBody) -> Any:
    """Set stock to an absolute quantity, if it is still `expected_quantity`; else `quantity_stale` names the present one."""
    return done(
        await actions.set_quantity(
            tx, caller, id=body.id, spot=body.spot(), goods=body.goods(), expected=body.expected_quantity,
            reason=Reason(body.reason), note=body.note, condition=Condition[body.condition],
        )
    )  # fmt: skip


@router.post(
    "/v1/counts",
    status_code=201,
    response_model=shapes.DoneOut,
    dependencies=[needs("stock:count", at=PLACE)],
)
async def create_count(tx: Writes, caller: CallerDep, body: CountBody) -> Any:
    """Report a counted quantity. `quantity` of the answer is the variance against the book at `happened_at`.

    Who may count but not see stock counts blind: they learn neither `quantity` nor `level`, nor whether anything differed.
    """
    what = await actions.count(
        tx, caller, id=body.id, spot=body.spot(), goods=body.goods(), happened_at=body.happened_at, note=body.note,
        condition=Condition[body.condition],
    )  # fmt: skip
    if caller.may("stock:read", what.site):
        return done(what)
    return done(replace(what, quantity=None, level=None, seq=None, state="posted"))


@router.post(
    "/v1/moves", status_code=201, response_model=shapes.DoneOut,
    dependencies=[needs("stock:move", at=("from_location_id", "to_location_id", "from_location_code", "to_location_code"))],
)  # fmt: skip
async def create_move(tx: Writes, caller: CallerDep, body: MoveBody) -> Any:
    """Move stock between places or conditions. `level` of the answer is where it arrived."""
    return done(
        await actions.move(
            tx, caller, id=body.id, goods=body.goods(), reason=body.reason, happened_at=body.happened_at,
            source=Spot(id=body.from_location_id, code=body.from_location_code, param="from_location_id"),
            target=Spot(id=body.to_location_id, code=body.to_location_code, param="to_location_id"),
            from_condition=Condition[body.from_condition],
            to_condition=Condition[body.to_condition] if body.to_condition is not None else None,
        )
    )  # fmt: skip


@router.post(
    "/v1/reversals", status_code=201, response_model=shapes.ReversalOut, dependencies=[needs("stock:reverse")]
)
async def create_reversal(tx: Writes, caller: CallerDep, body: ReversalBody) -> Any:
    """Undo a posting by its exact opposite, once, at the instant it happened."""
    verb = actions.preview_reversal if body.preview else actions.reverse
    if body.preview:
        await tx.conn.rollback()  # a preview uses up no id: the reversal itself may come with the same one
    found = await verb(tx, caller, id=body.id, posting_id=body.posting_id, reason=body.reason)
    return {
        "id": found.posting.id, "seq": str(found.seq) if found.seq is not None else None,
        "state": "preview" if body.preview else "posted", "posting_id": body.posting_id,
        "happened_at": found.posting.happened_at, "lines": actions.shown_lines(found),
    }  # fmt: skip


ApprovalId = Annotated[UUID, Path(description="Its id: the id of what was asked for.")]


@router.post(
    "/v1/approvals/{approval_id}/approve",
    response_model=shapes.DoneOut,
    dependencies=[needs("stock:approve")],
)
async def approve(tx: Writes, caller: CallerDep, approval_id: ApprovalId, body: DecisionBody) -> Any:
    """Approve what somebody else asked for; it is posted now, and judged by the stock as it is now."""
    return done(await actions.approve(tx, caller, approval_id, note=body.reason))


@router.post(
    "/v1/approvals/{approval_id}/reject",
    response_model=shapes.ApprovalOut,
    dependencies=[needs("stock:approve")],
)
async def reject(tx: Writes, caller: CallerDep, approval_id: ApprovalId, body: DecisionBody) -> Any:
    """Reject what somebody else asked for; nothing is posted."""
    await actions.reject(tx, caller, approval_id, note=body.reason)
    rows, _ = await reads.list_approvals(
        tx.conn, state=None, approval_id=approval_id, scope=None, caller=caller.id, limit=1, cursor=None
    )
    return rows[0]


@router.post(
    "/v1/exceptions/{exception_id}/resolve",
    response_model=shapes.ExceptionOut,
    dependencies=[needs("exceptions:resolve")],
)
async def resolve_exception(tx: Writes, caller: CallerDep, exception_id: UUID, body: ResolutionBody) -> Any:
    """Settle an exception, saying why. It changes no stock."""
    await actions.resolve_exception(tx, caller, exception_id, reason=body.reason)
    found = await reads.get_exception(tx.conn, exception_id, scope=None)
    if found is None:
        raise NotFound("There is no exception with this id.", param="id")
    return found
