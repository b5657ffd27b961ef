"""A second query engine, as plain as possible: Python values, comparisons by hand, no index. For comparison only."""

import re
from datetime import datetime
from functools import cmp_to_key
from typing import Any

_MISSING = object()
_TYPES = [type(None), bool, (int, float), datetime, str, bytes, tuple, list, dict]


def _rank(value: Any) -> int:
    return next(rank for rank, kind in enumerate(_TYPES) if isinstance(value, kind))


def _nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1 in the order of all values."""
    if _rank(left) != _rank(right):
        return -1 if _rank(left) < _rank(right) else 1
    if _nan(left) or _nan(right):
        return _nan(right) - _nan(left)
    if left is None:
        return 0
    if isinstance(left, list):
        return _compare_all(left, right)
    if isinstance(left, dict):
        return _compare_all(
            [part for key in sorted(left) for part in (key, left[key])],
            [part for key in sorted(right) for part in (key, right[key])],
        )
    return (left > right) - (left < right)


def _compare_all(left: list[Any], right: list[Any]) -> int:
    for one, other in zip(left, right, strict=False):
        if compare(one, other):
            return compare(one, other)
    return (len(left) > len(right)) - (len(left) < len(right))


def _get(fields: dict[str, Any], path: str) -> Any:
    value: Any = fields
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _ordinary(value: Any) -> bool:
    return value is not None and not _nan(value)


def _same(value: Any, wanted: Any) -> bool:
    return _ordinary(value) and compare(value, wanted) == 0


def _holds(fields: dict[str, Any], node: dict[str, Any]) -> bool:
    if "all" in node:
        return all(_holds(fields, child) for child in node["all"])
    if "any" in node:
        return any(_holds(fields, child) for child in node["any"])
    value = _get(fields, node["field"])
    return value is not _MISSING and _test(value, node["op"], node.get("value"))


_TESTS = {
    "IS_NULL": lambda value, _: value is None,
    "IS_NOT_NULL": lambda value, _: value is not None,
    "IS_NAN": lambda value, _: _nan(value),
    "IS_NOT_NAN": lambda value, _: _ordinary(value),
    "EQUAL": _same,
    "IN": lambda value, wanted: any(_same(value, item) for item in wanted),
    "ARRAY_CONTAINS": lambda value, wanted: isinstance(value, list) and any(_same(item, wanted) for item in value),
    "ARRAY_CONTAINS_ANY": lambda value, wanted: (
        isinstance(value, list) and any(_same(item, other) for item in value for other in wanted)
    ),
    "NOT_EQUAL": lambda value, wanted: None not in (value, wanted) and not _same(value, wanted),
    "NOT_IN": lambda value, wanted: (
        value is not None and None not in wanted and not any(_same(value, item) for item in wanted)
    ),
}


def _test(value: Any, operator: str, wanted: Any) -> bool:
    if operator in _TESTS:
        return _TESTS[operator](value, wanted)
    if _rank(value) != _rank(wanted) or not _ordinary(value) or not _ordinary(wanted):
        return False
    side = compare(value, wanted)
    return {"LESS_THAN": side < 0, "LESS_THAN_OR_EQUAL": side <= 0, "GREATER_THAN": side > 0}.get(operator, side >= 0)


def _inequalities(node: dict[str, Any] | None) -> set[str]:
    """Fields that the result is sorted by without being told; comparisons that nothing satisfies are dropped before."""
    if node is None:
        return set()
    children = node.get("all", []) + node.get("any", [])
    found = {field for child in children for field in _inequalities(child)}
    operator = node.get("op", "")
    ranged = "THAN" in operator and _ordinary(node["value"])
    differs = operator == "NOT_EQUAL" and node["value"] is not None
    misses = operator == "NOT_IN" and any(item is not None for item in node["value"])
    if ranged or differs or misses or operator in {"IS_NOT_NULL", "IS_NOT_NAN"}:
        found.add(node["field"])
    return found


def id_order(document_id: str) -> tuple[int, int, str]:
    """Numeric ids first, by number."""
    numeric = re.fullmatch(r"__id(-?\d+)__", document_id)
    return (0, int(numeric[1]), "") if numeric else (1, 0, document_id)


def answer(documents: dict[str, dict[str, Any]], query: dict[str, Any]) -> list[str]:
    """The ids that the query gives, in order."""
    orders = list(query["orders"])
    last = orders[-1][1] if orders else False
    if ("__name__", last) not in orders:
        named = {name for name, _ in orders}
        orders += [(name, last) for name in sorted(_inequalities(query["where"]) - named)]
        orders.append(("__name__", last))

    def key(document_id: str) -> list[Any]:
        fields = documents[document_id]
        return [id_order(document_id) if name == "__name__" else _get(fields, name) for name, _ in orders]

    def side(left: list[Any], right: list[Any]) -> int:
        for one, other, (_, descending) in zip(left, right, orders, strict=False):
            if compare(one, other):
                return -compare(one, other) if descending else compare(one, other)
        return 0

    found = [d for d in documents if query["where"] is None or _holds(documents[d], query["where"])]
    found = [d for d in found if _MISSING not in key(d)]
    found.sort(key=cmp_to_key(lambda one, other: side(key(one), key(other))))
    for name, keep in (("start", _from), ("end", _until)):
        if name in query:
            values, before = query[name]
            place = [id_order(v) if n == "__name__" else v for v, (n, _) in zip(values, query["orders"], strict=False)]
            found = [d for d in found if keep(side(key(d), place), before)]
    stop = None if query["limit"] is None else query["offset"] + query["limit"]
    return found[query["offset"] : stop]


def _from(side: int, before: bool) -> bool:
    return side > 0 or (side == 0 and before)


def _until(side: int, before: bool) -> bool:
    return side < 0 or (side == 0 and not before)
