"""Tables of suppliers and customers: the same columns, two tables, since they live and are seen apart."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata


def _party(name: str) -> sa.Table:
    now = sa.text("clock_timestamp()")
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text(collation="C"), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("address", pg.JSONB),
        sa.Column("minimum_life_days", sa.Integer),  # days goods must still be good when they change hands
        sa.Column("external_id", sa.Text, unique=True),
        sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.CheckConstraint("minimum_life_days >= 0", name="minimum_life_days"),
        sa.Index(None, "updated_at", "id"),
    )


supplier = _party("supplier")
customer = _party("customer")
