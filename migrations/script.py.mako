"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
phase = "pre"  # before the code deploy; "post" for what only the new code can live with


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
