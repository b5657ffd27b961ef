"""The ``sort`` of a search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from include.sandbox.elasticsearch.errors import illegal, unparsable


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the sort."""

    path: str
    reverse: bool
    missing: str


def read_sort(given: Any) -> tuple[SortKey, ...]:
    """The ``sort`` of a body.

    Raises:
        EsError: 400 if malformed.
    """
    keys = []
    for item in given if isinstance(given, list) else [given]:
        path, options = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        options = {"order": options} if isinstance(options, str) else options
        for key in options.keys() - {"order", "missing", "unmapped_type", "format"}:
            raise unparsable(f"[field_sort] unknown field [{key}]")
        order = options.get("order", "desc" if path == "_score" else "asc")
        if order not in {"asc", "desc"} or options.get("missing", "_last") not in {"_last", "_first"}:
            raise illegal("[field_sort] order must be asc or desc, and missing _last or _first here")
        keys.append(SortKey(path, order == "desc", options.get("missing", "_last")))
    return tuple(keys)


@total_ordering
class Place:
    """A sort value as it is compared: missing values at their end, reversed if so asked."""

    __slots__ = ("rank", "reverse", "value")

    def __init__(self, value: Any, key: SortKey) -> None:
        self.value = value
        self.reverse = key.reverse
        self.rank = 0 if value is not None else 1 if key.missing == "_last" else -1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and (self.rank, self.value) == (other.rank, other.value)

    def __lt__(self, other: Place) -> bool:
        if self.rank != other.rank:
            return self.rank < other.rank
        if self.rank:
            return False
        return bool(other.value < self.value if self.reverse else self.value < other.value)

    __hash__ = None  # type: ignore[assignment]
