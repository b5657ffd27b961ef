"""The contract of a system: what the retention engine asks of each store, in typed values.

A module declares itself in a :class:`Card` and offers the functions of :class:`RetentionSystem`. It never decides what
is due, never reads the clock and never writes evidence: it selects, deletes exactly one batch, and reads back. Values
that could identify a person (references, subjects) stay inside :class:`Batch`, whose ``repr`` hides them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

from include.connection import Connection
from include.policy.actions import Action, Anonymisation

OnHold: TypeAlias = Callable[[str], bool]
"""Whether a subject, given by the store's own identifier, is under a legal hold. Pure and cheap (a keyed hash)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What one rule covers in one system on one night.

    ``location`` and ``subject`` are in the module's own words (see its ``Card``). A record is due when its
    ``trigger_field`` lies before ``cutoff`` and its fields equal ``where``. A record without the field is not due.
    ``protected`` are locations that stay even where they lie inside a record that is deleted as a whole.
    """

    rule: str
    location: Mapping[str, str]
    subject: str | None
    trigger_field: str
    cutoff: datetime
    period_seconds: int
    action: Action = Action.DELETE
    anonymisation: Anonymisation | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    protected: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts before anything is done. ``held`` of the ``due`` records belong to subjects on hold."""

    total: int
    due: int
    held: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A bounded piece of the due records, none of them on hold. ``records`` is the module's own and personal.

    Stores that select by query (Elasticsearch) give the most they will touch as ``count``.
    """

    count: int
    oldest: datetime | None
    newest: datetime | None
    records: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of a batch.

    Args:
        gone: records deleted or anonymised now, as acknowledged record by record by the store.
        absent: records that were no longer there.
        changed: records left alone because they changed after they were selected (they are judged again).
        blocked: records that the store itself refuses to delete (object hold, retention lock).
        until: latest instant at which the store still keeps a hidden copy (soft delete), if it does.
    """

    gone: int
    absent: int = 0
    changed: int = 0
    blocked: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The independent look afterwards, by another call than the one that selected.

    Args:
        remaining: due records still there that are not on hold and not blocked by the store.
        held: due records still there because of a legal hold.
        blocked: due records still there because the store refuses to delete them.
        until: latest instant at which a hidden copy will be purged, if copies exist.
        residual_fields: records anonymised before that still carry a field of the declared list (0 for deletions).
    """

    remaining: int
    held: int
    blocked: int = 0
    until: datetime | None = None
    residual_fields: int = 0


class Proof(StrEnum):
    """How the absence of a record can be shown in a system."""

    READ_BACK = "read back"
    READ_BACK_AFTER_HORIZON = "read back, hidden copies until a date"


@dataclass(frozen=True, slots=True)
class Card:
    """What a module says about itself.

    Args:
        key: the system's key in the policy file and the id of its Airflow connection.
        version: version of this connector, stamped on each piece of evidence; raised with every change of behaviour.
        proof: how a deletion is proved.
        actions: what it can do with a due record.
        location_keys: required and optional keys of a holding's ``location``, each with its meaning.
        subject_forms: accepted forms of a holding's ``subject``, each with its meaning.
        trigger_fields: those the system always has (``lastLoginAt``); empty when they are fields of the records.
        batch_size: records in one batch.
        documentation: the vendor's page that the module is built to.
        horizon: what outlives a deletion inside the vendor's systems, in a sentence for the report.
    """

    key: str
    version: str
    proof: Proof
    actions: frozenset[Action]
    location_keys: Mapping[str, str]
    subject_forms: Mapping[str, str]
    trigger_fields: frozenset[str]
    batch_size: int
    documentation: str
    horizon: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """The store's own expiry setting for a location, as the store reports it, beside what the policy wants.

    Args:
        setting: the vendor's name for it, e.g. ``ttlConfig of interactions.at``.
        configured: what the store says ("none", "36 months", "93312000 s").
        wanted: what the policy says.
        agrees: the two mean the same, or the policy asks for nothing here.
        note: what drift means here and what to do, in a sentence.
    """

    setting: str
    configured: str
    wanted: str
    agrees: bool
    note: str


@dataclass(frozen=True, slots=True)
class Expunged:
    """What was done so that deleted records leave the disk too.

    Args:
        how: the store's own words for it, e.g. ``forcemerge only_expunge_deletes``.
        before: deleted records still on the disk before, None where the store does not tell.
        after: the same afterwards.
    """

    how: str
    before: int | None = None
    after: int | None = None


class RetentionSystem(Protocol):
    """A store from which records can be deleted or anonymised by age."""

    card: Card

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count; changes nothing. ``on_hold`` is None when no subject is on hold, which allows pure count calls."""

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield what is due and not on hold, oldest first where the store can sort, until nothing is left.

        Memory depends on the batch size alone. The caller expires each batch before it asks for the next one.
        """

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete or anonymise exactly the records of ``batch`` that are unchanged since they were selected.

        Raises:
            Unavailable: the call failed or its answer was lost; any part of the batch may be gone.
            Refused: the store does not allow it.
        """

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Look again, independently of ``batches``: counts of what is still due."""

    def expiry(self, selection: Selection) -> list[Expiry]:
        """The store's own expiry settings for this location against the rule. Reads only."""

    def set_expiry(self, selection: Selection) -> Expiry:
        """Make the store expire this location by itself. An explicit, separate action of an operator.

        Raises:
            Refused: the store has no such setting for this location.
        """

    def close(self) -> None:
        """Release sockets and channels."""


@runtime_checkable
class Expunging(Protocol):
    """A store that keeps the bytes of deleted records until it is told to let go of them."""

    def expunge(self, selection: Selection) -> Expunged:
        """Make the deleted records of a location leave the disk. Costs the store work; not a part of a sweep.

        Raises:
            Refused: the service does not allow it; its backups' retention is then the horizon.
            Unavailable: it cannot be done now.
        """


class Connect(Protocol):
    """Each module offers ``connect``: no call is made to the system until it is used."""

    def __call__(self, connection: Connection) -> RetentionSystem:
        """Build the client.

        Raises:
            Refused: the connection lacks something; the message names it.
        """
