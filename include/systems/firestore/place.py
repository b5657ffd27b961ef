"""What a rule means in Firestore: the selection of the contract, typed and checked. No calls are made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Never

from include.errors import Refused
from include.policy.actions import Action, Anonymisation
from include.systems.contract import Selection
from include.systems.firestore import CARD
from include.systems.firestore.fields import FieldPath, covers, parse, render

_GENERALISATIONS = {"month": False, "year": False, "band": True, "prefix": True}
"""How a value is generalised, and whether this needs a size."""


class SubjectForm(StrEnum):
    """Where the person's identifier stands."""

    FIELD = "field"
    ID = "id"
    PARENT = "parent"


@dataclass(frozen=True, slots=True)
class Subject:
    """Where the person's identifier stands; ``field`` is empty unless the form is FIELD."""

    form: SubjectForm
    field: FieldPath = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """The documents of a location.

    Args:
        group: id of the collections.
        parent: path of the document above the one collection that is meant ("" for the root), None for all collections.
        cascade: what lies below a document is deleted with it.
    """

    group: str
    parent: str | None
    cascade: bool

    @classmethod
    def at(cls, location: Mapping[str, str], tried: str) -> Collection:
        """Read a location.

        Raises:
            Refused: it says something that this module does not know; ``tried`` names what was being read.
        """
        unknown = sorted(set(location) - set(CARD.location_keys))
        if unknown:
            raise Refused(CARD.key, tried, f"Remove the location keys it does not know: {', '.join(unknown)}.")
        group = location.get("group", "")
        if not group or "/" in group:
            raise Refused(CARD.key, tried, "Give the location a 'group': the id of a collection.")
        if location.get("cascade") not in {None, "descendants"}:
            raise Refused(CARD.key, tried, "Set the location's 'cascade' to 'descendants' or leave it out.")
        return cls(group, _parent(location.get("parent"), group, tried), "cascade" in location)

    def path(self, identifier: str) -> str:
        """The path of the document of this id in the one collection that is meant."""
        return f"{self.parent}/{self.group}/{identifier}" if self.parent else f"{self.group}/{identifier}"

    def index_of(self, *fields: FieldPath) -> str:
        """The index that a query for the equality of fields needs, in words."""
        scope = "collection" if self.parent is not None else "collection group"
        return f"an index of {scope} '{self.group}' with {', '.join(map(render, fields))} ascending"


@dataclass(frozen=True, slots=True)
class Place(Collection):
    """Documents of a rule.

    Args:
        trigger: the field with the timestamp that decides.
        where: fields that must equal a string.
        subject: where the person stands, if anywhere.
    """

    trigger: FieldPath
    where: Mapping[FieldPath, str]
    subject: Subject | None

    @property
    def index(self) -> str:
        """The composite or collection group index that its queries need, in words."""
        return f"{self.index_of(*self.where, self.trigger)} and descending"


def understand(selection: Selection) -> Place:
    """Check a selection.

    Raises:
        Refused: it says something that this module does not know, or that would not do what it seems to.
    """
    collection = Collection.at(selection.location, _tried(selection))
    try:
        place = Place(
            group=collection.group,
            parent=collection.parent,
            cascade=collection.cascade,
            trigger=parse(selection.trigger_field),
            where={parse(name): value for name, value in selection.where.items()},
            subject=_subject(selection),
        )
        if selection.action is Action.ANONYMISE:
            _check_anonymisation(selection, place)
    except ValueError:
        _refuse(selection, "Write its fields as names joined by dots, odd names in back-ticks.")
    return place


def _tried(selection: Selection) -> str:
    return f"understand rule '{selection.rule}'"


def _refuse(selection: Selection, next_step: str) -> Never:
    raise Refused(CARD.key, _tried(selection), next_step)


def _parent(path: str | None, group: str, tried: str) -> str | None:
    if path is None:
        return None
    segments = path.split("/")
    if len(segments) % 2 == 0 or not all(segments) or segments[-1] != group:
        step = "Set the location's 'parent' to the path of a collection whose last part is the 'group'."
        raise Refused(CARD.key, tried, step)
    return "/".join(segments[:-1])


def _subject(selection: Selection) -> Subject | None:
    form = selection.subject
    if form is None:
        return None
    if form in {SubjectForm.ID, SubjectForm.PARENT}:
        return Subject(SubjectForm(form))
    if not form.startswith("field:"):
        _refuse(selection, "Set its subject to 'field:<name>', 'id' or 'parent'.")
    return Subject(SubjectForm.FIELD, parse(form.removeprefix("field:")))


def targets(anonymisation: Anonymisation) -> list[tuple[FieldPath, FieldPath]]:
    """Each generalised field with the field that takes its new value (its sibling)."""
    pairs = []
    for item in anonymisation.generalise:
        path = parse(item.field)
        pairs.append((path, (*path[:-1], f"{path[-1]}_{item.how}")))
    return pairs


def gone(anonymisation: Anonymisation) -> list[FieldPath]:
    """Fields that no longer exist afterwards."""
    return list(map(parse, anonymisation.gone))


def _check_anonymisation(selection: Selection, place: Place) -> None:
    declared = selection.anonymisation
    if declared is None or not declared.gone:
        _refuse(selection, "List the fields that its anonymisation removes or generalises.")
    removed = gone(declared)
    for item in declared.generalise:
        if item.how not in _GENERALISATIONS or (_GENERALISATIONS[item.how] and item.size < 1):
            _refuse(
                selection, "Generalise by 'month', 'year', 'band' or 'prefix', the last two with a size above zero."
            )
    if place.cascade:
        _refuse(selection, "Leave 'cascade' out: only a deletion reaches what lies below a document.")
    if place.subject and place.subject.form is not SubjectForm.FIELD:
        _refuse(selection, "Delete instead: the document's path names the person and cannot be removed from it.")
    if place.subject and not any(covers(path, place.subject.field) for path in removed):
        _refuse(selection, "Remove the field of its subject too: it links the record to the person.")
    if not any(covers(path, place.trigger) for path in removed):
        _refuse(selection, "Remove or generalise its trigger field too, else the record stays due for ever.")
    if any(covers(path, target) for path in removed for _, target in targets(declared)):
        _refuse(selection, "Name each field once: a generalised value may not lie in a field that is removed.")
    if any(covers(a, b) for i, a in enumerate(removed) for j, b in enumerate(removed) if i != j):
        _refuse(selection, "Name each field once: one of the fields lies inside another.")
