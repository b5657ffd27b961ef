"""OneSignal on loopback: who gets push notifications, on which devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.onesignal.api import APP, OneSignalApi, error
from include.sandbox.onesignal.model import Settings, Subscription, User
from include.sandbox.rest import serve
from include.sandbox.service import Service
from include.sandbox.traces import strangers

__all__ = ["APP", "SERVICE", "OneSignalSandbox", "Settings", "Subscription", "User"]


class OneSignalSandbox:
    """The service and its users. Any key of the form ``Key …`` is accepted, none is not.

    Args:
        faults: shared with the other services of the sandbox; this one is ``onesignal``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = OneSignalApi(clock)
        self.settings = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "onesignal", faults, journal, error)

    def reset(self) -> None:
        """Forget all users and files; the settings stay."""
        self._api.clear()

    def seed(self, users: Iterable[User]) -> None:
        """Put users in."""
        self._api.app.users.update((user.id, user) for user in users)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for user in tuple(self._api.app.users.values()):
            yield "users", asdict(user)


def fill(estate: Estate, service: OneSignalSandbox) -> None:
    """Users of 60 % of the people; devices of people who never signed in; strangers with ids much like a user's."""
    rng = estate.rng("onesignal")
    for person in estate.people:
        devices = [_device(estate, rng, number) for number in estate.identities[person.uid].push_ids]
        if rng.random() < 0.6:
            service.seed([_user(rng, person.uid, devices)])
        elif devices and rng.random() < 0.5:
            service.seed([_user(rng, "", devices)])
        if rng.random() < 0.02:
            service.seed([_user(rng, f"{person.uid}x", [_device(estate, rng, _uuid(rng))])])
    for _, address in strangers(estate):
        at = ago(estate.as_of, rng, DAY, YEAR)
        service.seed([_user(rng, "", [Subscription(_uuid(rng), "Email", address, at, at, 0)])])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How the product reaches it."""
    extra = {"app_id": APP, "calls_per_second": 1000, "views_per_second": 1000}
    return {"onesignal": {"host": url, "password": "sandbox", "extra": extra}}


SERVICE = Service(OneSignalSandbox, fill, connections)


def _user(rng: Random, external_id: str, devices: Iterable[Subscription]) -> User:
    return User(_uuid(rng), external_id, {device.id: device for device in devices})


def _device(estate: Estate, rng: Random, number: str) -> Subscription:
    created = ago(estate.as_of, rng, 2 * DAY, 4 * YEAR)
    active = created + rng.random() ** 0.5 * (estate.as_of - created - timedelta(days=1))
    kind = rng.choice(("iOSPush", "AndroidPush", "ChromePush"))
    return Subscription(number, kind, f"{rng.getrandbits(256):064x}", created, active, rng.randrange(1, 400))


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
