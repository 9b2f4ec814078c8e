"""Tables of the channels."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)
_NOW = sa.text("clock_timestamp()")

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("buffer", sa.BigInteger, nullable=False, server_default="0"),  # whole units
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("archived_at", _AT),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _AT, nullable=False, server_default=_NOW),
    sa.Column("updated_at", _AT, nullable=False, server_default=_NOW),
    sa.CheckConstraint("buffer >= 0", name="buffer"),
)

channel_site = sa.Table(
    "channel_site",
    metadata,
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.PrimaryKeyConstraint("channel_id", "site_id"),
)

channel_buffer = sa.Table(
    "channel_buffer",
    metadata,
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("buffer", sa.BigInteger, nullable=False),  # counts of the variant's smallest unit
    sa.Column("updated_at", _AT, nullable=False, server_default=_NOW),
    sa.PrimaryKeyConstraint("channel_id", "variant_id", "site_id"),
    sa.CheckConstraint("buffer >= 0", name="buffer"),
    sa.Index(None, "variant_id"),
)
