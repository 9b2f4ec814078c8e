"""The whole schema from the code: tables of every package, their SQL files, partitions and grants.

A new database is made by migrations; this is what they are frozen from and compared with (tests/contracts/test_schema.py).
"""

from __future__ import annotations

from importlib import import_module, resources

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from onhand.kit.database import metadata
from onhand.kit.postgres import APP

TABLES = (
    "onhand.kit.tables",
    "onhand.access.tables",
    "onhand.catalog.tables",
    "onhand.locations.tables",
    "onhand.parties.tables",
    "onhand.pricing.tables",
    "onhand.lots.tables",
    "onhand.channels.tables",
    "onhand.ledger.tables",
    "onhand.pos.tables",
    "onhand.counting.tables",
    "onhand.transfers.tables",
    "onhand.integrations.imports.tables",
    "onhand.integrations.demo.tables",
    "onhand.integrations.replay.tables",
)
"""Modules that define tables; those of rooms nobody has opened are skipped."""

PARTITIONED = ("outbox", "posting", "move", "claim")
READ_ONLY = (
    "stream_head",
    *PARTITIONED,
    "level",
    "site_level",
    "posting_key",
    "reversal",
    "serial",
    "alembic_version",
)
"""What the application role may only read: written by SECURITY DEFINER functions alone."""

APPEND_ONLY = ("audit",)

for _name in TABLES:
    try:
        import_module(_name)
    except ModuleNotFoundError as _error:
        if _error.name is None or not _name.startswith(_error.name):
            raise


def sql_files() -> list[tuple[str, str]]:
    """(name, text) of each package's SQL files: the kit's first, then by floor."""
    found = []
    for package in (
        "kit",
        "access",
        "catalog",
        "locations",
        "parties",
        "pricing",
        "ledger",
        "pos",
        "integrations.imports",
    ):
        try:
            folder = resources.files(f"onhand.{package}") / "sql"
        except ModuleNotFoundError:
            continue
        if folder.is_dir():
            names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
            found += [(f"{package}/sql/{name}", (folder / name).read_text()) for name in names]
    return found


def statements() -> list[str]:
    """Every DDL statement of a new database, in order."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    out = []
    for table in metadata.sorted_tables:
        out.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            out.append(str(CreateIndex(index).compile(dialect=dialect)).strip())
    out += [text for _, text in sql_files()]
    out += [f"SELECT onhand_partitions('{parent}', 3)" for parent in PARTITIONED]
    return out


def grants(role: str = APP) -> list[str]:
    """What the application role may do: read everything, write ordinary tables, never the ledger's."""
    quoted = '"' + role.replace('"', '""') + '"'
    return [
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {quoted}",
        f"""DO $do$ DECLARE part regclass; BEGIN
  FOR part IN SELECT c.oid FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                 AND (c.relname = ANY ('{{{",".join(READ_ONLY)}}}') OR i.inhparent = ANY ('{{{",".join(PARTITIONED)}}}'::regclass[]))
  LOOP EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM {quoted}', part); END LOOP;
END $do$""",
        *(
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {name} FROM {quoted}"
            for name in APPEND_ONLY
            if name in metadata.tables
        ),
    ]


def create_all(conn: sa.Connection, *, role: str | None = APP) -> None:
    """Make the schema in an empty database, as its owner."""
    raw = conn.connection.driver_connection
    assert raw is not None
    for statement in statements() + (grants(role) if role else []):
        raw.execute(statement)
