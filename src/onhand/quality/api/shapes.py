"""What quality's endpoints take and answer. Quantities are decimal texts in the variant's unit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from onhand.kit.web import Body, Id, Out, Text
from onhand.values import check_metadata


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a day such as 2026-11-21") from error
    return value


Day = Annotated[date, BeforeValidator(_day)]
Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]
Reason = Annotated[Text, Field(min_length=1, max_length=500)]
Party = Literal["supplier", "customer"]
Strategy = Literal["fefo", "fifo", "lifo", "nearest", "fewest_picks"]
Held = Literal["hold", "quarantine", "recalled"]


class LotFacts(Body):
    """What may be said of a lot. The owner is whose goods they are, where they are not ours."""

    supplier_id: Id | None = None
    owner_kind: Party | None = None
    owner_id: Id | None = None
    made_on: Day | None = None
    expires_on: Day | None = Field(None, description="The last good day.")
    notes: Text = Field("", max_length=4000)
    external_id: Annotated[Text, Field(max_length=200)] | None = None
    metadata: Metadata = Field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """The facts that were told."""
        skip = {"variant_id", "code"}
        return {name: getattr(self, name) for name in self.model_fields_set - skip}


class NewLotBody(LotFacts):
    """A lot to make. Its id follows from variant and code, so a repeated create is the same lot."""

    variant_id: Id
    code: Annotated[Text, Field(min_length=1, max_length=64)]


class CertificateBody(Body):
    """The certificate of analysis: a file you uploaded to `/v1/files`."""

    file_id: Id


class CertificateDecision(Body):
    """Approve or reject it, and why."""

    decision: Literal["approve", "reject"]
    note: Annotated[Text, Field(max_length=500)] | None = None


class PolicyBody(Body):
    """What rules the lots of a product, or of one variant over its product's."""

    product_id: Id | None = None
    variant_id: Id | None = None
    needs_certificate: bool = False
    strategy: Strategy = "fefo"
    near_expiry_days: int = Field(30, ge=0, le=3650)


class HoldScope(Body):
    """What to hold: a lot, a variant, a place with everything in it; of several, the goods that are all of it."""

    lot_id: Id | None = None
    variant_id: Id | None = None
    location_id: Id | None = None


class HoldBody(HoldScope):
    """A hold: what, into which condition, and why."""

    id: Id | None = None
    condition: Held = "hold"
    reason: Reason


class ReleaseBody(Body):
    """Why the hold ends."""

    reason: Reason


class PreviewBody(Body):
    """What should be served: of which item how much, from which site, on which day, for whom."""

    variant_id: Id | None = None
    sku: Annotated[Text, Field(max_length=200)] | None = None
    quantity: str = Field(max_length=40, examples=["12"])
    location_id: Id | None = None
    location_code: Annotated[Text, Field(max_length=200)] | None = None
    customer_id: Id | None = None
    ship_on: Day | None = None
    strategy: Strategy | None = None
    minimum_life_days: int | None = Field(None, ge=0, le=3650)


class OwnerOut(Out):
    """Whose goods a lot is of."""

    kind: str
    id: UUID
    name: str


class CertificateOut(Out):
    """How the certificate stands, and whether a policy waits for it."""

    state: str
    needed: bool
    file_name: str | None
    by: str | None
    at: datetime | None
    note: str | None


class LotOut(Out):
    """A lot, or a serial number. `state`: sound, held, recalled, expired or uncertified; `by_condition` adds up where you may look."""

    id: UUID
    code: str
    kind: str
    state: str
    variant_id: UUID
    sku: str
    name: str
    unit: str
    made_on: date | None
    expires_on: date | None
    days_left: int | None
    near_expiry: bool
    supplier_id: UUID | None
    supplier_name: str | None
    owner: OwnerOut | None
    certificate: CertificateOut
    on_hand: str
    by_condition: dict[str, str]
    notes: str
    external_id: str | None
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    can: list[str]


class LotStockOut(Out):
    """What lies of a lot in one place and condition."""

    location_id: UUID
    location_code: str
    location_path: str
    site_id: UUID | None
    site_code: str | None
    condition: str
    on_hand: str
    allocated: str


class HoldOnOut(Out):
    """An open hold on a lot."""

    id: UUID
    condition: str
    reason: str
    placed_at: datetime
    placed_by_name: str


class LotFullOut(LotOut):
    """A lot with its stock and the holds on it."""

    stock: list[LotStockOut]
    holds: list[HoldOnOut]


class SerialOut(LotOut):
    """A serial number with where it is now (nothing: not on hand)."""

    stock: list[LotStockOut]


class SerialsOut(Out):
    """The units that carry a serial number: one a variant."""

    data: list[SerialOut]


class LifePlaceOut(Out):
    """One end of a move."""

    location_id: UUID
    code: str
    condition: str


class LifeSourceOut(Out):
    """The document it came from."""

    type: str
    id: UUID


class LifeOut(Out):
    """One move in the life of a lot."""

    seq: str
    posting_id: UUID
    kind: str
    happened_at: datetime
    recorded_at: datetime
    quantity: str
    reason: str | None
    from_: LifePlaceOut = Field(alias="from")
    to: LifePlaceOut
    source: LifeSourceOut
    actor_name: str


class PolicyOut(Out):
    """A policy of a product's or variant's lots."""

    product_id: UUID | None
    variant_id: UUID | None
    title: str | None
    needs_certificate: bool
    strategy: str
    near_expiry_days: int
    version: int
    updated_at: datetime


class HoldOut(Out):
    """A hold: what it covers, into which condition, who and why; `levels` is how many it moved."""

    id: UUID
    state: str
    condition: str
    reason: str
    lot_id: UUID | None
    lot_code: str | None
    variant_id: UUID | None
    sku: str | None
    location_id: UUID | None
    location_path: str | None
    levels: int
    placed_at: datetime
    placed_by_name: str
    released_at: datetime | None
    released_by_name: str | None
    release_reason: str | None
    version: int
    can: list[str]


class HoldLineOut(Out):
    """What a hold put on hold in one place."""

    variant_id: UUID
    sku: str
    unit: str
    lot_id: UUID | None
    lot_code: str | None
    location_id: UUID
    location_path: str
    quantity: str


class HoldFullOut(HoldOut):
    """A hold with what it moved (the first 1,000 lines)."""

    lines: list[HoldLineOut]


class AffectedLineOut(Out):
    """Goods a hold would take. `reserved_short`: what is promised at the site and could then not be kept."""

    variant_id: UUID
    sku: str
    lot_code: str | None
    location_id: UUID
    location_path: str
    quantity: str
    reserved_short: str


class AffectedOut(Out):
    """What a hold would take: how many levels at how many sites, and the first 200 of them."""

    levels: int
    sites: int
    lines: list[AffectedLineOut]


class ServedOut(Out):
    """One pick."""

    location_id: UUID
    location_path: str
    lot_id: UUID | None
    lot_code: str | None
    expires_on: date | None
    quantity: str


class PreviewOut(Out):
    """The plan, in the order of picking. `missing`: what nothing serves; `too_old`: what lies there but may not serve."""

    strategy: str
    ship_on: date
    minimum_life_days: int
    good_until: date
    unit: str
    lines: list[ServedOut]
    missing: str
    too_old: str
