"""Places: their kinds, the rules of the tree, and the business day of a site. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from onhand.kit.ids import derive_id
from onhand.kit.problem import Problem
from onhand.values import BadValue

SITE_KINDS = frozenset({"warehouse", "store"})
MOVABLE_KINDS = frozenset({"pallet", "tote", "cart"})
"""Load carriers: places with a number of their own that are moved with what is on them (docs/why/lot-owner-and-lpn.md)."""
PHYSICAL_KINDS = SITE_KINDS | {"zone", "aisle", "rack", "bin"} | MOVABLE_KINDS
VIRTUAL_KINDS = frozenset(
    {"supplier", "customer", "transit", "adjustment", "scrap", "production", "lot_assignment"}
)
KINDS = PHYSICAL_KINDS | VIRTUAL_KINDS
ROLES = frozenset(
    {"receiving", "storage", "pick_face", "packing", "shipping", "quarantine", "store_floor", "backroom"}
)
NOT_FOR_SALE_ROLES = frozenset({"receiving", "quarantine"})
"""Roles whose stock does not count as sellable unless somebody says so. Packing and shipping do: their stock is promised."""
MAX_DEPTH = 20
DEFAULT_DAY_START = time(0, 0)


class LocationCodeTaken(Problem):
    """Another place with this code stands under the same parent. Choose another code, or change that place."""

    status = 409


class LocationHasStock(Problem):
    """This place, or one inside it, holds stock. Move the stock out first, then repeat the change."""

    status = 409


class LocationNotPossible(Problem):
    """A place of this kind cannot stand there; `detail` says why and where it can."""

    status = 422


class LocationIsBuiltIn(Problem):
    """The built-in virtual places (supplier, customer, adjustment and so on) keep the ledger in balance and stay as they are."""

    status = 409


@dataclass(frozen=True, slots=True)
class Location:
    """One place. `path` is the codes from the root, joined by "/"; `site_id` the nearest store or warehouse at or above it
    (None for virtual kinds); `sells`: available stock here counts as sellable; `keeps_level`: the ledger keeps a level row.
    """

    id: UUID
    code: str
    name: str
    kind: str
    role: str | None
    parent_id: UUID | None
    site_id: UUID | None
    path: str
    sells: bool
    keeps_level: bool
    time_zone: str | None
    day_start: time | None
    closed_at: datetime | None
    latitude: Decimal | None
    longitude: Decimal | None
    external_id: str | None
    metadata: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Place:
    """What the ledger and the intake remember of a location. `closed` also when a place above it is closed."""

    id: UUID
    code: str
    name: str
    path: str
    kind: str
    role: str | None
    parent_id: UUID | None
    site_id: UUID | None
    sells: bool
    keeps_level: bool
    closed: bool
    time_zone: str | None
    day_start: time | None

    @property
    def is_site(self) -> bool:
        """Whether this place is a store or a warehouse itself."""
        return self.kind in SITE_KINDS


def virtual_id(kind: str) -> UUID:
    """The id of the built-in virtual place of a kind ("supplier", "customer" …): the same in every database."""
    if kind not in VIRTUAL_KINDS:
        raise KeyError(kind)
    return derive_id("onhand", "location", kind)


VIRTUAL_IDS = frozenset(virtual_id(kind) for kind in VIRTUAL_KINDS)


def transit_id(site: UUID) -> UUID:
    """The id of the place where goods on their way to a site stand: the same in every database (docs/why/transit.md)."""
    return derive_id("onhand", "transit", str(site))


def keeps_level(kind: str) -> bool:
    """Physical places and transit keep level rows; the other virtual places never do (they would be hot rows)."""
    return kind in PHYSICAL_KINDS or kind == "transit"


def sells_by_default(kind: str, role: str | None) -> bool:
    """Whether stock at a new place counts as sellable when nobody says otherwise."""
    return kind in PHYSICAL_KINDS and role not in NOT_FOR_SALE_ROLES


def check_kind(kind: str, field: str = "kind") -> str:
    """A known kind, or `BadValue` naming them all."""
    if kind not in KINDS:
        raise BadValue(
            field, f"{kind[:40]!r} is not a kind of place.", f"Use one of: {', '.join(sorted(KINDS))}."
        )
    return kind


def check_role(role: str | None, field: str = "role") -> str | None:
    """A known role or None, or `BadValue` naming them all."""
    if role is not None and role not in ROLES:
        raise BadValue(
            field, f"{role[:40]!r} is not a role of a place.", f"Use one of: {', '.join(sorted(ROLES))}."
        )
    return role


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_time_zone(name: str, field: str = "time_zone") -> str:
    """An IANA time zone name, or `BadValue`."""
    if name not in _zones():
        raise BadValue(
            field, f"{name[:60]!r} is not a time zone.", 'Give its IANA name, such as "Europe/Berlin".'
        )
    return name


def parse_day_start(text: str, field: str = "day_start") -> time:
    """The local time a business day starts at, "HH:MM"."""
    try:
        if len(text) != 5 or not text.isascii():
            raise ValueError
        return time.fromisoformat(text)
    except ValueError:
        raise BadValue(
            field, f"{text[:20]!r} is not a time of day.", 'Write hours and minutes, such as "06:00".'
        ) from None


def check_position(latitude: Decimal | None, longitude: Decimal | None) -> None:
    """Refuses half a position and one that is not on Earth."""
    if (latitude is None) != (longitude is None):
        raise BadValue("longitude", "A position needs both latitude and longitude.", "Give both, or neither.")
    if latitude is not None and longitude is not None and (abs(latitude) > 90 or abs(longitude) > 180):
        raise BadValue(
            "latitude", "This position is not on Earth.", "Latitude is -90 to 90, longitude -180 to 180."
        )


def stands(
    kind: str, code: str, location_id: UUID, parent: Location | Place | None
) -> tuple[str, UUID | None]:
    """Where a place of a kind would stand under a parent: (path, site id). Raises `LocationNotPossible` with the reason."""
    if kind in VIRTUAL_KINDS:
        if parent is not None:
            raise LocationNotPossible(
                "Virtual places stand outside the tree: leave parent_id empty.", param="parent_id"
            )
        return code, None
    if parent is not None and parent.kind in VIRTUAL_KINDS:
        raise LocationNotPossible(
            f"{parent.path} is a virtual place; real ones stand in a store or warehouse.", param="parent_id"
        )
    if parent is not None and parent.path.count("/") + 2 > MAX_DEPTH:
        raise LocationNotPossible(
            f"The tree may be {MAX_DEPTH} places deep.", param="parent_id", limit=MAX_DEPTH
        )
    path = code if parent is None else f"{parent.path}/{code}"
    if kind in SITE_KINDS:
        return path, location_id
    if parent is None or parent.site_id is None:
        raise LocationNotPossible(
            f"A {kind} stands in a store or warehouse: give its parent_id.", param="parent_id"
        )
    return path, parent.site_id


# -- the business day


@lru_cache(maxsize=4096)
def day_begins(zone: str, day_start: time, day: date) -> datetime:
    """The UTC instant a business day begins: the first at which the wall clock of the zone has reached `day_start`.

    Where clocks are put forward over `day_start`, that is the instant of the jump; where they are put back, the first of the
    two. So days follow each other without gap or overlap.
    """
    tz = ZoneInfo(zone)
    wall = datetime.combine(day, day_start)
    early = min(wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(tz).replace(tzinfo=None) == wall:
        return early
    late = max(wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    while late - early > timedelta(seconds=1):  # a skipped time: find the jump
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=1) // 2)
        if middle.astimezone(tz).replace(tzinfo=None) >= wall:
            late = middle
        else:
            early = middle
    return late


def business_day(zone: str, day_start: time, now: datetime) -> date:
    """The business day an instant belongs to, for a zone and the local time its days start at."""
    day = now.astimezone(ZoneInfo(zone)).date()
    while now < day_begins(zone, day_start, day):
        day -= timedelta(days=1)
    while now >= day_begins(zone, day_start, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def today(site: Location | Place, now: datetime) -> date:
    """The site's business day at an instant (UTC where the site has no zone)."""
    return business_day(site.time_zone or "UTC", site.day_start or DEFAULT_DAY_START, now)


def day_bounds(site: Location | Place, day: date) -> tuple[datetime, datetime]:
    """The UTC instants [begin, end) of a site's business day; 23 or 25 hours apart where clocks change."""
    zone, start = site.time_zone or "UTC", site.day_start or DEFAULT_DAY_START
    return day_begins(zone, start, day), day_begins(zone, start, day + timedelta(days=1))
