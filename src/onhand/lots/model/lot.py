"""What a lot is, which condition its goods arrive in, and the states of holds and certificates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from onhand.kit.problem import Conflict, Problem
from onhand.values import BadValue

HELD = ("recalled", "quarantine", "hold")
"""The conditions a hold may put goods into, the gravest first."""

TRANSITIONS = {
    "hold": {"open": {"release": "released"}, "released": {}},
    "certificate": {
        "none": {"attach": "waiting"},
        "waiting": {"attach": "waiting", "approve": "approved", "reject": "rejected"},
        "approved": {"attach": "waiting"},
        "rejected": {"attach": "waiting"},
    },
}
"""Document → state → verb → next state."""


class LotExists(Problem):
    """This variant has a lot or serial of this code already, with other facts. Change that one instead."""

    status = 409


class AlreadyReleased(Problem):
    """This hold was released before."""

    status = 409


class CertificateNotWaiting(Problem):
    """No certificate waits for a decision here; `state` says how it stands. Attach one first."""

    status = 409


class NoCertificate(Problem):
    """This lot has no certificate yet."""

    status = 404


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot (or, by `kind`, a serial number) as somebody names it; `expires_on` where the label says so."""

    variant_id: UUID
    code: str
    expires_on: date | None = None
    kind: str = "lot"


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold that covers some goods."""

    id: UUID
    condition: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """The condition goods come to lie in, and the hold that asks for it, where one does."""

    condition: str
    hold: OpenHold | None = None


def arrival(
    holds: Sequence[OpenHold], *, certified: bool, expires_on: date | None, today: date
) -> Arrival | None:
    """Where goods that would be available belong; None: available indeed. The gravest reason wins.

    `holds` are the open ones that cover them; `certified` is false while their policy waits for a certificate; `expires_on`
    is the last good day, `today` the business day of the site.
    """
    if holds:
        gravest = min(holds, key=lambda h: HELD.index(h.condition))
        return Arrival(gravest.condition, gravest)
    if expires_on is not None and expires_on < today:
        return Arrival("expired")
    return None if certified else Arrival("quarantine")


def check_dates(made_on: date | None, expires_on: date | None) -> None:
    """Refuses a lot that expires before it was made."""
    if made_on is not None and expires_on is not None and expires_on < made_on:
        raise BadValue("expires_on", "It would expire before it was made.", "Check both dates.")


def hold_can(state: str) -> list[str]:
    """The verbs a hold's state allows."""
    return sorted(TRANSITIONS["hold"][state])


def lot_can(certificate_state: str) -> list[str]:
    """The verbs a lot allows."""
    verbs = TRANSITIONS["certificate"][certificate_state]
    return ["change", "hold", *(f"{verb}_certificate" for verb in sorted(verbs))]


def advance(document: str, state: str, verb: str) -> str:
    """The next state. Raises AlreadyReleased, CertificateNotWaiting or Conflict."""
    following = TRANSITIONS[document][state].get(verb)
    if following is not None:
        return following
    if document == "hold":
        raise AlreadyReleased()
    if document == "certificate":
        raise CertificateNotWaiting(state=state)
    raise Conflict(state=state)
