"""What the application's database role may do, table by table: the ledger is out of its reach but by its functions."""

from __future__ import annotations

import re

import psycopg
import pytest

from onhand.kit.postgres import APP, OWNER

WRITES = "DELETE INSERT SELECT UPDATE"
ONLY_BY_FUNCTIONS = "SELECT"
PROTECTED = {
    "audit": "INSERT SELECT",
    "claim": ONLY_BY_FUNCTIONS,
    "level": ONLY_BY_FUNCTIONS,
    "move": ONLY_BY_FUNCTIONS,
    "outbox": ONLY_BY_FUNCTIONS,
    "posting": ONLY_BY_FUNCTIONS,
    "posting_key": ONLY_BY_FUNCTIONS,
    "reversal": ONLY_BY_FUNCTIONS,
    "serial": ONLY_BY_FUNCTIONS,
    "site_level": ONLY_BY_FUNCTIONS,
    "stream_head": ONLY_BY_FUNCTIONS,
}
AS_OWNER = {
    "ledger_guard",
    "ledger_lock_levels",
    "ledger_lock_sites",
    "ledger_write",
    "onhand_bump_directory",
    "onhand_emit",
    "onhand_partitions",
}
"""Every function that runs with the owner's rights. A new one is a new way into the ledger: look twice."""


@pytest.fixture(scope="module")
def owner(database_urls: tuple[str, str]) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(database_urls[0], autocommit=True)


def test_tables(owner: psycopg.Connection[tuple[str, str]]) -> None:
    rows = owner.execute(
        "SELECT c.relname, coalesce((SELECT string_agg(p, ' ' ORDER BY p) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',"
        " 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p WHERE has_table_privilege(%s, c.oid, p)), '')"
        " FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')",
        (APP,),
    ).fetchall()
    seen = set()
    for name, may in rows:
        parent = re.sub(r"^(posting|move|claim|outbox)_(default|\d{4}_\d{2})$", r"\1", name)
        seen.add(parent)
        assert may == PROTECTED.get(parent, WRITES), name
    assert seen >= PROTECTED.keys()


def test_functions_with_the_owners_rights(owner: psycopg.Connection[tuple[str, str, str]]) -> None:
    rows = owner.execute(
        "SELECT proname, pg_get_userbyid(proowner), array_to_string(proconfig, ';') FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert {name for name, _, _ in rows} == AS_OWNER
    for name, held_by, config in rows:
        assert held_by == OWNER, name
        assert config.startswith("search_path=public, pg_temp"), f"{name} may be led astray by a search_path"


def test_the_role_itself(owner: psycopg.Connection[tuple[bool, ...]]) -> None:
    row = owner.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
        " pg_has_role(rolname, %s, 'MEMBER'), has_schema_privilege(rolname, 'public', 'CREATE')"
        " FROM pg_roles WHERE rolname = %s",
        (OWNER, APP),
    ).fetchone()
    assert row == (False,) * 7


@pytest.mark.parametrize("table", ["posting_default", "move_default", "claim_default"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET seq = seq", "DELETE FROM {}", "TRUNCATE {}"])
def test_even_the_owner_changes_no_posting(
    owner: psycopg.Connection[tuple[object, ...]], table: str, verb: str
) -> None:
    """Statements on a partition: TRUNCATE is refused at once, the others row by row, so the triggers must be there."""
    triggers = {
        str(name)
        for (name,) in owner.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
            (table,),
        )
    }
    assert {"refuse_change", "refuse_truncate"} <= triggers
    if verb.startswith("TRUNCATE"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(verb.format(table).encode())
