"""Reservations of one variant in one store through the lane, 64 callers ÷ a row-lock reservation by pgbench at the client count
that suits it best."""

from __future__ import annotations

from typing import Any

from bench import rival
from bench.ground import store_id, variant_id
from bench.harness import CLIENTS, HOT_CLIENTS, Claim, Round
from bench.site import HOT, Job, resolved
from onhand.kit.clock import now
from onhand.kit.ids import quick, quick7, uuid7
from onhand.ledger import NewLine, NewReservation, ReservationKind, digest_of, reservation_item
from onhand.locations import Place

MOST = 40_000
_STORE = quick(store_id(HOT[1]))
_PLACE = Place(
    id=_STORE, code=f"S{HOT[1]:02d}", name="Store", path=f"S{HOT[1]:02d}", kind="store", role=None, parent_id=None,
    site_id=_STORE, sells=True, keeps_level=True, closed=False, time_zone="UTC", day_start=None,
)  # fmt: skip
_CALLER = quick(variant_id(0))


def job() -> Job:
    """One basket of one piece, as `POST /v1/reservations` hands it to the lane, with the audit row of its request."""
    at, id = now(), quick7()
    line = NewLine(resolved(HOT[0]), _PLACE, 1)
    asked = [(line.item.variant_id, line.site.id, line.quantity, line.policy.value)]
    new = NewReservation(
        id=id, kind=ReservationKind.order, lines=[line], actor=_CALLER, at=at,
        digest=digest_of("order", asked, None, None, None, None),
    )  # fmt: skip
    audit: tuple[Any, ...] = (
        quick7(), at, _CALLER, "key", "bench", "reservation.created", "reservation", str(id), "POST /v1/reservations",
        str(uuid7()), "127.0.0.1", {},
    )  # fmt: skip
    return reservation_item(new), {"audit": [audit]}


async def ours(turn: Round) -> float:
    """Reservations a second by the lane."""
    ready = [job() for _ in range(int(turn.seconds * MOST))]
    return await turn.site.lane_rate(ready, callers=CLIENTS, seconds=turn.seconds)


async def theirs(turn: Round) -> float:
    """The best of 1, 2, 4, 8 and 16 clients in this very round."""
    seconds = max(1.0, turn.seconds / 2)
    return max(
        [await rival.reservations_a_second(turn.ground, clients=n, seconds=seconds) for n in HOT_CLIENTS]
    )


CLAIM = Claim("reserve_hot_64", 10, 25, ours, theirs)
