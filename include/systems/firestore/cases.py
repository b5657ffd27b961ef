"""What becomes of each document of a person, from what the places of the policy say of it. No calls are made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from include.policy.persons import Disposal
from include.subjects.identifiers import Subject
from include.systems.erasing import Found
from include.systems.firestore.cascade import Below, conditional_delete
from include.systems.firestore.messages import Write
from include.systems.firestore.persons import Reading, Way
from include.systems.firestore.subjects import Keep
from include.systems.places import PROTECTED, Tally


@dataclass(frozen=True, slots=True)
class Record:
    """A document of a person, as it was found.

    Args:
        name: its resource name.
        update_time: its version; None if it may go whatever its version.
        unlink: the fields to remove; empty if the document goes.
        tree: what lies below goes with it.
        there: whether it is there itself: documents can lie below one that is not.
    """

    name: str = field(repr=False)
    update_time: Any | None
    unlink: tuple[str, ...] = ()
    tree: bool = False
    there: bool = True


@dataclass(frozen=True, slots=True)
class Records:
    """What ``find`` hands to ``erase`` for one person."""

    subject: Subject
    found: tuple[Record, ...]


@dataclass(slots=True)
class Case:
    """What the places say of one document of one person.

    Args:
        document: as it was read; None where only its name is known.
        by_id: its own id names the person.
        cascade: what lies below it goes with it.
        said: each place that speaks of it, with the effect of the person's request there.
    """

    document: Any | None
    by_id: bool
    cascade: bool
    said: list[tuple[Reading, Disposal]]

    @property
    def is_deleted(self) -> bool:
        """Whether the document goes: a place that keeps it is stronger than one that deletes it."""
        return bool(self.of(Disposal.DELETE)) and not self.of(Disposal.KEEP, Disposal.ROUTE)

    @property
    def is_tree(self) -> bool:
        """Whether the document goes with all that is below it."""
        return self.cascade and self.is_deleted

    def of(self, *disposals: Disposal) -> list[tuple[Reading, Disposal]]:
        """What was said to one of these effects."""
        return [one for one in self.said if one[1] in disposals]


def add(cases: dict[str, Case], way: Way, name: str, document: Any | None, subject: Subject) -> None:
    """Note what a way says of a document, None where only its name is known, for one person."""
    for reading in way.speaking_of(document):
        case = cases.setdefault(name, Case(document, False, False, []))
        case.by_id |= not way.field
        case.cascade |= way.collection.cascade
        case.said.append((reading, reading.place.disposal(subject.request)))


def settled(subject: Subject, cases: Mapping[str, Case], belows: Mapping[str, Below], keep: Keep) -> Found:
    """What becomes of each document of one person, and the sums.

    Args:
        subject: the person.
        cases: the documents by name.
        belows: what lies below those that go with all that is below them.
        keep: what stays wherever it lies.
    """
    tally, records = Tally(), []
    for name, case in cases.items():
        for reading, disposal in case.of(Disposal.KEEP, Disposal.ROUTE):
            tally.add(reading.place, disposal, controller=_controller(name, reading))
        record = _gone(name, case, belows.get(name), keep, tally) if case.is_deleted else _changed(name, case, tally)
        if record is not None:
            records.append(record)
    return tally.found(subject.ref, Records(subject, tuple(records)))


def _controller(name: str, reading: Reading) -> str | None:
    """The id of the document above, where the policy says that it names the controller."""
    return name.split("/")[-3] if reading.place.person.controller == "parent" else None


def _gone(name: str, case: Case, tree: Below | None, keep: Keep, tally: Tally) -> Record | None:
    reading, disposal = case.of(Disposal.DELETE)[0]
    there = int(case.document is not None)
    stays = keep.shielded(name) or (tree is not None and not tree.root_goes)
    kept = there * stays + (tree.kept if tree else 0)
    if kept:
        tally.keep(reading.place.holding, kept, PROTECTED)
    count = there * (not stays) + (len(tree.goes) if tree else 0)
    if not count:
        return None
    tally.add(reading.place, disposal, count)
    version = None if case.by_id or case.document is None else case.document.update_time
    return Record(name, version, tree=tree is not None, there=there > 0)


def _changed(name: str, case: Case, tally: Tally) -> Record | None:
    removed = case.of(Disposal.UNLINK)
    if not removed or case.document is None:
        return None
    reading, disposal = removed[0]
    tally.add(reading.place, disposal)
    fields = dict.fromkeys(path for one, _ in removed for path in one.unlink)
    return Record(name, case.document.update_time, unlink=tuple(fields))


def merged(holders: Iterable[Records]) -> list[Record]:
    """Each document once: two persons may be named by the same, and its going is more than its losing of fields."""
    once: dict[str, Record] = {}
    for record in (record for holder in holders for record in holder.found):
        other = once.get(record.name)
        if other is None or (other.unlink and not record.unlink):
            once[record.name] = record
        elif other.unlink and record.unlink:
            fields = tuple(dict.fromkeys((*other.unlink, *record.unlink)))
            once[record.name] = Record(record.name, record.update_time, unlink=fields)
    return list(once.values())


def deleted(record: Record) -> Any:
    """The write that deletes a document, conditional on its version if it has to be."""
    return Write(delete=record.name) if record.update_time is None else conditional_delete(record)


def unlinked(record: Record) -> Any:
    """The write that removes fields and touches no other."""
    change = Write()
    change.update.name = record.name
    change.update_mask.field_paths.extend(record.unlink)
    change.current_document.update_time.CopyFrom(record.update_time)
    return change
