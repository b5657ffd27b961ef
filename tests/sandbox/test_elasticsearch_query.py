"""The masks of the query language against a reference that looks at each document by itself."""

import re
import time
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.sandbox.elasticsearch.dates import iso, millis, parse_date, parse_math
from include.sandbox.elasticsearch.errors import EsError
from include.sandbox.elasticsearch.index import Index
from include.sandbox.elasticsearch.mapping import IndexMapping
from include.sandbox.elasticsearch.query import matching, parse_query

NOW = datetime(2026, 11, 22, 13, 51, 7, 123000, tzinfo=UTC)
MAPPING = {"properties": {"n": {"type": "long"}, "k": {"type": "keyword"}, "at": {"type": "date"}}}
MAPPING["properties"]["ok"] = {"type": "boolean"}

NUMBERS = st.integers(-5, 5)
WORDS = st.sampled_from(["", "a", "ab", "b*", "A", "ü", "a b"])
DATES = st.sampled_from(["2024-01-01", "2024-01-31T10:00:00Z", "2024-02-01T01:00:00+02:00", "2025"])


def one_or_more(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, max_size=3) | st.none()


DOCS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "n": one_or_more(NUMBERS),
            "k": one_or_more(WORDS),
            "at": one_or_more(DATES),
            "ok": one_or_more(st.booleans()),
        },
    ),
    max_size=8,
)
LEAVES = st.one_of(
    st.builds(lambda v: {"term": {"n": v}}, NUMBERS),
    st.builds(lambda v: {"term": {"k": v}}, WORDS),
    st.builds(lambda v: {"term": {"ok": v}}, st.booleans()),
    st.builds(lambda v: {"terms": {"k": v}}, st.lists(WORDS, max_size=3)),
    st.builds(lambda v: {"prefix": {"k": v}}, WORDS),
    st.builds(lambda v: {"wildcard": {"k": v}}, st.sampled_from(["*", "a*", "?", "a?", "*b*"])),
    st.builds(lambda f: {"exists": {"field": f}}, st.sampled_from(["n", "k", "at", "ok", "absent"])),
    st.builds(lambda v: {"ids": {"values": v}}, st.lists(st.sampled_from("0123x"), max_size=3)),
    st.builds(lambda op, v: {"range": {"n": {op: v}}}, st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS),
    st.builds(lambda op, v: {"range": {"at": {op: v}}}, st.sampled_from(["gte", "lt"]), DATES),
    st.builds(lambda low, high: {"range": {"n": {"gte": low, "lt": high}}}, NUMBERS, NUMBERS),
    st.just({"match_all": {}}),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "must": st.lists(inner, max_size=2),
            "filter": st.lists(inner, max_size=2),
            "should": st.lists(inner, max_size=3),
            "must_not": st.lists(inner, max_size=2),
            "minimum_should_match": st.integers(0, 3),
        },
    ).map(lambda clauses: {"bool": clauses}),
    max_leaves=6,
)


def values(doc: dict[str, Any], field: str) -> list[Any]:
    found = doc.get(field)
    found = found if isinstance(found, list) else [] if found is None else [found]
    return [parse_date(value) for value in found] if field == "at" else found


COMPARE = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def reference(query: dict[str, Any], doc_id: str, doc: dict[str, Any]) -> bool:
    ((kind, body),) = query.items()
    if kind == "bool":
        return reference_bool(body, doc_id, doc)
    if kind in {"match_all", "ids", "exists"}:
        return {
            "match_all": lambda: True,
            "ids": lambda: doc_id in body["values"],
            "exists": lambda: bool(values(doc, body["field"])),
        }[kind]()
    ((field, wanted),) = body.items()
    found = values(doc, field)
    if kind == "range":
        bounds = {op: parse_date(v) if field == "at" else v for op, v in wanted.items()}
        return any(all(COMPARE[op](value, bound) for op, bound in bounds.items()) for value in found)
    accepts = {
        "term": lambda value: value == wanted,
        "terms": lambda value: value in wanted,
        "prefix": lambda value: value.startswith(wanted),
        "wildcard": lambda value: fnmatchcase(value, wanted),
    }[kind]
    return any(accepts(value) for value in found)


def reference_bool(body: dict[str, Any], doc_id: str, doc: dict[str, Any]) -> bool:
    required = body.get("must", []) + body.get("filter", [])
    optional = body.get("should", [])
    least = body.get("minimum_should_match", 0 if required else min(1, len(optional)))
    return (
        all(reference(clause, doc_id, doc) for clause in required)
        and not any(reference(clause, doc_id, doc) for clause in body.get("must_not", []))
        and sum(reference(clause, doc_id, doc) for clause in optional) >= least
    )


def index_of(docs: list[dict[str, Any]], split: int) -> Index:
    index = Index("t", {"index.refresh_interval": "-1"}, IndexMapping(MAPPING), time.time)
    for number, doc in enumerate(docs):
        index.put(str(number), doc)
        if number == split:
            index.refresh()
    index.refresh()
    return index


def found(index: Index, query: dict[str, Any]) -> set[str]:
    parsed = parse_query(query, NOW)
    return {
        view.segment.docs[ordinal].id
        for view in index.views()
        for ordinal in view.segment.ordinals(matching(parsed, view))
    }


@settings(max_examples=400, deadline=None)
@given(DOCS, QUERIES, st.integers(0, 8))
def test_a_query_finds_what_the_reference_finds(docs, query, split):
    index = index_of(docs, split)
    expected = {str(number) for number, doc in enumerate(docs) if reference(query, str(number), doc)}
    assert found(index, query) == expected


@settings(max_examples=100, deadline=None)
@given(DOCS, QUERIES, st.sets(st.integers(0, 7)))
def test_deleted_and_rewritten_documents_are_found_as_they_are_now(docs, query, gone):
    index = index_of(docs, 3)
    left = dict(enumerate(docs))
    for number in sorted(gone & left.keys()):
        if number % 2:
            index.put(str(number), {"k": "a"})
            left[number] = {"k": "a"}
        else:
            index.delete(str(number))
            del left[number]
    index.refresh()
    expected = {str(number) for number, doc in left.items() if reference(query, str(number), doc)}
    assert found(index, query) == expected
    index.force_merge(only_deletes=False)
    assert found(index, query) == expected
    assert index.deleted_docs == 0


@pytest.mark.parametrize(
    ("text", "down", "up"),
    [
        ("now", NOW, NOW),
        ("now-1d/d", datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 21, 23, 59, 59, 999000, tzinfo=UTC)),
        ("now/M", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, 23, 59, 59, 999000, tzinfo=UTC)),
        ("now/w", datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 22, 23, 59, 59, 999000, tzinfo=UTC)),
        ("now-36M", datetime(2023, 11, 22, 13, 51, 7, 123000, tzinfo=UTC), None),
        ("2024-01-31||+1M", datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-02", datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)),
        ("2024-02-01T10:00+02:00", datetime(2024, 2, 1, 8, tzinfo=UTC), None),
    ],
)
def test_date_math(text, down, up):
    names = "strict_date_optional_time||epoch_millis"
    assert parse_math(text, names, NOW, round_up=False) == millis(down)
    if up is not None:
        assert parse_math(text, names, NOW, round_up=True) == millis(up)


ODD_DATES = ["yesterday", "2024-13-01", "2024-1-1", "20240101 10:00", "now-1x", "", "2024-01-01 10:00"]


@pytest.mark.parametrize("text", ODD_DATES)
def test_dates_in_another_form_are_refused(text):
    with pytest.raises(EsError):
        parse_math(text, "strict_date_optional_time", NOW, round_up=False)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_date_is_read_back_as_it_is_shown(moment):
    value = millis(moment.replace(tzinfo=UTC))
    assert parse_date(iso(value)) == value
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", iso(value))
    assert timedelta(milliseconds=value) <= moment - datetime(1970, 1, 1)  # noqa: DTZ001 - a difference
