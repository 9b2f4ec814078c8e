"""Tables of the kit: the stream head, the outbox, remembered answers, jobs, files."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

stream_head = sa.Table(
    "stream_head",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, server_default="1"),
    sa.Column("posting_n", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("event_n", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column(
        "last_recorded_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.text("clock_timestamp()"),
    ),
    sa.Column("directory_epoch", sa.BigInteger, nullable=False, server_default="1"),
    sa.CheckConstraint("one = 1", name="single"),
    postgresql_with={"fillfactor": "10"},
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("event_n", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("site", sa.Uuid),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("partition_key", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("event_n", "recorded_at"),
    postgresql_partition_by="RANGE (recorded_at)",
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("caller", sa.Uuid, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("body", sa.LargeBinary),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.PrimaryKeyConstraint("caller", "route", "key"),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    sa.Column("arguments", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("total", sa.BigInteger),
    sa.Column("unit", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cancel_asked", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("error", sa.Text),
    sa.Column("result", pg.JSONB),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_by_name", sa.Text, nullable=False, server_default=""),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name="state"),
    sa.Index(None, "created_at", "id"),
)

file = sa.Table(
    "file",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
)
