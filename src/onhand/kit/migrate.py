"""Migrations: run by `onhand serve` under an advisory lock, as the owner role; each is marked pre or post."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import onhand
from onhand.kit.database import sqlalchemy_url

_LOCK = 0x6F6E68616E64  # "onhand"


def checkout() -> Path:
    """The folder of the checkout this package is installed from in place."""
    return Path(onhand.__file__).parents[2]


def folder() -> Path:
    """Where the migrations are: inside the wheel, or beside `src` in a checkout."""
    package = Path(onhand.__file__).parent
    inside = package / "migrations"
    return inside if inside.exists() else checkout() / "migrations"


def config() -> Config:
    """Alembic's configuration, without a file."""
    cfg = Config()
    cfg.set_main_option("script_location", str(folder()))
    return cfg


def upgrade(owner_url: str, *, target: str = "head") -> list[str]:
    """Bring the database to the newest schema; returns the revisions that ran. Safe to call from several processes."""
    engine = sa.create_engine(sqlalchemy_url(owner_url), poolclass=sa.NullPool)
    try:
        with engine.connect() as conn:
            conn.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            conn.commit()
            before = set(MigrationContext.configure(conn).get_current_heads())
            conn.commit()
            scripts = ScriptDirectory.from_config(config())
            if before == set(scripts.get_heads()):
                return []
            cfg = config()
            cfg.attributes["connection"] = conn
            command.upgrade(cfg, target)
            conn.commit()
            ran = [s.revision for s in scripts.walk_revisions() if s.revision not in before]
            return list(reversed(ran))
    finally:
        engine.dispose()
