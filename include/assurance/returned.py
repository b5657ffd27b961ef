"""People who were erased and are in a system again: found by their tombstones, and put before a human as a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from include.assurance.evidence import Night
from include.erasure.desk import Desk
from include.policy.persons import RequestType
from include.requests.intake import Draft
from include.requests.opening import open_requests
from include.subjects import tombstones
from include.subjects.identifiers import Identifier
from include.subjects.register import Opened
from include.systems.assuring import ListsPeople

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPENED_BY = "dag_assurance"
SOURCE = "returned"
CHUNK = 1000
"""Identifiers that are asked about in one query."""
_WAIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Back:
    """Counts of one look: identifiers looked at, erased people among them, requests opened."""

    looked: int
    people: int
    opened: int


def look(desk: Desk, night: Night, key: str, system: ListsPeople) -> Back:
    """Go through everybody in a system; open a request for each erased person who has none that is open.

    The requests go on as any other: find, plan, approval. Declining one says that the person is here on purpose.

    Raises:
        Unavailable: system, vault or ledger did not answer; looking again is safe.
        Refused: the key has no right to look.
    """
    looked = 0
    found: dict[bytes, dict[Identifier, None]] = {}
    everybody = system.people()
    while chunk := list(islice(everybody, CHUNK)):
        looked += len(chunk)
        for match in tombstones.returned(desk.vault, chunk, key):
            found.setdefault(match.person, {})[match.identifier] = None
    return Back(looked, len(found), _open(desk, night, found) if found else 0)


def _open(desk: Desk, night: Night, found: dict[bytes, dict[Identifier, None]]) -> int:
    # Two systems at a time: who was found in both gets one request.
    with desk.ledger.exclusive(SOURCE, _WAIT_SECONDS):
        people = tombstones.without_request(desk.vault, found)
        today = desk.clock().date()
        drafts = [Draft(RequestType.ERASURE, tuple(found[one]), today, answer=False) for one in people]
        if not drafts:
            return 0

        def note(connection: Connection, opened: Sequence[Opened]) -> None:
            tombstones.reopen(connection, {one: made.id for one, made in zip(people, opened, strict=True)})

        open_requests(
            desk.vault,
            desk.ledger,
            drafts,
            opened_by=OPENED_BY,
            source=SOURCE,
            clock=desk.clock,
            batch=night.batch,
            within=note,
        )
        return len(drafts)
