"""Users from a file: each new one gets a role and an invitation by mail; known ones stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from onhand import access, locations
from onhand.integrations.imports.model import Run
from onhand.kit.ids import uuid7
from onhand.kit.problem import Problem
from onhand.kit.tx import Tx
from onhand.values import BadValue, BatchResult, Column, RowProblem, clean

USER_COLUMNS: tuple[Column, ...] = (
    Column("email", "Their e-mail address; the invitation goes there.", "anna@example.com", required=True),
    Column("name", "Name people read.", "Anna Schmidt", required=True),
    Column("role", "Name of the role they get.", "clerk", required=True),
    Column("site", "Code of the store or warehouse the role holds for; empty: everywhere.", "S01"),
)


async def invite_users(
    tx: Tx, run: Run, rows: Sequence[dict[str, str]], numbers: Sequence[int]
) -> BatchResult:
    """Adds people with one role each. Only who holds every permission everywhere may start this import (the route checks),
    so nobody hands out more than they have."""
    if "sites" not in run.memory:
        places = (await locations.directory(tx.conn)).values()
        run.memory["sites"] = {place.code: place.id for place in places if place.is_site}
    result = BatchResult()
    for number, row in zip(numbers, rows, strict=True):
        try:
            if await access.user_by_email(tx.conn, email=row["email"].lower()) is not None:
                result.unchanged += 1
                continue
            site = run.memory["sites"].get(row["site"]) if "site" in row else None
            if "site" in row and site is None:
                raise BadValue(
                    "site", f"There is no store or warehouse {row['site'][:64]}.", "Correct the code."
                )
            async with tx.conn.begin_nested():
                await access.invite(
                    tx, caller=access.SYSTEM, user_id=uuid7(), email=row["email"], organisation=run.organisation,
                    name=clean(row["name"], "name", longest=200), address=run.address,
                    assignments=[access.Assignment(row["role"].lower(), site)],
                )  # fmt: skip
            result.created += 1
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, row.get(bad.field, ""), bad))
        except Problem as problem:
            column = "role" if "role" in (problem.param or "") else "email"
            result.problems.append(
                RowProblem(
                    number,
                    column,
                    row.get(column, "")[:100],
                    problem.code,
                    problem.detail,
                    "Correct the cell.",
                )
            )
    return result
