"""The table of places."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

location = sa.Table(
    "location",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("location.id"), index=True),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("location.id"), index=True),
    # collation C: a subtree is the range (path || '/', path || '0')
    sa.Column("path", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("sells", sa.Boolean, nullable=False),
    sa.Column("keeps_level", sa.Boolean, nullable=False),
    sa.Column("time_zone", sa.Text),
    sa.Column("day_start", sa.Time),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.Column("latitude", sa.Numeric(9, 6)),
    sa.Column("longitude", sa.Numeric(9, 6)),
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.CheckConstraint(
        "kind IN ('warehouse','store','zone','aisle','rack','bin','pallet','tote','cart','supplier','customer','transit','adjustment','scrap',"
        "'production','lot_assignment')",
        name="kind",
    ),
    sa.CheckConstraint(
        "(site_id IS NULL) = (kind IN ('supplier','customer','transit','adjustment','scrap','production','lot_assignment'))",
        name="site",
    ),
    sa.CheckConstraint("site_id IS NOT NULL OR NOT sells", name="virtual_sells"),
    sa.Index(None, "updated_at", "id"),
    sa.Index(None, "code"),
)
