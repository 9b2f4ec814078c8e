"""The chain's twenty stores and its warehouse: real towns around Cincinnati, invented shops. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from onhand.integrations.demo.names import CHAIN

HOME_ZONE = "America/New_York"
"""The clock of the source: in it, the first receipt stands on 1 January 2017 and the last on 31 December."""

DATA_ZERO = "2017-01-01"


@dataclass(frozen=True, slots=True)
class Place:
    """A store or warehouse: code, name, where it stands, its clock."""

    code: str
    name: str
    kind: str
    latitude: str
    longitude: str
    time_zone: str
    external_id: str


_TOWNS = (
    ("Over-the-Rhine", "39.1118", "-84.5157", HOME_ZONE),
    ("Hyde Park", "39.1396", "-84.4430", HOME_ZONE),
    ("Columbus Clintonville", "40.0500", "-83.0210", HOME_ZONE),
    ("Dayton Oregon District", "39.7570", "-84.1830", HOME_ZONE),
    ("Louisville Highlands", "38.2370", "-85.7220", "America/Kentucky/Louisville"),
    ("Indianapolis Broad Ripple", "39.8692", "-86.1419", "America/Indiana/Indianapolis"),
    ("Lexington Chevy Chase", "38.0261", "-84.4890", HOME_ZONE),
    ("Covington", "39.0837", "-84.5086", HOME_ZONE),
    ("Newport", "39.0914", "-84.4958", HOME_ZONE),
    ("Florence", "38.9989", "-84.6266", HOME_ZONE),
    ("Hamilton", "39.3995", "-84.5613", HOME_ZONE),
    ("Middletown", "39.5151", "-84.3983", HOME_ZONE),
    ("Mason", "39.3601", "-84.3099", HOME_ZONE),
    ("Oxford", "39.5070", "-84.7452", HOME_ZONE),
    ("Richmond", "39.8289", "-84.8902", "America/Indiana/Indianapolis"),
    ("Springfield", "39.9242", "-83.8088", HOME_ZONE),
    ("Chillicothe", "39.3331", "-82.9824", HOME_ZONE),
    ("Columbus German Village", "39.9480", "-82.9930", HOME_ZONE),
    ("Madison", "38.7359", "-85.3800", "America/Indiana/Indianapolis"),
    ("Frankfort", "38.2009", "-84.8733", HOME_ZONE),
)
MOST_STORES = len(_TOWNS)

WAREHOUSE = Place(
    code="DC1", name=f"{CHAIN} Distribution Center", kind="warehouse", latitude="39.2910", longitude="-84.4830",
    time_zone=HOME_ZONE, external_id="cj-dc",
)  # fmt: skip


def stores(source_ids: list[int]) -> list[Place]:
    """One store for each of the source's store numbers, busiest first: S01 … S20."""
    if len(source_ids) > MOST_STORES:
        raise ValueError(f"the demo has {MOST_STORES} towns")
    return [
        Place(
            code=f"S{number:02}", name=town, kind="store", latitude=latitude, longitude=longitude,
            time_zone=zone, external_id=f"cj-{source}",
        )
        for number, (source, (town, latitude, longitude, zone)) in enumerate(zip(source_ids, _TOWNS, strict=False), start=1)
    ]  # fmt: skip


def registers(store: str) -> list[str]:
    """The tills of a store, by code."""
    return [f"{store}-R{number}" for number in (1, 2, 3)]
