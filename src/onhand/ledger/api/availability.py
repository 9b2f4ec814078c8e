"""`GET /v1/availability`: what may be promised of up to 200 variants, by site or for a channel."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from starlette.requests import Request

from onhand import access, catalog
from onhand.access import Caller
from onhand.catalog import Resolved
from onhand.channels import Channel, buffer_units
from onhand.kit.clock import now
from onhand.kit.intake import Intake
from onhand.kit.problem import InvalidBody
from onhand.ledger.reads.availability import LevelReader, VariantStock
from onhand.locations import Place
from onhand.values import format_units

MAX_VARIANTS = 200
MAX_SITES = 200


class SiteAvailabilityOut(msgspec.Struct, frozen=True):
    """A variant at a site. `atp` = available + expected − buffer; for a channel never below zero."""

    site_id: UUID
    site_code: str
    sellable: str
    reserved: str
    available: str
    expected: str
    buffer: str
    atp: str


class AvailabilityOut(msgspec.Struct, frozen=True):
    """A variant over the sites asked about."""

    variant_id: UUID
    sku: str
    unit: str
    available: str
    atp: str
    sites: list[SiteAvailabilityOut]


class AvailabilitiesOut(msgspec.Struct, frozen=True):
    """What may be promised; `unknown` lists the codes nobody knows. `until`: what is expected by then counts."""

    data: list[AvailabilityOut]
    unknown: list[str]
    channel: str | None
    until: datetime | None


class FindSite(Protocol):
    """Finds a store or warehouse."""

    def __call__(self, site_id: UUID | None, code: str | None, *, param: str = ...) -> Awaitable[Place]: ...


class FindChannel(Protocol):
    """Finds a channel in use."""

    def __call__(self, word: str) -> Awaitable[Channel]: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question understood."""

    items: list[Resolved]
    unknown: list[str]
    named: dict[UUID, Place] | None
    """The sites asked about; None: all the caller may see."""
    channel: Channel | None
    until: datetime | None
    now: datetime


class Availability:
    """Answers what is available from the batched reader."""

    def __init__(
        self, levels: LevelReader, resolver: catalog.Resolver, find_site: FindSite, find_channel: FindChannel
    ) -> None:
        self._levels = levels
        self._resolver = resolver
        self._find_site = find_site
        self._find_channel = find_channel

    async def ask(self, request: Request, body: None, caller: Caller) -> tuple[int, AvailabilitiesOut, bool]:
        """`GET /v1/availability`."""
        asked = await self._understood(request, caller)
        stock = await self._levels.read([item.variant_id for item in asked.items])
        scope = caller.sites("stock:read")
        data = []
        for item in asked.items:
            found = stock.get(item.variant_id) or _NOTHING
            wanted = asked.named
            if wanted is None:
                wanted = {
                    s: await self._find_site(s, None) for s in found.sites() if scope is None or s in scope
                }
            data.append(_variant(item, wanted, found, asked))
        channel = asked.channel.code if asked.channel else None
        return 200, AvailabilitiesOut(data, asked.unknown, channel, asked.until), False

    async def _understood(self, request: Request, caller: Caller) -> _Asked:
        query = request.query_params
        if strange := set(query) - _PARAMETERS:
            raise InvalidBody(f"There is no parameter {min(strange)[:60]}.", param=min(strange)[:60])
        channel = await self._find_channel(query["channel"]) if query.get("channel") else None
        named = await self._sites(query.getlist("site_id"), query.getlist("site_code"), caller, channel)
        skus, ids = query.getlist("sku"), _uuids(query.getlist("variant_id"))
        if not 0 < len(skus) + len(ids) <= MAX_VARIANTS:
            raise InvalidBody(f"Ask about 1 to {MAX_VARIANTS} variants, by sku or variant_id.", param="sku")
        by_sku = await self._resolver.resolve(skus) if skus else {}
        by_id = await self._resolver.resolve_ids(ids) if ids else {}
        items = [by_sku[s] for s in skus if s in by_sku] + [by_id[i] for i in ids if i in by_id]
        items = list({item.variant_id: item for item in items}.values())
        unknown = [s for s in skus if s not in by_sku] + [str(i) for i in ids if i not in by_id]
        return _Asked(items, unknown, named, channel, _until(query.get("until")), now())

    async def _sites(
        self, ids: Sequence[str], codes: Sequence[str], caller: Caller, channel: Channel | None
    ) -> dict[UUID, Place] | None:
        if len(ids) + len(codes) > MAX_SITES:
            raise InvalidBody(f"Ask about {MAX_SITES} sites at most.", param="site_id")
        places = [await self._find_site(i, None) for i in _uuids(ids, "site_id")]
        places += [await self._find_site(None, code, param="site_code") for code in codes]
        for place in places:
            caller.require("stock:read", place.id)
            if channel is not None:
                channel.check_site(place.id)
        if not ids and not codes:
            if channel is None:
                return None
            scope = caller.sites("stock:read")
            places = [await self._find_site(s, None) for s in channel.site_ids if scope is None or s in scope]
        return {place.id: place for place in places}

    def intake(self) -> Intake:
        """The route."""
        return Intake(
            path="/v1/availability", method="GET", permission="stock:read", at=("site_id",), enter=access.enter, body=None,
            answer=AvailabilitiesOut, handle=self.ask, status=200, tags=("reservations",), parameters=_DESCRIBED,
            summary="What may be promised of up to 200 variants, by site or for a channel",
            description="`available` is what nobody has claimed; it may be below zero. `atp` adds what documents expect by "
            "`until` and takes off the channel's buffer; overdue supply does not count. For a channel, each site's `atp` is "
            "never below zero, and `atp` of the variant is their sum.",
        )  # fmt: skip


def _variant(
    item: Resolved, wanted: dict[UUID, Place], stock: VariantStock, asked: _Asked
) -> AvailabilityOut:
    decimals, channel = item.decimals, asked.channel
    available = atp = 0
    shown = []
    for site, place in wanted.items():
        sellable, reserved = stock.levels.get(site, (0, 0))
        own = stock.buffers.get((site, channel.id)) if channel is not None else None
        buffer = buffer_units(channel.buffer, own, decimals) if channel is not None else 0
        expected = stock.expected_by(site, asked.until or asked.now, now=asked.now)
        promise = sellable - reserved + expected - buffer
        if channel is not None:
            promise = max(0, promise)
        available += sellable - reserved
        atp += promise
        quantities = (sellable, reserved, sellable - reserved, expected, buffer, promise)
        shown.append(SiteAvailabilityOut(site, place.code, *[format_units(q, decimals) for q in quantities]))
    return AvailabilityOut(
        item.variant_id, item.sku, item.unit, format_units(available, decimals), format_units(atp, decimals), shown
    )  # fmt: skip


_NOTHING = VariantStock()


def _uuids(texts: Sequence[str], param: str = "variant_id") -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise InvalidBody("An id is a UUID.", param=param) from error


def _until(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidBody("until is an instant such as 2026-11-21T08:30:00Z.", param="until") from error
    if found.tzinfo is None:
        raise InvalidBody("until needs an offset, such as 2026-11-21T08:30:00Z.", param="until")
    return found


def _parameter(name: str, what: str, kind: dict[str, Any], *, many: bool = False) -> dict[str, Any]:
    schema = {"type": "array", "items": kind} if many else kind
    return {"name": name, "in": "query", "required": False, "description": what, "schema": schema}


_TEXT = {"type": "string", "maxLength": 200}
_ID = {"type": "string", "format": "uuid"}
_DESCRIBED = (
    _parameter("sku", "SKUs or barcodes; repeat the parameter.", _TEXT, many=True),
    _parameter("variant_id", "Variants; repeat the parameter.", _ID, many=True),
    _parameter("site_id", "Only these sites; repeat the parameter.", _ID, many=True),
    _parameter("site_code", "The same by code.", _TEXT, many=True),
    _parameter("channel", "A channel by code or id: its sites, and its buffers are kept back.", _TEXT),
    _parameter(
        "until", "What is expected by this instant counts.", {"type": "string", "format": "date-time"}
    ),
)
_PARAMETERS = frozenset(p["name"] for p in _DESCRIBED)
