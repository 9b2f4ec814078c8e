"""Tables of the lots."""

import sqlalchemy as sa

from onhand.kit.database import metadata

lot = sa.Table(
    "lot",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("code", sa.Text(collation="C"), nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.UniqueConstraint("variant_id", "code"),
)
