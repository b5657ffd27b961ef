"""Transactions: optimistic, with what was read checked again at the commit."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from include.sandbox.firestore import engine
from include.sandbox.firestore.paths import Key
from include.sandbox.firestore.query import Query
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.wire import Refusal, StatusCode, invalid

_MAX_OPEN = 10_000


@dataclass(slots=True)
class Transaction:
    """One open transaction.

    Args:
        read_only: no writes; reads see the state at ``read_at``.
        read_at: microseconds since the epoch.
    """

    read_only: bool
    read_at: int
    _documents: dict[Key, Stored | None] = field(default_factory=dict)
    _queries: list[tuple[Query, list[Stored]]] = field(default_factory=list)

    def saw(self, key: Key, stored: Stored | None) -> None:
        """Note that a document (or its absence) was read."""
        self._documents.setdefault(key, stored)

    def found(self, query: Query, results: list[Stored]) -> None:
        """Note the result of a query."""
        self._queries.append((query, results))

    def check(self, store: Store) -> None:
        """Refuse to commit if anything that was read is different now.

        Raises:
            Refusal: ABORTED; the client tries again.
        """
        same = all(store.documents.get(key) is stored for key, stored in self._documents.items()) and all(
            _identical(engine.run(store, query)[0], results) for query, results in self._queries
        )
        if not same:
            raise Refusal(StatusCode.ABORTED, "Too much contention on these documents. Please try again.")


def _identical(now: list[Stored], then: list[Stored]) -> bool:
    return len(now) == len(then) and all(a is b for a, b in zip(now, then, strict=True))


class Transactions:
    """The open transactions, by id. An abandoned one falls off the end, as on the service after a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._open: dict[bytes, Transaction] = {}
        self._last = 0

    def begin(self, *, read_only: bool, read_at: int) -> bytes:
        """Open one and return its id."""
        with self._lock:
            self._last = next(self._ids)
            name = self._last.to_bytes(8, "big")
            self._open[name] = Transaction(read_only, read_at)
            if len(self._open) > _MAX_OPEN:
                del self._open[next(iter(self._open))]
            return name

    def get(self, name: bytes) -> Transaction:
        """The open transaction.

        Raises:
            Refusal: INVALID_ARGUMENT, unknown or closed.
        """
        with self._lock:
            found = self._open.get(name)
            if found is None:
                raise self._refusal(name)
            return found

    def close(self, name: bytes) -> Transaction:
        """End it; whatever it read is forgotten.

        Raises:
            Refusal: INVALID_ARGUMENT, it never existed.
        """
        with self._lock:
            found = self._open.pop(name, None)
            if found is None:
                raise self._refusal(name)
            return found

    def roll_back(self, name: bytes) -> None:
        """End it without a commit; one that has already ended stays so.

        Raises:
            Refusal: INVALID_ARGUMENT, it never existed.
        """
        with self._lock:
            if self._open.pop(name, None) is None and not self._was_issued(name):
                raise self._refusal(name)

    def _was_issued(self, name: bytes) -> bool:
        return len(name) == 8 and 0 < int.from_bytes(name, "big") <= self._last

    def _refusal(self, name: bytes) -> Refusal:
        return invalid("Transaction is invalid or closed." if self._was_issued(name) else "Invalid transaction.")
