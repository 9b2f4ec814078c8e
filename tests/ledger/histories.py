"""Random histories of a small shop, from a seed: requests and facts, groups, claims, reversals, repeats."""

from __future__ import annotations

import random
from uuid import UUID

from onhand.ledger import Claim, Mode, Move, Posting, opposite
from tests.ledger.world import World

PLACES = ("W1/A", "W1/B", "W1/Q", "S1", "S2", "transit", "customer", "supplier", "adjustment")


def history(world: World, variants: list[UUID], rng: random.Random, size: int) -> list[list[Posting]]:
    """Groups of postings (mostly of one) in the order they arrive."""
    made: list[Posting] = []
    groups: list[list[Posting]] = []
    for _ in range(size):
        group = [_posting(world, variants, rng, made) for _ in range(3 if rng.random() < 0.1 else 1)]
        made += group
        groups.append(group)
    return groups


def _posting(world: World, variants: list[UUID], rng: random.Random, made: list[Posting]) -> Posting:
    mode = Mode.fact if rng.random() < 0.35 else Mode.strict
    kind = rng.random()
    if made and kind < 0.08:
        return rng.choice(made)
    if made and kind < 0.14:
        original = rng.choice(made)
        if original.moves and original.reverses is None:
            return world.posting(*opposite(original.moves), kind="reverse", mode=mode, reverses=original.id)
    if kind < 0.22:
        claim = Claim(
            world.places["W1"],
            rng.choice(variants),
            world.places[rng.choice(("W1", "S1"))],
            rng.randint(1, 4),
        )
        return world.posting(kind="reserve", claims=(claim,), mode=mode)
    moves = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        source, target = rng.sample(PLACES, 2)
        moves.append(
            Move(
                variant=rng.choice(variants), from_location=world.place(source), to_location=world.place(target),
                quantity=rng.randint(1, 5), from_condition=rng.choice((0, 0, 0, 1)), to_condition=rng.choice((0, 0, 0, 1)),
            )
        )  # fmt: skip
    return world.posting(*moves, mode=mode)


def cut(groups: list[list[Posting]], rng: random.Random) -> list[list[list[Posting]]]:
    """The same history in batches of random sizes."""
    batches, rest = [], list(groups)
    while rest:
        n = rng.randint(1, max(1, len(rest) // 2))
        batches.append(rest[:n])
        rest = rest[n:]
    return batches
