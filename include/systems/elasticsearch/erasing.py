"""The documents of persons in Elasticsearch: found by exact terms on keyword fields, deleted or changed by tasks.

Documents stay in the cluster: what travels is a query with the identifiers of a whole batch, and counts. A document
that two places name for one person counts once for each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.actions import Anonymisation
from include.policy.persons import Disposal, IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.elasticsearch.access import access
from include.systems.elasticsearch.anonymising import script
from include.systems.elasticsearch.client import SYSTEM, client_options, connect_client
from include.systems.elasticsearch.fields import check_persons
from include.systems.elasticsearch.selecting import Query, Reader, field_of, index_at
from include.systems.elasticsearch.tasks import Tasks, task_options, task_patience
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Place, Receipt, Seen
from include.systems.places import Tally, check, goes, known_by, pieces

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

MAX_TERMS = 10_000
"""Identifiers in one query; ``index.max_terms_count`` of a cluster that nobody has changed is 65,536."""
_ROUNDS = 3
"""Tasks over the same documents while others change them."""

ERASING_CARD = ErasingCard(
    key=SYSTEM,
    version="1",
    identifiers=frozenset(IdentifierKind),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(days=7),
    horizon_note="Deleted documents are unseen at once and leave the disk when their segments are merged, which the "
    "DAG expunge starts every week; snapshots keep them until the snapshots are deleted.",
    documentation=(
        "https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-delete-by-query",
        "https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-update-by-query",
        "https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-terms-query",
    ),
    scopes=(
        "cluster monitor",
        "read, write, maintenance, view_index_metadata and monitor on the indices",
    ),
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, read: documents of an index that name a person in a keyword field."""

    place: Place
    index: str
    field: str

    @classmethod
    def of(cls, place: Place) -> Spot:
        """Read a place.

        Raises:
            Refused: it says something that this module does not know, or that would not do what it seems to.
        """
        tried = f"read the persons of '{place.holding}'"
        check(SYSTEM, place, set(Disposal))
        if place.location.keys() != {"index"}:
            raise Refused(SYSTEM, tried, "Give its location an 'index', and nothing else.")
        spot = cls(place, index_at(place.location), field_of(place.person.match, tried))
        unlinks = Disposal.UNLINK in {place.person.erasure, place.person.account_deletion}
        if unlinks and not any(f"{spot.field}.".startswith(f"{name}.") for name in place.person.unlink):
            raise Refused(SYSTEM, tried, "List the field of its 'match' under 'unlink' too: it links the record.")
        return spot

    def query(self, values: Sequence[str]) -> Query:
        """The documents that name persons by one of the values, which are never none."""
        if not values:
            raise AssertionError("a query for persons names at least one of them")
        return {"bool": {"filter": [{"terms": {self.field: list(values)}}, *self._conditions()]}}

    def everybody(self) -> Query:
        """The documents that name anybody. For counts only: no query that deletes is made from it."""
        return {"bool": {"filter": [{"exists": {"field": self.field}}, *self._conditions()]}}

    def _conditions(self) -> list[Query]:
        return [{"terms": {name: list(accepted)}} for name, accepted in self.place.person.where.items()]

    def disagrees(self, other: Spot) -> bool:
        """Whether one place deletes and another keeps what can be one document."""
        mine, others = self.place.person.where, other.place.person.where
        apart = any(set(mine[name]).isdisjoint(others[name]) for name in mine.keys() & others.keys())
        effects = ({spot.place.disposal(request) for spot in (self, other)} for request in RequestType)
        clash = any(Disposal.DELETE in both and both & {Disposal.KEEP, Disposal.ROUTE} for both in effects)
        return self.index == other.index and clash and not apart


@dataclass(frozen=True, slots=True)
class Named:
    """The values by which one place names one person, and how many documents it found."""

    spot: Spot
    disposal: Disposal
    values: tuple[str, ...] = field(repr=False)
    count: int


class ElasticsearchErasing:
    """Deletes and changes the documents of persons by query.

    Args:
        connection: see :class:`include.systems.elasticsearch.system.ElasticsearchSystem`.
        means: see :class:`include.systems.erasing.Means`.
        sleep: waits for a number of seconds.
    """

    card = ERASING_CARD

    def __init__(self, connection: Connection, means: Means, sleep: Callable[[float], None] = time.sleep) -> None:
        client_options(connection)
        self._spots = [Spot.of(place) for place in means.places]
        if any(one.disagrees(other) for one in self._spots for other in self._spots):
            step = "Two places can speak of one document and disagree: set them apart by 'where'."
            raise Refused(SYSTEM, "read the persons of its holdings", step)
        self._connection = connection
        self._sleep = sleep

    @cached_property
    def _client(self) -> Elasticsearch:
        return connect_client(self._connection)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Count the documents by identifier, by aggregation over each place."""
        self._prepare(self._spots, writes=False)
        named = [self._named(spot, subjects) for spot in self._spots]
        return [_found(subject, [one[position] for one in named]) for position, subject in enumerate(subjects)]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Run a task for each place over the identifiers that were found there: deletions first.

        ``gone`` is what was found and is there no longer.

        Raises:
            Unavailable: a task failed or timed out, its start got no answer, or documents keep changing; it may still
                be running and is settled first by the next call.
            Refused: a block, a missing right or the mapping stands in the way.
        """
        work: dict[tuple[Disposal, int], dict[str, None]] = {}
        for one in (named for person in found for named in person.records if named.count):
            key = one.disposal, self._spots.index(one.spot)
            work.setdefault(key, {}).update(dict.fromkeys(one.values))
        self._prepare([self._spots[number] for _, number in work], writes=True)
        for index in dict.fromkeys(self._spots[number].index for _, number in work):
            self._tasks(index).settle()
        left: dict[int, dict[str, int]] = {}
        for (disposal, number), values in sorted(work.items()):
            self._carry_out(self._spots[number], disposal, list(values))
            left.setdefault(number, {}).update(self._counts(self._spots[number], list(values)))
        return [self._receipt(one, left) for one in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Count with ``_count`` after a refresh, and by identifier where something is left."""
        for index in dict.fromkeys(spot.index for spot in self._spots):
            self._reader(index).refresh()
        remaining = [0] * len(subjects)
        for spot in self._spots:
            due = [subject for subject in subjects if _goes(spot.place.disposal(subject.request))]
            values = list(known_by(due, spot.place.person.identifier))
            if any(self._reader(spot.index).count(spot.query(piece)) for piece in pieces(values, MAX_TERMS)):
                for position, one in enumerate(self._named(spot, subjects)):
                    remaining[position] += one.count if _goes(one.disposal) else 0
        return [Seen(subject.ref, left) for subject, left in zip(subjects, remaining, strict=True)]

    def access(self) -> Access:
        """Which rights the key has on the cluster and on each index; nothing is read."""
        return access(self._client, list(dict.fromkeys(spot.index for spot in self._spots)))

    def people(self) -> Iterator[Identifier]:
        """Everybody whom documents name that an erasure removes or changes, by aggregation."""
        for spot in self._spots:
            if goes(spot.place):
                self._reader(spot.index).refresh()
                for value, _ in self._reader(spot.index).values(spot.everybody(), spot.field):
                    yield Identifier(spot.place.person.identifier, str(value))

    def close(self) -> None:
        """Close the connections, if there are any."""
        if "_client" in self.__dict__:
            self._client.close()

    def _prepare(self, spots: Sequence[Spot], *, writes: bool) -> None:
        """Check the mappings, and make what was written visible."""
        for spot in spots:
            person = spot.place.person
            others = {**dict.fromkeys(person.unlink, False), **dict.fromkeys(person.where, True)}
            check_persons(self._client, spot.index, spot.field, others, writes=writes)
        for index in dict.fromkeys(spot.index for spot in spots):
            self._reader(index).refresh()

    def _named(self, spot: Spot, subjects: Sequence[Subject]) -> list[Named]:
        """How each person is named in one place."""
        index = known_by(subjects, spot.place.person.identifier)
        values: list[dict[str, int]] = [{} for _ in subjects]
        for value, count in self._counts(spot, list(index)).items():
            for position in index[value]:
                values[position][value] = count
        return [
            Named(spot, spot.place.disposal(subject.request), tuple(of_one), sum(of_one.values()))
            for subject, of_one in zip(subjects, values, strict=True)
        ]

    def _counts(self, spot: Spot, values: Sequence[str]) -> dict[str, int]:
        """Documents by value, for those of the values that any document has."""
        counts: dict[str, int] = {}
        for piece in pieces(values, MAX_TERMS):
            wanted = set(piece)
            found: Iterator[tuple[Any, int]] = self._reader(spot.index).values(spot.query(piece), spot.field)
            counts.update((value, count) for value, count in found if value in wanted)
        return counts

    def _carry_out(self, spot: Spot, disposal: Disposal, values: Sequence[str]) -> None:
        options: dict[str, Any] = {"index": spot.index, "slices": "auto", **task_options(self._connection)}
        change = script(Anonymisation(remove=spot.place.person.unlink)) if disposal is Disposal.UNLINK else None
        for piece in pieces(values, MAX_TERMS):
            query = spot.query(piece)

            def start(client: Elasticsearch, query: Query = query) -> Any:
                if change is None:
                    return client.delete_by_query(query=query, **options)
                return client.update_by_query(query=query, script=change, **options)

            if not any(self._tasks(spot.index).run(start)["version_conflicts"] == 0 for _ in range(_ROUNDS)):
                raise Unavailable(SYSTEM, "delete documents of persons", "They keep changing meanwhile; run it again.")

    def _receipt(self, found: Found, left: Mapping[int, Mapping[str, int]]) -> Receipt:
        gone = 0
        for one in found.records:
            there = left.get(self._spots.index(one.spot), {})
            gone += max(one.count - sum(there.get(value, 0) for value in one.values), 0) if _goes(one.disposal) else 0
        return Receipt(found.ref, Did.GONE if gone else Did.ABSENT, gone=gone)

    def _reader(self, index: str) -> Reader:
        return Reader(self._client, index)

    def _tasks(self, index: str) -> Tasks:
        return Tasks(self._client, f"clique-privacy/persons/{index}", task_patience(self._connection), self._sleep)


def connect_erasing(connection: Connection, means: Means) -> ElasticsearchErasing:
    """Build the system; no call is made and the client is not imported until it is used.

    Args:
        connection: as for :func:`include.systems.elasticsearch.connect`.
        means: a place names persons by ``field:<name>`` of a keyword field.

    Raises:
        Refused: the connection lacks a host, or a place cannot be treated as it asks.
    """
    return ElasticsearchErasing(connection, means)


def _goes(disposal: Disposal) -> bool:
    return disposal in {Disposal.DELETE, Disposal.UNLINK}


def _found(subject: Subject, named: Sequence[Named]) -> Found:
    tally = Tally()
    for one in named:
        tally.add(one.spot.place, one.disposal, one.count)
    return tally.found(subject.ref, tuple(one for one in named if _goes(one.disposal)))
