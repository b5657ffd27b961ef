"""Erasure of persons in Firestore, behind the contract of a system.

What a document's own id names is the person's whatever is in it, and goes without a condition. What a field names goes
only as it was found: a document that changed since is judged anew, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.connection import Connection
from include.errors import Unavailable
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, Found, Means, Receipt, Seen
from include.systems.firestore import CARD, ERASING_CARD, listing, queries
from include.systems.firestore.access import credentials_of
from include.systems.firestore.cascade import Below, below
from include.systems.firestore.cases import Case, Record, Records, add, deleted, merged, settled, unlinked
from include.systems.firestore.fields import render
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.messages import Write
from include.systems.firestore.persons import Way, ways
from include.systems.firestore.profiles import Profiles
from include.systems.firestore.subjects import Keep
from include.systems.firestore.writing import MAX_WRITES, PARALLEL, write
from include.systems.places import pieces

_LOOK = "look for the documents of persons"
_NAMES = 300
"""Documents that are read by name in one call."""


class FirestoreErasing:
    """A Firestore database from which the data of persons is removed.

    Counts are documents: those that go, with everything below them, and those that lose the fields that name the
    person. Where two places speak of one document for one person, one that keeps it is stronger than one that deletes
    it, and that one stronger than one that removes fields.

    Args:
        gateway: the store.
        means: see :class:`include.systems.erasing.Means`.
    """

    card: ErasingCard = ERASING_CARD

    def __init__(self, gateway: Gateway, means: Means) -> None:
        self._ways = ways(means.places)
        self._keep = Keep(None, frozenset(group for way in self._ways for group in way.protected))
        self._gateway = gateway
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="firestore")
        self._profiles = Profiles.of(means, gateway, self._pool)

    @classmethod
    def connect(cls, connection: Connection, means: Means) -> FirestoreErasing:
        """See :func:`include.systems.firestore.connect_erasing`."""
        return cls(Gateway(connection, credentials_of(connection)), means)

    def close(self) -> None:
        """Release sockets and channels."""
        self._pool.shutdown()
        self._gateway.close()

    def access(self) -> Access:
        """See :func:`include.systems.firestore.listing.access`."""
        return listing.access(self._gateway, self._ways)

    def people(self) -> Iterator[Identifier]:
        """See :func:`include.systems.firestore.listing.everybody`."""
        return listing.everybody(self._gateway, self._ways, self._profiles)

    def profiles(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        """See :class:`include.systems.firestore.profiles.Profiles`."""
        return self._profiles.with_any(identifiers)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Look for the documents of each person by name and by field."""
        return self._search(subjects, lambda way: way.index(subjects))

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete and unlink what was found, what lies below a document before the document itself.

        Raises:
            Unavailable: a call or single writes failed, or documents keep changing; any part may be done.
            Refused: the store does not allow it.
        """
        due = merged(one.records for one in found)
        gone, unsure = self._carry_out(due)
        if unsure:
            effects = {one.name: bool(one.unlink) for one in due if one.name in unsure}
            owners = [one.records.subject for one in found if not unsure.isdisjoint(_names(one.records))]
            anew = [Records(again.records.subject, _same(again.records, effects)) for again in self.find(owners)]
            more, still = self._carry_out(merged(anew))
            if still:
                raise Unavailable(CARD.key, "delete documents", "They keep changing meanwhile; run it again.")
            gone |= more
        return [_receipt(one, gone) for one in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Count by aggregation, and list afresh where the count is not zero and what lies below a document."""
        again = self._search(subjects, lambda way: self._counted(way, way.index(subjects)))
        return [Seen(one.ref, remaining=one.total) for one in again]

    # --- looking

    def _search(self, subjects: Sequence[Subject], index_of: Callable[[Way], dict[str, list[int]]]) -> list[Found]:
        cases: list[dict[str, Case]] = [{} for _ in subjects]
        for way in self._ways:
            index = index_of(way)
            documents = self._named(way, index) if way.field else self._of_ids(way, index)
            for name, value, document in documents:
                for position in index.get(value, ()):
                    add(cases[position], way, name, document, subjects[position])
        belows = self._belows({name for of_one in cases for name, case in of_one.items() if case.is_tree})
        return [settled(subject, of_one, belows, self._keep) for subject, of_one in zip(subjects, cases, strict=True)]

    def _named(self, way: Way, index: Mapping[str, list[int]]) -> list[tuple[str, str, Any | None]]:
        """Documents whose field has one of the values, with the value exactly as it is there."""
        parent = self._gateway.name(way.collection.parent or "")

        def ask(values: list[str]) -> list[Any]:
            query = queries.project(queries.naming(way.collection, way.field, values), way.needed())
            return list(self._gateway.query(parent, query, _LOOK, way.collection.index_of(way.field)))

        answers = self._pool.map(ask, pieces(index, queries.MAX_VALUES))
        return [(one.name, way.value(one) or "", one) for documents in answers for one in documents]

    def _of_ids(self, way: Way, index: Mapping[str, list[int]]) -> list[tuple[str, str, Any | None]]:
        """Documents by their ids, with None for one that is not there: something may lie below its name."""
        values = {self._gateway.name(way.collection.path(value)): value for value in index}
        mask = sorted(map(render, way.needed())) or [queries.NAME]
        answers = self._pool.map(lambda names: self._gateway.get(names, mask, _LOOK), pieces(values, _NAMES))
        found = {name: document for answer in answers for name, document in answer.items()}
        return [
            (name, value, found.get(name)) for name, value in values.items() if name in found or way.collection.cascade
        ]

    def _counted(self, way: Way, index: dict[str, list[int]]) -> dict[str, list[int]]:
        """The values of which the store's own count says that documents have them; all of them for ids."""
        if not way.field:
            return index
        parent = self._gateway.name(way.collection.parent or "")

        def some(values: list[str]) -> bool:
            query = queries.naming(way.collection, way.field, values)
            tried = "count the documents of persons"
            return self._gateway.count(parent, query, tried, way.collection.index_of(way.field)) > 0

        asked = list(pieces(index, queries.MAX_VALUES))
        answers = self._pool.map(some, asked)
        return {v: index[v] for values, there in zip(asked, answers, strict=True) if there for v in values}

    def _belows(self, roots: Iterable[str]) -> dict[str, Below]:
        names = sorted(roots)
        return dict(zip(names, self._pool.map(lambda name: below(self._gateway, name, self._keep), names), strict=True))

    # --- doing

    def _carry_out(self, records: Sequence[Record]) -> tuple[dict[str, int], set[str]]:
        """What was removed or changed by the name of each record, and the names of those that are not as found."""
        tried = "delete the documents of persons"
        single = (unlinked(one) if one.unlink else deleted(one) for one in records if not one.tree)
        acknowledged, changed = write(self._gateway, self._pool, single, tried)
        gone, unsure = dict.fromkeys(acknowledged, 1), set(changed)
        for trees in pieces((one for one in records if one.tree), MAX_WRITES):
            ready, moved = self._unchanged(trees)
            unsure |= moved
            belows = self._belows(one.name for one in ready)
            names = dict.fromkeys(name for one in belows.values() for name in one.goes)
            write(self._gateway, self._pool, (Write(delete=name) for name in names if name not in belows), tried)
            roots = [deleted(one) for one in ready if belows[one.name].root_goes]
            acknowledged, changed = write(self._gateway, self._pool, roots, tried)
            unsure.update(changed)
            there = {one.name for one in ready if one.there}
            gone |= {name: len(tree.goes) + (name in there and name in acknowledged) for name, tree in belows.items()}
        return gone, unsure

    def _unchanged(self, trees: Sequence[Record]) -> tuple[list[Record], set[str]]:
        """The trees whose document is as it was found, and the names of the others: nothing below those goes either."""
        conditional = [one.name for one in trees if one.update_time is not None]
        present = self._gateway.get(conditional, [queries.NAME], _LOOK) if conditional else {}
        moved = {
            one.name
            for one in trees
            if one.update_time is not None
            and (one.name not in present or present[one.name].update_time != one.update_time)
        }
        return [one for one in trees if one.name not in moved], moved


def _names(records: Records) -> list[str]:
    return [record.name for record in records.found]


def _same(records: Records, effects: Mapping[str, bool]) -> tuple[Record, ...]:
    """The records that are to be treated as was found before: a changed one may be kept, never lose more than that."""
    return tuple(record for record in records.found if effects.get(record.name) == bool(record.unlink))


def _receipt(found: Found, gone: Mapping[str, int]) -> Receipt:
    """A document that went with its tree for one person has only lost its link for another."""
    records: Records = found.records
    done = sum(min(gone.get(one.name, 0), 1) if one.unlink else gone.get(one.name, 0) for one in records.found)
    return Receipt(found.ref, Did.GONE if done else Did.ABSENT, gone=done)
