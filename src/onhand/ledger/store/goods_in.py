"""The door for goods that come in by the hundred thousand (opening stock): `post_goods_in(tx, postings)`.

Nothing is taken, so nothing can be short and no book has to be kept: what is held in memory is the postings and one packed
key a level. All levels are locked first, in key order, then all site levels, as everywhere; after that the postings are
laid out, guarded and written a slice at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from onhand.kit.ids import quick
from onhand.kit.tx import Tx
from onhand.ledger.batch import key_columns
from onhand.ledger.decide import AVAILABLE, Directory, acted_before, refused_by_place, variants_of
from onhand.ledger.lane import LabelCache
from onhand.ledger.model import Move, Outcome, Posting, Status, check_shape
from onhand.ledger.store import calls
from onhand.ledger.store.post import refuse

_POSTED = Outcome(Status.posted)
_KEYS = 20_000
"""Keys locked by one statement."""


async def post_goods_in(tx: Tx, postings: Sequence[Posting]) -> list[Outcome]:
    """Post facts or requests whose every move goes from a virtual place to one that keeps stock: all, or a refusal and nothing.

    Takes 200,000 lines in about 150 bytes of memory each, besides the postings themselves. Rows are written at commit, like
    those of `post`, and like it may be called once a transaction. Raises what `post` raises; ValueError for a posting that
    takes something, claims something or reverses.
    """
    calls.only_once(tx)
    driver = await calls.driver_of(tx.conn)
    epoch, places = await calls.load_directory(tx.conn)
    for posting in postings:
        check_shape(posting)
    refused = await _refused(driver, postings, places)
    await _lock(driver, postings, places)
    known = await calls.known_ids(driver, [p.id for p in postings])
    outcomes = [acted_before(known, p) or refused.get(n, _POSTED) for n, p in enumerate(postings)]
    refuse(postings, outcomes, LabelCache(), places)
    fresh = [p for p, o in zip(postings, outcomes, strict=True) if o.status is Status.posted]
    buffered = tx.stash["ledger"] = list[calls.Buffered]()
    for part in calls.slices(fresh):
        buffered.append(await calls.guard_slice(driver, epoch, part, places))
    return outcomes


async def _refused(
    driver: calls.Driver, postings: Sequence[Posting], places: Directory
) -> dict[int, Outcome]:
    """What directory and catalogue refuse, by position."""
    refused: dict[int, Outcome] = {}
    start = 0
    for part in calls.slices(postings):
        unknown = await calls.learn(driver, LabelCache(), part)
        for n, posting in enumerate(part, start):
            status = refused_by_place(posting, places)
            if unknown and not unknown.isdisjoint(variants_of([posting])):
                status = Status.unknown_variant
            if status is not None:
                refused[n] = Outcome(status)
            elif posting.claims or posting.reverses or any(_takes(m, places) for m in posting.moves):
                raise ValueError("only goods coming in go through this door")
        start += len(part)
    return refused


def _takes(move: Move, places: Directory) -> bool:
    return places[move.from_location].keeps_level or not places[move.to_location].keeps_level


async def _lock(driver: calls.Driver, postings: Sequence[Posting], places: Directory) -> None:
    """Lock every level in key order, then every site level. Keys are packed to bytes, which sort as the keys do."""
    for part in _parts(sorted({key for p in postings for key in _levels(p.moves, places)})):
        keys = [(_id(k, 0), _id(k, 16), _id(k, 32), int.from_bytes(k[48:])) for k in part]
        await driver.execute(calls.LOCK_LEVELS, key_columns(keys, [])[0])
    for part in _parts(sorted({key for p in postings for key in _sites(p.moves, places)})):
        pairs = [(_id(k, 0), _id(k, 16)) for k in part]
        await driver.execute(calls.LOCK_SITES, key_columns([], pairs)[1])


def _levels(moves: Sequence[Move], places: Directory) -> Iterator[bytes]:
    for m in moves:
        if m.to_location in places:
            yield m.variant.bytes + m.to_location.bytes + m.lot.bytes + m.to_condition.to_bytes(2)


def _sites(moves: Sequence[Move], places: Directory) -> Iterator[bytes]:
    for m in moves:
        target = places.get(m.to_location)
        if target is not None and target.sells and m.to_condition == AVAILABLE and target.site_id is not None:
            yield m.variant.bytes + target.site_id.bytes


def _parts(keys: list[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(keys)
    while part := list(islice(remaining, _KEYS)):
        yield part


def _id(packed: bytes, at: int) -> UUID:
    return quick(UUID(bytes=packed[at : at + 16]))
