"""Whose a document is, and whether that person is on hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.systems.contract import OnHold
from include.systems.firestore.messages import lookup
from include.systems.firestore.place import Place, SubjectForm


def is_held(document: Any, place: Place, on_hold: OnHold | None) -> bool:
    """Whether any person of a document is on hold."""
    return on_hold is not None and place.subject is not None and any(map(on_hold, _subjects(document, place)))


def _subjects(document: Any, place: Place) -> Iterator[str]:
    """Identifiers of the persons a document belongs to."""
    segments = document.name.split("/")[5:]
    if place.subject is None:
        return
    if place.subject.form is SubjectForm.ID:
        yield segments[-1]
    elif place.subject.form is SubjectForm.PARENT:
        yield from segments[-3:-2]
    else:
        value = lookup(document, place.subject.field)
        for item in value.array_value.values if value and value.HasField("array_value") else [value]:
            yield from _identifier(item)


def _identifier(value: Any) -> Iterator[str]:
    kind = value.WhichOneof("value_type") if value is not None else None
    if kind == "string_value":
        yield value.string_value
    elif kind == "integer_value":
        yield str(value.integer_value)
    elif kind == "reference_value":
        yield value.reference_value.rsplit("/", 1)[-1]
