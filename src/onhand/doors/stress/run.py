"""One run: cycles of all scenarios until the time is over, then the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from onhand.doors import wiring
from onhand.doors.stress import oracle
from onhand.doors.stress.ground import Ground, lay_ground
from onhand.doors.stress.naive import Naive
from onhand.doors.stress.notes import Judgement, Notes, judge, percentile
from onhand.doors.stress.ours import Onhand
from onhand.doors.stress.scenarios import ROUNDS, Stage, kills
from onhand.doors.stress.system import System
from onhand.kit.database import Database
from onhand.ledger import verify

KILLS = "kill -9"
Say = Callable[[str], None]
"""Told what is going on, for people who wait."""


@dataclass(slots=True)
class Result:
    """What a run found. `verify`: differences of the last verification; None for a rival, which has none."""

    rival: str | None
    seed: int
    seconds: float = 0.0
    cycles: int = 0
    rows: dict[str, Judgement] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    away: dict[str, list[float]] = field(default_factory=dict)
    verify: int | None = None
    verified: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing oversold, lost or doubled, and the books verify."""
        return all(row.ok for row in self.rows.values()) and not self.verify and not self.wrong

    def total(self, name: str) -> int:
        """A count over all scenarios."""
        return sum(getattr(row, name) for row in self.rows.values())

    def to_json(self) -> dict[str, Any]:
        """As printed with --json; recovery in seconds by what was killed."""
        recovery = {
            way: {"kills": len(s), "p50": percentile(s, 0.5), "p99": percentile(s, 0.99), "worst": max(s)}
            for way, s in self.away.items()
        }
        scenarios = {
            name: {"rounds": self.rounds[name], "tries": self.tries[name], **asdict(row)}
            for name, row in self.rows.items()
        }
        return {
            "system": self.rival or "onhand", "seed": self.seed, "seconds": round(self.seconds, 1), "cycles": self.cycles,
            "ok": self.ok, "acknowledged": self.total("acknowledged"), "lost": self.total("lost"),
            "doubled": self.total("doubled"), "oversold": self.total("oversold"), "recovery": recovery,
            "verify_differences": self.verify, "verifications": self.verified, "wrong": self.wrong, "scenarios": scenarios,
        }  # fmt: skip


async def stress(
    *, minutes: float, seed: int, database_url: str | None = None, rival: str | None = None, say: Say = lambda _: None,
) -> Result:  # fmt: skip
    """Play all scenarios until the time is over; every cycle verifies the books. Seeded: the same seed orders the same."""
    result, started = Result(rival, seed), time.monotonic()
    say("making a scratch database")
    async with _system(database_url, rival) as (ground, system):
        stage, checked = Stage(system, random.Random(seed)), 0.0
        while not result.cycles or time.monotonic() - started < minutes * 60:
            await _cycle(stage, ground if rival is None else None, say)
            result.cycles += 1
            say("comparing the books with the notes")
            if rival is None:
                result.wrong += await asyncio.to_thread(_differences, ground, stage)
                if (
                    time.monotonic() - started > 10 * checked
                ):  # it reads everything, so it comes less often as the books grow
                    checked += await _verify(result, ground, say)
            await _settle(result, stage)
        if rival is None:
            await _verify(result, ground, say)
    result.seconds, result.away = time.monotonic() - started, stage.away
    return result


@asynccontextmanager
async def _system(database_url: str | None, rival: str | None) -> AsyncIterator[tuple[Ground, System]]:
    async with lay_ground(database_url, fill=rival is None) as ground:
        if rival is None:
            async with Onhand.at(ground) as ours:
                yield ground, ours
        else:
            async with Naive.at(ground.url) as theirs:
                yield ground, theirs


async def _cycle(stage: Stage, ground: Ground | None, say: Say) -> None:
    for name, (play, times) in ROUNDS.items():
        notes = stage.of(name)
        for _ in range(times):
            say(f"{name}, round {notes.rounds + 1}")
            await play(stage, notes)
            notes.rounds += 1
    if ground is not None:
        notes = stage.of(KILLS)
        say(f"{KILLS}, kill {notes.rounds + 1}")
        await kills(stage, notes, ground, ground.ways())


async def _verify(result: Result, ground: Ground, say: Say) -> float:
    """What `onhand verify` runs; answers how long it took."""
    say("verifying the books")
    report = await verify_books(ground)
    result.verified += 1
    result.verify = (result.verify or 0) + sum(report.checks.values())
    result.wrong += [
        f"{d.table}.{d.column} {d.row}: expected {d.expected}, is {d.actual}" for d in report.differences[:5]
    ]
    return report.seconds


async def verify_books(ground: Ground) -> verify.Report:
    """Recompute everything from the lines, as `onhand verify` does."""
    database = Database.open(ground.url, pool_size=1)
    wiring.register()
    try:
        async with database.engine.connect() as conn:
            return await verify.verify(conn)
    finally:
        await database.close()


def _differences(ground: Ground, stage: Stage) -> list[str]:
    with ground.connect() as conn:
        return oracle.differences(conn, [i for notes in stage.notes.values() for i in notes.taken])


async def _settle(result: Result, stage: Stage) -> None:
    for name, notes in stage.notes.items():
        book = await stage.system.book(notes.skus(), notes.ids())
        result.rows.setdefault(name, Judgement()).add(judge(notes, book))
        result.tries[name], result.rounds[name] = notes.tries, notes.rounds
        notes.settle(book)


async def judged(system: System, notes: Notes) -> Judgement:
    """The notes of one scenario against the system's books."""
    return judge(notes, await system.book(notes.skus(), notes.ids()))
