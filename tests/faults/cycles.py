"""Judges a history of transactions over lists: is there an order, one after another, in which it could have happened? Pure.

Each transaction appends values nobody else appends and reads whole lists. So the lists show in which order the values came, and
from that follows who must stand before whom; a circle is an anomaly (Adya's names; the idea is Elle's).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Key = str


@dataclass(frozen=True, slots=True)
class Txn:
    """One transaction: the lists it read (before its own appends), and what it appended. Aborted ones must leave no trace."""

    name: str
    reads: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)
    appends: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)
    committed: bool = True


def anomalies(history: Sequence[Txn]) -> list[str]:
    """What is wrong with a history, by name; nothing when it is serializable.

    G1a: something aborted was read. G1b: half of a transaction was read. "unordered": two reads cannot both be prefixes of one
    list. "lost update": two transactions read the same list and both appended to it. G0, G1c, G-single, G2: a circle of writes; of writes and reads; with
    one missed write; with several.
    """
    writer: dict[tuple[Key, int], Txn] = {
        (k, v): t for t in history for k, vs in t.appends.items() for v in vs
    }
    found = [*_unfinished(history, writer)]
    order, unordered = _order(history)
    found += unordered
    edges = _edges(history, writer, order)
    for circle in _circles(edges):
        kinds = [edges[a, b] for a, b in zip(circle, [*circle[1:], circle[0]], strict=True)]
        missed = sum(k == "rw" for k in kinds)
        name = "G2" if missed > 1 else "G-single" if missed else "G1c" if "wr" in kinds else "G0"
        found.append(f"{name}: {' → '.join([*circle, circle[0]])}")
    found += _lost_updates(history)
    return found


def _unfinished(history: Sequence[Txn], writer: Mapping[tuple[Key, int], Txn]) -> list[str]:
    found = []
    for txn in history:
        for key, values in txn.reads.items():
            for n, value in enumerate(values):
                by = writer.get((key, value))
                if by is None or not by.committed:
                    found.append(f"G1a: {txn.name} read {value}, which was never committed")
                elif (
                    by is not txn
                    and by.appends[key][-1] != value
                    and (n + 1 == len(values) or values[n + 1] not in by.appends[key])
                ):
                    found.append(f"G1b: {txn.name} read {value}, half of {by.name}")
    return found


def _order(history: Sequence[Txn]) -> tuple[dict[Key, tuple[int, ...]], list[str]]:
    """The longest list read of each key; every other must be a prefix of it."""
    longest: dict[Key, tuple[int, ...]] = {}
    reads = [(t.name, k, v) for t in history if t.committed for k, v in t.reads.items()]
    for _, key, values in reads:
        if len(values) > len(longest.get(key, ())):
            longest[key] = values
    found = [
        f"unordered: {name} read {values} of {key}, another read {longest[key]}"
        for name, key, values in reads
        if values != longest.get(key, ())[: len(values)]
    ]
    for key, values in longest.items():
        if len(set(values)) < len(values):
            found.append(f"unordered: {key} holds something twice")
    return longest, found


def _edges(
    history: Sequence[Txn], writer: Mapping[tuple[Key, int], Txn], order: Mapping[Key, tuple[int, ...]]
) -> dict[tuple[str, str], str]:
    """Who must stand before whom: ww (wrote before), wr (was read by), rw (did not see). The strongest reason wins."""
    out: dict[tuple[str, str], str] = {}
    rank = {"ww": 0, "wr": 1, "rw": 2}

    def add(a: str, b: str, kind: str) -> None:
        if a != b and rank[kind] <= rank.get(out.get((a, b), "rw"), 2):
            out[a, b] = kind

    for key, values in order.items():
        for before, after in itertools.pairwise(values):
            if (key, before) in writer and (key, after) in writer:
                add(writer[key, before].name, writer[key, after].name, "ww")
    for txn in history:
        if not txn.committed:
            continue
        for key, values in txn.reads.items():
            if values and (key, values[-1]) in writer:
                add(writer[key, values[-1]].name, txn.name, "wr")
            later = order.get(key, ())[len(values) :]
            if later and (key, later[0]) in writer:
                add(txn.name, writer[key, later[0]].name, "rw")
    return out


def _lost_updates(history: Sequence[Txn]) -> list[str]:
    seen: dict[tuple[Key, tuple[int, ...]], str] = {}
    found = []
    for txn in history:
        for key, values in txn.reads.items():
            if txn.committed and txn.appends.get(key):
                other = seen.setdefault((key, values), txn.name)
                if other != txn.name:
                    found.append(
                        f"lost update: {other} and {txn.name} both read {values} of {key} and appended to it"
                    )
    return found


def _circles(edges: Mapping[tuple[str, str], str]) -> list[list[str]]:
    """One circle for each knot of transactions that stand before each other: the shortest through its first member."""
    follows: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        follows[a].append(b)
    found = []
    for knot in _knots(follows):
        start = min(knot)
        ways, met = [[start]], {start}
        while ways:
            way = ways.pop(0)
            nexts = [n for n in follows[way[-1]] if n in knot]
            if start in nexts:
                found.append(way)
                break
            ways += [[*way, n] for n in nexts if n not in met and not met.add(n)]  # type: ignore[func-returns-value]  # add answers None, which is what makes it true
    return found


def _knots(follows: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """Strongly connected components of more than one (Tarjan's, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    out: list[set[str]] = []
    for root in list(follows):
        work = [(root, iter(follows[root]))] if root not in index else []
        while work:
            node, rest = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                stack.append(node)
                on.add(node)
            for other in rest:
                if other not in index:
                    work.append((other, iter(follows.get(other, ()))))
                    break
                if other in on:
                    low[node] = min(low[node], low[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = set()
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        knot.add(member)
                        if member == node:
                            break
                    if len(knot) > 1:
                        out.append(knot)
    return out
