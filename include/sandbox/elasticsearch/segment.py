"""Documents and the immutable segments that searches read, after the manner of Lucene.

A mask says which documents of a segment match: an integer with one byte, 0 or 1, for each document. ``&``, ``|`` and
``^`` of masks and ``bit_count`` run in C, and the mask of a query stays valid for ever because a segment never changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

from include.sandbox.elasticsearch.errors import EsError
from include.sandbox.elasticsearch.mapping import Field, values_at

_CACHED_MASKS = 64


class Doc:
    """One version of a document. ``source`` is never changed in place."""

    __slots__ = ("id", "ordinal", "segment", "seq_no", "source", "version")

    def __init__(self, doc_id: str, source: Mapping[str, Any], version: int, seq_no: int) -> None:
        self.id = doc_id
        self.source = source
        self.version = version
        self.seq_no = seq_no
        self.segment: Segment | None = None
        self.ordinal = 0


class Column:
    """The values of one field in one segment, and the same sorted."""

    def __init__(self, field: Field, docs: Sequence[Doc]) -> None:
        self.values: list[list[Any]] = [_read(field, doc) for doc in docs]
        pairs = [
            (token, ordinal)
            for ordinal, values in enumerate(self.values)
            for value in values
            for token in (field.tokens(value) if field.type == "text" else (value,))
        ]
        pairs.sort()
        self._keys = [key for key, _ in pairs]
        self._ordinals = [ordinal for _, ordinal in pairs]
        self._size = len(docs)

    def equal(self, key: Any) -> Sequence[int]:
        """Ordinals of the documents that have the value."""
        return self._ordinals[bisect_left(self._keys, key) : bisect_right(self._keys, key)]

    def between(self, low: Any, high: Any, *, low_open: bool, high_open: bool) -> Sequence[int]:
        """Ordinals of the documents with a value in the interval; None is no bound."""
        find_low = bisect_right if low_open else bisect_left
        find_high = bisect_left if high_open else bisect_right
        start = 0 if low is None else find_low(self._keys, low)
        return self._ordinals[start : len(self._keys) if high is None else find_high(self._keys, high)]

    def accepted(self, accepts: Callable[[str], bool]) -> Iterator[int]:
        """Ordinals of the documents with a value that the function accepts; it is asked once for each value."""
        last, yes = None, False
        for key, ordinal in zip(self._keys, self._ordinals, strict=True):
            if key != last:
                last, yes = key, accepts(key)
            if yes:
                yield ordinal

    def present(self) -> Sequence[int]:
        """Ordinals of the documents that have any value."""
        return self._ordinals


def _read(field: Field, doc: Doc) -> list[Any]:
    found = []
    for value in values_at(doc.source, field.parent):
        try:
            read = field.read(value)
        except EsError:
            continue
        if read is not None:
            found.append(read)
    return found


class Segment:
    """A fixed sequence of documents with their columns, built when first asked for."""

    def __init__(self, docs: Sequence[Doc]) -> None:
        self.docs = docs
        self.full = self.mask(range(len(docs)))
        self._columns: dict[Field, Column] = {}
        self._masks: dict[object, int] = {}
        self._by_id: dict[str, list[int]] | None = None
        for ordinal, doc in enumerate(docs):
            doc.segment, doc.ordinal = self, ordinal

    def mask(self, ordinals: Iterable[int]) -> int:
        """The mask of some documents."""
        flags = bytearray(len(self.docs))
        for ordinal in ordinals:
            flags[ordinal] = 1
        return int.from_bytes(flags, "little")

    def ordinals(self, mask: int) -> Iterator[int]:
        """The documents of a mask, in order."""
        return compress(range(len(self.docs)), mask.to_bytes(len(self.docs), "little"))

    def column(self, field: Field) -> Column:
        """The values of a field."""
        if field not in self._columns:
            self._columns[field] = Column(field, self.docs)
        return self._columns[field]

    def with_id(self, doc_id: str) -> list[int]:
        """Where a document id stands; several, when an older version is still in the same segment."""
        if self._by_id is None:
            self._by_id = {}
            for ordinal, doc in enumerate(self.docs):
                self._by_id.setdefault(doc.id, []).append(ordinal)
        return self._by_id.get(doc_id, [])

    def remembered(self, key: object, build: Callable[[], Iterable[int]]) -> int:
        """The mask of a leaf query, kept for the next time."""
        if key not in self._masks:
            if len(self._masks) >= _CACHED_MASKS:
                self._masks.pop(next(iter(self._masks)))
            self._masks[key] = self.mask(build())
        return self._masks[key]
