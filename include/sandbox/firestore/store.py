"""The documents in memory, their sorted indexes, and enough history for reads in the past.

    Store ── documents: key -> Stored            (immutable; a write puts a new Stored in its place)
          ├─ groups:    collection id -> keys
          ├─ indexes:   (collection id or None, field) -> sorted (value, key), built at first use, then kept up to date
          └─ history:   what each write replaced, newest last

All methods expect the caller to hold :attr:`Store.lock`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from include.sandbox.firestore.paths import NAME, FieldPath, Key
from include.sandbox.firestore.values import Rank, SortKey, lookup, sort_key

Entry: TypeAlias = tuple[SortKey, Key]
_HISTORY = 200_000


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a document.

    Args:
        key: its path.
        document: the protobuf document; never changed after it was stored.
        created: time of creation, microseconds since the epoch.
        updated: time of the last change, microseconds since the epoch.
    """

    key: Key
    document: Any
    created: int
    updated: int

    def sort_key(self, path: FieldPath) -> SortKey | None:
        """The sort key of a field, or None if the document lacks it."""
        if path == NAME:
            return (Rank.REFERENCE, self.key)
        value = lookup(self.document.fields, path)
        return None if value is None else sort_key(value)


class Index:
    """Documents of one collection group that have a field, sorted by its value and then by name."""

    def __init__(self, path: FieldPath, documents: Iterable[Stored]) -> None:
        self._path = path
        self._sorted = SortedList(entry for stored in documents if (entry := self._entry(stored)))

    def _entry(self, stored: Stored) -> Entry | None:
        key = stored.sort_key(self._path)
        return None if key is None else (key, stored.key)

    def add(self, stored: Stored) -> None:
        """Note a new version."""
        entry = self._entry(stored)
        if entry:
            self._sorted.add(entry)

    def discard(self, stored: Stored) -> None:
        """Forget an old version."""
        entry = self._entry(stored)
        if entry:
            self._sorted.discard(entry)

    def between(self, low: tuple[Any, ...] | None, high: tuple[Any, ...] | None, *, reverse: bool) -> Iterator[Entry]:
        """Entries from ``low`` to before ``high``, which are entries or prefixes of entries."""
        entries: Iterator[Entry] = self._sorted.irange(low, high, inclusive=(True, False), reverse=reverse)
        return entries


class Store:
    """All documents of the database.

    Args:
        clock: microseconds since the epoch.
    """

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._last = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything; reads in the past stop here."""
        self.documents: dict[Key, Stored] = {}
        self._groups: dict[str, dict[Key, None]] = {}
        self._indexes: dict[tuple[str | None, FieldPath], Index] = {}
        self._history: deque[tuple[int, Key, Stored | None]] = deque()
        self.oldest_readable = self.tick()

    def now(self) -> int:
        """The time of the latest possible read: everything written so far is at or before it."""
        self._last = max(self._clock(), self._last)
        return self._last

    def tick(self) -> int:
        """A time later than all before."""
        self._last = max(self._clock(), self._last + 1)
        return self._last

    def load(self, documents: Iterable[Stored]) -> None:
        """Put many documents without history; indexes are built again at their next use."""
        self._indexes.clear()
        self._history.clear()
        for stored in documents:
            self.documents[stored.key] = stored
            self._groups.setdefault(stored.key[-2], {})[stored.key] = None
        self.oldest_readable = self.tick()

    def apply(self, at: int, changes: dict[Key, Stored | None]) -> None:
        """Put new versions, or remove documents where the version is None."""
        for key, new in changes.items():
            old = self.documents.get(key)
            if new is not old:
                self._replace(key, old, new)
                self._remember(at, key, old)

    def _replace(self, key: Key, old: Stored | None, new: Stored | None) -> None:
        group = self._groups.setdefault(key[-2], {})
        if new is None:
            del self.documents[key]
            del group[key]
        else:
            self.documents[key] = new
            group[key] = None
        for (group_id, _), index in self._indexes.items():
            if group_id in (None, key[-2]):
                if old:
                    index.discard(old)
                if new:
                    index.add(new)

    def _remember(self, at: int, key: Key, old: Stored | None) -> None:
        self._history.append((at, key, old))
        if len(self._history) > _HISTORY:
            self.oldest_readable = self._history.popleft()[0]

    def index(self, group: str | None, path: FieldPath) -> Index:
        """The sorted index of a field in a collection group, or in all of them (None)."""
        index = self._indexes.get((group, path))
        if index is None:
            index = self._indexes[group, path] = Index(path, self.group(group))
        return index

    def group(self, group: str | None) -> Iterator[Stored]:
        """The documents of a collection group, or all (None), in no order."""
        keys = self.documents if group is None else self._groups.get(group, {})
        return (self.documents[key] for key in keys)

    def as_of(self, at: int) -> dict[Key, Stored | None]:
        """What differs between now and an earlier time: the versions of then."""
        then: dict[Key, Stored | None] = {}
        for written, key, old in reversed(self._history):
            if written <= at:
                break
            then[key] = old
        return then
