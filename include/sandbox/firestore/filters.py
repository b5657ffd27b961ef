"""Filters: from the wire to a tree of tests, with the rules that the service checks.

Documents that lack a field never match a test on it, and a comparison only ever matches values of the same type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias

from include.sandbox.firestore.paths import NAME, FieldPath, Names, field_path
from include.sandbox.firestore.store import Stored
from include.sandbox.firestore.values import NAN_KEY, NULL_KEY, Rank, SortKey, sort_key
from include.sandbox.firestore.wire import StructuredQuery, invalid

EQUAL = "EQUAL"
EXISTS = "EXISTS"
"""Not on the wire: aggregations ask only for documents that have the field."""
RANGES = frozenset({"LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL"})
NEGATIONS = frozenset({"NOT_EQUAL", "NOT_IN", "IS_NOT_NULL", "IS_NOT_NAN"})
INEQUALITIES = RANGES | NEGATIONS
CONTAINS = frozenset({"ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY"})
_LISTS = {"IN": 30, "ARRAY_CONTAINS_ANY": 30, "NOT_IN": 10}
MAX_DISJUNCTIONS = 30
_UNMATCHED = (NULL_KEY, NAN_KEY)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test of one field. ``values`` holds one sort key, several for lists, none for unary tests."""

    path: FieldPath
    operator: str
    values: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """All (or, if ``either``, any) of the children hold."""

    either: bool
    children: tuple[Node, ...]


Node: TypeAlias = Leaf | Branch


def leaves(node: Node | None) -> list[Leaf]:
    """All tests of a tree."""
    if node is None:
        return []
    if isinstance(node, Leaf):
        return [node]
    return [leaf for child in node.children for leaf in leaves(child)]


class Parser:
    """Builds a checked tree from a ``StructuredQuery.Filter``.

    Args:
        names: to read document names in filters on ``__name__``.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def parse(self, message: Any) -> Node:
        """Check and convert.

        Raises:
            Refusal: INVALID_ARGUMENT, in the service's words.
        """
        node = self._node(message)
        _check(node)
        return node

    def _node(self, message: Any) -> Node:
        kind = message.WhichOneof("filter_type")
        if kind == "composite_filter":
            return self._composite(message.composite_filter)
        if kind == "field_filter":
            return self._field(message.field_filter)
        if kind == "unary_filter":
            return self._unary(message.unary_filter)
        raise invalid("Unknown Filter type.")

    def _composite(self, message: Any) -> Node:
        operator = StructuredQuery.CompositeFilter.Operator.Name(message.op)
        if operator not in {"AND", "OR"}:
            raise invalid("Unsupported CompositeFilter operator.")
        return Branch(operator == "OR", tuple(map(self._node, message.filters)))

    def _unary(self, message: Any) -> Leaf:
        operator = StructuredQuery.UnaryFilter.Operator.Name(message.op)
        if operator == "OPERATOR_UNSPECIFIED":
            raise invalid("Unknown UnaryFilter operator.")
        path = field_path(message.field.field_path)
        if path == NAME:
            raise invalid("__key__ filter value must be a Key")
        return Leaf(path, operator, ())

    def _field(self, message: Any) -> Leaf:
        operator = StructuredQuery.FieldFilter.Operator.Name(message.op)
        if operator == "OPERATOR_UNSPECIFIED":
            raise invalid("Unknown FieldFilter operator.")
        path = field_path(message.field.field_path)
        if message.value.WhichOneof("value_type") is None:
            raise invalid("Cannot convert firestore.v1.Value with type unset.")
        if path == NAME and operator in CONTAINS:
            raise invalid("the name __key__ is reserved")
        values = _items(operator, message.value) if operator in _LISTS else [message.value]
        return Leaf(path, operator, tuple(self._key(path, value) for value in values))

    def _key(self, path: FieldPath, value: Any) -> SortKey:
        if path != NAME:
            return sort_key(value)
        if value.WhichOneof("value_type") != "reference_value":
            raise invalid("__key__ filter value must be a Key")
        return (Rank.REFERENCE, self._names.document(value.reference_value))


def _items(operator: str, value: Any) -> Iterable[Any]:
    if value.WhichOneof("value_type") != "array_value":
        raise invalid(f"'{operator}' requires an ArrayValue.")
    items: list[Any] = list(value.array_value.values)
    if not items:
        raise invalid(f"'{operator}' requires an non-empty ArrayValue.")
    if len(items) > _LISTS[operator]:
        raise invalid(f"'{operator}' supports up to {_LISTS[operator]} comparison values.")
    return items


def _check(node: Node) -> None:
    operators = [leaf.operator for leaf in leaves(node)]
    if sum(operator in NEGATIONS for operator in operators) > 1:
        raise invalid("Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query.")
    if "NOT_IN" in operators and ({"IN", "ARRAY_CONTAINS_ANY"} & set(operators) or _has_or(node)):
        raise invalid("'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'.")
    disjunctions = _disjunctions(node)
    if disjunctions > MAX_DISJUNCTIONS:
        raise invalid(
            f"Too many disjunctions after normalization. Result had {disjunctions} disjunctions "
            f"which is more than the maximum of {MAX_DISJUNCTIONS}"
        )
    if any(len(tests) > 1 for tests in _array_tests(node)):
        raise invalid("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.")


def never(leaf: Leaf) -> bool:
    """Whether no value can satisfy a test: comparisons with null or NaN, which the service drops before it plans."""
    if leaf.operator in {"NOT_EQUAL", "NOT_IN"}:
        return set(leaf.values) == {NULL_KEY}
    return leaf.operator in RANGES and leaf.values[0] in _UNMATCHED


def _has_or(node: Node) -> bool:
    return isinstance(node, Branch) and (node.either or any(map(_has_or, node.children)))


def _array_tests(node: Node) -> list[frozenset[tuple[FieldPath, SortKey]]]:
    """The array tests of each disjunction of the normal form; the same test twice counts once."""
    if isinstance(node, Leaf):
        if node.operator not in CONTAINS:
            return [frozenset()]
        return [frozenset({(node.path, value)}) for value in node.values if value not in _UNMATCHED]
    choices = [_array_tests(child) for child in set(node.children)]
    if node.either:
        return [tests for choice in choices for tests in choice]
    return [frozenset().union(*tests) for tests in product(*choices)]


def _disjunctions(node: Node) -> int:
    """The size of the disjunctive normal form."""
    if isinstance(node, Leaf):
        return len(node.values) if node.operator in {"IN", "ARRAY_CONTAINS_ANY"} else 1
    counts = [_disjunctions(child) for child in node.children]
    return max(sum(counts), 1) if node.either else prod(counts)


def _same_kind(left: SortKey, right: SortKey) -> bool:
    return left[0] == right[0] and NAN_KEY not in (left, right) and left != NULL_KEY


def _in(value: SortKey, wanted: tuple[SortKey, ...]) -> bool:
    return value not in _UNMATCHED and value in wanted


def _elements(value: SortKey) -> tuple[SortKey, ...]:
    return value[1] if value[0] == Rank.ARRAY else ()


_TESTS: dict[str, Callable[[SortKey, tuple[SortKey, ...]], bool]] = {
    EXISTS: lambda _, __: True,
    EQUAL: _in,
    "IN": _in,
    "LESS_THAN": lambda v, w: _same_kind(v, w[0]) and v < w[0],
    "LESS_THAN_OR_EQUAL": lambda v, w: _same_kind(v, w[0]) and v <= w[0],
    "GREATER_THAN": lambda v, w: _same_kind(v, w[0]) and v > w[0],
    "GREATER_THAN_OR_EQUAL": lambda v, w: _same_kind(v, w[0]) and v >= w[0],
    "NOT_EQUAL": lambda v, w: v != NULL_KEY and w[0] != NULL_KEY and (v == NAN_KEY or v != w[0]),
    "NOT_IN": lambda v, w: v != NULL_KEY and NULL_KEY not in w and (v == NAN_KEY or v not in w),
    "ARRAY_CONTAINS": lambda v, w: any(_in(element, w) for element in _elements(v)),
    "ARRAY_CONTAINS_ANY": lambda v, w: any(_in(element, w) for element in _elements(v)),
    "IS_NULL": lambda v, _: v == NULL_KEY,
    "IS_NAN": lambda v, _: v == NAN_KEY,
    "IS_NOT_NULL": lambda v, _: v != NULL_KEY,
    "IS_NOT_NAN": lambda v, _: v not in _UNMATCHED,
}


def matches(node: Node, stored: Stored) -> bool:
    """Whether a document satisfies a filter."""
    if isinstance(node, Branch):
        if node.either:
            return any(matches(child, stored) for child in node.children)
        return all(matches(child, stored) for child in node.children)
    value = stored.sort_key(node.path)
    return value is not None and _TESTS[node.operator](value, node.values)
