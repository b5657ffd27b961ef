"""One search over the views of some indices: query, sort, page, source filter, aggregations."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from include.sandbox.elasticsearch.aggs import aggregate
from include.sandbox.elasticsearch.dates import parse_date
from include.sandbox.elasticsearch.errors import illegal, unparsable
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.leaves import Query
from include.sandbox.elasticsearch.query import matching, parse_query
from include.sandbox.elasticsearch.segment import Doc
from include.sandbox.elasticsearch.sorting import Place, SortKey, read_sort

WINDOW = 10_000
_KEYS = frozenset({"query", "from", "size", "sort", "_source", "aggs", "aggregations", "track_total_hits"}) | {
    "search_after",
    "pit",
    "version",
    "seq_no_primary_term",
    "timeout",
    "track_scores",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One found document with the values it was sorted by."""

    view: View
    doc: Doc
    sort: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Request:
    """A search body, read and checked."""

    query: Query
    start: int
    size: int
    sort: tuple[SortKey, ...]
    after: tuple[Any, ...] | None
    source: Any
    aggs: Any
    track_total: bool | int
    with_version: bool
    with_seq_no: bool
    now: datetime

    def asking(self, query: Query) -> Request:
        """The same with another query."""
        return replace(self, query=query)

    def tracking_all(self) -> Request:
        """The same with all hits counted, as a scroll does."""
        return replace(self, track_total=True)


def read_request(body: Mapping[str, Any], now: datetime, *, scroll: bool = False) -> Request:
    """Check a search body.

    Args:
        body: as sent.
        now: for date math.
        scroll: a scroll is opened, where the window does not apply to the whole.

    Raises:
        EsError: 400, a key is not known here or a value is out of range.
    """
    for key in body.keys() - _KEYS:
        raise unparsable(f"unknown key for the search request body [{key}]")
    start, size = _whole(body, "from", 0), _whole(body, "size", 10)
    after = body.get("search_after")
    if start + size > WINDOW:
        name = "Batch size is too large" if scroll else "Result window is too large"
        raise illegal(f"{name}, from + size must be less than or equal to: [{WINDOW}] but was [{start + size}].")
    sort = read_sort(body.get("sort", []))
    if after is not None and (start > 0 or not sort or scroll):
        raise illegal("`search_after` needs a sort and `from` 0, and cannot be used in a scroll context")
    if after is not None and "pit" in body and len(after) == len(sort) + 1:
        sort = (*sort, SortKey("_shard_doc", reverse=False, missing="_last"))
    if after is not None and len(after) != len(sort):
        raise illegal(f"search_after has {len(after)} value(s) but sort has {len(sort)}.")
    if "pit" in body and sort and not any(key.path == "_shard_doc" for key in sort):
        sort = (*sort, SortKey("_shard_doc", reverse=False, missing="_last"))
    return Request(
        query=parse_query(body.get("query", {"match_all": {}}), now),
        start=start,
        size=size,
        sort=sort,
        after=tuple(after) if after is not None else None,
        source=body.get("_source", True),
        aggs=body.get("aggs", body.get("aggregations")),
        track_total=body.get("track_total_hits", WINDOW),
        with_version=bool(body.get("version")),
        with_seq_no=bool(body.get("seq_no_primary_term")),
        now=now,
    )


def _whole(body: Mapping[str, Any], key: str, default: int) -> int:
    value = body.get(key, default)
    if type(value) is not int or value < 0:
        raise illegal(f"[{key}] parameter cannot be negative but was [{value}]")
    return value


def run(request: Request, views: Sequence[View]) -> tuple[list[Hit], int, dict[str, Any] | None]:
    """The page of hits, the number of all matches, and the aggregations if any were asked for."""
    masks = [(view, matching(request.query, view)) for view in views]
    total = sum(mask.bit_count() for _, mask in masks)
    aggs = None
    if request.aggs is not None:
        aggs = aggregate(request.aggs, [(v, list(v.segment.ordinals(mask))) for v, mask in masks if mask], request.now)
    return (_page(request, masks) if request.size else []), total, aggs


def every_hit(request: Request, views: Sequence[View]) -> list[Hit]:
    """All matches in order, for scrolls and by-query tasks, which page through them."""
    return _sorted(request, [(view, matching(request.query, view)) for view in views], None)


def _page(request: Request, masks: list[tuple[View, int]]) -> list[Hit]:
    end = request.start + request.size
    return _sorted(request, masks, end)[request.start : end]


def _sorted(request: Request, masks: list[tuple[View, int]], end: int | None) -> list[Hit]:
    if not request.sort:
        hits = []
        for view, mask in masks:
            for ordinal in view.segment.ordinals(mask):
                hits.append(Hit(view, view.segment.docs[ordinal], None))
                if len(hits) == end:
                    return hits
        return hits
    placed = list(_placed(request, masks))
    if request.after is not None:
        bound = [Place(_after(value, key, masks), key) for value, key in zip(request.after, request.sort, strict=True)]
        placed = [item for item in placed if item[0] > bound]
    chosen = (
        heapq.nsmallest(end, placed, key=_rank) if end is not None and end < len(placed) else sorted(placed, key=_rank)
    )
    return [Hit(view, doc, tuple(p.value for p in places)) for places, _, view, doc in chosen]


def _rank(item: tuple[list[Place], int, View, Doc]) -> tuple[list[Place], int]:
    return item[0], item[1]


def _after(value: Any, key: SortKey, masks: list[tuple[View, int]]) -> Any:
    """A ``search_after`` value in the form of the column: dates may come back as text."""
    fields = [view.index.mapping.field(key.path) for view, _ in masks]
    is_date = any(field and field.type == "date" for field in fields)
    return parse_date(value) if is_date and isinstance(value, str) else value


def _placed(request: Request, masks: list[tuple[View, int]]) -> Iterator[tuple[list[Place], int, View, Doc]]:
    shard_doc = 0
    for view, mask in masks:
        readers = [_reader(view, key, shard_doc) for key in request.sort]
        for ordinal in view.segment.ordinals(mask):
            places = [Place(read(ordinal), key) for read, key in zip(readers, request.sort, strict=True)]
            yield places, shard_doc + ordinal, view, view.segment.docs[ordinal]
        shard_doc += len(view.segment.docs)


def _reader(view: View, key: SortKey, shard_doc: int) -> Callable[[int], Any]:
    docs = view.segment.docs
    match key.path:
        case "_shard_doc" | "_doc":
            return lambda ordinal: shard_doc + ordinal
        case "_score":
            return lambda ordinal: 1.0
        case "_seq_no":
            return lambda ordinal: docs[ordinal].seq_no
        case "_id":
            raise illegal("Fielddata access on the _id field is disallowed")
    field = view.index.mapping.field(key.path)
    if field is None:
        raise illegal(f"No mapping found for [{key.path}] in order to sort on")
    if field.type == "text":
        raise illegal(f"Fielddata is disabled on [{key.path}]. Please use a keyword field instead.")
    values = view.segment.column(field).values
    pick = max if key.reverse else min
    return lambda ordinal: pick(values[ordinal]) if values[ordinal] else None


def as_json(hit: Hit, request: Request) -> dict[str, Any]:
    """One hit of the answer."""
    shown: dict[str, Any] = {"_index": hit.view.index.name, "_id": hit.doc.id}
    if request.with_version:
        shown["_version"] = hit.doc.version
    if request.with_seq_no:
        shown |= {"_seq_no": hit.doc.seq_no, "_primary_term": 1}
    shown["_score"] = None if hit.sort is not None else 1.0
    source = filter_source(hit.doc.source, request.source)
    if source is not None:
        shown["_source"] = source
    return shown if hit.sort is None else {**shown, "sort": list(hit.sort)}


def filter_source(source: Mapping[str, Any], wanted: Any) -> Mapping[str, Any] | None:
    """The part of a document that ``_source`` asks for; None for ``false``.

    Raises:
        EsError: 400 if malformed.
    """
    if wanted is True or wanted == "true":
        return source
    if wanted is False or wanted == "false":
        return None
    if isinstance(wanted, dict):
        for key in wanted.keys() - {"includes", "excludes", "include", "exclude"}:
            raise unparsable(f"Unknown key for a VALUE_STRING in [_source]: [{key}]")
        includes = _listed(wanted.get("includes", wanted.get("include")))
        excludes = _listed(wanted.get("excludes", wanted.get("exclude")))
    else:
        includes, excludes = _listed(wanted), []
    return _filtered(source, "", includes, excludes)


def _listed(given: Any) -> list[str]:
    return [] if given is None else given.split(",") if isinstance(given, str) else list(given)


def _filtered(node: Mapping[str, Any], prefix: str, includes: list[str], excludes: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in node.items():
        path = prefix + key
        if any(fnmatchcase(path, pattern) for pattern in excludes):
            continue
        named = not includes or any(fnmatchcase(path, pattern) for pattern in includes)
        if isinstance(value, dict):
            below = _filtered(value, f"{path}.", [] if named else includes, excludes)
            if below or named:
                kept[key] = below
        elif named:
            kept[key] = value
    return kept


def total_of(total: int, track: bool | int) -> dict[str, Any] | None:
    """``hits.total``: exact, or a lower bound beyond the number to which hits are counted; None when not tracked."""
    if track is False:
        return None
    if track is True or total <= track:
        return {"value": total, "relation": "eq"}
    return {"value": track, "relation": "gte"}
