"""What the stores share when they look for persons: which values count, and how what was found is added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from include.errors import Refused
from include.policy.persons import Disposal, IdentifierKind, RequestType
from include.subjects.identifiers import Subject
from include.systems.addresses import same
from include.systems.erasing import Found, Place, Stays

Item = TypeVar("Item")

PROTECTED = "The policy file protects it, and what lies above it."
"""Why data stays that lies in a protected location."""
_LONGEST = 1500
"""Bytes of the longest value that any of the stores can know a person by (an id of a Firestore document)."""


def forms(kind: IdentifierKind, value: str) -> tuple[str, ...]:
    """The forms in which a store may keep an identifier: as given and, for an address, with small letters too."""
    return tuple(dict.fromkeys((value, same(value)))) if kind is IdentifierKind.EMAIL else (value,)


def usable(value: str) -> bool:
    """Whether a store can know a person by the value: neither empty nor longer than any id, text without NUL."""
    try:
        return 0 < len(value.encode()) <= _LONGEST and "\0" not in value
    except UnicodeEncodeError:
        return False


def goes(place: Place) -> bool:
    """Whether an erasure removes the records of a place, or the person from them: nobody erased may be found there."""
    return place.disposal(RequestType.ERASURE) in {Disposal.DELETE, Disposal.UNLINK}


def pieces(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most ``size``."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def known_by(
    subjects: Sequence[Subject], kind: IdentifierKind, fits: Callable[[str], bool] = usable
) -> dict[str, list[int]]:
    """Every value that means one of the persons, with the positions of those whom it means.

    Args:
        subjects: the persons.
        kind: kind of identifier.
        fits: values for which this is false match nothing, so that nothing is asked about them.
    """
    index: dict[str, list[int]] = {}
    for position, subject in enumerate(subjects):
        for value in dict.fromkeys(form for given in subject.values(kind) for form in forms(kind, given)):
            if fits(value):
                index.setdefault(value, []).append(position)
    return index


def check(system: str, place: Place, can: Collection[Disposal]) -> None:
    """Refuse a place whose records the module cannot treat as the policy asks.

    Raises:
        Refused: an effect is not in ``can``, or ``unlink`` names no fields.
    """
    person = place.person
    effects = {person.erasure, person.account_deletion}
    if not effects <= set(can):
        accepted = ", ".join(f"'{effect.value}'" for effect in Disposal if effect in can)
        raise Refused(system, f"read the persons of '{place.holding}'", f"Here it can only {accepted}: correct it.")
    if Disposal.UNLINK in effects and not person.unlink:
        raise Refused(system, f"read the persons of '{place.holding}'", "List the fields to 'unlink'.")


@dataclass(slots=True)
class Tally:
    """What was found of one person."""

    counts: Counter[str] = field(default_factory=Counter)
    stays: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    controllers: dict[str, set[str]] = field(default_factory=dict)

    def add(self, place: Place, disposal: Disposal, count: int = 1, controller: str | None = None) -> None:
        """Add records: what is deleted or unlinked to ``counts``, what stays, unlinked records too, to ``stays``."""
        if controller is not None and disposal is Disposal.ROUTE:
            self.controllers.setdefault(place.holding, set()).add(controller)
        if disposal in {Disposal.DELETE, Disposal.UNLINK}:
            self.counts[place.holding] += count
        if disposal is not Disposal.DELETE:
            self.keep(place.holding, count, place.person.ground or "", routed=disposal is Disposal.ROUTE)

    def keep(self, what: str, count: int, ground: str, *, routed: bool = False) -> None:
        """Add records that stay."""
        self.stays[what, ground, routed] += count

    @property
    def total(self) -> int:
        """Everything that an erasure would remove or change."""
        return self.counts.total()

    def found(self, ref: str, records: Any = None, clean_at: datetime | None = None) -> Found:
        """The same in the words of the contract, without zeros."""
        stays = (
            Stays(what, n, ground, routed, tuple(sorted(self.controllers.get(what, ()))) if routed else ())
            for (what, ground, routed), n in sorted(self.stays.items())
            if n
        )
        counts = {holding: count for holding, count in sorted(self.counts.items()) if count}
        return Found(ref, counts, tuple(stays), clean_at, records)
