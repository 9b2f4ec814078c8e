"""Suppliers and customers. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from onhand.kit.problem import Problem
from onhand.values import BadValue, clean, parse_code

ADDRESS_FIELDS = ("line1", "line2", "postal_code", "city", "region", "country")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,}")


class Kind(Enum):
    """Which of the two a party is."""

    SUPPLIER = "supplier"
    CUSTOMER = "customer"


class PartyCodeTaken(Problem):
    """Another supplier or customer has this code already. Choose another one."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A supplier or customer. `address` holds some of line1, line2, postal_code, city, region, country (two letters);
    `minimum_life_days` is how long goods must still be good when they change hands."""

    id: UUID
    code: str
    name: str
    email: str | None = None
    phone: str | None = None
    address: dict[str, str] | None = None
    minimum_life_days: int | None = None
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    archived_at: datetime | None = None
    version: int = 1


def check_email(text: str, field_name: str = "email") -> str:
    """An address that looks like one: something@something.tld."""
    email = clean(text, field_name, longest=254)
    if not _EMAIL.fullmatch(email):
        raise BadValue(field_name, f"{email[:60]!r} is no e-mail address.", "Write it like name@example.com.")
    return email


def check_address(address: Mapping[str, str | None]) -> dict[str, str] | None:
    """A postal address without empty fields; None when nothing is left. Raises `BadValue` for other fields."""
    if unknown := set(address) - set(ADDRESS_FIELDS):
        raise BadValue(
            "address", f"{min(unknown)[:40]!r} is no part of an address.", f"Use {', '.join(ADDRESS_FIELDS)}."
        )
    kept = {
        name: clean(text, f"address.{name}", longest=200)
        for name, text in address.items()
        if text and text.strip()
    }
    country = kept.get("country")
    if country is not None:
        if not re.fullmatch(r"[A-Za-z]{2}", country):
            raise BadValue(
                "address.country", f"{country[:20]!r} is no country code.", 'Give two letters, such as "DE".'
            )
        kept["country"] = country.upper()
    return kept or None


def checked(party: Party) -> Party:
    """The same party with each field cleaned and checked. Raises `BadValue`."""
    return Party(
        id=party.id, code=parse_code(party.code), name=clean(party.name, "name", longest=200),
        email=check_email(party.email) if party.email else None,
        phone=clean(party.phone, "phone", longest=50) if party.phone else None,
        address=check_address(party.address) if party.address else None, minimum_life_days=party.minimum_life_days,
        external_id=clean(party.external_id, "external_id", longest=200) if party.external_id else None,
        metadata=party.metadata, archived_at=party.archived_at, version=party.version,
    )  # fmt: skip
