"""Aggregations over the documents that a search found.

https://www.elastic.co/docs/reference/aggregations/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.dates import bucket_start, iso
from include.sandbox.elasticsearch.errors import illegal, unparsable
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.mapping import Field
from include.sandbox.elasticsearch.query import parse_query

Found: TypeAlias = list[tuple[View, list[int]]]
"""The documents to aggregate: ordinals by segment."""

_MAX_BUCKETS = 65_536
_METRICS = frozenset({"min", "max", "sum", "avg", "value_count", "cardinality"})


def aggregate(body: Any, found: Found, now: datetime) -> dict[str, Any]:
    """Answer the ``aggs`` of a search.

    Raises:
        EsError: 400, an aggregation is malformed or not known here.
    """
    if not isinstance(body, dict):
        raise unparsable("Found [aggregations] that is not an object")
    return {name: _one(name, definition, found, now) for name, definition in body.items()}


def _one(name: str, definition: dict[str, Any], found: Found, now: datetime) -> dict[str, Any]:
    kinds = definition.keys() - {"aggs", "aggregations", "meta"}
    if len(kinds) != 1:
        raise unparsable(f"Expected exactly one aggregation type in [{name}]")
    kind = kinds.pop()
    options, below = definition[kind], definition.get("aggs", definition.get("aggregations", {}))
    if kind in _METRICS:
        if below:
            raise illegal(f"Aggregator [{name}] of type [{kind}] cannot accept sub-aggregations")
        return _metric(kind, options, found)
    if kind not in _BUCKETS:
        raise unparsable(f"Unknown aggregation type [{kind}]")

    def inside(chosen: Found) -> dict[str, Any]:
        return {"doc_count": _size(chosen), **aggregate(below, chosen, now)}

    return _BUCKETS[kind](options, found, inside, now)


def _size(found: Found) -> int:
    return sum(len(ordinals) for _, ordinals in found)


def _field(view: View, path: str) -> Field | None:
    field = view.index.mapping.field(path)
    if field and field.type == "text":
        raise illegal(f"Fielddata is disabled on [{path}] in [{view.index.name}]. Please use a keyword field instead.")
    return field


def _rows(found: Found, path: str) -> Iterator[tuple[View, int, list[Any]]]:
    for view, ordinals in found:
        field = _field(view, path)
        if field is None:
            yield from ((view, ordinal, []) for ordinal in ordinals)
            continue
        values = view.segment.column(field).values
        yield from ((view, ordinal, values[ordinal]) for ordinal in ordinals)


def _all_values(found: Found, path: str) -> list[Any]:
    flat: list[Any] = []
    for view, ordinals in found:
        if field := _field(view, path):
            values = view.segment.column(field).values
            flat += [value for ordinal in ordinals for value in values[ordinal]]
    return flat


def _type(found: Found, path: str) -> str:
    fields = (_field(view, path) for view, _ in found)
    return next((field.type for field in fields if field), "keyword")


def _metric(kind: str, options: dict[str, Any], found: Found) -> dict[str, Any]:
    _only(kind, options, "field", "precision_threshold") if kind == "cardinality" else _only(kind, options, "field")
    path = str(options.get("field"))
    values = _all_values(found, path)
    if kind == "value_count":
        return {"value": len(values)}
    if kind == "cardinality":
        return {"value": len(set(values))}
    type_ = _type(found, path)
    if values and type_ == "keyword":
        raise illegal(f"Field [{path}] of type [keyword] is not supported for aggregation [{kind}]")
    if not values:
        return {"value": 0.0 if kind == "sum" else None}
    compute: dict[str, Callable[[list[Any]], Any]] = {"min": min, "max": max, "sum": sum, "avg": _mean}
    result = float(compute[kind](values))
    return {"value": result, "value_as_string": iso(int(result))} if type_ == "date" else {"value": result}


def _mean(values: list[Any]) -> float:
    return float(sum(values)) / len(values)


Inside: TypeAlias = Callable[[Found], dict[str, Any]]


def _grouped(keyed: Iterable[tuple[Any, View, int]]) -> dict[Any, Found]:
    groups: dict[Any, dict[View, list[int]]] = {}
    for key, view, ordinal in keyed:
        groups.setdefault(key, {}).setdefault(view, []).append(ordinal)
    return {key: list(views.items()) for key, views in groups.items()}


def _shown(key: Any, type_: str) -> dict[str, Any]:
    if type_ == "date":
        return {"key": key, "key_as_string": iso(key)}
    return {"key": int(key), "key_as_string": str(key).lower()} if isinstance(key, bool) else {"key": key}


def _terms(options: dict[str, Any], found: Found, inside: Inside, now: datetime) -> dict[str, Any]:
    _only("terms", options, "field", "size", "order", "min_doc_count", "missing")
    path, size = str(options.get("field")), int(options.get("size", 10))
    least = int(options.get("min_doc_count", 1))
    missing = [options["missing"]] if "missing" in options else []
    groups = _grouped((key, view, o) for view, o, values in _rows(found, path) for key in set(values) or missing)
    ranked = sorted(groups.items(), key=_term_order(options.get("order", {"_count": "desc"})))
    ranked = [(key, docs) for key, docs in ranked if _size(docs) >= least]
    type_ = _type(found, path)
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": sum(_size(docs) for _, docs in ranked[size:]),
        "buckets": [{**_shown(key, type_), **inside(docs)} for key, docs in ranked[:size]],
    }


def _term_order(order: Any) -> Callable[[tuple[Any, Found]], Any]:
    if order == {"_count": "desc"}:
        return lambda item: (-_size(item[1]), item[0])
    if order == {"_count": "asc"}:
        return lambda item: (_size(item[1]), item[0])
    if order == {"_key": "asc"}:
        return lambda item: item[0]
    raise illegal("[terms] order must be _count or ascending _key here")


def _composite(options: dict[str, Any], found: Found, inside: Inside, now: datetime) -> dict[str, Any]:
    _only("composite", options, "sources", "size", "after")
    size, sources = int(options.get("size", 10)), [_composite_source(source) for source in options.get("sources", [])]
    if not sources:
        raise illegal("Composite [sources] cannot be null or empty")
    if not 0 < size <= _MAX_BUCKETS:
        raise illegal(f"Trying to create too many buckets. Must be less than or equal to: [{_MAX_BUCKETS}]")
    names = [name for name, _ in sources]
    groups = _grouped(
        (key, view, ordinal)
        for view, ordinals in found
        for ordinal in ordinals
        for key in _combinations([read(view, ordinal) for _, read in sources])
    )
    keys = sorted(groups)
    if "after" in options:
        if options["after"].keys() != set(names):
            raise illegal("[after] has different keys than the [sources] of the composite")
        after = tuple(options["after"][name] for name in names)
        keys = [key for key in keys if key > after]
    buckets = [{"key": dict(zip(names, key, strict=True)), **inside(groups[key])} for key in keys[:size]]
    return {**({"after_key": buckets[-1]["key"]} if buckets else {}), "buckets": buckets}


def _combinations(lists: list[list[Any]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [()]
    for values in lists:
        found = [(*left, value) for left in found for value in values]
    return found


def _composite_source(source: dict[str, Any]) -> tuple[str, Callable[[View, int], list[Any]]]:
    ((name, definition),) = source.items()
    ((kind, options),) = definition.items()
    path = str(options.get("field"))

    def values(view: View, ordinal: int) -> list[Any]:
        field = _field(view, path)
        return list(dict.fromkeys(view.segment.column(field).values[ordinal])) if field else []

    if kind == "terms":
        _only("terms", options, "field")
        return name, values
    if kind == "date_histogram":
        _only("date_histogram", options, "field", "calendar_interval", "fixed_interval")
        calendar, fixed = options.get("calendar_interval"), options.get("fixed_interval")
        return name, lambda view, o: [bucket_start(value, calendar, fixed) for value in values(view, o)]
    raise unparsable(f"invalid source [{kind}] for the composite aggregation")


def _date_histogram(options: dict[str, Any], found: Found, inside: Inside, now: datetime) -> dict[str, Any]:
    _only("date_histogram", options, "field", "calendar_interval", "fixed_interval", "min_doc_count")
    calendar, fixed = options.get("calendar_interval"), options.get("fixed_interval")
    if (calendar is None) == (fixed is None):
        raise illegal("Invalid interval specified, must be non-null and non-empty")
    rows = _rows(found, str(options.get("field")))
    groups = _grouped((bucket_start(v, calendar, fixed), view, o) for view, o, values in rows for v in values)
    if int(options.get("min_doc_count", 0)) == 0:
        for key in _between(sorted(groups), calendar, fixed):
            groups.setdefault(key, [])
    return {"buckets": [{**_shown(key, "date"), **inside(groups[key])} for key in sorted(groups)]}


def _between(keys: list[int], calendar: str | None, fixed: str | None) -> Iterator[int]:
    """Keys of the empty buckets between the first and the last one."""
    step = 60_000 if calendar in {"1m", "minute"} else 3_600_000
    if not keys:
        return
    key = keys[0]
    while key < keys[-1]:
        following = bucket_start(key + step, calendar, fixed)
        if following != key:
            yield following
            key = following
        else:
            step += step


def _filter(options: dict[str, Any], found: Found, inside: Inside, now: datetime) -> dict[str, Any]:
    query = parse_query(options, now)
    chosen = []
    for view, ordinals in found:
        flags = query(view).to_bytes(len(view.segment.docs), "little")
        chosen.append((view, [ordinal for ordinal in ordinals if flags[ordinal]]))
    return inside(chosen)


def _missing(options: dict[str, Any], found: Found, inside: Inside, now: datetime) -> dict[str, Any]:
    _only("missing", options, "field")
    return _filter({"bool": {"must_not": {"exists": {"field": options.get("field")}}}}, found, inside, now)


def _only(kind: str, options: dict[str, Any], *known: str) -> None:
    for key in options.keys() - set(known):
        raise unparsable(f"[{kind}] unknown field [{key}]")


_BUCKETS: dict[str, Callable[[dict[str, Any], Found, Inside, datetime], dict[str, Any]]] = {
    "terms": _terms,
    "composite": _composite,
    "date_histogram": _date_histogram,
    "filter": _filter,
    "missing": _missing,
}
