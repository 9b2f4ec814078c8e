"""The table language of the ledger's cases: parsed once, told to any book that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place and a condition."""

    place: str
    condition: str = "available"

    @classmethod
    def parse(cls, text: str) -> Spot:
        place, _, condition = text.partition(":")
        return cls(place, condition or "available")


@dataclass(frozen=True, slots=True)
class Line:
    """A move as the table says it."""

    source: Spot
    target: Spot
    sku: str
    lot: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a case. `number` names the posting it makes or repeats."""

    verb: str
    text: str
    lines: tuple[Line, ...] = ()
    mode: str = "strict"
    answer: str = ""
    number: int = 0
    spot: Spot = Spot("")
    sku: str = ""
    lot: str | None = None
    values: tuple[int, ...] = ()


@dataclass(slots=True)
class Case:
    """A story in steps."""

    name: str
    steps: list[Step] = field(default_factory=list)


class Book(Protocol):
    """What a case is told to. Answers are the words of the language."""

    async def have(self, step: Step) -> None: ...
    async def act(self, steps: list[Step]) -> list[str]: ...
    async def left(self, spot: Spot, sku: str, lot: str | None) -> int: ...
    async def site(self, site: str, sku: str) -> tuple[int, ...]: ...


def _named(tokens: list[str]) -> tuple[str, str | None, int]:
    lot = tokens[1] if tokens[1].startswith("lot") else None
    return tokens[0], lot, int(tokens[-1])


def _move(text: str) -> Line:
    source, _, rest = text.partition("→")
    target, *tokens = rest.split()
    sku, lot, quantity = _named(tokens)
    return Line(Spot.parse(source.strip()), Spot.parse(target), sku, lot, quantity)


def _step(text: str, posts: int) -> Step:
    verb, *tokens = text.split()
    if verb in ("have", "left"):
        sku, lot, quantity = _named(tokens[1:])
        return Step(verb, text, spot=Spot.parse(tokens[0]), sku=sku, lot=lot, values=(quantity,))
    if verb == "site":
        return Step(verb, text, spot=Spot(tokens[0]), sku=tokens[1], values=tuple(map(int, tokens[2:])))
    if verb == "again":
        changed = tokens[0] == "changed"
        return Step("changed" if changed else "again", text, answer=" ".join(tokens[changed:]), number=posts)
    if verb == "undo":
        return Step(verb, text, number=int(tokens[0]), mode=tokens[1], answer=" ".join(tokens[2:]))
    mode = "strict" if "strict" in tokens else "fact"
    at = tokens.index(mode)
    answer = " ".join(tokens[at + 1 :])
    if verb == "claim":
        return Step(
            verb,
            text,
            spot=Spot(tokens[0]),
            sku=tokens[1],
            values=(int(tokens[2]),),
            mode=mode,
            answer=answer,
        )
    assert verb == "post", text
    moves = " ".join(tokens[:at]).split(",")
    return Step(verb, text, lines=tuple(_move(m) for m in moves), mode=mode, answer=answer, number=posts + 1)


def cases() -> list[Case]:
    """Every case of the folder."""
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.txt")):
        posts = 0
        for raw in path.read_text().splitlines():
            text = raw.partition("#")[0].strip()
            if text.startswith("case "):
                found.append(Case(text[5:]))
                posts = 0
            elif text:
                step = _step(text, posts)
                posts += step.verb == "post"
                found[-1].steps.append(step)
    return found


ACTS = ("post", "again", "changed", "undo", "claim")


async def tell(case: Case, book: Book, *, at_once: bool = False) -> None:
    """Tell a case to a book and compare every answer. `at_once`: all acts between two looks go in one batch."""
    waiting: list[Step] = []

    async def act() -> None:
        if waiting:
            answers = await book.act(waiting)
            told = [f"{s.text!r}: {a}" for s, a in zip(waiting, answers, strict=True) if a != s.answer]
            assert not told, told
            waiting.clear()

    for step in case.steps:
        if step.verb in ACTS:
            waiting.append(step)
            if not at_once:
                await act()
            continue
        await act()
        if step.verb == "have":
            await book.have(step)
        elif step.verb == "left":
            assert (await book.left(step.spot, step.sku, step.lot),) == step.values, step.text
        else:
            assert await book.site(step.spot.place, step.sku) == step.values, step.text
    await act()
