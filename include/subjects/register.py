"""Requests as the vault's register has them: what comes in, what became of it, and the row that stays."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.errors import Refused
from include.policy.persons import RequestType
from include.subjects.identifiers import Identifier
from include.subjects.normalise import canonical

SOURCES = ("page", "csv", "rest", "returned")
"""Ways in which a request comes in; ``returned``: data of an erased person was found again (see ``tombstones``)."""

_OPENER = re.compile(r"(staff|dag)_[a-z0-9]+", re.ASCII)
_BATCH = re.compile(r"bat_[a-z2-7]{16}", re.ASCII)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Intake:
    """One person's request as it comes in.

    Args:
        type: what was asked for.
        identifiers: what the person is known by, each in a form that can be compared.
        opened_by: pseudonym of whoever enters it, ``staff_…``, or a DAG, ``dag_…``.
        source: one of ``SOURCES``.
        received_at: when the person asked, UTC.
        answer: the person is told when it is done.
    """

    type: RequestType
    identifiers: tuple[Identifier, ...] = field(repr=False)
    opened_by: str
    source: str
    received_at: datetime
    answer: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of one intake.

    Args:
        id: of the request that carries it out.
        joined: an open request of the same person covers it already; ``id`` is that one.
    """

    id: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the register; nothing in it is about the person.

    Args:
        id: ``req_…``.
        batch: ``bat_…`` if it came with others.
        type: what was asked for.
        received_at: when the person asked, UTC.
        opened_by: pseudonym of whoever entered it.
        source: one of ``SOURCES``.
        has_key: its identifiers can be read: it is open.
        answer: the person is told when it is done.
    """

    id: str
    batch: str | None
    type: RequestType
    received_at: datetime
    opened_by: str
    source: str
    has_key: bool
    answer: bool = True

    def facts(self) -> tuple[str, ...]:
        """What must not change while it is open, as texts: its data key opens for exactly these."""
        received = self.received_at.astimezone(UTC).isoformat()
        return (self.id, self.batch or "", self.type, received, self.opened_by, self.source, str(self.answer))


def new_id(prefix: str) -> str:
    """An opaque id of 80 random bits, ``req_…`` or ``bat_…``."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"


def check(intake: Intake, position: int, now: datetime) -> None:
    """Refuse what must not get into the register.

    Args:
        intake: one person's request.
        position: its place among those that come in together, from 1.
        now: the present, UTC.

    Raises:
        Refused: the message names the field and never a value.
    """
    for known in intake.identifiers:
        canonical(known.kind, known.value)
    for wrong, why in (
        (not intake.identifiers, "It names nobody: give at least one identifier."),
        (not _OPENER.fullmatch(intake.opened_by), "'opened_by' must be staff_ and a pseudonym, or dag_ and a name."),
        (intake.source not in SOURCES, f"'source' must be one of {', '.join(SOURCES)}."),
        (intake.received_at.utcoffset() is None, "'received_at' must be a time in UTC."),
    ):
        if wrong:
            raise Refused("vault", f"open request {position}", why)
    if intake.received_at > now + _SKEW:
        raise Refused("vault", f"open request {position}", "'received_at' lies in the future.")


def check_batch(batch: str | None) -> None:
    """Refuse an id of a batch that is none.

    Raises:
        Refused: it is not ``bat_`` and 16 letters or digits.
    """
    if batch is not None and not _BATCH.fullmatch(batch):
        raise Refused("vault", "open requests", "The id of a batch is bat_ and 16 letters or digits.")
