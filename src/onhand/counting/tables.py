"""Tables of counting: how often what is counted, who counts what, what was counted, and what kept it right afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)
_NOW = sa.text("clock_timestamp()")

count_policy = sa.Table(
    "count_policy",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, server_default="1"),
    sa.Column("share_a", sa.Numeric(5, 2), nullable=False),
    sa.Column("share_b", sa.Numeric(5, 2), nullable=False),
    sa.Column("days_a", sa.Integer, nullable=False),
    sa.Column("days_b", sa.Integer, nullable=False),
    sa.Column("days_c", sa.Integer, nullable=False),
    sa.Column("tolerance_units", sa.Numeric(20, 6)),
    sa.Column("tolerance_percent", sa.Numeric(7, 3)),
    sa.Column("tolerance_value", sa.Numeric(20, 6)),
    sa.Column("recount_by", sa.Text, nullable=False),
    sa.Column("rounds", sa.SmallInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("one = 1", name="single"),
    sa.CheckConstraint("days_a > 0 AND days_b > 0 AND days_c > 0", name="days"),
    sa.CheckConstraint("recount_by IN ('other', 'anyone')", name="recount_by"),
)

count_capacity = sa.Table(
    "count_capacity",
    metadata,
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), primary_key=True),
    sa.Column("bins_per_day", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("bins_per_day >= 0", name="bins"),
)

count_class = sa.Table(
    "count_class",
    metadata,
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("value", sa.Numeric(20, 6), nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.PrimaryKeyConstraint("site", "variant"),
    sa.CheckConstraint("class IN ('A', 'B', 'C')", name="class"),
)

count_place = sa.Table(
    "count_place",
    metadata,
    sa.Column("location", sa.Uuid, sa.ForeignKey("location.id"), primary_key=True),
    sa.Column("counted_at", _AT, nullable=False),
)

count_sheet = sa.Table(
    "count_sheet",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_by_name", sa.Text, nullable=False),
    sa.Column("created_at", _AT, nullable=False, server_default=_NOW),
    sa.Index(None, "created_at", "id"),
)

bin_count = sa.Table(
    "bin_count",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sheet", sa.Uuid, sa.ForeignKey("count_sheet.id"), nullable=False, index=True),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("location", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("round", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("claimed_by", sa.Uuid),
    sa.Column("claimed_by_name", sa.Text),
    sa.Column("entry", sa.Uuid),
    sa.Column("happened_at", _AT),
    sa.Column("value", sa.Numeric(20, 6)),
    sa.Column("lines", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("over", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("decided_by", sa.Uuid),
    sa.Column("decided_by_name", sa.Text),
    sa.Column("decided_at", _AT),
    sa.Column("note", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", _AT, nullable=False, server_default=_NOW),
    sa.CheckConstraint(
        "state IN ('open', 'claimed', 'recount', 'waiting', 'posted', 'cancelled')", name="state"
    ),
    sa.Index(
        "bin_count_busy_idx", "location", unique=True,
        postgresql_where=sa.text("state IN ('open', 'claimed', 'recount', 'waiting')"),
    ),
    sa.Index("bin_count_site_idx", "site", "state"),
    sa.Index("bin_count_decided_idx", "decided_at"),
)  # fmt: skip

count_entry = sa.Table(
    "count_entry",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("bin_count", sa.Uuid, sa.ForeignKey("bin_count.id"), nullable=False, index=True),
    sa.Column("round", sa.SmallInteger, nullable=False),
    sa.Column("actor", sa.Uuid, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False, server_default=_NOW),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("lines", pg.JSONB, nullable=False),
    sa.Column("unknown", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("bin_count", "round"),
)

count_cover = sa.Table(
    "count_cover",
    metadata,
    sa.Column("entry", sa.Uuid, primary_key=True),
    sa.Column("location", sa.Uuid, nullable=False),
    sa.Column("site", sa.Uuid, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("known", sa.BigInteger, nullable=False),
    sa.Column("known_at", _AT, nullable=False),
    sa.Column("posting", sa.Uuid),
    sa.Index(None, "location", "happened_at"),
)

counted_level = sa.Table(
    "counted_level",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("entry", sa.Uuid),
    sa.Column("site", sa.Uuid, nullable=False),
    sa.Column("variant", sa.Uuid, nullable=False),
    sa.Column("location", sa.Uuid, nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False),
    sa.Column("condition", sa.SmallInteger, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("variance", sa.BigInteger, nullable=False),
    sa.Column("corrected", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("known", sa.BigInteger, nullable=False),
    sa.Column("known_at", _AT, nullable=False),
    sa.Column("posting", sa.Uuid),
    sa.Column("unit_cost", sa.Numeric(20, 6)),
    sa.Column("currency", sa.Text),
    sa.CheckConstraint("quantity >= 0", name="quantity"),
    sa.Index("counted_level_key_idx", "variant", "location", "lot", "condition", "happened_at"),
    sa.Index("counted_level_entry_idx", "entry", postgresql_where=sa.text("entry IS NOT NULL")),
)

count_correction = sa.Table(
    "count_correction",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("counted_level", sa.Uuid, sa.ForeignKey("counted_level.id"), nullable=False, index=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False, server_default=_NOW),
    sa.Column("late", pg.ARRAY(sa.Uuid), nullable=False),
    sa.CheckConstraint("quantity <> 0", name="quantity"),
    sa.Index(None, "recorded_at", "id"),
)

count_cursor = sa.Table(
    "count_cursor",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, server_default="1"),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.CheckConstraint("one = 1", name="single"),
)
