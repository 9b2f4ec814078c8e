"""Pure values: quantities, units, money, GTINs, GS1 scans and codes. Imports nothing of ours; raises `BadValue`."""

from onhand.values.codes import MAX_CODE, check_metadata, clean, parse_code, parse_lot_code, parse_sku
from onhand.values.errors import BadValue, UnitMismatch
from onhand.values.gs1 import Scan, element_string, read_scan
from onhand.values.gtin import Gtin, check_digit, expand_upc_e, is_gtin, parse_gtin, parse_sscc, short_gtin
from onhand.values.money import (
    COST_DECIMALS,
    CURRENCY_EXPONENTS,
    Money,
    check_currency,
    format_cost,
    parse_cost,
)
from onhand.values.quantity import (
    MAX_DECIMALS,
    MAX_UNITS,
    Quantity,
    check_decimals,
    format_units,
    parse_units,
    split,
)
from onhand.values.rows import BatchResult, Column, RowProblem
from onhand.values.units import (
    STANDARD_UNITS,
    Converted,
    Unit,
    convert,
    exact_units,
    parse_fraction,
    ratio,
    to_units,
)

__all__ = [
    "COST_DECIMALS",
    "CURRENCY_EXPONENTS",
    "MAX_CODE",
    "MAX_DECIMALS",
    "MAX_UNITS",
    "STANDARD_UNITS",
    "BadValue",
    "BatchResult",
    "Column",
    "Converted",
    "Gtin",
    "Money",
    "Quantity",
    "RowProblem",
    "Scan",
    "Unit",
    "UnitMismatch",
    "check_currency",
    "check_decimals",
    "check_digit",
    "check_metadata",
    "clean",
    "convert",
    "element_string",
    "exact_units",
    "expand_upc_e",
    "format_cost",
    "format_units",
    "is_gtin",
    "parse_code",
    "parse_cost",
    "parse_fraction",
    "parse_gtin",
    "parse_lot_code",
    "parse_sku",
    "parse_sscc",
    "parse_units",
    "ratio",
    "read_scan",
    "short_gtin",
    "split",
    "to_units",
]
