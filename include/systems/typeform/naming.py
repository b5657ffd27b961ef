"""Whom an answer names: addresses in anything that was typed or sent along, and user ids in hidden fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import sendable
from include.systems.mentions import Mentions, addresses_in, is_word


class People:
    """Persons to be recognised in answers.

    An address counts wherever it stands whole. A user id counts as the whole value of a hidden field alone: in a text,
    where a short id may be any word, it would take somebody else's answer.

    Args:
        subjects: the persons.
    """

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._mentions = Mentions(subjects, (IdentifierKind.EMAIL,))
        self._ids: dict[str, set[str]] = {}
        for subject in subjects:
            for value in filter(is_word, subject.values(IdentifierKind.USER_ID)):
                self._ids.setdefault(value, set()).add(subject.ref)

    def __bool__(self) -> bool:
        return bool(self._mentions) or bool(self._ids)

    def refs(self, content: Mapping[str, Any]) -> set[str]:
        """The persons that an answer names."""
        found = self._mentions.refs(list(_texts(content)))
        for value in _hidden(content):
            found |= self._ids.get(value, set())
        return found


def identifiers(content: Mapping[str, Any]) -> Iterator[Identifier]:
    """What could identify a person: each address, and each other value of a hidden field as a user id."""
    for address in addresses_in(list(_texts(content))):
        yield Identifier(IdentifierKind.EMAIL, address)
    for value in _hidden(content):
        if is_word(value) and not sendable(value):
            yield Identifier(IdentifierKind.USER_ID, value)


def _hidden(content: Mapping[str, Any]) -> list[str]:
    hidden = content.get("hidden")
    return [value for value in hidden.values() if isinstance(value, str)] if isinstance(hidden, dict) else []


def _texts(content: Mapping[str, Any]) -> Iterator[str]:
    """What was typed, chosen, uploaded or sent along; not the vendor's own ids, numbers and technical data."""
    yield from _hidden(content)
    for entry in (*(content.get("answers") or ()), *(content.get("variables") or ())):
        yield from _strings({name: value for name, value in entry.items() if name != "field"})


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
