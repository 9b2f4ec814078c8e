"""Faults: kills under load, failures at every await, cut sockets, races. What was acknowledged is in the books exactly once.

The ordinary run takes a sample with a printed seed; `ONHAND_TORTURE=1` (`make torture`) the long one, `ONHAND_SEED` the same again.
"""

import os
import random

TORTURE = bool(os.environ.get("ONHAND_TORTURE"))
SEED = int(os.environ.get("ONHAND_SEED", "0")) or random.SystemRandom().randrange(1 << 32)


def often(ordinary: int, torture: int) -> int:
    """How often something is tried: in the ordinary run, or under torture, where ONHAND_TIMES (1, 10, 0.1) multiplies it."""
    return max(1, int(torture * float(os.environ.get("ONHAND_TIMES", "1")))) if TORTURE else ordinary
