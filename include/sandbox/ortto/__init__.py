"""Ortto on loopback: the people that the company writes to, and those who are in the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.identities import as_typed
from include.sandbox.ortto.api import OrttoApi, error
from include.sandbox.ortto.model import ENGAGED, Person, Settings
from include.sandbox.rest import serve
from include.sandbox.service import Service
from include.sandbox.traces import strangers

__all__ = ["ENGAGED", "SERVICE", "OrttoSandbox", "Person", "Settings"]


class OrttoSandbox:
    """The service and its people. Any key is accepted, none is not.

    Args:
        faults: shared with the other services of the sandbox; this one is ``ortto``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._api = OrttoApi(clock)
        self.settings = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "ortto", faults, journal, error)

    def reset(self) -> None:
        """Forget all people and the queue; the settings stay."""
        self._api.account.people.clear()
        self._api.account.queue.clear()

    def seed(self, people: Iterable[Person]) -> None:
        """Put people in."""
        self._api.account.people.update((person.id, person) for person in people)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._api.account.settle(self._clock())
        for person in tuple(self._api.account.people.values()):
            yield "archive" if person.archived_at else "people", asdict(person)


def fill(estate: Estate, service: OrttoSandbox) -> None:
    """Half of the users, a few of them twice (by a past address) or in the archive; and strangers."""
    rng = estate.rng("ortto")
    for person in estate.people:
        if rng.random() < 0.5:
            external = person.uid if rng.random() < 0.7 else ""
            service.seed([_person(estate, rng, person.name, as_typed(rng, person.email), external)])
        for address in estate.identities[person.uid].past_emails:
            if rng.random() < 0.3:
                service.seed([_person(estate, rng, person.name, address, "")])
    for name, address in strangers(estate):
        service.seed([_person(estate, rng, name, address, "")])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How the product reaches it."""
    pace = {"calls_per_second": 1000, "activities_per_second": 1000}
    return {"ortto": {"host": url, "password": "sandbox", "extra": pace}}


SERVICE = Service(OrttoSandbox, fill, connections)


def _person(estate: Estate, rng: Random, name: str, address: str, external_id: str) -> Person:
    first, _, last = name.partition(" ")
    created = ago(estate.as_of, rng, 10 * DAY, 6 * YEAR)
    answers = sorted(created + rng.random() * (estate.as_of - created) for _ in range(rng.choice((0, 1, 2, 4))))
    return Person(
        id=f"00{rng.getrandbits(88):022x}",
        email=address,
        external_id=external_id,
        first=first,
        last=last,
        created_at=created,
        engaged_at=answers[-1] if answers else None,
        subscribed=rng.random() < 0.9,
        activities=tuple(at.isoformat() for at in reversed(answers)),
        archived_at=estate.as_of - timedelta(days=rng.randrange(1, 28)) if rng.random() < 0.01 else None,
    )
