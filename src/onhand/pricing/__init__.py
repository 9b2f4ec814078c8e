"""Prices and taxes; for now the tax codes."""

from onhand.pricing.actions import change_tax_code, create_tax_code
from onhand.pricing.events import TaxCodeChanged
from onhand.pricing.model import TaxCode, TaxCodeTaken, parse_rate
from onhand.pricing.reads import get_tax_code, list_tax_codes

__all__ = [
    "TaxCode",
    "TaxCodeChanged",
    "TaxCodeTaken",
    "change_tax_code",
    "create_tax_code",
    "get_tax_code",
    "list_tax_codes",
    "parse_rate",
]
