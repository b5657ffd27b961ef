"""Whose a document is, and whether that person is on hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from include.systems.contract import OnHold
from include.systems.firestore.messages import lookup
from include.systems.firestore.place import Place, SubjectForm


def is_held(document: Any, place: Place, on_hold: OnHold | None) -> bool:
    """Whether any person of a document is on hold."""
    return on_hold is not None and place.subject is not None and any(map(on_hold, _subjects(document, place)))


@dataclass(frozen=True, slots=True)
class Keep:
    """What must not go even as a part of something larger.

    Args:
        on_hold: the test for persons on hold; each id in a document's path may be one.
        protected: ids of the collections that the policy protects.
    """

    on_hold: OnHold | None
    protected: frozenset[str]

    def __bool__(self) -> bool:
        return self.on_hold is not None or bool(self.protected)

    def held(self, name: str) -> bool:
        """Whether the document of that name belongs to a person on hold."""
        return self.on_hold is not None and any(map(self.on_hold, name.split("/")[6::2]))

    def shielded(self, name: str) -> bool:
        """Whether the document lies in a protected collection or below one."""
        return not self.protected.isdisjoint(name.split("/")[5::2])


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
