"""Runs checked queries: picks a sorted index where one helps, and tests, sorts and cuts the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from include.sandbox.firestore.filters import EQUAL, RANGES, Leaf, Node, matches
from include.sandbox.firestore.paths import NAME, FieldPath, Key
from include.sandbox.firestore.query import Cursor, Order, Query, conjuncts, tests_on
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.values import NAN_KEY, NULL_KEY, Rank, SortKey


class _Top:
    """Greater than every key."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_TOP = _Top()
_RANGE_OR_EQUAL = RANGES | {EQUAL}
_Bounds: TypeAlias = tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]
"""Entries of an index, or prefixes of entries: the first one that counts, and the first one that no longer does."""


@dataclass(frozen=True, slots=True)
class _Scan:
    """Where candidates come from: a stretch of one index, already sorted or not, and what is left to test."""

    path: FieldPath
    low: tuple[Any, ...] | None
    high: tuple[Any, ...] | None
    reverse: bool
    sorted: bool
    rest: tuple[Node, ...]


def run(store: Store, query: Query, at: int | None = None) -> tuple[list[Stored], int]:
    """Execute a query on the present, or on the state at a time (microseconds).

    Returns:
        The documents, and how many were skipped because of the offset.
    """
    results = _present(store, query) if at is None else _past(store, query, at)
    skipped = sum(1 for _ in islice(results, query.offset))
    return list(islice(results, query.limit)), skipped


def _present(store: Store, query: Query) -> Iterator[Stored]:
    scan = _plan(query)
    index = store.index(query.group, scan.path)
    keys = (key for _, key in index.between(scan.low, scan.high, reverse=scan.reverse))
    candidates = (store.documents[key] for key in keys if _below(query, key))
    found = (stored for stored in candidates if all(matches(node, stored) for node in scan.rest))
    return found if scan.sorted else _sorted(query, found)


def _past(store: Store, query: Query, at: int) -> Iterator[Stored]:
    then = store.as_of(at)
    unchanged = (stored for stored in store.documents.values() if stored.key not in then)
    candidates = [*unchanged, *(stored for stored in then.values() if stored)]
    return _sorted(
        query, (s for s in candidates if _below(query, s.key) and (not query.where or matches(query.where, s)))
    )


def _below(query: Query, key: Key) -> bool:
    """Whether a key lies in the collections that are searched."""
    depth = len(query.parent)
    if key[:depth] != query.parent or len(key) <= depth:
        return False
    if query.group is not None and key[-2] != query.group:
        return False
    return query.descendants or len(key) == depth + 2


def _plan(query: Query) -> _Scan:
    """Follow the index of the first sort field, unless an equality promises fewer candidates."""
    parts = conjuncts(query.where)
    order = query.orders[0]
    in_order = len({order.descending for order in query.orders}) == 1 and len(query.orders) <= 2
    covered = tests_on(order.path, parts, _RANGE_OR_EQUAL)
    equal = next((p for p in parts if isinstance(p, Leaf) and p.operator == EQUAL and p.path != NAME), None)
    if equal and not (in_order and covered):
        order = Order(equal.path, query.orders[-1].descending)
        in_order = len(query.orders) == 1 and query.start is None and query.end is None
        covered = [equal]
    bounds = [_stretch(leaf) for leaf in covered]
    if order.path == NAME and query.parent:
        bounds.append(_subtree(query.parent))
    if in_order and order == query.orders[0]:
        bounds.append(_cursor_bounds(query, order))
    rest = tuple(part for part in parts if part not in covered)
    low = max((low for low, _ in bounds if low is not None), default=None)
    high = min((high for _, high in bounds if high is not None), default=None)
    return _Scan(order.path, low, high, order.descending, in_order, rest)


def _stretch(leaf: Leaf) -> _Bounds:
    """The bounds of the index entries that satisfy a range test or an equality, as prefixes of entries."""
    value = leaf.values[0]
    if value in (NULL_KEY, NAN_KEY):
        return (), ()
    first = ((Rank.NUMBER, 1) if value[0] == Rank.NUMBER else value[:1],)
    last = ((value[0] + 1,),)
    before, after = (value,), (value, _TOP)
    return {
        "EQUAL": (before, after),
        "LESS_THAN": (first, before),
        "LESS_THAN_OR_EQUAL": (first, after),
        "GREATER_THAN": (after, last),
        "GREATER_THAN_OR_EQUAL": (before, last),
    }[leaf.operator]


def _subtree(parent: Key) -> _Bounds:
    return ((Rank.REFERENCE, parent),), ((Rank.REFERENCE, (*parent, _TOP)),)


def _cursor_bounds(query: Query, order: Order) -> _Bounds:
    start = _bound(query.start, order) if query.start else None
    end = _bound(query.end, order) if query.end else None
    return (end, start) if order.descending else (start, end)


def _bound(cursor: Cursor, order: Order) -> tuple[Any, ...]:
    """The place of a cursor among index entries ``(value, key)``."""
    entry: tuple[Any, ...] = (cursor.values[0],)
    if order.path != NAME and len(cursor.values) == 2:
        entry = (cursor.values[0], cursor.values[1][1])
    at_the_low_side = cursor.before != order.descending
    if len(entry) == 2:
        return entry if at_the_low_side else (entry[0], (*entry[1], ""))
    return entry if at_the_low_side else (entry[0], _TOP)


def _sorted(query: Query, found: Iterable[Stored]) -> Iterator[Stored]:
    """Sort by all orders, dropping documents that lack a field of one, and cut at the cursors."""
    rows: list[tuple[tuple[SortKey, ...], Stored]] = []
    for stored in found:
        keys = [stored.sort_key(order.path) for order in query.orders]
        complete = tuple(key for key in keys if key is not None)
        if len(complete) == len(keys) and _inside(query, complete):
            rows.append((complete, stored))
    for position in range(len(query.orders) - 1, -1, -1):
        rows.sort(key=lambda row, at=position: row[0][at], reverse=query.orders[position].descending)  # type: ignore[misc]
    return (stored for _, stored in rows)


def _inside(query: Query, keys: tuple[SortKey, ...]) -> bool:
    if query.start:
        side = _compare(query, keys, query.start)
        if side < 0 or (side == 0 and not query.start.before):
            return False
    if query.end:
        side = _compare(query, keys, query.end)
        if side > 0 or (side == 0 and query.end.before):
            return False
    return True


def _compare(query: Query, keys: tuple[SortKey, ...], cursor: Cursor) -> int:
    for key, wanted, order in zip(keys, cursor.values, query.orders, strict=False):
        if key != wanted:
            return 1 if (key > wanted) != order.descending else -1
    return 0
