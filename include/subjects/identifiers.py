"""Identifiers of a person: typed, checked, and never shown by accident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from include.policy.persons import IdentifierKind, RequestType


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One thing that a person is known by, exactly as its source writes it. Its ``repr`` hides the value."""

    kind: IdentifierKind
    value: str = field(repr=False)

    def __str__(self) -> str:
        """The kind alone: a value that is formatted by mistake must not reach a log."""
        return f"an identifier of kind {self.kind.value}"


@dataclass(frozen=True, slots=True)
class Subject:
    """One person of one request, as the systems see it.

    Args:
        ref: opaque id of the request, ``req_…``.
        request: what was asked for.
        identifiers: everything the person is known by, secondary ids included; never empty.
    """

    ref: str
    request: RequestType
    identifiers: tuple[Identifier, ...] = field(repr=False)

    def values(self, *kinds: IdentifierKind) -> tuple[str, ...]:
        """The values of some kinds, in their order and each once."""
        return tuple(dict.fromkeys(known.value for known in self.identifiers if known.kind in kinds))


def counts(identifiers: Iterable[Identifier]) -> dict[str, int]:
    """How many there are of each kind: the form in which evidence speaks of identifiers."""
    found: dict[str, int] = {}
    for known in identifiers:
        found[known.kind.value] = found.get(known.kind.value, 0) + 1
    return dict(sorted(found.items()))
