"""Tables of the point of sale: registers, and what the tills say happened."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)

register = sa.Table(
    "register",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("location_id", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
)

sale = sa.Table(
    "sale",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("register", sa.Uuid, nullable=False),
    sa.Column("location", sa.Uuid, nullable=False),
    sa.Column("site", sa.Uuid, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("actor", sa.Uuid, nullable=False),
    sa.Column("customer", sa.Uuid),
    sa.Column("refund_of", sa.Uuid),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("tax", sa.BigInteger, nullable=False),
    sa.Column("discount", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("line_count", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("number", sa.Text),
    sa.Column("state", sa.Text, nullable=False, server_default="completed"),
    sa.CheckConstraint("state IN ('completed', 'partly_refunded', 'refunded', 'voided')", name="state"),
    sa.Index("sale_site_idx", "site", "happened_at"),
    sa.Index("sale_happened_idx", "happened_at"),
    sa.Index("sale_recorded_idx", "recorded_at", postgresql_using="brin"),
    sa.Index("sale_refund_idx", "refund_of", postgresql_where=sa.text("refund_of IS NOT NULL")),
    sa.Index("sale_number_idx", "number", postgresql_where=sa.text("number IS NOT NULL")),
)

sale_line = sa.Table(
    "sale_line",
    metadata,
    sa.Column("sale", sa.Uuid, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("variant", sa.Uuid),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("refunded", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("tax", sa.BigInteger, nullable=False),
    sa.Column("discount", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("unit_price", sa.Numeric(20, 6), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("told_quantity", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("lot_code", sa.Text),
    sa.Column("serial_number", sa.Text),
    sa.PrimaryKeyConstraint("sale", "line"),
)

tender = sa.Table(
    "tender",
    metadata,
    sa.Column("sale", sa.Uuid, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.PrimaryKeyConstraint("sale", "line"),
)
