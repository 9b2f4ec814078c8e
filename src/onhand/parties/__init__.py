"""Suppliers and customers."""

from onhand.parties.actions import PARTY_COLUMNS, change_party, create_party, upsert_parties
from onhand.parties.events import CustomerChanged, PartiesImported, SupplierChanged
from onhand.parties.model import Kind, Party, PartyCodeTaken
from onhand.parties.reads import find_customers, find_suppliers, get_party, list_parties, resolve_parties

__all__ = [
    "PARTY_COLUMNS",
    "CustomerChanged",
    "Kind",
    "PartiesImported",
    "Party",
    "PartyCodeTaken",
    "SupplierChanged",
    "change_party",
    "create_party",
    "find_customers",
    "find_suppliers",
    "get_party",
    "list_parties",
    "resolve_parties",
    "upsert_parties",
]
