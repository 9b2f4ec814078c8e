"""`python -m onhand.doors.docs [--freeze-foundation]`."""

from __future__ import annotations

import sys

from onhand.doors import docs
from onhand.doors.docs import foundation


def main(arguments: list[str]) -> int:
    """Write every generated file, or freeze the first migration."""
    if arguments == ["--freeze-foundation"]:
        print(foundation.freeze())
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    for name in docs.write():
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
