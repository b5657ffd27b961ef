"""Installations of Firebase apps on loopback: each can be deleted by its id, none can be looked up.

Contract by hand, there is no description by the vendor: https://firebase.google.com/docs/projects/manage-installations
and the reference of the Admin SDKs (https://firebase.google.com/docs/reference/admin/python/firebase_admin.instance_id).
The project is told by the management API, which has one (firebase v1beta1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.draw import YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.google import Answer, Call, Trouble, answered, segment, serve
from include.sandbox.service import Service

PROJECT = "clique-sandbox"
_DELETE = re.compile(r"/v1/project/(?P<project>[^/:]+)/instanceId/(?P<fid>[^/]+)")
_READ = re.compile(r"/v1beta1/projects/(?P<project>[^/:]+)")
_FID = re.compile(r"[A-Za-z0-9_-]{11}|[A-Za-z0-9_-]{22}", re.ASCII)
_FORGOTTEN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Installation:
    """An app on a device, and the performance data that is kept under its id."""

    fid: str
    platform: str
    last_seen: datetime
    traces: int


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        may_delete: whether the account may delete installations.
    """

    may_delete: bool = True


class FirebaseInstallations:
    """The service. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://console.firebase.google.com`` and of
    ``https://firebase.googleapis.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``firebase_performance``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._installations: dict[str, Installation] = {}
        self._deleted: dict[str, datetime] = {}
        self.app: ASGIApp = serve(self.handle, "firebase_performance", faults, journal)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self._installations.clear()
        self._deleted.clear()

    def seed(self, installations: Iterable[Installation]) -> None:
        """Put installations in."""
        self._installations.update((one.fid, one) for one in installations)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for installation in tuple(self._installations.values()):
            yield "installations", asdict(installation)

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        if not re.fullmatch(r"Bearer \S+", call.headers.get("authorization", "")):
            raise _trouble(401, "UNAUTHENTICATED", "Request is missing required authentication credential.")
        if call.method == "GET" and (match := _READ.fullmatch(call.path)):
            return self._project(segment(match["project"]))
        if call.method == "DELETE" and (match := _DELETE.fullmatch(call.path)):
            return self._delete(segment(match["project"]), segment(match["fid"]))
        raise _trouble(404, "NOT_FOUND", "Method not found.")

    def _project(self, project: str) -> Answer:
        if project != PROJECT:
            raise _trouble(403, "PERMISSION_DENIED", "The caller does not have permission")
        body = {"name": f"projects/{project}", "projectId": project, "projectNumber": "123456789012", "state": "ACTIVE"}
        return Answer(body=body)

    def _delete(self, project: str, fid: str) -> Answer:
        if project != PROJECT or not self.settings.may_delete:
            raise _trouble(403, "PERMISSION_DENIED", "Project id does not match instance id or no privileges.")
        if not _FID.fullmatch(fid):
            raise _trouble(400, "INVALID_ARGUMENT", "Malformed instance id argument.")
        if self._installations.pop(fid, None) is not None:
            self._deleted[fid] = self._clock()
            return Answer(body={})
        at = self._deleted.get(fid)
        if at is not None and self._clock() < at + _FORGOTTEN:
            raise _trouble(409, "ALREADY_EXISTS", "Already deleted.")
        raise _trouble(404, "NOT_FOUND", "Failed to find the instance id.")


def fill(estate: Estate, twin: FirebaseInstallations) -> None:
    """The installations of all users whose apps are in use, and as many of people who have no account."""
    rng = estate.rng("firebase_performance")
    known = [fid for one in estate.identities.values() for fid in one.installation_ids if rng.random() < 0.9]
    others = [fid[::-1] for fid in known if rng.random() < 0.2]
    for fid in (*known, *others):
        seen, platform = ago(estate.as_of, rng, timedelta(), 0.7 * YEAR), rng.choice(("WEB", "ANDROID", "IOS"))
        twin.seed([Installation(fid, platform, seen, rng.randrange(1, 400))])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How an operator connects to it."""
    extra = {"project": PROJECT, "token": "sandbox", "calls_per_second": 1000}
    return {"firebase_performance": {"host": url, "extra": extra}}


SERVICE = Service(FirebaseInstallations, fill, connections)


def _trouble(status: int, word: str, message: str) -> Trouble:
    return Trouble(status, "badRequest", message, {"status": word})
