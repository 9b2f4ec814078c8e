"""Tables of the lots: lots and serials, the policies that rule them, and holds."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)
_NOW = sa.text("clock_timestamp()")

lot = sa.Table(
    "lot",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("code", sa.Text(collation="C"), nullable=False),  # a lot code, or a serial number
    sa.Column("kind", sa.Text, nullable=False, server_default="lot"),
    sa.Column("supplier_id", sa.Uuid, sa.ForeignKey("supplier.id")),
    sa.Column("owner_kind", sa.Text),  # whose goods they are, where they are not ours
    sa.Column("owner_id", sa.Uuid),
    sa.Column("made_on", sa.Date),
    sa.Column("expires_on", sa.Date),  # the last good day
    sa.Column("certificate_file", sa.Uuid, sa.ForeignKey("file.id")),
    sa.Column("certificate_state", sa.Text, nullable=False, server_default="none"),
    sa.Column("certificate_by", sa.Uuid),
    sa.Column("certificate_by_name", sa.Text),
    sa.Column("certificate_at", _AT),
    sa.Column("certificate_note", sa.Text),
    sa.Column("notes", sa.Text, nullable=False, server_default=""),
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", _AT, nullable=False, server_default=_NOW),
    sa.Column("updated_at", _AT, nullable=False, server_default=_NOW),
    sa.UniqueConstraint("variant_id", "code"),
    sa.CheckConstraint("kind IN ('lot','serial')", name="kind"),
    sa.CheckConstraint("(owner_kind IS NULL) = (owner_id IS NULL)", name="owner"),
    sa.CheckConstraint("owner_kind IN ('supplier','customer')", name="owner_kind"),
    sa.CheckConstraint(
        "certificate_state IN ('none','waiting','approved','rejected')", name="certificate_state"
    ),
    sa.CheckConstraint("made_on <= expires_on", name="dates"),
    sa.Index(None, "code", "id"),
    sa.Index("lot_code_lower_idx", sa.text('lower(code) COLLATE "C"'), "id"),
    sa.Index("lot_expires_idx", "expires_on", "id", postgresql_where=sa.text("expires_on IS NOT NULL")),
    sa.Index(None, "updated_at", "id"),
)

lot_policy = sa.Table(
    "lot_policy",
    metadata,
    sa.Column("subject_id", sa.Uuid, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("needs_certificate", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("strategy", sa.Text, nullable=False, server_default="fefo"),
    sa.Column("near_expiry_days", sa.Integer, nullable=False, server_default="30"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", _AT, nullable=False, server_default=_NOW),
    sa.CheckConstraint("subject IN ('product','variant')", name="subject"),
    sa.CheckConstraint("strategy IN ('fefo','fifo','lifo','nearest','fewest_picks')", name="strategy"),
    sa.CheckConstraint("near_expiry_days >= 0", name="near_expiry_days"),
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("lot_id", sa.Uuid, sa.ForeignKey("lot.id"), index=True),
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id")),
    sa.Column("location_id", sa.Uuid, sa.ForeignKey("location.id")),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("rounds", sa.Integer, nullable=False, server_default="0"),  # how often it moved something
    sa.Column("placed_at", _AT, nullable=False),
    sa.Column("placed_by", sa.Uuid, nullable=False),
    sa.Column("placed_by_name", sa.Text, nullable=False),
    sa.Column("released_at", _AT),
    sa.Column("released_by", sa.Uuid),
    sa.Column("released_by_name", sa.Text),
    sa.Column("release_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("num_nonnulls(lot_id, variant_id, location_id) > 0", name="scope"),
    sa.CheckConstraint("condition IN ('hold','quarantine','recalled')", name="condition"),
    sa.CheckConstraint("state IN ('open','released')", name="state"),
    sa.Index("hold_open_idx", "placed_at", "id", postgresql_where=sa.text("state = 'open'")),
    sa.Index(None, "placed_at", "id"),
)

hold_line = sa.Table(
    "hold_line",
    metadata,
    sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.id"), nullable=False),
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False),  # nil: goods of no lot
    sa.Column("location_id", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),  # smallest units it put on hold there
    sa.PrimaryKeyConstraint("hold_id", "variant_id", "lot", "location_id"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
