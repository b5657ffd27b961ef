"""The contract of a system for the erasure of persons: what the erasure engine asks of each, in typed values.

A module declares itself in an :class:`ErasingCard` and offers the functions of :class:`ErasingSystem`. It never decides
whose data goes, never reads the machine's clock (``Means.clock`` is injected) and never writes evidence. All functions
take a batch of persons, at most ``ErasingCard.batch_size``, and answer for each by its ``ref``, in the order given.

    find    what is held for each, as counts; the module's own references travel hidden in ``Found.records``
    erase   deletes exactly what ``find`` returned, with the vendor's bulk calls; says what was done, honestly
    verify  looks again, by reading back

All are idempotent: a process may die at any instruction and call them again from ``find`` on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from include.connection import Connection
from include.policy.persons import Disposal, IdentifierKind, Person, RequestType
from include.subjects.identifiers import Identifier, Subject


@dataclass(frozen=True, slots=True)
class Place:
    """A holding of the policy in which records of persons are, and one way in which they name a person.

    Args:
        holding: id of the holding; two places can share it.
        location: in the module's own words (see its ``Card``).
        person: by what a record names the person and what becomes of it.
        protected: locations that stay even where they lie inside a record that is deleted as a whole.
    """

    holding: str
    location: Mapping[str, str]
    person: Person
    protected: tuple[Mapping[str, str], ...] = ()

    def disposal(self, request: RequestType) -> Disposal:
        """What becomes of the records under a request of that type."""
        return self.person.disposal(request)


@dataclass(frozen=True, slots=True)
class Stays:
    """Data of a person that is kept on purpose.

    Args:
        what: the kind of data: a holding's id or the vendor's name of a list.
        count: how many records.
        ground: why, in a sentence of the policy file.
        routed: another controller decides about it.
        controllers: opaque ids of those controllers, where a record names its own.
    """

    what: str
    count: int
    ground: str
    routed: bool = False
    controllers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a system holds of one person. Counts only; ``records`` and ``links`` are personal and hidden.

    Args:
        ref: id of the request.
        counts: what an erasure would remove (or, where nothing can be removed, what is held), by kind of data.
        stays: what would be kept.
        clean_at: when the system would be truly clean if it were erased now (hidden copies, vendor's horizon); None for
            at once.
        records: the module's own, for ``erase`` in the same process.
        links: identifiers that were read there and lead further.
        by_hand: where the erase call removes what tells that a person has to do more: what that is, without any
            personal data. Kept in the evidence before the call, so that a lost answer does not lose it.
    """

    ref: str
    counts: Mapping[str, int]
    stays: tuple[Stays, ...] = ()
    clean_at: datetime | None = None
    records: Any = field(default=None, repr=False, compare=False)
    links: tuple[Identifier, ...] = field(default=(), repr=False)
    by_hand: str | None = None

    @property
    def total(self) -> int:
        """Everything that an erasure would remove."""
        return sum(self.counts.values())


class Did(StrEnum):
    """What an erase call did for one person. The names are part of the evidence: add to them, never change one."""

    GONE = "gone"
    """The system acknowledged the deletion."""
    ABSENT = "absent"
    """Nothing was held."""
    ACCEPTED = "accepted"
    """A receipt or a job: the vendor removes it by ``until``."""
    EXPIRING = "expiring"
    """It cannot be deleted and is gone by ``until``."""
    MANUAL = "manual"
    """A person has to do it; ``next_action`` says how."""
    DEFERRED = "deferred"
    """A limit of the vendor is used up; the forecast for this person is ``until``."""
    BLOCKED = "blocked"
    """The system refuses the deletion of ``blocked`` records (object hold, retention lock), until ``until``."""
    FAILED = "failed"
    """The vendor refused this person's data; ``next_action`` says what to do."""
    DERIVED = "derived"
    """It shows what another system holds and keeps nothing itself: it is clean when its source is."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one person's data in an erase call.

    Args:
        ref: id of the request.
        did: what was done.
        gone: records removed now, as acknowledged.
        job: the vendor's id of an asynchronous job (letters, digits and ``_.~:+/-``).
        until: by when it is true, where it is not at once. UTC.
        blocked: records that the system refuses to delete.
        next_action: for ``MANUAL`` and ``FAILED``: what a person does now, without any personal data.
    """

    ref: str
    did: Did
    gone: int = 0
    job: str | None = None
    until: datetime | None = None
    blocked: int = 0
    next_action: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The look afterwards, for one person.

    Args:
        ref: id of the request.
        remaining: records still there that should be gone.
        blocked: records still there because the system refuses to delete them.
        until: latest instant at which hidden copies or expiring records are purged, if there are any. UTC.
        pending: the vendor's job has not ended: look again.
        proved: this look can prove absence; False where the vendor offers nothing to read back.
    """

    ref: str
    remaining: int
    blocked: int = 0
    until: datetime | None = None
    pending: bool = False
    proved: bool = True


class ErasureProof(StrEnum):
    """How the absence of a person can be shown in a system."""

    SOURCE = "by its source, whose data it shows"

    READ_BACK = "read back"
    SEARCH_AFTER_HORIZON = "search once the vendor's horizon has passed"
    RECEIPT_ONLY = "receipt only; the vendor offers nothing to read back"
    BY_HAND = "by hand, with a reference to the proof"


@dataclass(frozen=True, slots=True)
class PrivacyContact:
    """Where a vendor takes requests on personal data by hand, and a message ready to be sent.

    Args:
        address: an e-mail address, or the URL of a form.
        subject: of the message.
        text: of the message; ``{identifiers}`` is where a person puts who it is about.
        source: the vendor's page that names the contact.
    """

    address: str
    subject: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What a system holds of one person, for an access request. The records are personal and hidden.

    Args:
        ref: id of the request.
        records: as the vendor gives them, by kind of data.
    """

    ref: str
    records: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ErasingCard:
    """What a module says about itself.

    Args:
        key: the system's key in the policy file and the id of its Airflow connection.
        version: version of this connector, stamped on each piece of evidence.
        identifiers: kinds of identifiers it can look for or delete by.
        proof: how absence is proved.
        batch_size: most persons in one call of find, erase or verify.
        horizon: latest time after an erasure by which the vendor is truly clean; zero where that is at once.
        horizon_note: the same in a sentence for people, with its source.
        instructions: what a person must do, where the vendor has no call for it; "" otherwise.
        documentation: the vendor's pages that the module is built to.
        contact: where the vendor takes by hand what no call can do, if it does.
        scopes: rights that the connection's key needs, in the vendor's words.
        sunset: the day on which the vendor ends the API that the module is built to, where it has said so. UTC.
    """

    key: str
    version: str
    identifiers: frozenset[IdentifierKind]
    proof: ErasureProof
    batch_size: int
    horizon: timedelta
    horizon_note: str
    documentation: tuple[str, ...]
    instructions: str = ""
    contact: PrivacyContact | None = None
    scopes: tuple[str, ...] = ()
    sunset: datetime | None = None


class Budgets(Protocol):
    """Limits that all tasks of the deployment share, kept in the vault's database."""

    def take(self, name: str, amount: int, limit: int, window: timedelta) -> int:
        """Take up to ``amount`` of ``limit`` per fixed ``window`` (aligned to 1970, UTC). Returns what was granted.

        Raises:
            Unavailable: the database did not answer; nothing may be sent.
        """

    def left(self, name: str, limit: int, window: timedelta) -> int:
        """What is left of the current window."""

    def pace(self, name: str, per_second: float) -> AbstractContextManager[None]:
        """Wait for one's turn so that all tasks together keep ``per_second`` calls, evenly spaced."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a module gets beside its connection.

    Args:
        clock: the present, UTC.
        budgets: shared limits.
        places: the holdings of this system that the policy file ties to persons; empty for services.
        keep_suppressions: suppression lists that survive an erasure, in the vendor's names.
        suppression_ground: why those stay.
        identity: kinds of identifiers that the records of this system tie together, each with the places in a record
            that hold one, user id included; empty where the system is no identity root.
    """

    clock: Callable[[], datetime]
    budgets: Budgets
    places: tuple[Place, ...] = ()
    keep_suppressions: frozenset[str] = frozenset()
    suppression_ground: str = ""
    identity: Mapping[IdentifierKind, tuple[str, ...]] = field(default_factory=dict)


class ErasingSystem(Protocol):
    """A system from which the data of given persons can be removed, or in which it can at least be looked for."""

    card: ErasingCard

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """What is held for each person. Changes nothing. Every vendor search is matched exactly in code.

        Raises:
            Unavailable: a call failed; nothing is known of any of them.
            Refused: the connection or the account does not allow it.
        """

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Remove exactly what was found, by non-empty exact identifiers or references.

        Raises:
            Unavailable: a call failed or its answer was lost; any part may be done.
            Throttled: likewise, and the vendor said how long to wait.
            Refused: the vendor does not allow it.
        """

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read back, independently of what ``find`` returned. ``receipts`` are those of the last erase call.

        A receipt may come from another process, days ago: it then carries what the ledger kept of it.

        Raises:
            Unavailable: a call failed.
        """

    def close(self) -> None:
        """Release sockets and channels."""


@runtime_checkable
class Exporting(Protocol):
    """A system that gives out what it holds of a person."""

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """The records of each person, in the order given, one person in memory at a time. Changes nothing.

        Raises:
            Unavailable: a call failed.
            Refused: the connection or the account does not allow it.
        """


class IdentityRoot(Protocol):
    """A system that ties a person's identifiers to each other."""

    def profiles(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        """Every record that has at least one of the identifiers: all identifiers that it holds, its user id first.

        Raises:
            Unavailable: a call failed; nothing is known.
        """


class ConnectErasing(Protocol):
    """Each module offers ``connect_erasing``: no call is made to the system until it is used."""

    def __call__(self, connection: Connection, means: Means) -> ErasingSystem:
        """Build the client.

        Raises:
            Refused: the connection lacks something; the message names it.
        """
