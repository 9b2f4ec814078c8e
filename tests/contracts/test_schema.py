"""A database made by migrations is what the code says: tables, indexes, functions, triggers, views, grants.

When it is not: until the first release, freeze the foundation anew with `python -m onhand.doors.docs --freeze-foundation`;
after it, write a migration (docs/how/add-a-column.md).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql

from onhand.doors import schema
from onhand.doors.docs import foundation, tables
from onhand.kit import migrate
from onhand.kit.database import metadata
from onhand.kit.postgres import OWNER, SUPERUSER, EmbeddedPostgres

NAME = "t_contract_schema"

CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE n.nspname IN ('public', 'jobs') AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')""",
    "options": """
        SELECT n.nspname, c.relname, c.relkind::text, c.reloptions::text, c.relispartition, pg_get_userbyid(c.relowner)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'jobs')""",
    "indexes": "SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'jobs')",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace IN ('public'::regnamespace, 'jobs'::regnamespace)""",
    "functions": """
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), p.proacl::text FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'jobs'::regnamespace) AND p.prokind IN ('f', 'p')""",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger WHERE NOT tgisinternal",
    "views": "SELECT schemaname, viewname, definition FROM pg_views WHERE schemaname IN ('public', 'jobs')",
    "grants": """
        SELECT table_schema, table_name, grantee, string_agg(privilege_type, ' ' ORDER BY privilege_type)
        FROM information_schema.role_table_grants WHERE table_schema IN ('public', 'jobs') GROUP BY 1, 2, 3""",
}
"""What makes a schema: query by aspect."""

Catalogue = dict[str, set[tuple[object, ...]]]


def catalogue(url: str) -> Catalogue:
    """Everything that makes the schema of a database, but Alembic's own table."""
    with psycopg.connect(url) as conn:
        return {
            aspect: {
                row
                for row in conn.execute(query).fetchall()
                if not any("alembic_version" in str(cell) for cell in row)
            }
            for aspect, query in CATALOGUE.items()
        }


@pytest.fixture(scope="module")
def migrated(server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database that was made by migrations alone."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        name = sql.Identifier(NAME)
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(OWNER)))
        url = server.url(OWNER, NAME)
        migrate.upgrade(url)
        yield url
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def test_the_foundation_is_frozen() -> None:
    frozen = (migrate.folder() / "versions" / "0001_foundation.sql").read_text()
    assert frozen == foundation.text(), (
        "The schema changed. Until the first release: `python -m onhand.doors.docs --freeze-foundation`; "
        "after it, leave 0001 alone, write a migration, and drop this test."
    )


def test_migrations_make_the_tables_of_the_code(migrated: str) -> None:
    engine = sa.create_engine(
        migrated.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool
    )
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "include_name": _ours})
        found = [d for d in compare_metadata(context, metadata) if not _expression_index(d)]
    engine.dispose()
    assert not found, "\n".join(str(d) for d in found)


def _expression_index(difference: object) -> bool:
    """Alembic cannot compare expressions; `test_migrations_make_everything_else_too` compares the definitions."""
    if not isinstance(difference, tuple) or difference[0] not in ("add_index", "remove_index"):
        return False
    return any(not isinstance(e, sa.Column) for e in difference[1].expressions)


def _ours(name: str | None, kind: str, parents: object) -> bool:
    """Partitions are made by a function, and a few tables by a package's SQL file; neither is in the metadata."""
    if kind != "table" or name is None:
        return True
    by_sql = {n for _, text in schema.sql_files() for n in re.findall(r"CREATE TABLE (\w+)", text)}
    partition = re.fullmatch(r"(posting|move|claim|outbox)_(default|\d{4}_\d{2})", name)
    return not (partition or name == "alembic_version" or name in by_sql - metadata.tables.keys())


def test_migrations_make_everything_else_too(migrated: str, database_urls: tuple[str, str]) -> None:
    made, wanted = catalogue(migrated), catalogue(database_urls[0])
    for aspect, rows in wanted.items():
        missing, extra = rows - made[aspect], made[aspect] - rows
        assert not missing | extra, (
            f"{aspect}\nmissing: {sorted(map(str, missing))[:5]}\nextra: {sorted(map(str, extra))[:5]}"
        )


def test_migrating_again_changes_nothing(migrated: str) -> None:
    assert migrate.upgrade(migrated) == []


@pytest.fixture
def oldest(server: EmbeddedPostgres) -> Iterator[str]:
    """A database of the oldest PostgreSQL we run on, as docs/how/run-with-an-external-postgresql.md makes it."""
    binaries = Path("/usr/lib/postgresql/15/bin")
    if not binaries.is_dir():
        pytest.skip("there is no PostgreSQL 15 on this machine")
    with tempfile.TemporaryDirectory(prefix="onhand-pg15-") as folder:
        run: dict[str, Any] = {
            "check": True,
            "stdout": subprocess.DEVNULL,
            "stdin": subprocess.DEVNULL,
            "cwd": "/",
        }
        if server.os_user is not None:
            shutil.chown(folder, server.os_user)
            run |= {"user": server.os_user, "group": server.os_user, "extra_groups": []}
        data, control = f"{folder}/data", str(binaries / "pg_ctl")
        subprocess.run(
            [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-N"],
            **run,
        )
        options = f"-k {folder} -c listen_addresses="
        subprocess.run([control, "-w", "-D", data, "-l", f"{folder}/log", "-o", options, "start"], **run)
        try:
            with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}", autocommit=True) as conn:
                conn.execute("CREATE ROLE onhand_owner LOGIN")
                conn.execute("CREATE ROLE onhand_app LOGIN")
                conn.execute("CREATE DATABASE onhand OWNER onhand_owner")
            yield f"postgresql://onhand_owner@/onhand?host={folder}"
        finally:
            subprocess.run([control, "-D", data, "-m", "immediate", "stop"], **run)


@pytest.mark.external
def test_migrations_run_on_the_oldest_postgresql(oldest: str) -> None:
    assert migrate.upgrade(oldest)
    with psycopg.connect(oldest.replace("onhand_owner", "onhand_app")) as conn:
        assert conn.execute("SELECT count(*) FROM ledger_entry").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM posting")


def test_every_migration_is_marked() -> None:
    for path in (migrate.folder() / "versions").glob("*.py"):
        assert re.search(r'^phase = "(pre|post)"$', path.read_text(), re.MULTILINE), (
            f"{path.name}: pre or post?"
        )


def test_page(same: Callable[[str, str], None]) -> None:
    same("docs/schema.md", tables.page())
