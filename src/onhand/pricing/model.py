"""Tax codes. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand.kit.problem import Problem
from onhand.values import BadValue, parse_units

RATE_DECIMALS = 6


class TaxCodeTaken(Problem):
    """Another tax has this code already. Choose another one, or change that tax."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCode:
    """A tax by its code. `rate` is a share: 0.19 is nineteen percent."""

    id: UUID
    code: str
    name: str
    rate: Decimal
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    archived_at: datetime | None = None
    version: int = 1


def parse_rate(text: str, field_name: str = "rate") -> Decimal:
    """Reads a rate as a share ("0.19"), zero or above, at most 6 decimals. Raises `BadValue`."""
    units = parse_units(text, RATE_DECIMALS, field_name)
    if units < 0:
        raise BadValue(
            field_name, "A tax rate is zero or above.", 'Write the share, such as "0.19" for 19 %.'
        )
    if units > 10**RATE_DECIMALS:
        raise BadValue(
            field_name, f"{text[:20]} would be more than 100 %.", 'Write the share, such as "0.19" for 19 %.'
        )
    return Decimal(units).scaleb(-RATE_DECIMALS)


def show_rate(rate: Decimal) -> str:
    """The rate as a text without needless zeros."""
    return f"{rate.normalize():f}"
