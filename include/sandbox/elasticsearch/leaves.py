"""Leaf queries: those that look at one field, or at ids.

https://www.elastic.co/docs/reference/query-languages/query-dsl/term-level-queries
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from include.sandbox.elasticsearch.dates import parse_math
from include.sandbox.elasticsearch.errors import EsError, illegal, unparsable
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.mapping import NUMERIC, Field

Query: TypeAlias = Callable[[View], int]
"""The mask of the matching documents of a segment, deleted ones included."""

MAX_TERMS = 65_536


def _exists(content: dict[str, Any], now: datetime) -> Query:
    only(content, "exists", "field")
    path = str(content.get("field"))

    def ordinals(view: View) -> Iterator[int]:
        prefix = f"{path}."
        for field in view.index.mapping.fields():
            if (field.path == path or field.parent.startswith(prefix)) and field.has_terms:
                yield from view.segment.column(field).present()

    return _remembered(("exists", path), ordinals)


def _ids(content: dict[str, Any], now: datetime) -> Query:
    only(content, "ids", "values", "boost")
    return _with_ids(content.get("values", []))


def _with_ids(values: list[Any]) -> Query:
    return lambda view: view.segment.mask(o for value in values for o in view.segment.with_id(str(value)))


def _term(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "term", "value")
    only(options, "term", "value", "boost", "case_insensitive")
    value = options.get("value")
    if value is None or isinstance(value, dict | list):
        raise illegal("value cannot be null")
    if options.get("case_insensitive"):
        wanted = str(value).lower()
        return _accepted(path, ("term_ci", path, wanted), lambda text: text.lower() == wanted)
    return _values(path, [value])


def _terms(content: dict[str, Any], now: datetime) -> Query:
    fields = {key: value for key, value in content.items() if key != "boost"}
    if len(fields) != 1:
        raise unparsable("[terms] query does not support multiple fields")
    ((path, values),) = fields.items()
    if not isinstance(values, list):
        raise unparsable("[terms] query requires an array of terms")
    if len(values) > MAX_TERMS:
        raise illegal(
            f"The number of terms [{len(values)}] used in the Terms Query request has exceeded the allowed maximum of "
            f"[{MAX_TERMS}]. This maximum can be set by changing the [index.max_terms_count] index level setting."
        )
    return _values(path, values)


def _values(path: str, values: list[Any]) -> Query:
    if path == "_id":
        return _with_ids(values)

    def ordinals(view: View, field: Field) -> Iterator[int]:
        column = view.segment.column(field)
        for value in values:
            key = value if field.type == "text" else field.read(value)
            if key is not None:
                yield from column.equal(str(key) if field.type == "text" else key)

    return _on_field(path, ("values", path, repr(values)), ordinals)


def _range(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "range", None)
    only(options, "range", "gt", "gte", "lt", "lte", "format", "time_zone", "boost")
    if "time_zone" in options and options["time_zone"] not in {"UTC", "Z", "+00:00"}:
        raise illegal("[range] time_zone other than UTC is not known here")

    def bound(field: Field, key: str) -> Any:
        value = options.get(key)
        if value is None:
            return None
        if field.type == "date":
            return parse_math(value, options.get("format", field.format), now, round_up=key in {"gt", "lte"})
        if field.type in NUMERIC:
            return float(value) if isinstance(value, float | str) else value
        return field.read(value)

    def ordinals(view: View, field: Field) -> Iterable[int]:
        low_open, high_open = options.get("gt") is not None, options.get("lt") is not None
        low, high = bound(field, "gt" if low_open else "gte"), bound(field, "lt" if high_open else "lte")
        return view.segment.column(field).between(low, high, low_open=low_open, high_open=high_open)

    relative = any(str(value).startswith("now") for value in options.values())
    key = ("range", path, tuple(sorted(options.items(), key=str)), now if relative else None)
    return _on_field(path, key, ordinals)


def _prefix(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "prefix", "value")
    only(options, "prefix", "value", "boost", "case_insensitive", "rewrite")
    start = str(options.get("value"))
    if options.get("case_insensitive"):
        return _accepted(path, ("prefix_ci", path, start), lambda text: text.lower().startswith(start.lower()))
    return _accepted(path, ("prefix", path, start), lambda text: text.startswith(start))


def _wildcard(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "wildcard", "value")
    only(options, "wildcard", "value", "wildcard", "boost", "case_insensitive", "rewrite")
    text = str(options.get("value", options.get("wildcard")))
    flags = re.DOTALL | (re.IGNORECASE if options.get("case_insensitive") else 0)
    pattern = re.compile(wildcard_regex(text), flags)
    return _accepted(path, ("wildcard", path, text, flags), lambda key: pattern.fullmatch(key) is not None)


def wildcard_regex(text: str) -> str:
    r"""A regular expression for ``*`` and ``?``; a backslash takes the next character as it is."""
    parts = re.findall(r"\\(.)|(\*)|(\?)|(.)", text, re.DOTALL)
    return "".join(".*" if star else "." if one else re.escape(quoted or plain) for quoted, star, one, plain in parts)


def _match(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "match", "query")
    only(options, "match", "query", "operator", "boost")
    every = str(options.get("operator", "or")).lower() == "and"
    text = options.get("query")

    def ordinals(view: View, field: Field) -> Iterable[int]:
        column = view.segment.column(field)
        if field.type != "text":
            return column.equal(field.read(text))
        found = [set(column.equal(token)) for token in field.tokens(str(text))]
        return set.intersection(*found) if every and found else set().union(*found)

    return _on_field(path, ("match", path, text, every), ordinals)


def _match_phrase(content: dict[str, Any], now: datetime) -> Query:
    path, options = _field_and_options(content, "match_phrase", "query")
    only(options, "match_phrase", "query", "boost")
    text = str(options.get("query"))

    def ordinals(view: View, field: Field) -> Iterator[int]:
        wanted = field.tokens(text)
        for ordinal, values in enumerate(view.segment.column(field).values):
            if any(_contains(field.tokens(value), wanted) for value in values):
                yield ordinal

    return _on_field(path, ("phrase", path, text), ordinals)


def _contains(tokens: list[str], wanted: list[str]) -> bool:
    return any(tokens[start : start + len(wanted)] == wanted for start in range(len(tokens) - len(wanted) + 1))


def parse_query_string(text: str, now: datetime) -> Query:
    """The ``q`` parameter: one word in any text field, ``field:word``, or ``*``.

    Raises:
        EsError: 400 for the rest of Lucene's syntax, which is not known here.
    """
    if text == "*":
        return everything
    match = re.fullmatch(r"(?:([\w.@]+):)?(\w+)", text)
    if not match:
        raise EsError(400, "query_shard_exception", "Failed to parse query: only a word or field:word is known here")
    path, word = match.groups()
    if path:
        return _match({path: word}, now)

    def mask(view: View) -> int:
        found = 0
        for field in view.index.mapping.fields():
            if field.type in {"text", "keyword"}:
                found |= _match({field.path: word}, now)(view)
        return found

    return mask


def only(content: Mapping[str, Any], name: str, *known: str) -> None:
    """Refuse options that a query does not have.

    Raises:
        EsError: 400.
    """
    for key in content.keys() - set(known):
        raise unparsable(f"[{name}] query does not support [{key}]")


def _field_and_options(content: dict[str, Any], name: str, short: str | None) -> tuple[str, dict[str, Any]]:
    """The one field of a leaf query, and its options; ``{field: value}`` is short for ``{field: {short: value}}``."""
    if len(content) != 1:
        raise unparsable(f"[{name}] query doesn't support multiple fields")
    ((path, options),) = content.items()
    if isinstance(options, dict):
        return path, options
    if short is None or isinstance(options, list):
        raise unparsable(f"[{name}] query malformed, no start_object after field name")
    return path, {short: options}


def _remembered(key: object, ordinals: Callable[[View], Iterable[int]]) -> Query:
    return lambda view: view.segment.remembered((key, len(view.index.mapping)), lambda: ordinals(view))


def _on_field(path: str, key: object, ordinals: Callable[[View, Field], Iterable[int]]) -> Query:
    """A query on one field; a field that no document ever had matches nothing."""

    def mask(view: View) -> int:
        field = view.index.mapping.field(path)
        if field is None:
            return 0
        if not field.has_terms:
            raise EsError(400, "query_shard_exception", f"Cannot search on field [{path}] since it is not indexed.")
        return view.segment.remembered((key, field), lambda: ordinals(view, field))

    return mask


def _accepted(path: str, key: object, accepts: Callable[[str], bool]) -> Query:
    def ordinals(view: View, field: Field) -> Iterator[int]:
        if field.type not in {"keyword", "text"}:
            raise EsError(
                400, "query_shard_exception", f"Can only use this query on keyword and text fields - not on [{path}]"
            )
        return view.segment.column(field).accepted(accepts)

    return _on_field(path, key, ordinals)


def everything(view: View) -> int:
    """``match_all``."""
    return view.segment.full


LEAVES: dict[str, Callable[[dict[str, Any], datetime], Query]] = {
    "exists": _exists,
    "ids": _ids,
    "term": _term,
    "terms": _terms,
    "range": _range,
    "prefix": _prefix,
    "wildcard": _wildcard,
    "match": _match,
    "match_phrase": _match_phrase,
}
