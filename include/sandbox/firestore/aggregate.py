"""Aggregations: count, sum and average over the result of a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from include.sandbox.firestore.filters import EXISTS, Branch, Leaf
from include.sandbox.firestore.paths import NAME, FieldPath, field_path
from include.sandbox.firestore.query import Query, conjuncts
from include.sandbox.firestore.store import Stored
from include.sandbox.firestore.values import NAN_KEY, Rank
from include.sandbox.firestore.wire import Value, invalid, only

MAX_AGGREGATIONS = 5
_INT64 = 2**63


def check(messages: Sequence[Any]) -> dict[str, Any]:
    """Check aggregations and give the nameless ones the service's names.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    if not messages:
        raise invalid("Aggregations can not be empty.")
    if len(messages) > MAX_AGGREGATIONS:
        raise invalid(f"The maximum number of aggregations allowed in an aggregation query is {MAX_AGGREGATIONS}.")
    named: dict[str, Any] = {}
    unnamed = 0
    for message in messages:
        only(message, "count", "sum", "avg", "alias")
        if message.WhichOneof("operator") is None:
            raise invalid("Operator field in Aggregation is not set.")
        if _path(message) == NAME:
            raise invalid("Aggregations are not supported for the property: __key__")
        unnamed += not message.alias
        alias = message.alias or f"field_{unnamed}"
        if re.fullmatch(r"__.*__", alias, re.DOTALL):
            raise invalid(f'The property.name "{alias}" is reserved.')
        if alias in named:
            raise invalid(f"Aggregation aliases contain duplicate alias: {alias}.")
        named[alias] = message
    return named


def narrowed(query: Query, messages: Iterable[Any]) -> Query:
    """The query without the documents that lack a field to aggregate: they count for no aggregation."""
    needed = tuple(Leaf(path, EXISTS, ()) for message in messages if (path := _path(message)))
    return replace(query, where=Branch(False, (*conjuncts(query.where), *needed)))


def compute(message: Any, documents: list[Stored]) -> Any:
    """The value of one aggregation over documents that all have its field."""
    if message.WhichOneof("operator") == "count":
        up_to = message.count.up_to.value if message.count.HasField("up_to") else len(documents)
        return Value(integer_value=min(len(documents), up_to))
    path = _path(message)
    assert path is not None  # noqa: S101
    keys = [key for stored in documents if (key := stored.sort_key(path)) and key[0] == Rank.NUMBER]
    numbers = [float("nan") if key == NAN_KEY else key[2] for key in keys]
    if message.WhichOneof("operator") == "sum":
        return _number(sum(numbers))
    return Value(double_value=sum(numbers) / len(numbers)) if numbers else Value(null_value=0)


def _path(message: Any) -> FieldPath | None:
    operator = message.WhichOneof("operator")
    return None if operator == "count" else field_path(getattr(message, operator).field.field_path)


def _number(total: float) -> Any:
    if isinstance(total, int) and -_INT64 <= total < _INT64:
        return Value(integer_value=total)
    return Value(double_value=float(total))
