"""The foundation: every table, the ledger's functions, partitions, the application role's grants."""

from onhand.doors import schema
from onhand.kit.postgres import APP

from alembic import op

revision = "0001"
down_revision = None
phase = "pre"


def upgrade() -> None:
    conn = op.get_bind()
    has_app = conn.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,)).first() is not None
    schema.create_all(conn, role=APP if has_app else None)
