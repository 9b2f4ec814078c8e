"""Tables of transfers: the document, its lines, what became of each lot of a line, and the steps it took."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_AT = sa.DateTime(timezone=True)
_NIL = sa.text("'00000000-0000-0000-0000-000000000000'")

transfer = sa.Table(
    "transfer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False, server_default="draft"),
    sa.Column("from_site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("to_site", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("transit", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("reserves", sa.Boolean, nullable=False, server_default="true"),
    sa.Column("expected_at", _AT),
    sa.Column("note", sa.Text),
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_at", _AT, nullable=False),
    sa.Column("placed_at", _AT),
    sa.Column("shipped_at", _AT),
    sa.Column("closed_at", _AT),
    sa.Column("updated_at", _AT, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.CheckConstraint("state IN ('draft', 'placed', 'shipped', 'received', 'cancelled')", name="state"),
    sa.CheckConstraint("from_site <> to_site", name="sites"),
    sa.Index("transfer_open_idx", "created_at", "id", postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index(None, "from_site", "created_at"),
    sa.Index(None, "to_site", "created_at"),
    sa.Index(None, "created_at", "id"),
)

transfer_line = sa.Table(
    "transfer_line",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("transfer", sa.Uuid, sa.ForeignKey("transfer.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("variant", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False, index=True),
    sa.Column("lot", sa.Uuid, nullable=False, server_default=_NIL),
    sa.Column("requested", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("claimed", sa.BigInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("transfer", "number"),
    sa.CheckConstraint("requested >= 0", name="requested"),
    sa.CheckConstraint("dropped >= 0 AND dropped <= requested", name="dropped"),
    sa.CheckConstraint("claimed >= 0 AND claimed <= requested", name="claimed"),
)

transfer_part = sa.Table(
    "transfer_part",
    metadata,
    sa.Column("line", sa.Uuid, sa.ForeignKey("transfer_line.id", ondelete="CASCADE"), nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False, server_default=_NIL),
    sa.Column("shipped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("received", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("damaged", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lost", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("returned", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("line", "lot"),
    sa.CheckConstraint("received >= 0 AND damaged >= 0 AND lost >= 0 AND returned >= 0", name="ends"),
    sa.CheckConstraint("shipped >= received + damaged + lost + returned", name="conserved"),
)

transfer_step = sa.Table(
    "transfer_step",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "transfer", sa.Uuid, sa.ForeignKey("transfer.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("happened_at", _AT, nullable=False),
    sa.Column("recorded_at", _AT, nullable=False),
    sa.Column("actor", sa.Uuid, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.CheckConstraint(
        "kind IN ('created', 'placed', 'shipment', 'receipt', 'resolution', 'closed', 'cancelled')",
        name="kind",
    ),
)

transfer_step_line = sa.Table(
    "transfer_step_line",
    metadata,
    sa.Column("step", sa.Uuid, sa.ForeignKey("transfer_step.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("line", sa.Uuid, sa.ForeignKey("transfer_line.id", ondelete="CASCADE"), nullable=False),
    sa.Column("lot", sa.Uuid, nullable=False, server_default=_NIL),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("location", sa.Uuid, nullable=False),
    sa.Column("over", sa.Boolean, nullable=False, server_default="false"),
    sa.PrimaryKeyConstraint("step", "number"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.CheckConstraint(
        "outcome IN ('shipped', 'received', 'damaged', 'lost', 'returned', 'found')", name="outcome"
    ),
)
