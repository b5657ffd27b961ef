"""Firestore documents, page by page, each page a query that begins behind the last document of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from include.analytics.reading.pages import PAGE, Wanted, page
from include.connection import Connection
from include.errors import Refused
from include.systems.firestore import queries
from include.systems.firestore.access import credentials_of
from include.systems.firestore.fields import FieldPath, parse, render
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.messages import lookup, timestamp
from include.systems.firestore.place import Collection


def events(wanted: Wanted, connection: Connection) -> Iterator[pl.DataFrame]:
    """Documents whose time lies in the period, in its order.

    Raises:
        Refused: location or fields cannot be read, or the account lacks a right.
        Unavailable: Firestore did not answer.
    """
    at, paths = _path(wanted.source.at, wanted.tried), [_path(name, wanted.tried) for name in wanted.fields]
    above, _, group = wanted.source.location.rpartition("/")
    collection = Collection(group, above, cascade=False)
    query = queries.project(queries.everything(collection), [*paths, at])
    query.where.composite_filter.op = type(query).CompositeFilter.Operator.AND
    operators = type(query).FieldFilter.Operator
    for operator, bound in ((operators.GREATER_THAN_OR_EQUAL, wanted.since), (operators.LESS_THAN, wanted.until)):
        _compared(query.where.composite_filter.filters.add().field_filter, at, operator).timestamp_value.CopyFrom(
            timestamp(bound)
        )
    for found in _pages(connection, collection, queries.in_order(query, at), wanted.tried, at):
        yield page(wanted, ([_plain(lookup(document, path)) for path in paths] for document in found))


def marked(location: dict[str, str], field: str, equals: bool | int | str, connection: Connection) -> Iterator[str]:
    """Ids of the documents of a location in which a field has a value.

    Raises:
        Refused: location or field cannot be read, or an index or a right is missing.
        Unavailable: Firestore did not answer.
    """
    tried = f"read which records are marked '{field}'"
    collection, path = Collection.at(location, tried), _path(field, tried)
    query = queries.project(queries.everything(collection), [])
    value = _compared(query.where.field_filter, path, type(query).FieldFilter.Operator.EQUAL)
    if isinstance(equals, bool):
        value.boolean_value = equals
    elif isinstance(equals, int):
        value.integer_value = equals
    else:
        value.string_value = equals
    for found in _pages(connection, collection, queries.in_order(query), tried):
        yield from (document.name.rpartition("/")[2] for document in found)


def _pages(
    connection: Connection, collection: Collection, query: Any, tried: str, order: FieldPath | None = None
) -> Iterator[list[Any]]:
    gateway = Gateway(connection, credentials_of(connection))
    query.limit.value = PAGE
    try:
        while True:
            found = list(gateway.query(gateway.name(collection.parent or ""), query, tried))
            yield found
            if len(found) < PAGE:
                return
            if order is not None:
                queries.after(query, found[-1], order)
            else:
                del query.start_at.values[:]
                query.start_at.values.add(reference_value=found[-1].name)
    finally:
        gateway.close()


def _compared(test: Any, path: FieldPath, operator: Any) -> Any:
    """Fill a comparison and return the message for its value."""
    test.field.field_path = render(path)
    test.op = operator
    return test.value


def _path(name: str, tried: str) -> FieldPath:
    try:
        return parse(name)
    except ValueError:
        step = "Write its fields as names joined by dots, odd names in back-ticks."
        raise Refused("firestore", tried, step) from None


def _plain(value: Any) -> Any:
    """Text, an integer, or the id that a reference ends with; everything else is nothing that a table can count by."""
    kind = None if value is None else value.WhichOneof("value_type")
    if kind == "reference_value":
        return value.reference_value.rpartition("/")[2]
    return getattr(value, kind) if kind in {"string_value", "integer_value"} else None
