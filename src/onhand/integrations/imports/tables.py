"""Tables of the imports: each import, the errors of its last run, and saved mappings."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("file_id", sa.Uuid, sa.ForeignKey("file.id"), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("file_sha256", sa.LargeBinary, nullable=False),
    sa.Column("headers", pg.JSONB, nullable=False),
    sa.Column("preview", pg.JSONB, nullable=False),
    sa.Column("mapping", pg.JSONB, nullable=False),
    sa.Column("decimal_mark", sa.Text),
    sa.Column("dry_run", sa.Boolean, nullable=False, server_default="true"),
    sa.Column("outcome", sa.Text),
    sa.Column("counts", pg.JSONB),
    sa.Column("error_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("job_id", sa.Uuid, sa.ForeignKey("job.id")),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_by_name", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("outcome IN ('checked', 'refused', 'imported')", name="outcome"),
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "file_sha256"),
)

import_error = sa.Table(
    "import_error",
    metadata,
    sa.Column("import_id", sa.Uuid, sa.ForeignKey("import_run.id", ondelete="CASCADE"), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("row", sa.BigInteger, nullable=False),
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("import_id", "n"),
)

import_mapping = sa.Table(
    "import_mapping",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mapping", pg.JSONB, nullable=False),
    sa.Column("decimal_mark", sa.Text),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("kind", "name"),
)
