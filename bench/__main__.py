"""`python -m bench [--only CLAIM]… [--rounds N] [--seconds S] [--json]`: what `onhand bench posting` runs."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from bench.harness import Claim, run

CLAIMS = (
    "engine_uniform_64",
    "engine_hot_64",
    "engine_3_lines_64",
    "http_uniform_64",
    "http_batch",
    "bulk_lines",
    "reserve_hot_64",
    "availability_batched",
    "verify",
)
SLOW = ("growth", "growth_cpu")
"""Measured when named: laying their ground takes minutes."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure; answers the exit code: 1 when a claim is under its floor."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", action="append", choices=(*CLAIMS, *SLOW))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(words)
    claims: list[Claim] = [import_module(f"bench.{name}").CLAIM for name in wanted.only or CLAIMS]
    return run(claims, rounds=wanted.rounds, seconds=wanted.seconds, as_json=wanted.json)


if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)
    )  # end in order: the server is ours
    sys.exit(main())
