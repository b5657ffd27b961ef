"""The query language: a JSON body becomes a :class:`Query`, which gives the mask of a segment.

What is not known here is refused as Elasticsearch refuses what it does not know: a query that is silently ignored would
match everything.
https://www.elastic.co/docs/reference/query-languages/querydsl
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from include.sandbox.elasticsearch.errors import illegal, unparsable
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.leaves import LEAVES, Query, everything, only


def parse_query(body: Any, now: datetime) -> Query:
    """Read a query.

    Args:
        body: ``{"term": {...}}`` and so on.
        now: what ``now`` means in date math.

    Raises:
        EsError: 400, the query is malformed or of a type that is not known here.
    """
    if not isinstance(body, dict) or len(body) != 1:
        raise unparsable("query malformed, expected one query name")
    ((name, content),) = body.items()
    if name not in _PARSERS:
        raise unparsable(f"unknown query [{name}]")
    if not isinstance(content, dict):
        raise unparsable(f"[{name}] query malformed, no start_object after query name")
    return _PARSERS[name](content, now)


def matching(query: Query, view: View) -> int:
    """The mask of the live documents of a segment that match."""
    return view.alive & query(view)


def _nothing(view: View) -> int:
    return 0


def _match_all(content: dict[str, Any], now: datetime) -> Query:
    only(content, "match_all", "boost")
    return everything


def _match_none(content: dict[str, Any], now: datetime) -> Query:
    only(content, "match_none", "boost")
    return _nothing


def _bool(content: dict[str, Any], now: datetime) -> Query:
    only(content, "bool", "must", "filter", "should", "must_not", "minimum_should_match", "boost")

    def clauses(key: str) -> list[Query]:
        given = content.get(key, [])
        return [parse_query(clause, now) for clause in (given if isinstance(given, list) else [given])]

    required = clauses("must") + clauses("filter")
    optional, forbidden = clauses("should"), clauses("must_not")
    least = content.get("minimum_should_match", 0 if required else min(1, len(optional)))
    if type(least) is not int or least < 0:
        raise illegal("[bool] minimum_should_match must be a whole number here")

    def mask(view: View) -> int:
        found = view.segment.full
        for query in required:
            found &= query(view)
        if least:
            found &= _at_least(least, [query(view) for query in optional], view)
        for query in forbidden:
            found &= ~query(view)
        return found

    return mask


def _at_least(least: int, masks: list[int], view: View) -> int:
    reached = [view.segment.full] + [0] * least
    for mask in masks:
        for level in range(least, 0, -1):
            reached[level] |= reached[level - 1] & mask
    return reached[least]


def _constant_score(content: dict[str, Any], now: datetime) -> Query:
    only(content, "constant_score", "filter", "boost")
    return parse_query(content.get("filter"), now)


_PARSERS: dict[str, Callable[[dict[str, Any], datetime], Query]] = {
    "match_all": _match_all,
    "match_none": _match_none,
    "bool": _bool,
    "constant_score": _constant_score,
    **LEAVES,
}
