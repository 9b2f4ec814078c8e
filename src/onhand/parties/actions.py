"""What can be done with suppliers and customers: create, change, archive, import."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand.kit.ids import uuid7
from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.parties import store
from onhand.parties.events import CustomerChanged, PartiesImported, SupplierChanged
from onhand.parties.model import ADDRESS_FIELDS, Kind, Party, checked
from onhand.values import BadValue, BatchResult, Column, RowProblem

PARTY_COLUMNS: tuple[Column, ...] = (
    Column("code", "Your code; rows with a known code change that one.", "ACME", required=True),
    Column("name", "Name people read.", "Acme Teas Ltd", required=True),
    Column("email", "E-mail address.", "orders@acme.example"),
    Column("phone", "Telephone number.", "+44 20 7946 0000"),
    Column("line1", "First line of the address.", "1 Dock Road"),
    Column("line2", "Second line of the address.", "Unit 4"),
    Column("postal_code", "Postal code.", "E16 1AA"),
    Column("city", "City.", "London"),
    Column("region", "State or province.", ""),
    Column("country", "Two letters.", "GB"),
    Column("external_id", "The id another system knows it by.", "vendor-9"),
)


def audited(party: Party) -> dict[str, Any]:
    """A party as the audit log keeps it."""
    out = {f.name: getattr(party, f.name) for f in fields(Party)}
    out["id"] = str(party.id)
    if isinstance(party.archived_at, datetime):
        out["archived_at"] = party.archived_at.isoformat()
    return out


def _say(tx: Tx, kind: Kind, before: Party | None, after: Party) -> None:
    tx.record(kind.value, after.id, audited(before) if before else None, audited(after))
    if kind is Kind.SUPPLIER:
        tx.emit(SupplierChanged(supplier_id=after.id, code=after.code, version=after.version))
    else:
        tx.emit(CustomerChanged(customer_id=after.id, code=after.code, version=after.version))


async def create_party(tx: Tx, kind: Kind, *, party_id: UUID | None = None, **given: Any) -> Party:
    """Makes a supplier or customer from the fields of `Party`. Raises PartyCodeTaken, IdReused, Conflict, BadValue."""
    party = checked(Party(id=tx.new_id(party_id), **given))
    await store.insert(tx.conn, kind, [party])
    _say(tx, kind, None, party)
    return party


CHANGEABLE = frozenset(
    {"code", "name", "email", "phone", "address", "minimum_life_days", "external_id", "metadata"}
)


async def change_party(
    tx: Tx, kind: Kind, party_id: UUID, *, version: int | None, changes: Mapping[str, Any]
) -> Party:
    """Changes some fields (see CHANGEABLE); `archived` true or false archives or brings back.

    Raises NotFound, Stale, PartyCodeTaken, Conflict, BadValue.
    """
    if unknown := set(changes) - CHANGEABLE - {"archived"}:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    before = await store.lock(tx.conn, kind, party_id)
    if before is None:
        raise NotFound(f"There is no {kind.value} with this id.", param="id")
    if version is not None and version != before.version:
        raise Stale(param="If-Match", version=before.version)
    fresh = dict(changes)
    archived = fresh.pop("archived", None)
    after = checked(replace(before, **fresh))
    if archived is not None:
        after = replace(after, archived_at=(before.archived_at or tx.now) if archived else None)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    await store.update(tx.conn, kind, [after])
    _say(tx, kind, before, after)
    return after


def _read(row: Mapping[str, str | None]) -> dict[str, Any]:
    cells = {name: text.strip() for name, text in row.items() if text and text.strip()}
    for name in ("code", "name"):
        if name not in cells:
            raise BadValue(name, f"The {name} is empty.", "Fill it in.")
    address = {name: cells.pop(name) for name in ADDRESS_FIELDS if name in cells}
    known = {column.name for column in PARTY_COLUMNS}
    return {name: text for name, text in cells.items() if name in known} | (
        {"address": address} if address else {}
    )


async def upsert_parties(
    tx: Tx, kind: Kind, rows: Sequence[Mapping[str, str | None]], *, first_row: int = 1
) -> BatchResult:
    """Makes or changes suppliers or customers by code (PARTY_COLUMNS); empty cells keep what is there.

    Good rows are written, bad ones named with column and remedy; who wants all or nothing rolls back on problems.
    """
    present = await store.by_code(tx.conn, kind, {(row.get("code") or "").strip() for row in rows})
    owners = await store.external_ids(tx.conn, kind, {(row.get("external_id") or "").strip() for row in rows})
    created: dict[str, Party] = {}
    changed: dict[str, Party] = {}
    result = BatchResult()
    for number, row in enumerate(rows, start=first_row):
        try:
            given = _read(row)
            old = present.get(given["code"])
            party = checked(replace(old, **given) if old else Party(id=uuid7(), **given))
            if party.external_id and owners.setdefault(party.external_id, party.code) != party.code:
                raise BadValue(
                    "external_id", f"{owners[party.external_id]} has it already.", "Each needs its own."
                )
        except BadValue as bad:
            column = bad.field.removeprefix("address.")
            value = str(row.get(column) or "")
            result.problems.append(
                RowProblem(number, column, value[:100], "invalid", bad.message, bad.remedy)
            )
            continue
        present[party.code] = party
        if old is None or party.code in created:
            created[party.code] = party
        elif party != old:
            changed[party.code] = party
        elif party.code not in changed:
            result.unchanged += 1
    await store.insert(tx.conn, kind, list(created.values()))
    await store.update(tx.conn, kind, [replace(p, version=p.version + 1) for p in changed.values()])
    result.created, result.updated = len(created), len(changed)
    if created or changed:
        tx.record(f"{kind.value}_import", uuid7(), None, {"created": len(created), "updated": len(changed)})
        tx.emit(PartiesImported(kind=kind.value, created=len(created), updated=len(changed)))
    return result
