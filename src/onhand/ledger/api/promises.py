"""The storefront's own routes: reserve through the lane, and ask what is available. Thin on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from starlette.requests import Request

from onhand import access, catalog, channels
from onhand.access import Caller
from onhand.catalog import Resolved
from onhand.channels import Channel, UnknownChannel
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import derive_id, quick, uuid7
from onhand.kit.intake import Intake
from onhand.kit.problem import IdReused, InvalidBody
from onhand.ledger import reads, store
from onhand.ledger.actions.common import Goods, smallest_units
from onhand.ledger.actions.reserve import NewLine, NewReservation, reservation_item, reserve
from onhand.ledger.api.availability import Availability
from onhand.ledger.decide import Directory
from onhand.ledger.engine import Engine
from onhand.ledger.lane import LabelCache
from onhand.ledger.model import MAX_QUANTITY, Outcome, Status, UnknownLocation, UnknownVariant, digest_of
from onhand.ledger.reads.availability import LevelReader
from onhand.ledger.reservations import MAX_LINES, Policy, ReservationKind, ends_at
from onhand.locations import Place
from onhand.values import BadValue, format_units

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Amount = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Words = Annotated[str, msgspec.Meta(pattern="^(basket|order|quota)$")]
Policies = Annotated[str, msgspec.Meta(pattern="^(all_or_nothing|what_there_is|backorder)$")]


class ReservationLineIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One line: what (one of `variant_id`, `sku`, `barcode`), how much as decimal text, where (default: the reservation's
    site), and what it wants when there is not enough."""

    quantity: Amount
    variant_id: UUID | None = None
    sku: Code | None = None
    barcode: Code | None = None
    site_id: UUID | None = None
    site_code: Code | None = None
    policy: Policies = "all_or_nothing"

    @property
    def code(self) -> str:
        """What the caller named."""
        return self.sku or self.barcode or (str(self.variant_id) if self.variant_id else "")


class ReservationIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be reserved. `id` makes a retry safe; a basket without an end holds for 15 minutes.

    `expires_at` or `expires_in` (seconds) says when it ends; `reference` is the caller's own number of the basket or order.
    """

    lines: Annotated[list[ReservationLineIn], msgspec.Meta(min_length=1, max_length=MAX_LINES)]
    id: UUID | None = None
    kind: Words = "basket"
    site_id: UUID | None = None
    site_code: Code | None = None
    channel: Code | None = None
    reference: Code | None = None
    expires_at: datetime | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=400 * 86400)] | None = None


class ReservedLineOut(msgspec.Struct, frozen=True):
    """A line as it was reserved: `claimed` of what was `requested`."""

    line: int
    variant_id: UUID
    sku: str
    site_id: UUID
    site_code: str
    policy: str
    requested: str
    claimed: str


class ReservationMadeOut(msgspec.Struct, frozen=True):
    """A reservation that was made, now or by the same request before. `seq`: the number of its posting."""

    id: UUID
    kind: str
    seq: str | None
    expires_at: datetime | None
    channel_id: UUID | None
    reference: str | None
    lines: list[ReservedLineOut]


@dataclass(slots=True)
class _Sites:
    """The sites by id and code, of one directory."""

    places: Directory
    by_code: dict[str, Place]

    @classmethod
    def of(cls, places: Directory) -> _Sites:
        """Codes name a site; its path names it too."""
        by_code: dict[str, Place] = {}
        for place in places.values():
            if place.is_site:
                by_code.setdefault(place.code, place)
        by_code.update({p.path: p for p in places.values() if p.is_site})
        return cls(places, by_code)

    def find(self, site_id: UUID | None, code: str | None) -> Place | None:
        """A site by id, else by code."""
        found = self.places.get(site_id) if site_id is not None else self.by_code.get(code or "")
        return found if found is not None and found.is_site else None


class Promises:
    """Takes reservations and answers what is available; remembers sites and channels. `forget` when a channel changes."""

    def __init__(
        self, engine: Engine, database: Database, resolver: catalog.Resolver, *, reads_url: str
    ) -> None:
        self.engine = engine
        self.database = database
        self.resolver = resolver
        self.levels = LevelReader(reads_url)
        self._channels: dict[str, Channel] = {}
        self._sites: _Sites | None = None
        self._availability = Availability(self.levels, resolver, self.site, self.channel)

    def forget(self) -> None:
        """Forget the channels; the next request asks again."""
        self._channels.clear()

    async def close(self) -> None:
        """Close what reads levels."""
        await self.levels.close()

    async def channel(self, word: str) -> Channel:
        """A channel in use by code or id. Raises UnknownChannel."""
        found = self._channels.get(word)
        if found is None:
            async with self.database.engine.connect() as conn:
                found = await channels.find_channel(conn, word)
            if found is None:
                raise UnknownChannel(f"There is no channel {word[:60]} in use.", param="channel")
            self._channels[word] = found
        return found

    async def site(self, site_id: UUID | None, code: str | None, *, param: str = "site_id") -> Place:
        """A store or warehouse by id or code. Raises UnknownLocation."""
        if self._sites is None or self._sites.places is not self.engine.places:
            self._sites = _Sites.of(self.engine.places)
        found = self._sites.find(site_id, code)
        if found is None:  # it may be newer than what the lane knows
            _, places = await self.engine.load_directory()
            found = _Sites.of(places).find(site_id, code)
        if found is None:
            raise UnknownLocation(f"There is no store or warehouse {code or site_id}.", param=param)
        return found

    async def reserve(
        self, request: Request, body: ReservationIn, caller: Caller
    ) -> tuple[int, ReservationMadeOut, bool]:
        """`POST /v1/reservations`."""
        new = await self._understood(request, body, caller)
        if new.simple:
            item = reservation_item(new)
            audit = access.audit_rows(request, caller, "reservation", new.id)
            outcome = await self.engine.submit(item, audit)
            if not outcome.ok:
                labels = LabelCache({x.item.variant_id: (x.item.sku, x.item.decimals) for x in new.lines})
                raise store.refusal(outcome, item.posting, labels, self.engine.places)
            if outcome.status is Status.posted:
                return 201, _made(new, outcome), False
        else:
            outcome = await self._decided(request, new, caller)
        return await self._kept(new, outcome)

    async def _decided(self, request: Request, new: NewReservation, caller: Caller) -> Outcome:
        state = request.scope.get("state", {})
        async with self.database.writing(actor=caller.actor, action="POST /v1/reservations") as tx:
            tx.request_id = state.get("request_id", "")
            tx.ip = request.client.host if request.client else ""
            return await reserve(tx, new)

    async def _kept(self, new: NewReservation, outcome: Outcome) -> tuple[int, ReservationMadeOut, bool]:
        """The document as it was written, by this request or by the same before."""
        async with self.database.engine.connect() as conn:
            found = await reads.get_reservation(conn, new.id, scope=None)
            kept = await store.recorded(conn, new.id)
        if found is None:
            raise IdReused(param="id")
        lines = [
            ReservedLineOut(**{name: line[name] for name in ReservedLineOut.__struct_fields__})
            for line in found["lines"]
        ]
        answer = ReservationMadeOut(
            id=new.id, kind=found["kind"], seq=str(kept.seq) if kept else None, expires_at=found["expires_at"],
            channel_id=found["channel_id"], reference=found["reference"], lines=lines,
        )  # fmt: skip
        return 201, answer, outcome.status is Status.already_posted

    async def _understood(self, request: Request, body: ReservationIn, caller: Caller) -> NewReservation:
        channel = await self.channel(body.channel) if body.channel is not None else None
        sites = [await self._place(body, n, line, caller, channel) for n, line in enumerate(body.lines)]
        items = await self._items(body)
        instant = now()
        kind = ReservationKind(body.kind)
        end = ends_at(kind, now=instant, expires_at=body.expires_at, expires_in=body.expires_in)
        key = request.headers.get("idempotency-key")
        if body.id is not None:
            made = body.id
        else:
            made = derive_id(str(caller.id), "POST /v1/reservations", key) if key else uuid7()
        lines = [
            NewLine(item, site, _quantity(line, item, n), Policy(line.policy))
            for n, (line, site, item) in enumerate(zip(body.lines, sites, items, strict=True))
        ]
        asked = [(x.item.variant_id, x.site.id, x.quantity, x.policy.value) for x in lines]
        digest = digest_of(
            kind.value,
            asked,
            channel.id if channel else None,
            body.reference,
            body.expires_at,
            body.expires_in,
        )
        return NewReservation(
            id=quick(made), kind=kind, lines=lines, actor=quick(caller.id), at=instant, digest=digest, expires_at=end,
            channel=channel, reference=body.reference,
        )  # fmt: skip

    async def _place(
        self, body: ReservationIn, n: int, line: ReservationLineIn, caller: Caller, channel: Channel | None
    ) -> Place:  # fmt: skip
        own = line.site_id is not None or line.site_code is not None
        named = line if own else body
        param = f"lines[{n}].site_id" if own else "site_id"
        if named.site_id is None and named.site_code is None:
            raise InvalidBody("Name the store or warehouse: site_id or site_code.", param=param)
        place = await self.site(named.site_id, named.site_code, param=param)
        caller.require("stock:reserve", place.id)
        if channel is not None:
            channel.check_site(place.id, param=param)
        return place

    async def _items(self, body: ReservationIn) -> list[Resolved]:
        known: Mapping[Any, Resolved] = await self.resolver.resolve(
            [x.sku for x in body.lines if x.sku is not None], by=catalog.Lookup.SKU
        )
        by_barcode = await self.resolver.resolve(
            [x.barcode for x in body.lines if x.barcode is not None], by=catalog.Lookup.BARCODE
        )
        by_id = await self.resolver.resolve_ids(
            [x.variant_id for x in body.lines if x.variant_id is not None]
        )
        out = []
        for n, line in enumerate(body.lines):
            named = [x for x in (line.sku, line.barcode, line.variant_id) if x is not None]
            if len(named) != 1:
                raise InvalidBody(
                    "Name the item once: by variant_id, by sku or by barcode.", param=f"lines[{n}].sku"
                )
            if line.sku is not None:
                found = known.get(line.sku)
            else:
                found = by_barcode.get(line.barcode) if line.barcode else by_id.get(line.variant_id)  # type: ignore[arg-type]  # one of them is named
            if found is None:
                raise UnknownVariant(f"There is no item {line.code}.", param=f"lines[{n}].sku", index=n)
            out.append(found)
        return out

    def intakes(self) -> list[Intake]:
        """The routes."""
        return [
            Intake(
                path="/v1/reservations", permission="stock:reserve", at=("site_id", "site_code", "lines.site_id"),
                enter=access.enter, body=ReservationIn, answer=ReservationMadeOut, handle=self.reserve, max_body=1 << 20,
                summary="Reserve stock for a basket, an order or a quota", tags=("reservations",),
            ),
            self._availability.intake(),
        ]  # fmt: skip


def _quantity(line: ReservationLineIn, item: Resolved, n: int) -> int:
    try:
        found = smallest_units(Goods(quantity=line.quantity), item, {})
    except BadValue as error:
        raise InvalidBody(str(error), param=f"lines[{n}].quantity") from error
    if not 0 < found <= MAX_QUANTITY:
        raise InvalidBody("A quantity is above 0.", param=f"lines[{n}].quantity")
    return found


def _made(new: NewReservation, outcome: Outcome) -> ReservationMadeOut:
    return ReservationMadeOut(
        id=new.id, kind=new.kind.value, seq=str(outcome.seq), expires_at=new.expires_at,
        channel_id=new.channel.id if new.channel else None, reference=new.reference, lines=_lines(new.lines),
    )  # fmt: skip


def _lines(lines: Sequence[NewLine]) -> list[ReservedLineOut]:
    out = []
    for n, line in enumerate(lines, 1):
        quantity = format_units(line.quantity, line.item.decimals)
        out.append(
            ReservedLineOut(
                n, line.item.variant_id, line.item.sku, line.site.id, line.site.code, line.policy.value, quantity, quantity
            )
        )  # fmt: skip
    return out
