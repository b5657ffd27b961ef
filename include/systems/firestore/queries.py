"""Structured queries of a rule. Each returns a new protobuf message; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from include.systems.firestore.fields import FieldPath, render
from include.systems.firestore.messages import StructuredQuery, lookup, timestamp
from include.systems.firestore.place import Collection, Place

_ASCENDING = StructuredQuery.Direction.ASCENDING
_DESCENDING = StructuredQuery.Direction.DESCENDING
NAME = "__name__"
MAX_VALUES = 30
"""Most values in one comparison with a list (https://firebase.google.com/docs/firestore/query-data/queries)."""


def everything(place: Collection) -> Any:
    """All documents of the place."""
    query = StructuredQuery()
    query.from_.add(collection_id=place.group, all_descendants=place.parent is None)
    return query


def due(place: Place, cutoff: datetime) -> Any:
    """The due documents: the trigger field is a timestamp before ``cutoff``, and the fields equal ``where``."""
    query = everything(place)
    filters = query.where.composite_filter
    filters.op = StructuredQuery.CompositeFilter.Operator.AND
    for path, text in place.where.items():
        equal = filters.filters.add().field_filter
        equal.field.field_path = render(path)
        equal.op = StructuredQuery.FieldFilter.Operator.EQUAL
        equal.value.string_value = text
    before = filters.filters.add().field_filter
    before.field.field_path = render(place.trigger)
    before.op = StructuredQuery.FieldFilter.Operator.LESS_THAN
    before.value.timestamp_value.CopyFrom(timestamp(cutoff))
    return query


def naming(collection: Collection, path: FieldPath, values: Iterable[str], *, listed: bool = False) -> Any:
    """The documents in which a field is one of at most ``MAX_VALUES`` strings or, if ``listed``, a list with one."""
    query = everything(collection)
    test = query.where.field_filter
    test.field.field_path = render(path)
    operators = StructuredQuery.FieldFilter.Operator
    test.op = operators.ARRAY_CONTAINS_ANY if listed else operators.IN
    for value in values:
        test.value.array_value.values.add(string_value=value)
    return query


def project(query: Any, paths: Iterable[FieldPath]) -> Any:
    """Ask for some fields only; the name and the update time always come along."""
    names = sorted({render(path) for path in paths}) or [NAME]
    for name in names:
        query.select.fields.add(field_path=name)
    return query


def in_order(query: Any, *paths: FieldPath) -> Any:
    """Sort by fields, then by name. Documents that lack one of the fields are left out, as the service does."""
    for name in (*map(render, paths), NAME):
        query.order_by.add(direction=_ASCENDING).field.field_path = name
    return query


def first(query: Any, path: FieldPath, *, descending: bool) -> Any:
    """Only the document with the smallest or greatest value of a field."""
    query.order_by.add(direction=_DESCENDING if descending else _ASCENDING).field.field_path = render(path)
    query.limit.value = 1
    return project(query, [path])


def after(query: Any, document: Any, path: FieldPath) -> Any:
    """Continue behind a document of the page before; the query is sorted by ``path`` and name."""
    del query.start_at.values[:]
    query.start_at.before = False
    query.start_at.values.add().CopyFrom(lookup(document, path))
    query.start_at.values.add(reference_value=document.name)
    return query


def below(limit: int, behind: str | None = None) -> Any:
    """Names of all documents below a parent in any collection: at most ``limit``, after the name ``behind``."""
    query = StructuredQuery()
    query.from_.add(all_descendants=True)
    return project(page(query, limit, behind), [])


def page(query: Any, limit: int, behind: str | None) -> Any:
    """At most ``limit`` documents in the order of their names, after the name ``behind``."""
    in_order(query).limit.value = limit
    if behind is not None:
        query.start_at.before = False
        query.start_at.values.add(reference_value=behind)
    return query
