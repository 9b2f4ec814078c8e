"""The first migration as static SQL: made from the metadata and the packages' SQL files, frozen once released.

`python -m onhand.doors.docs --freeze-foundation` writes `migrations/versions/0001_foundation.sql`. Until the first release
that is how a schema change is made; from then on the file never changes again, and a change is a migration of its own.
"""

from __future__ import annotations

from onhand.doors import schema
from onhand.kit.migrate import folder

END = "\n-- end of statement\n"
GRANTS = "-- for the application role\n"
_HEAD = "-- Frozen by `python -m onhand.doors.docs --freeze-foundation`. Statements end with the line `-- end of statement`;\n" \
        "-- those that begin with `-- for the application role` run where that role exists.\n"  # fmt: skip


def text() -> str:
    """The migration's SQL as the code would make it now."""
    plain = [statement.strip() for statement in schema.statements()]
    granted = [GRANTS + statement.strip() for statement in schema.grants()]
    return _HEAD + "".join(statement + END for statement in [*plain, *granted])


def freeze() -> str:
    """Write the file; answers its path."""
    path = folder() / "versions" / "0001_foundation.sql"
    path.write_text(text())
    return str(path)
