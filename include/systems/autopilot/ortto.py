"""Ortto: people found by address or our user id, archived, deleted from the archive, and read back in both places.

A deletion has two steps, each for up to a hundred people named by id. The vendor may put either step into a queue and
says so; what is left in the archive goes by itself on day 30. An activity that arrives after the archiving makes a new
person without the old opt-out: what feeds Ortto is stopped first, and the looks of the days after find who came back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from include.connection import Connection
from include.errors import Unavailable
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import addresses, doubtful, same, sendable
from include.systems.assuring import Access
from include.systems.autopilot.ortto_calls import (
    BULK,
    CALLS_PER_SECOND,
    EMAIL,
    EXTERNAL_ID,
    KEY,
    Calls,
    Done,
    Person,
    calls_to,
    pieces,
)
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.mentions import is_word
from include.systems.rates import shared

PURGE = timedelta(days=30)
"""On day 30 the vendor deletes what is in the archive."""
LOOKS, PAUSE = 5, 2.0
"""How often, and after how many seconds each, a queue is looked at before the rest is left to the days after."""
ACTIVITIES_PER_SECOND = 1.0
EXPORTED = (
    "str::first", "str::last", "str::name", "phn::phone", "geo::city", "geo::country", "geo::region", "str::postal",
    "dtz::b", "tags", "bol::gdpr", "bol::p", "bol::sp", "str::u-ctx", "str::s-ctx", "str::soi-ctx", "str::soo-ctx", "c",
)  # fmt: skip
"""The built-in fields of a person (help.ortto.com, retrieve one or more people)."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.USER_ID}),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=PURGE,
    horizon_note=(
        "Gone at once as a rule. Where the vendor puts a deletion into its queue, the archive is emptied on day 30 at "
        "the latest (help.ortto.com, archiving and deleting people). An activity that arrives later makes a new person "
        "without the old opt-out: stop what feeds it first."
    ),
    documentation=(
        "https://help.ortto.com/a-258-retrieve-one-or-more-people-get",
        "https://help.ortto.com/developer/latest/api-reference/person/archive.html",
        "https://help.ortto.com/developer/latest/developer-guide/archiving-and-deleting-people.html",
        "https://help.ortto.com/a-235-rate-limits",
    ),
    scopes=("the private key of a custom API data source",),
)

_DOUBTFUL = "One address is in a form that is never sent: look for it by hand in Ortto, or correct the request."


@dataclass(frozen=True, slots=True)
class _Records:
    """What ``find`` hands to ``erase``."""

    people: tuple[Person, ...]
    doubtful: bool


class Ortto:
    """See :class:`include.systems.erasing.ErasingSystem`; gives out, lists people and tries its key too."""

    card = ERASING_CARD

    def __init__(self, calls: Calls, slow: Calls, means: Means) -> None:
        self._calls = calls
        self._slow = slow
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """People with exactly one of the addresses or user ids, in the archive too."""
        held = self._look(subjects)
        return [
            Found(subject.ref, _counts(held[subject.ref]), records=_Records(held[subject.ref], doubtful(subject)))
            for subject in subjects
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Archive who is not archived, then delete all. Counts that fall short are looked into before anything is said.

        Raises:
            Unavailable: people are left that the vendor has not put into its queue either.
        """
        people = tuple({person.id: person for each in found for person in each.records.people}.values())
        archived = _together(self._calls.archive(ids) for ids in _ids(p for p in people if not p.archived))
        if archived.queued:
            self._await(lambda: all(person.archived for person in self._left(people)))
        deleted = _together(self._calls.delete(ids) for ids in _ids(people))
        queued = archived.queued + deleted.queued
        left = frozenset[str]()
        if queued or deleted.done < len(people):
            left = frozenset(person.id for person in self._left(people))
        if left and not queued:
            raise Unavailable(KEY, f"delete {len(people)} people", f"Run it again; {len(left)} are still there.")
        return [self._receipt(each, left) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again, in the archive too. What is in the vendor's queue is awaited until the receipt's date."""
        held, given = self._look(subjects), {receipt.ref: receipt for receipt in receipts}
        return [self._seen(subject.ref, len(held[subject.ref]), given.get(subject.ref)) for subject in subjects]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Fields and activities of each person."""
        held = self._look(subjects)
        for subject in subjects:
            known = self._calls.by_ids([person.id for person in held[subject.ref]], EXPORTED)
            people = [{"id": person.id, "fields": dict(person.fields)} for person in known.values()]
            did = [dict(activity) for number in known for activity in self._slow.activities(number)]
            yield Exported(subject.ref, {"people": people, "activities": did})

    def people(self) -> Iterator[Identifier]:
        """Address and external id of everybody who is not in the archive; the archive empties itself."""
        for page in self._calls.everybody():
            for person in page:
                if person.email:
                    yield Identifier(IdentifierKind.EMAIL, person.email)
                if person.external_id:
                    yield Identifier(IdentifierKind.USER_ID, person.external_id)

    def access(self) -> Access:
        """Ask for a person whom nobody can be. A private key may do everything that the interface offers."""
        list(self._calls.search({(EXTERNAL_ID, "privacy-access-check")}))
        return Access(
            shown=False, note="A key of a custom API may read and change all people; there are no less rights."
        )

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()
        self._slow.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, tuple[Person, ...]]:
        by_name: dict[tuple[str, str], list[Person]] = {}
        for person in self._named({value for subject in subjects for value in _values(subject)}):
            for name in _names(person):
                by_name.setdefault(name, []).append(person)
        return {subject.ref: _of_person(by_name, subject) for subject in subjects}

    def _named(self, values: set[tuple[str, str]]) -> Iterator[Person]:
        """Whoever may have one of the values; a person whom the archive shows too is taken as archived."""
        if values:
            archived = self._calls.archived({same(value) if name == EMAIL else value for name, value in values})
            seen = {person.id for person in archived}
            yield from (person for person in self._calls.search(values) if person.id not in seen)
            yield from archived

    def _left(self, people: Sequence[Person]) -> list[Person]:
        """Those of some people who are still there, with what they look like now."""
        ids = {person.id for person in people}
        values = {name for person in people for name in _names(person)}
        return [person for person in self._named(values) if person.id in ids]

    def _await(self, ended: Callable[[], bool]) -> None:
        for _ in range(LOOKS):
            if ended():
                return
            self._calls.pause(PAUSE)

    def _receipt(self, found: Found, left: frozenset[str]) -> Receipt:
        records: _Records = found.records
        gone = sum(person.id not in left for person in records.people)
        until = self._means.clock() + PURGE if gone < len(records.people) else None
        if records.doubtful:
            return Receipt(found.ref, Did.FAILED, gone, until=until, next_action=_DOUBTFUL)
        if until:
            return Receipt(found.ref, Did.ACCEPTED, gone, until=until)
        return Receipt(found.ref, Did.GONE if gone else Did.ABSENT, gone)

    def _seen(self, ref: str, remaining: int, receipt: Receipt | None) -> Seen:
        until = receipt.until if receipt and receipt.did is Did.ACCEPTED else None
        if remaining and until and until > self._means.clock():
            return Seen(ref, 0, until=until, pending=True)
        return Seen(ref, remaining)


def connect_erasing(connection: Connection, means: Means) -> Ortto:
    """Build the client; no call is made.

    ``password`` is the private key of a custom API data source; ``host`` the address of another region
    (``https://api.au.ap3api.com``, ``https://api.eu.ap3api.com``). ``extra``: ``calls_per_second`` (10, of the smallest
    plan; 30 on Business and Enterprise), ``activities_per_second`` (1).

    Raises:
        Refused: the key is missing, or a pace is none.
    """
    pace = shared(connection, means.budgets, CALLS_PER_SECOND)
    slow = shared(connection, means.budgets, ACTIVITIES_PER_SECOND, "activities_per_second")
    return Ortto(calls_to(connection, pace), calls_to(connection, slow), means)


def _values(subject: Subject) -> Iterator[tuple[str, str]]:
    """What is searched for. Whether the vendor minds letters is stated nowhere: each known spelling is asked for."""
    for value in subject.values(IdentifierKind.EMAIL):
        if sendable(value):
            yield EMAIL, value
            yield EMAIL, same(value)
    for value in filter(is_word, subject.values(IdentifierKind.USER_ID)):
        yield EXTERNAL_ID, value


def _names(person: Person) -> Iterator[tuple[str, str]]:
    """By what a person is matched, exactly."""
    if person.email:
        yield EMAIL, person.email
    if person.external_id:
        yield EXTERNAL_ID, person.external_id


def _of_person(by_name: Mapping[tuple[str, str], Sequence[Person]], subject: Subject) -> tuple[Person, ...]:
    """An address that another user has today, by our own id there, is not the person's any more."""
    own = [value for value in subject.values(IdentifierKind.USER_ID) if is_word(value)]
    names = [(EMAIL, address) for address in addresses(subject)] + [(EXTERNAL_ID, value) for value in own]
    people = {person.id: person for name in names for person in by_name.get(name, ())}
    return tuple(p for p in people.values() if not own or p.external_id in ("", *own))


def _counts(people: Sequence[Person]) -> dict[str, int]:
    archived = sum(person.archived for person in people)
    counts = {"people": len(people) - archived, "archived_people": archived}
    return {kind: count for kind, count in counts.items() if count}


def _ids(people: Iterable[Person]) -> Iterator[list[str]]:
    yield from pieces(sorted(person.id for person in people), BULK)


def _together(parts: Iterable[Done]) -> Done:
    done = queued = 0
    for part in parts:
        done, queued = done + part.done, queued + part.queued
    return Done(done, queued)
