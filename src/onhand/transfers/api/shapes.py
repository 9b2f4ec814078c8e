"""What the endpoints of transfers answer with. Quantities are decimal texts in the variant's unit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from onhand.kit.web import Out

StateName = Literal["draft", "placed", "shipped", "received", "cancelled"]
OutcomeName = Literal["shipped", "received", "damaged", "lost", "returned", "found"]


class TransferOut(Out):
    """What became of a new transfer: `posted` in one step, or a document (`draft`, `placed`) one ships and receives."""

    id: UUID
    seq: str | None
    state: Literal["posted", "draft", "placed"]
    lines: int
    number: str | None = None
    version: int | None = None


class TransferMoney(Out):
    """An amount in a currency."""

    amount: str
    currency: str


class TransferRow(Out):
    """A transfer as lists show it. `in_transit_value` at the present cost, for those who may see costs; `progress`: percent
    of what was wanted that arrived; `age_hours`: since the first shipment, while something is in transit."""

    id: UUID
    number: str
    state: StateName
    from_site_id: UUID
    from_site_code: str
    from_site_name: str
    to_site_id: UUID
    to_site_code: str
    to_site_name: str
    reserves: bool
    expected_at: datetime | None
    note: str | None
    external_id: str | None
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    placed_at: datetime | None
    shipped_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    line_count: int
    in_transit_units: str
    in_transit_value: TransferMoney | None
    progress: int
    age_hours: int | None
    overdue: bool


class TransferBarcode(Out):
    """A barcode of a line's variant, and how much one scan of it stands for."""

    code: str
    quantity: str


class TransferLot(Out):
    """What became of a lot of a line."""

    lot_id: UUID | None
    lot_code: str | None
    shipped: str
    received: str
    damaged: str
    lost: str
    returned: str
    in_transit: str


class TransferLineOut(Out):
    """A line: what is wanted, what nobody wants any more (`dropped`), what is claimed at the source, and where it went."""

    id: UUID
    number: int
    variant_id: UUID
    sku: str
    name: str
    unit: str
    decimals: int
    tracking: str
    lot_code: str | None
    barcodes: list[TransferBarcode]
    requested: str
    dropped: str
    claimed: str
    to_ship: str
    shipped: str
    received: str
    damaged: str
    lost: str
    returned: str
    in_transit: str
    lots: list[TransferLot]


class TransferActor(Out):
    """Who took a step."""

    id: UUID
    name: str


class TransferStepLine(Out):
    """Units of a step. `over`: arrived beyond what was shipped; `place`: where they left from or went to."""

    line_id: UUID
    sku: str
    unit: str
    lot_code: str | None
    outcome: OutcomeName
    quantity: str
    over: bool
    place: str | None


class TransferStepOut(Out):
    """A step of a transfer: who, when, and what moved. The id of a shipment, receipt or resolution is its posting's."""

    id: UUID
    kind: Literal["created", "placed", "shipment", "receipt", "resolution", "closed", "cancelled"]
    happened_at: datetime
    recorded_at: datetime
    note: str | None
    actor: TransferActor
    lines: list[TransferStepLine]


class TransferDetail(TransferRow):
    """A transfer with everything; `can` names the verbs its state and your permissions allow."""

    lines: list[TransferLineOut]
    steps: list[TransferStepOut]
    can: list[str]


class StepDone(Out):
    """A step that was taken, and the transfer as it is now."""

    id: UUID
    transfer: TransferDetail


class TransferTotal(Out):
    """How many transfers stand in a state, and what is in transit of them."""

    state: StateName
    transfers: int
    overdue: int
    in_transit_units: str
    in_transit_value: TransferMoney | None
    oldest_shipped_at: datetime | None


class TransferTotals(Out):
    """The open states, in order."""

    data: list[TransferTotal]


class UnmetNeed(Out):
    """What no site can spare."""

    variant_id: UUID
    sku: str
    quantity: str


class ProposalOut(Out):
    """The drafts that were made (one a source), and what nobody can spare."""

    data: list[TransferRow]
    unmet: list[UnmetNeed]


class LpnMoveOut(Out):
    """Where a load carrier is now. `lpn_id` differs from before when it went to another site; `lines`: levels that moved."""

    id: UUID
    lpn_id: UUID
    path: str
    site_id: UUID
    lines: int
