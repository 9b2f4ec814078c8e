"""Tables of the ledger. Written only through `sql/apply.sql`; the application role may only read them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)
_NIL = sa.text("'00000000-0000-0000-0000-000000000000'")

posting = sa.Table(
    "posting",
    metadata,
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("actor", sa.Uuid, nullable=False),
    sa.Column("device", sa.Uuid),
    sa.Column("reverses", sa.Uuid),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_type", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("seq", "recorded_at"),
    postgresql_partition_by="RANGE (recorded_at)",
)

move = sa.Table(
    "move",
    metadata,
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("variant", sa.Uuid, nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False),
    sa.Column("from_location", sa.Uuid, nullable=False),
    sa.Column("to_location", sa.Uuid, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("from_condition", sa.SmallInteger, nullable=False),
    sa.Column("to_condition", sa.SmallInteger, nullable=False),
    sa.Column("from_kept", sa.Boolean, nullable=False),
    sa.Column("to_kept", sa.Boolean, nullable=False),
    sa.Column("unit_cost", sa.Numeric(20, 6)),
    sa.Column("currency", sa.Text),
    sa.PrimaryKeyConstraint("seq", "line", "recorded_at"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.Index(
        "move_from_idx", "variant", "from_location", "happened_at", postgresql_where=sa.text("from_kept")
    ),
    sa.Index("move_to_idx", "variant", "to_location", "happened_at", postgresql_where=sa.text("to_kept")),
    sa.Index("move_lot_idx", "lot", "seq", "line", postgresql_where=sa.text(f"lot <> {_NIL.text}")),
    postgresql_partition_by="RANGE (recorded_at)",
)

claim = sa.Table(
    "claim",
    metadata,
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.Column("reservation", sa.Uuid, nullable=False),
    sa.Column("variant", sa.Uuid, nullable=False),
    sa.Column("site", sa.Uuid, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("seq", "line", "recorded_at"),
    sa.CheckConstraint("quantity <> 0", name="quantity"),
    sa.Index("claim_reservation_idx", "reservation"),
    sa.Index("claim_site_idx", "variant", "site"),
    postgresql_partition_by="RANGE (recorded_at)",
)

posting_key = sa.Table(
    "posting_key",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("caller", sa.Uuid, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)

reversal = sa.Table(
    "reversal",
    metadata,
    sa.Column("original", sa.Uuid, primary_key=True),
    sa.Column("by", sa.Uuid, nullable=False),
)

level = sa.Table(
    "level",
    metadata,
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("location", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False, server_default=_NIL),
    sa.Column("condition", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("on_hand", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("allocated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("overdrawn", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("variant", "location", "lot", "condition"),
    sa.CheckConstraint("allocated >= 0", name="allocated"),
    sa.CheckConstraint("overdrawn >= 0", name="overdrawn"),
    sa.CheckConstraint("on_hand + overdrawn >= 0", name="covered"),
    sa.Index("level_location_idx", "location"),
    sa.Index("level_lot_idx", "lot", postgresql_where=sa.text(f"lot <> {_NIL.text}")),
    postgresql_with={"fillfactor": "70"},
)

site_level = sa.Table(
    "site_level",
    metadata,
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("sellable", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("overdrawn", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("variant", "site"),
    sa.CheckConstraint("reserved >= 0", name="reserved"),
    sa.CheckConstraint("overdrawn >= 0", name="overdrawn"),
    sa.CheckConstraint("sellable - reserved + overdrawn >= 0", name="covered"),
    sa.Index("site_level_site_idx", "site"),
    postgresql_with={"fillfactor": "70"},
)

# How many of a serial number (a lot of one unit) lie in places that keep stock; written by `sql/serials.sql` alone.
serial = sa.Table(
    "serial",
    metadata,
    sa.Column("lot", sa.Uuid, sa.ForeignKey("lot.id"), primary_key=True),
    sa.Column("on_hand", sa.BigInteger, nullable=False),
    sa.CheckConstraint("on_hand <= 1", name="once"),
)

expectation = sa.Table(
    "expectation",
    metadata,
    sa.Column("source_line", sa.Uuid, primary_key=True),
    sa.Column("source_type", sa.Text, nullable=False),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("due", _AT, nullable=False),
    sa.Index(None, "variant", "site", "due"),
)

exception = sa.Table(
    "exception",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("site", sa.Uuid),
    sa.Column("variant", sa.Uuid),
    sa.Column("quantity", sa.BigInteger),
    sa.Column("posting_id", sa.Uuid),
    sa.Column("source_type", sa.Text, nullable=False),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("actor", sa.Uuid, nullable=False),
    sa.Column("detail", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("opened_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("resolved_at", _AT),
    sa.Column("resolved_by", sa.Uuid),
    sa.Column("resolution", sa.Text),
    sa.CheckConstraint("state IN ('open', 'resolved')", name="state"),
    sa.Index("exception_open_idx", "opened_at", "id", postgresql_where=sa.text("state = 'open'")),
    sa.Index(None, "opened_at", "id"),
    sa.Index(None, "variant", "site"),
)

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("site", sa.Uuid),
    sa.Column("body", pg.JSONB, nullable=False),
    sa.Column("asked_by", sa.Uuid, nullable=False),
    sa.Column("asked_by_name", sa.Text, nullable=False),
    sa.Column("asked_at", _AT, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("decided_by", sa.Uuid),
    sa.Column("decided_at", _AT),
    sa.Column("decision_note", sa.Text),
    sa.CheckConstraint("state IN ('waiting', 'approved', 'rejected')", name="state"),
    sa.Index(None, "asked_at", "id"),
)

verification = sa.Table(
    "verification",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _AT, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("postings", sa.BigInteger, nullable=False),
    sa.Column("moves", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("claims", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("events", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("took_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("checks", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("differences", pg.JSONB, nullable=False),
    sa.Index(None, "at"),
)

self_check = sa.Table(
    "self_check",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _AT, nullable=False),
    sa.Column("levels", sa.BigInteger, nullable=False),
    sa.Column("site_levels", sa.BigInteger, nullable=False),
    sa.Column("skipped", sa.BigInteger, nullable=False),
    sa.Column("drift", sa.BigInteger, nullable=False),
    sa.Column("took_ms", sa.BigInteger, nullable=False),
    sa.Column("differences", pg.JSONB, nullable=False),
    sa.Column("state", pg.JSONB, nullable=False),
    sa.Index(None, "at"),
)

reservation = sa.Table(
    "reservation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("reference", sa.Text),
    sa.Column("channel_id", sa.Uuid),
    sa.Column("expires_at", _AT),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("ended_at", _AT),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("kind IN ('basket', 'order', 'quota')", name="kind"),
    sa.CheckConstraint("state IN ('open', 'consumed', 'released', 'expired')", name="state"),
    sa.CheckConstraint("kind <> 'basket' OR expires_at IS NOT NULL", name="basket_ends"),
    sa.Index(
        "reservation_due_idx", "expires_at",
        postgresql_where=sa.text("state = 'open' AND expires_at IS NOT NULL"),
    ),
    sa.Index("reservation_created_idx", "created_at", "id"),
    sa.Index("reservation_reference_idx", "reference", postgresql_where=sa.text("reference IS NOT NULL")),
)  # fmt: skip

reservation_line = sa.Table(
    "reservation_line",
    metadata,
    sa.Column("reservation", sa.Uuid, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("variant", sa.Uuid, nullable=False),
    sa.Column("site", sa.Uuid, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("requested", sa.BigInteger, nullable=False),
    sa.Column("claimed", sa.BigInteger, nullable=False),
    sa.Column("consumed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("released", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expired", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("reservation", "line"),
    sa.CheckConstraint("policy IN ('all_or_nothing', 'what_there_is', 'backorder')", name="policy"),
    sa.CheckConstraint(
        "requested > 0 AND claimed >= 0 AND consumed >= 0 AND released >= 0 AND expired >= 0", name="quantity"
    ),
    sa.CheckConstraint("claimed - consumed - released - expired >= 0", name="open"),
    sa.Index(
        "reservation_line_open_idx", "variant", "site",
        postgresql_where=sa.text("claimed > consumed + released + expired"),
    ),
)  # fmt: skip

backorder = sa.Table(
    "backorder",
    metadata,
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("max_quantity", sa.BigInteger),  # smallest units below zero; null: any
    sa.Column("note", sa.Text),
    sa.Column("approved_by", sa.Uuid, nullable=False),
    sa.Column("approved_at", _AT, nullable=False),
    sa.Column("ended_at", _AT),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("variant", "site"),
    sa.CheckConstraint("max_quantity >= 0", name="max_quantity"),
)
