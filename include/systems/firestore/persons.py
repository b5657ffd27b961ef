"""How documents name persons: the places of the policy, typed, checked and grouped by the query that serves them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.errors import Refused
from include.policy.persons import Disposal, IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.erasing import Place
from include.systems.firestore import CARD
from include.systems.firestore.fields import FieldPath, covers, parse, render
from include.systems.firestore.messages import lookup
from include.systems.firestore.place import Collection
from include.systems.places import check, known_by, usable

_RESERVED = re.compile(r"__.*__", re.DOTALL)


def is_document_id(value: str) -> bool:
    """Whether a document can have this id: one segment of a path, neither a step in it nor reserved by Firestore."""
    return usable(value) and "/" not in value and value not in {".", ".."} and not _RESERVED.fullmatch(value)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one place of the policy says of a document that names a person.

    Args:
        place: the place.
        where: fields, each with the strings of which it must be one.
        unlink: the fields to remove, as the API reads them.
    """

    place: Place
    where: Mapping[FieldPath, frozenset[str]]
    unlink: tuple[str, ...]

    def means(self, document: Any) -> bool:
        """Whether the document is one that the place speaks of."""
        return all(_text(document, path) in accepted for path, accepted in self.where.items())


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which documents of a collection name a person.

    Args:
        collection: the documents.
        kind: what they know the person by.
        field: the field with the identifier, a string; empty where it is the document's own id.
        readings: the places that speak of such documents.
        protected: ids of the collections whose documents stay.
    """

    collection: Collection
    kind: IdentifierKind
    field: FieldPath
    readings: tuple[Reading, ...]
    protected: frozenset[str]

    def index(self, subjects: Sequence[Subject]) -> dict[str, list[int]]:
        """The values to look for, each with the positions of the persons whom it means."""
        return known_by(subjects, self.kind, usable if self.field else is_document_id)

    def value(self, document: Any) -> str | None:
        """The identifier in a document, exactly as it is there."""
        return _text(document, self.field) if self.field else document.name.rsplit("/", 1)[-1]

    def needed(self) -> list[FieldPath]:
        """The fields that tell whom a document names and what becomes of it."""
        conditions = (path for reading in self.readings for path in reading.where)
        return [*([self.field] if self.field else []), *conditions]

    def speaking_of(self, document: Any) -> Iterator[Reading]:
        """The places that speak of a document; of one that is not there, those that ask for nothing in it."""
        for reading in self.readings:
            if reading.means(document) if document is not None else not reading.where:
                yield reading


def ways(places: Sequence[Place]) -> tuple[Way, ...]:
    """The ways in which the places of a policy name persons.

    Raises:
        Refused: a place says something that this module does not know, or that would not do what it seems to.
    """
    found: dict[tuple[Collection, IdentifierKind, FieldPath], list[Reading]] = {}
    for place in places:
        check(CARD.key, place, set(Disposal))
        try:
            collection, path, reading = _read(place)
        except ValueError:
            raise _refused(place, "Write its fields as names joined by dots, odd names in back-ticks.") from None
        found.setdefault((collection, place.person.identifier, path), []).append(reading)
    groups = frozenset(one["group"] for place in places for one in place.protected if "group" in one)
    return tuple(Way(*key, tuple(readings), groups) for key, readings in found.items())


def position(match: str) -> FieldPath:
    """The field that a form names, empty for the document's own id.

    Raises:
        ValueError: it is no form that can be asked for.
    """
    if match == "id":
        return ()
    form, _, name = match.partition(":")
    if form != "field":
        raise ValueError("an identifier stands in 'id' or in 'field:<name>'")
    return parse(name)


def _read(place: Place) -> tuple[Collection, FieldPath, Reading]:
    person = place.person
    collection = Collection.at(place.location, _tried(place))
    if person.match != "id" and not person.match.startswith("field:"):
        raise _refused(place, "Set its 'match' to 'field:<name>' or 'id'.")
    path = position(person.match)
    if not path and collection.parent is None:
        raise _refused(place, "Give the location a 'parent': an id alone says nothing about where a document is.")
    removed = list(map(parse, person.unlink))
    if Disposal.UNLINK in {person.erasure, person.account_deletion} and not any(
        path and covers(one, path) for one in removed
    ):
        raise _refused(place, "List the field of its 'match' under 'unlink' too: it links the record to the person.")
    where = {parse(name): frozenset(accepted) for name, accepted in person.where.items()}
    return collection, path, Reading(place, where, tuple(map(render, removed)))


def _tried(place: Place) -> str:
    return f"read the persons of '{place.holding}'"


def _refused(place: Place, next_step: str) -> Refused:
    return Refused(CARD.key, _tried(place), next_step)


def _text(document: Any, path: FieldPath) -> str | None:
    value: Any = lookup(document, path)
    return value.string_value if value is not None and value.WhichOneof("value_type") == "string_value" else None
