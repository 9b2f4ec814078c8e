"""The foundation: every table, the ledger's functions, partitions, the application role's grants.

The statements stand in `0001_foundation.sql`, frozen by `python -m onhand.doors.docs --freeze-foundation`.
"""

from pathlib import Path

from onhand.kit.postgres import APP

from alembic import op

revision = "0001"
down_revision = None
phase = "pre"

END = "\n-- end of statement\n"
GRANTS = "-- for the application role\n"


def upgrade() -> None:
    conn = op.get_bind()
    has_app = conn.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,)).first() is not None
    raw = conn.connection.driver_connection
    assert raw is not None
    for statement in Path(__file__).with_suffix(".sql").read_text().split(END):
        if statement.strip() and (has_app or not statement.startswith(GRANTS)):
            raw.execute(statement)
