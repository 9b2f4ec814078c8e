"""What the endpoints of transfers take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from onhand.kit.web import Body, Id, Instant, Text
from onhand.ledger import Goods, Spot
from onhand.transfers.actions import StepLine

Code = Annotated[Text, Field(min_length=1, max_length=200)]
Amount = Annotated[
    str, Field(max_length=40, examples=["3"], description="Decimal text, in `unit` or the variant's own.")
]
Note = Annotated[Text, Field(max_length=500)]


class GoodsBody(Body):
    """Goods by `variant_id`, `sku` or `barcode`. A barcode's quantity counts what it stands for."""

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


class TransferLineBody(GoodsBody):
    """Goods of a transfer; from and to a place of the two sites, where you say so (one-step transfers only)."""

    from_location_id: Id | None = None
    to_location_id: Id | None = None


class TransferBody(Body):
    """Goods from one site to another. `mode`: `instant` (they arrive at once; the default) or `document` (planned, shipped,
    in transit, received). For documents: `place` it at once; `reserve` claims the goods at the source when it is placed."""

    id: Id | None = None
    mode: Literal["instant", "document"] = "instant"
    from_site_id: Id | None = None
    from_site_code: Code | None = None
    to_site_id: Id | None = None
    to_site_code: Code | None = None
    lines: list[TransferLineBody] = Field(min_length=1, max_length=500)
    happened_at: Instant | None = None
    expected_at: Instant | None = None
    note: Note | None = None
    external_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    place: bool = False
    reserve: bool = True

    def source(self) -> Spot:
        """Where from."""
        return Spot(id=self.from_site_id, code=self.from_site_code, param="from_site_id")

    def target(self) -> Spot:
        """Where to."""
        return Spot(id=self.to_site_id, code=self.to_site_code, param="to_site_id")


class TransferChangeBody(Body):
    """What to change; what is left away stays. Lines are replaced as a whole, while it is a draft."""

    expected_at: Instant | None = None
    note: Note | None = None
    reserve: bool | None = None
    lines: list[GoodsBody] | None = Field(default=None, min_length=1, max_length=500)

    def changes(self) -> dict[str, Any]:
        """The fields given."""
        given = {name: getattr(self, name) for name in self.model_fields_set & {"expected_at", "note"}}
        if self.reserve is not None:
            given["reserves"] = self.reserve
        return given


class WhyBody(Body):
    """Why."""

    reason: Note | None = None


class StepLineBody(Body):
    """Goods of a step: by `line_id` of the transfer, or by item. From or to `location_id` where you say so."""

    line_id: Id | None = None
    variant_id: Id | None = None
    sku: Code | None = None
    barcode: Code | None = None
    quantity: Amount
    unit: Annotated[Text, Field(max_length=40)] | None = None
    lot_code: Annotated[Text, Field(max_length=64)] | None = None
    serial_number: Annotated[Text, Field(max_length=64)] | None = None
    location_id: Id | None = None

    def step(self, damaged: str = "0") -> StepLine:
        """As the verbs take it."""
        goods = Goods(
            variant_id=self.variant_id, sku=self.sku, barcode=self.barcode, quantity=self.quantity, unit=self.unit,
            lot_code=self.lot_code, serial_number=self.serial_number,
        )  # fmt: skip
        return StepLine(
            goods=goods,
            line=self.line_id,
            place=Spot(id=self.location_id) if self.location_id else None,
            damaged=damaged,
        )


class ReceiptLineBody(StepLineBody):
    """`quantity` arrived well (may be "0"), `damaged` arrived broken."""

    damaged: Amount = "0"


class ShipmentBody(Body):
    """What leaves. Without `lines`: everything still to ship."""

    id: Id | None = None
    lines: list[StepLineBody] = Field(default_factory=list, max_length=1000)
    happened_at: Instant | None = None
    note: Note | None = None


class ReceiptBody(Body):
    """What arrived, into `location_id` (default: where the variant lies at the destination). Without `lines`: everything in
    transit, well. `complete`: nothing more is coming. `accept_over`: more arrived than was shipped, and you counted twice."""

    id: Id | None = None
    lines: list[ReceiptLineBody] = Field(default_factory=list, max_length=1000)
    location_id: Id | None = None
    happened_at: Instant | None = None
    note: Note | None = None
    complete: bool = False
    accept_over: bool = False


class TransferResolutionBody(Body):
    """What became of units in transit: `lost` (written off for `reason`), `returned` to the source, or `found` at the
    destination after all, even when they had been written off."""

    id: Id | None = None
    outcome: Literal["lost", "returned", "found"]
    lines: list[StepLineBody] = Field(min_length=1, max_length=1000)
    reason: Literal["shrinkage", "theft", "damaged", "expired", "other"] = "shrinkage"
    location_id: Id | None = None
    happened_at: Instant | None = None
    note: Note | None = None


class ProposalBody(Body):
    """Bring a site to its minimums: all variants below them, or `variant_ids`; from any site that can spare, or from one."""

    id: Id | None = None
    to_site_id: Id
    from_site_id: Id | None = None
    variant_ids: list[Id] | None = Field(default=None, min_length=1, max_length=500)
    expected_at: Instant | None = None


class LpnMoveBody(Body):
    """A load carrier (pallet, tote, cart) and where it goes, each by id or code."""

    id: Id | None = None
    lpn_id: Id | None = None
    lpn_code: Code | None = None
    to_location_id: Id | None = None
    to_location_code: Code | None = None
    happened_at: Instant | None = None
