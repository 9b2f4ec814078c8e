"""The harness: rounds in which every side gets its turn, medians of the ratios, one JSON object a claim."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import uvloop

from bench import rival
from bench.ground import Ground, lay_ground
from bench.site import Site

CLIENTS = 64
HOT_CLIENTS = (1, 2, 4, 8, 16)


@dataclass(slots=True)
class Round:
    """One turn: what several claims share is measured once in it."""

    ground: Ground
    site: Site
    seconds: float
    shared: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What claims of this round measured together."""
    _uniform: float | None = None

    async def rival_uniform(self) -> float:
        """pgbench, 64 clients, uniform: shared by the claims of this round."""
        if self._uniform is None:
            self._uniform = await rival.sales_a_second(self.ground, clients=CLIENTS, seconds=self.seconds)
        return self._uniform


Measure = Callable[[Round], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed: our rate over the rival's, at least `floor`, aiming at `goal`."""

    name: str
    floor: float
    goal: float
    ours: Measure
    rival: Measure


@dataclass(slots=True)
class Result:
    """What the rounds gave."""

    claim: Claim
    ours: list[float] = field(default_factory=list)
    rival: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(a / b for a, b in zip(self.ours, self.rival, strict=True))

    def to_json(self) -> dict[str, object]:
        """As printed."""
        return {
            "claim": self.claim.name, "ours": round(median(self.ours)), "rival": round(median(self.rival)),
            "ratio": round(self.ratio, 3), "floor": self.claim.floor, "goal": self.claim.goal,
            "rounds": [round(a / b, 3) for a, b in zip(self.ours, self.rival, strict=True)],
        }  # fmt: skip


def run(claims: Sequence[Claim], *, rounds: int, seconds: float, as_json: bool) -> int:
    """Measure some claims; prints one line each, answers the exit code."""
    if rounds < 1:
        raise ValueError("at least one round")
    with lay_ground() as ground, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(_measure(ground, claims, rounds, seconds))
    for result in results:
        print(json.dumps(result.to_json()) if as_json else _line(result), flush=True)
    return 0 if all(r.ratio >= r.claim.floor for r in results) else 1


async def _measure(ground: Ground, claims: Sequence[Claim], rounds: int, seconds: float) -> list[Result]:
    results = [Result(claim) for claim in claims]
    async with Site.open(ground) as site:
        for n in range(rounds + 1):  # the first warms both sides up and is dropped
            turn = Round(ground, site, seconds if n else min(seconds, 2.0))
            for at, result in enumerate(results):
                if (n + at) % 2:  # who goes first changes, so that a drift of the machine favours nobody
                    theirs, ours = await _one(result.claim.rival, turn), await _one(result.claim.ours, turn)
                else:
                    ours, theirs = await _one(result.claim.ours, turn), await _one(result.claim.rival, turn)
                if n:
                    result.ours.append(ours)
                    result.rival.append(theirs)
                what = f"round {n}" if n else "warm-up"
                print(
                    f"{what}: {result.claim.name} {ours:.0f}/s, rival {theirs:.0f}/s, {ours / theirs:.2f}",
                    file=sys.stderr,
                )
    return results


async def _one(measure: Measure, turn: Round) -> float:
    await asyncio.to_thread(turn.ground.settle)
    return await measure(turn)


def _line(result: Result) -> str:
    said = result.to_json()
    verdict = "below its floor" if result.ratio < result.claim.floor else "ok"
    return f"{said['claim']}: {said['ours']}/s ÷ {said['rival']}/s = {said['ratio']} (floor {said['floor']}, goal {said['goal']}) {verdict}"
