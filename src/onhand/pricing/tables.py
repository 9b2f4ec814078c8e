"""The table of tax codes."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

tax_code = sa.Table(
    "tax_code",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rate", sa.Numeric(9, 6), nullable=False),  # 0.19 is nineteen percent
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("archived_at", sa.DateTime(timezone=True)),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.CheckConstraint("rate >= 0 AND rate < 100", name="rate"),
)
