"""The rules of the tree, and the business day over every change of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.locations import (
    Location,
    LocationNotPossible,
    NewLocation,
    business_day,
    day_begins,
    day_bounds,
    today,
    virtual_id,
)
from onhand.locations.actions import build
from onhand.values import BadValue

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Tehran",
         "Pacific/Apia", "Pacific/Chatham", "America/St_Johns", "Atlantic/Azores", "UTC", "Asia/Kolkata",
         "Africa/Casablanca", "America/Nuuk", "Asia/Beirut"]  # fmt: skip


def site(code: str = "S01", kind: str = "store", **more: Any) -> Location:
    return build(NewLocation(code=code, name="Shop", kind=kind, **more), uuid4(), None)


def test_a_store_is_its_own_site_and_places_inside_belong_to_it() -> None:
    shop = site()
    back = build(NewLocation(code="BACK", name="Back", kind="zone", role="backroom"), uuid4(), shop)
    rack = build(NewLocation(code="R1", name="Rack", kind="rack"), uuid4(), back)
    assert shop.site_id == shop.id
    assert back.site_id == rack.site_id == shop.id
    assert rack.path == "S01/BACK/R1"
    assert rack.sells
    assert rack.keeps_level
    assert rack.time_zone is None
    assert shop.time_zone == "UTC"
    assert shop.day_start == time(0)


def test_goods_being_received_or_in_quarantine_do_not_sell() -> None:
    shop = site()
    for role, sells in (("receiving", False), ("quarantine", False), ("packing", True), ("pick_face", True)):
        assert build(NewLocation(code="X", name="x", kind="bin", role=role), uuid4(), shop).sells is sells
    assert build(
        NewLocation(code="X", name="x", kind="bin", role="receiving", sells=True), uuid4(), shop
    ).sells


def test_virtual_places_stand_outside_and_only_transit_keeps_a_level() -> None:
    for kind in ("supplier", "customer", "adjustment", "scrap", "production", "lot_assignment"):
        place = build(NewLocation(code=kind, name=kind, kind=kind), virtual_id(kind), None)
        assert place.site_id is None
        assert not place.sells
        assert not place.keeps_level
    assert build(NewLocation(code="T", name="t", kind="transit"), uuid4(), None).keeps_level
    with pytest.raises(LocationNotPossible):
        build(NewLocation(code="x", name="x", kind="scrap"), uuid4(), site())
    with pytest.raises(LocationNotPossible):
        build(NewLocation(code="x", name="x", kind="scrap", sells=True), uuid4(), None)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"kind": "bin"}, "stands in a store or warehouse"),
        ({"kind": "shelf"}, "not a kind of place"),
        ({"role": "till"}, "not a role"),
        ({"code": "A/B"}, "slash"),
        ({"name": ""}, "name is empty"),
        ({"time_zone": "Mars/Base"}, "not a time zone"),
        ({"latitude": 10}, "both"),
        ({"latitude": 100, "longitude": 0}, "not on Earth"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(new: dict[str, object], said: str) -> None:
    fields = {"code": "S01", "name": "Shop", "kind": "store", **new}
    with pytest.raises((BadValue, LocationNotPossible), match=said):
        build(NewLocation(**fields), uuid4(), None)  # type: ignore[arg-type]


def test_the_tree_ends_at_twenty_places_deep() -> None:
    place = site()
    for depth in range(19):
        place = build(NewLocation(code=f"Z{depth}", name="z", kind="zone"), uuid4(), place)
    with pytest.raises(LocationNotPossible, match="20 places deep"):
        build(NewLocation(code="deeper", name="z", kind="zone"), uuid4(), place)


def _edges(zone: str) -> list[datetime]:
    """Every instant 2020-2035 at which the zone's offset changes, to the minute."""
    tz, found = ZoneInfo(zone), []
    at, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    while at < end:
        later = at + timedelta(days=1)
        if at.astimezone(tz).utcoffset() != later.astimezone(tz).utcoffset():
            low, high = at, later
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                if middle.astimezone(tz).utcoffset() == low.astimezone(tz).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high)
        at = later
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_days_follow_each_other_over_every_change_of_clocks(zone: str) -> None:
    for edge in _edges(zone):
        for day_start in (time(0), time(2, 30), time(1), time(3), time(6), time(23, 30)):
            days = [
                business_day(zone, day_start, edge + timedelta(minutes=minute))
                for minute in range(-1560, 1561, 15)
            ]
            assert days == sorted(days)
            for day in set(days[100:-100]):
                begin, end = (
                    day_begins(zone, day_start, day),
                    day_begins(zone, day_start, day + timedelta(days=1)),
                )
                assert business_day(zone, day_start, begin) == day
                assert business_day(zone, day_start, begin - timedelta(seconds=1)) == day - timedelta(days=1)
                assert timedelta(hours=22) <= end - begin <= timedelta(hours=26)


def test_known_days() -> None:
    shop = site(time_zone="Europe/Berlin", day_start=time(6))
    assert today(shop, datetime(2026, 11, 21, 4, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert today(shop, datetime(2026, 11, 21, 5, 0, tzinfo=UTC)) == date(2026, 11, 21)
    begin, end = day_bounds(shop, date(2026, 3, 28))  # clocks go forward on the 29th at 02:00, before six
    assert (begin, end) == (datetime(2026, 3, 28, 5, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC))
    half_past_two = day_begins("Europe/Berlin", time(2, 30), date(2026, 3, 29))  # a time that did not exist
    assert half_past_two == datetime(2026, 3, 29, 1, tzinfo=UTC)
    twice = day_begins("Europe/Berlin", time(2, 30), date(2026, 10, 25))  # a time that came twice
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert business_day("Pacific/Apia", time(0), datetime(2011, 12, 30, 12, tzinfo=UTC)) == date(2011, 12, 31)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)), st.sampled_from(ZONES), st.times())
def test_an_instant_lies_inside_its_day(at: datetime, zone: str, day_start: time) -> None:
    now = at.replace(tzinfo=UTC)
    start = day_start.replace(second=0, microsecond=0)
    day = business_day(zone, start, now)
    assert day_begins(zone, start, day) <= now < day_begins(zone, start, day + timedelta(days=1))
