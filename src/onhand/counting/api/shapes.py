"""What counting's endpoints answer with. Quantities are decimal texts in the variant's unit, money in the base currency."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from onhand.kit.web import Out


class CounterOut(Out):
    """Somebody who counts or decides."""

    id: UUID
    name: str


class CountPolicyOut(Out):
    """How the organisation counts: shares of value in percent, days by class, tolerances (null: no such bound)."""

    share_a: str
    share_b: str
    days_a: int
    days_b: int
    days_c: int
    tolerance_units: str | None
    tolerance_percent: str | None
    tolerance_value: str | None
    recount_by: str
    rounds: int
    version: int


class ClassPlanOut(Out):
    """One class of a site's plan."""

    count_class: str
    bins: int
    days: int
    due: int
    overdue: int
    never: int
    needed_per_day: int


class PlanDayOut(Out):
    """How many bins a day takes, and how many that are due find no room."""

    day: date
    bins: int
    left_over: int


class CountPlanOut(Out):
    """A site's plan. `message` says why the capacity cannot hold, and what would; null when it can."""

    site_id: UUID
    site_code: str
    today: date
    bins: int
    bins_per_day: int
    needed_per_day: int
    message: str | None
    due: int
    overdue: int
    never: int
    counting: int
    classes: list[ClassPlanOut]
    days: list[PlanDayOut]


class ShelfOut(Out):
    """A place to be counted. `due_on` null: it never was. `counting`: it is on a sheet just now."""

    location_id: UUID
    location_code: str
    location_path: str
    count_class: str
    counted_at: datetime | None
    due_on: date | None
    overdue_days: int | None
    planned_today: bool
    counting: bool


class SheetMadeOut(Out):
    """A new sheet; `skipped` are paths of places that are being counted already."""

    id: UUID
    bins: int
    skipped: list[str]


class SheetOut(Out):
    """A count sheet and how far it is."""

    id: UUID
    name: str
    site_id: UUID
    site_code: str
    due_on: date
    created_by: CounterOut
    created_at: datetime
    bins: int
    todo: int
    waiting: int
    posted: int


class BinCountOut(Out):
    """The count of one bin as who counts sees it: where and how far, never what the book says. `for_another`: you counted it
    before, so somebody else does now."""

    id: UUID
    sheet_id: UUID
    sheet_name: str
    due_on: date
    line: int
    site_id: UUID
    site_code: str
    location_id: UUID
    location_code: str
    location_path: str
    location_name: str
    state: str
    round: int
    claimed_by: CounterOut | None
    mine: bool
    for_another: bool
    happened_at: datetime | None
    version: int
    can: list[str]


class CountEntryOut(Out):
    """What became of a submission: the bin's count is posted, waiting for approval, or wanted again (recount)."""

    id: UUID
    bin_count_id: UUID
    state: str
    round: int


class UnknownCodeOut(Out):
    """Something in the bin whose code nobody knows."""

    code: str
    quantity: str


class ReviewLineOut(Out):
    """One level: counted against the book at that instant. `moved_since`: what happened to it after; `allocated`: of what is
    there now, chosen for picks. `value` is at cost, null where unknown or not for you."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    lot_code: str | None
    condition: str
    counted: str
    book: str
    variance: str
    value: str | None
    over: bool
    on_hand: str
    moved_since: str
    allocated: str


class ReviewOut(Out):
    """A bin's count with every variance, for who approves."""

    id: UUID
    sheet_id: UUID
    site_id: UUID
    site_code: str
    location_id: UUID
    location_code: str
    location_path: str
    state: str
    round: int
    counted_by: CounterOut
    happened_at: datetime
    recorded_at: datetime
    complete: bool
    over: bool
    value: str | None
    decided_by: CounterOut | None
    decided_at: datetime | None
    note: str | None
    version: int
    unknown: list[UnknownCodeOut]
    variances: int
    lines: list[ReviewLineOut]
    can: list[str]


class CorrectionOut(Out):
    """What a late fact did to a count: `quantity` (signed) was posted at the count's instant, so that the book there stays as
    counted. `late_posting_ids` are the facts that came late."""

    posting_id: UUID
    counted_level_id: UUID
    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str
    location_id: UUID
    location_path: str
    lot_code: str | None
    condition: str
    counted: str
    variance: str
    quantity: str
    happened_at: datetime
    recorded_at: datetime
    late_posting_ids: list[UUID]


class ShrinkageOut(Out):
    """What was lost and found, at cost. `net` = found − lost; `unpriced_lines` had no cost and count as nothing."""

    period: date
    site_id: UUID
    site_code: str
    category_id: UUID | None
    category_name: str | None
    reason: str
    lines: int
    lost: str
    found: str
    net: str
    unpriced_lines: int
    currency: str


class OverriderOut(Out):
    """Who acted."""

    id: UUID
    kind: str
    name: str


class OverrideOut(Out):
    """Numbers somebody set by hand at a site: how often, and what they moved at cost; and the counts they approved, of which
    some beyond tolerance."""

    actor: OverriderOut
    site_id: UUID
    site_code: str
    adjustments: int
    stock_sets: int
    counts_approved: int
    over_tolerance: int
    adjusted: str
    approved: str
    currency: str
