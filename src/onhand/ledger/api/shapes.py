"""What the ledger's endpoints answer with. Quantities are decimal texts in the variant's unit, sequence numbers texts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from onhand.kit.web import Out


class MoneyOut(Out):
    """An amount in a currency."""

    amount: str
    currency: str


class SourceOut(Out):
    """The document a fact came from."""

    type: str
    id: UUID


class ActorOut(Out):
    """Who acted."""

    id: UUID
    kind: str
    name: str


class LevelOut(Out):
    """What lies in one place (or, rolled up, in several)."""

    variant_id: UUID
    sku: str
    unit: str
    location_id: UUID
    location_code: str
    location_path: str
    site_id: UUID | None
    lot_id: UUID | None
    lot_code: str | None
    condition: str | None
    on_hand: str
    allocated: str | None
    overdrawn: str


class SiteLevelOut(Out):
    """The quantities of a variant at a site."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str
    on_hand: str
    sellable: str
    reserved: str
    available: str
    on_order: str
    in_transit: str
    overdrawn: str
    minimum: str | None
    list_price: MoneyOut | None
    cost: MoneyOut | None


class CellOut(Out):
    """One site's quantities in the matrix."""

    on_hand: str
    available: str
    reserved: str


class TotalsOut(CellOut):
    """A variant's quantities over the sites the caller sees."""

    on_order: str
    in_transit: str


class MatrixOut(Out):
    """A variant with its totals and a cell per site."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    category_name: str | None
    totals: TotalsOut
    sites: dict[str, CellOut]


class PlaceOut(Out):
    """One end of a move."""

    location_id: UUID
    code: str
    condition: str


class LineOut(Out):
    """A move: a quantity from a place to a place."""

    variant_id: UUID
    sku: str
    lot_code: str | None
    from_: PlaceOut = Field(alias="from")
    to: PlaceOut
    quantity: str
    unit: str
    unit_cost: MoneyOut | None


class ClaimOut(Out):
    """A claim of a reservation on a site."""

    reservation_id: UUID
    variant_id: UUID
    sku: str
    site_id: UUID
    site_code: str
    quantity: str
    unit: str


class PostingOut(Out):
    """One atomic fact as it was recorded."""

    id: UUID
    seq: str
    kind: str
    source: SourceOut
    actor: ActorOut
    device: UUID | None
    happened_at: datetime
    recorded_at: datetime
    reason: str | None
    reverses: UUID | None
    reversed_by: UUID | None
    lines: list[LineOut]
    claims: list[ClaimOut]
    can: list[str]


class HistoryOut(Out):
    """One entry of a variant's history, with the balance after it."""

    seq: str
    posting_id: UUID
    kind: str
    happened_at: datetime
    recorded_at: datetime
    quantity: str
    balance: str
    source: SourceOut
    reason: str | None
    actor: ActorOut
    lot_code: str | None
    condition: str
    location_id: UUID
    location_code: str
    other_code: str | None


class ChartOut(Out):
    """On hand at the end of a business day."""

    at: date
    on_hand: str


class PartOut(Out):
    """What one kind of posting adds to a number."""

    label: str
    value: str


class ExplainOut(Out):
    """A number and the rows it is made of."""

    value: str
    unit: str
    rows: list[HistoryOut]
    parts: list[PartOut]
    after_seq: str
    agrees: bool


class ExceptionOut(Out):
    """Something a person should settle."""

    id: UUID
    kind: str
    site_id: UUID | None
    site_code: str | None
    variant_id: UUID | None
    sku: str | None
    name: str | None
    unit: str | None
    quantity: str | None
    posting_id: UUID | None
    source: SourceOut
    actor: ActorOut
    detail: dict[str, Any]
    opened_at: datetime
    state: Literal["open", "resolved"]
    resolved_at: datetime | None
    resolved_by: ActorOut | None
    resolution: str | None
    can: list[str]


class ApprovalOut(Out):
    """Something that waits, or waited, for a second person."""

    id: UUID
    verb: str
    site_id: UUID | None
    site_code: str | None
    request: dict[str, Any]
    asked_by: ActorOut
    asked_at: datetime
    why: str
    state: Literal["waiting", "approved", "rejected"]
    decided_by: ActorOut | None
    decided_at: datetime | None
    decision_note: str | None
    can: list[str]


class HeadOut(Out):
    """The end of the stream: the last posting and event."""

    posting_n: str
    event_n: str
    recorded_at: datetime


class VerifyOut(Out):
    """What a verification found. `checks`: differences by check; `took_ms` milliseconds."""

    at: datetime
    ok: bool
    postings: int
    moves: int
    claims: int
    events: int
    took_ms: int
    checks: dict[str, int]
    differences: list[dict[str, Any]]


class SelfCheckOut(Out):
    """The last self check: levels and site levels computed again from the ledger; `drift` of them differed."""

    at: datetime
    levels: int
    site_levels: int
    skipped: int
    drift: int
    took_ms: int
    differences: list[dict[str, Any]]


class CheckedHourOut(Out):
    """The self checks of one hour: how many, how many cells they compared, the most that differed at once."""

    at: datetime
    checks: int
    cells: int
    drift: int


class IntegrityOut(Out):
    """Whether the books hold together. `drift` counts rows known to differ now, it must read 0; null: never looked.

    `hours`: the last seven days, by the hour.
    """

    drift: int | None
    head: HeadOut
    last_verify: VerifyOut | None
    self_check: SelfCheckOut | None
    hours: list[CheckedHourOut]
    open_exceptions: int


class StockLevelOut(Out):
    """What a verb left behind: the place's level and its site's."""

    on_hand: str
    allocated: str
    overdrawn: str
    sellable: str | None
    reserved: str | None
    available: str | None


class DoneOut(Out):
    """What became of a stock verb.

    `state`: posted; waiting_approval (nothing changed yet, a second person decides); unchanged (there was nothing to do).
    """

    id: UUID
    seq: str | None
    state: Literal["posted", "waiting_approval", "unchanged", "rejected"]
    kind: str
    quantity: str | None
    unit: str | None
    level: StockLevelOut | None
    why: str | None


class ReversalLineOut(Out):
    """A line a reversal writes."""

    variant_id: UUID
    sku: str
    quantity: str
    unit: str
    from_code: str
    from_condition: str
    to_code: str
    to_condition: str


class ReversalOut(Out):
    """A reversal, or with `preview` what it would write."""

    id: UUID
    seq: str | None
    state: Literal["posted", "preview"]
    posting_id: UUID
    happened_at: datetime
    lines: list[ReversalLineOut]
