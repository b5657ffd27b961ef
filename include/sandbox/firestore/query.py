"""Structured queries: from the wire to a checked, typed form.

The rules and the words of the refusals are those that the official emulator shows; limits are documented at
https://firebase.google.com/docs/firestore/query-data/queries#limitations and
https://cloud.google.com/firestore/quotas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from include.sandbox.firestore.filters import INEQUALITIES, Branch, Leaf, Node, Parser, leaves, never
from include.sandbox.firestore.paths import NAME, FieldPath, Key, Names, check_id, field_path
from include.sandbox.firestore.values import Rank, SortKey, sort_key
from include.sandbox.firestore.wire import Refusal, StatusCode, StructuredQuery, invalid, only

MAX_PARTS = 100
MAX_INEQUALITY_FIELDS = 10
_DESCENDING = StructuredQuery.Direction.DESCENDING


@dataclass(frozen=True, slots=True)
class Order:
    """One sort criterion."""

    path: FieldPath
    descending: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the result: just before or just after the documents that begin with ``values``."""

    values: tuple[SortKey, ...]
    before: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query.

    Args:
        parent: the document (or root) below which is searched.
        group: collection id, None for all collections.
        descendants: at any depth, else only directly below ``parent``.
        where: the filter, if any.
        orders: complete: implicit orders are added and the name comes last.
        fields: the projection, None for all fields.
    """

    parent: Key
    group: str | None
    descendants: bool
    where: Node | None
    orders: tuple[Order, ...]
    start: Cursor | None
    end: Cursor | None
    offset: int
    limit: int | None
    fields: tuple[FieldPath, ...] | None


def parse(message: Any, parent: Key, names: Names) -> Query:
    """Check a ``StructuredQuery``.

    Raises:
        Refusal: INVALID_ARGUMENT or FAILED_PRECONDITION as the service, UNIMPLEMENTED for vector search.
    """
    only(message, "select", "from_", "where", "order_by", "start_at", "end_at", "offset", "limit")
    if message.offset < 0:
        raise invalid("offset is negative")
    if message.HasField("limit") and message.limit.value < 0:
        raise invalid("limit is negative")
    group, descendants = _source(message)
    where = Parser(names).parse(message.where) if message.HasField("where") else None
    explicit = _explicit_orders(message.order_by)
    _check_size(where, explicit, parent)
    query = Query(
        parent=parent,
        group=group,
        descendants=descendants,
        where=where,
        orders=_complete(explicit, where),
        start=None,
        end=None,
        offset=message.offset,
        limit=message.limit.value if message.HasField("limit") else None,
        fields=_projection(message),
    )
    return replace(
        query,
        start=_cursor(message, "start_at", explicit, names),
        end=_cursor(message, "end_at", explicit, names),
    )


def _source(message: Any) -> tuple[str | None, bool]:
    selectors = message.from_
    if len(selectors) > 1:
        raise invalid("StructuredQuery.from cannot have more than one collection selector.")
    if not selectors:
        return None, False
    if selectors[0].collection_id:
        check_id(selectors[0].collection_id, collection=True)
    return selectors[0].collection_id or None, selectors[0].all_descendants


def _explicit_orders(messages: Sequence[Any]) -> tuple[Order, ...]:
    orders = tuple(Order(field_path(m.field.field_path), m.direction == _DESCENDING) for m in messages)
    paths = [order.path for order in orders]
    for position, order in enumerate(orders):
        if order.path in paths[:position]:
            raise invalid(f"order by clause cannot contain duplicate fields {'.'.join(order.path)}")
        if NAME in paths[:position]:
            raise invalid("order by clause cannot contain more fields after the key")
    if orders and orders[0] == Order(NAME, descending=True):
        raise Refusal(StatusCode.FAILED_PRECONDITION, "Firestore does not support descending key scans")
    return orders


def _complete(explicit: tuple[Order, ...], where: Node | None) -> tuple[Order, ...]:
    """Add what the service sorts by without being told: fields of inequalities by name, then the document name."""
    descending = explicit[-1].descending if explicit else False
    named = {order.path for order in explicit}
    unequal = (leaf for leaf in leaves(where) if leaf.operator in INEQUALITIES and not never(leaf))
    implied = sorted({leaf.path for leaf in unequal} - named - {NAME})
    if NAME not in named:
        return (*explicit, *(Order(path, descending) for path in implied), Order(NAME, descending))
    if implied:
        raise invalid("order by clause cannot contain more fields after the key")
    return explicit


def _check_size(where: Node | None, orders: tuple[Order, ...], parent: Key) -> None:
    tests = leaves(where)
    if len(tests) + len(orders) + bool(parent) > MAX_PARTS:
        raise invalid("The query may not have more than 100 filters + sort orders + ancestor total.")
    fields = {leaf.path for leaf in tests if leaf.operator in INEQUALITIES}
    if len(fields) > MAX_INEQUALITY_FIELDS:
        raise invalid(f"A query may not have more than {MAX_INEQUALITY_FIELDS} distinct inequality fields.")


def _projection(message: Any) -> tuple[FieldPath, ...] | None:
    if not message.HasField("select"):
        return None
    paths = tuple(field_path(reference.field_path) for reference in message.select.fields)
    return tuple(path for path in paths if path != NAME) if paths else None


def _cursor(message: Any, which: str, orders: tuple[Order, ...], names: Names) -> Cursor | None:
    if not message.HasField(which):
        return None
    cursor = getattr(message, which)
    if len(cursor.values) > len(orders):
        raise invalid("Cursor has too many values.")
    if not cursor.values:
        return None
    values = tuple(_position(value, order, names) for value, order in zip(cursor.values, orders, strict=False))
    return Cursor(values, cursor.before)


def _position(value: Any, order: Order, names: Names) -> SortKey:
    if order.path != NAME:
        return sort_key(value)
    if value.WhichOneof("value_type") != "reference_value":
        raise invalid("Cursor __key__ value is not a document reference.")
    return (Rank.REFERENCE, names.document(value.reference_value))


def conjuncts(where: Node | None) -> tuple[Node, ...]:
    """The parts of a filter that must all hold."""
    if isinstance(where, Branch) and not where.either:
        return tuple(part for child in where.children for part in conjuncts(child))
    return () if where is None else (where,)


def tests_on(path: FieldPath, parts: tuple[Node, ...], operators: frozenset[str]) -> list[Leaf]:
    """Those parts that test one field with one of the operators."""
    return [part for part in parts if isinstance(part, Leaf) and part.path == path and part.operator in operators]
