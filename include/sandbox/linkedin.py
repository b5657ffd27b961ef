"""LinkedIn on loopback: segments of people, tokens, and messages to the page that no call shows.

Contract by hand, there is no description by the vendor:
https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users and
https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.draw import YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, serve
from include.sandbox.service import Service
from include.sandbox.traces import strangers

ACCOUNT = "507001002"
TOKEN, CLIENT, CLIENT_SECRET = "AQsandbox", "77sandbox", "sandbox-secret"
_MONTH = re.compile(r"20\d{2}(0[1-9]|1[0-2])")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        segment_hours: after which a removal has come true.
        calls_per_minute: to the users of segments, by one member.
        oldest_version: versions before it have ended.
        scopes: rights of the token.
        expires_at: when it ends, in epoch seconds.
        refused: hashes whose entry is refused.
    """

    segment_hours: float = 48.0
    calls_per_minute: int = 100_000
    oldest_version: str = "202512"
    scopes: tuple[str, ...] = ("rw_dmp_segments",)
    expires_at: int = 1_800_000_000
    refused: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Segment:
    """A segment; ``members`` are hashes of addresses."""

    id: int
    name: str
    kind: str = "USER"
    members: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PageMessage:
    """A message of a member to the company's page."""

    id: str
    member: str
    name: str
    at: datetime
    text: str


class LinkedInSandbox:
    """The service and what it holds.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.linkedin.com`` and of
    ``https://www.linkedin.com``. ``settings`` can be changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``linkedin``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._window = Window()
        self.reset()
        self._routes = Routes(
            {
                "POST /oauth/v2/introspectToken": self._introspect,
                "GET /rest/dmpSegments": self._list,
                "POST /rest/dmpSegments/{}/users": self._users,
            }
        )
        self.app: ASGIApp = serve(self._handle, "linkedin", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self.segments: dict[int, Segment] = {}
        self.messages: dict[str, PageMessage] = {}
        self._removals: list[tuple[datetime, int, frozenset[str]]] = []

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._settle()
        for message in tuple(self.messages.values()):
            yield "page_messages", asdict(message)
        for segment in tuple(self.segments.values()):
            for value in sorted(segment.members):
                yield "audience_members", {"segment": segment.id, "hash": value}

    def _settle(self) -> None:
        now = self._clock()
        for _, number, hashes in [one for one in self._removals if one[0] <= now]:
            if number in self.segments:
                self.segments[number].members -= hashes
        self._removals = [one for one in self._removals if one[0] > now]

    def _handle(self, ask: Ask) -> Reply:
        self._settle()
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404, "No virtual resource found")
        return operation()

    def _check(self, ask: Ask) -> None:
        """Raise unless the call has a token, a version that has not ended, and the protocol."""
        if ask.bearer != TOKEN:
            raise refused(401, "Invalid access token", 65600)
        version = ask.headers.get("linkedin-version", "")
        if not _MONTH.fullmatch(version):
            raise refused(
                400, "A version must be present. Please specify a version by adding the LinkedIn-Version header."
            )
        if version < self.settings.oldest_version:
            raise refused(426, f"Requested version {version} is not active")
        if ask.headers.get("x-restli-protocol-version") != "2.0.0":
            raise refused(400, "Invalid query parameters passed to request")
        if "rw_dmp_segments" not in self.settings.scopes:
            raise refused(403, "Not enough permissions to access: dmpSegments", 100)

    def _list(self, ask: Ask) -> Reply:
        self._check(ask)
        if ask.query.get("q") != "account" or ask.query.get("account") != f"urn:li:sponsoredAccount:{ACCOUNT}":
            raise refused(400, "Invalid query parameters passed to request")
        start, count = (int(ask.query.get(name, default)) for name, default in (("start", "0"), ("count", "10")))
        shown = list(self.segments.values())[start : start + count]
        elements = [
            {"id": one.id, "name": one.name, "type": one.kind, "account": f"urn:li:sponsoredAccount:{ACCOUNT}"}
            for one in shown
        ]
        return Reply(
            body={"paging": {"start": start, "count": count, "total": len(self.segments)}, "elements": elements}
        )

    def _users(self, ask: Ask, number: str) -> Reply:
        self._check(ask)
        granted, _, end = self._window.take(self.settings.calls_per_minute)
        if not granted:
            reply = refused(429, "Resource level throttle limit for calls to this resource is reached.", 101).reply
            raise Refusal(429, reply.body, {"Retry-After": str(self._window.left(end))})
        segment = self.segments.get(int(number)) if number.isdecimal() else None
        elements = ask.json.get("elements") if isinstance(ask.json, dict) else None
        if segment is None or segment.kind != "USER":
            raise refused(404, "Could not find the segment")
        if ask.headers.get("x-restli-method") != "BATCH_CREATE" or not isinstance(elements, list) or not elements:
            raise refused(400, "Input field validation failure")
        statuses = [500 if ask.partial and place % 2 else self._status(one) for place, one in enumerate(elements)]
        gone = [_hash(one) for one, status in zip(elements, statuses, strict=True) if status == 201]
        due = self._clock() + timedelta(hours=self.settings.segment_hours)
        self._removals.append((due, segment.id, frozenset(one for one in gone if one)))
        return Reply(body={"elements": [{"status": status} for status in statuses]})

    def _status(self, element: Any) -> int:
        """201 for a removal, of somebody who is not in it too."""
        value = _hash(element)
        return 201 if value and value not in self.settings.refused else 400

    def _introspect(self, ask: Ask) -> Reply:
        given = dict(ask.form)
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT, CLIENT_SECRET):
            raise Refusal(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if given.get("token") != TOKEN:
            return Reply(body={"active": False, "status": "revoked"})
        told = {"active": True, "status": "active", "client_id": CLIENT, "auth_type": "3L"}
        return Reply(body={**told, "scope": ",".join(self.settings.scopes), "expires_at": self.settings.expires_at})


def fill(estate: Estate, twin: LinkedInSandbox) -> None:
    """Two segments with 35 % of the users, one of companies, and messages of those whose account is known."""
    rng = estate.rng("linkedin")
    segments = [Segment(9821736, "Users"), Segment(9821737, "Events"), Segment(9821738, "Companies", "COMPANY")]
    twin.segments.update((segment.id, segment) for segment in segments)
    numbers = iter(range(10**6))
    for person in estate.people:
        known = estate.identities[person.uid]
        if rng.random() < 0.35:
            rng.choice(segments[:2]).members |= {hashed(one) for one in (person.email, *known.past_emails)}
        for account in (one.removeprefix("linkedin:") for one in known.external_ids if one.startswith("linkedin:")):
            if rng.random() < 0.4:
                number, at = f"2-{next(numbers)}", ago(estate.as_of, rng, timedelta(), YEAR)
                twin.messages[number] = PageMessage(number, account, person.name, at, "Can we talk about a demo?")
    segments[0].members |= {hashed(address) for _, address in strangers(estate)}


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How to connect to it."""
    extra = {"ad_account_id": ACCOUNT, "client_secret": CLIENT_SECRET, "calls_per_second": 1000}
    return {"linkedin": {"host": url, "login": CLIENT, "password": TOKEN, "extra": extra}}


def hashed(value: str) -> str:
    """As people are uploaded to a segment."""
    return sha256(value.strip().lower().encode()).hexdigest()


def refused(status: int, message: str, code: int | None = None) -> Refusal:
    """An error with its sentence."""
    body: dict[str, Any] = {"status": status, "message": message}
    return Refusal(status, body if code is None else {**body, "serviceErrorCode": code})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, refused(status, HTTPStatus(status).phrase).reply.body


def _hash(element: Any) -> str:
    """The hash that an element names, "" where it is no removal of one address."""
    try:
        (known,) = element["userIds"]
        good = element["action"] == "REMOVE" and known["idType"] == "SHA256_EMAIL"
        return str(known["idValue"]) if good and _HASH.fullmatch(known["idValue"]) else ""
    except (KeyError, TypeError, ValueError):
        return ""


SERVICE = Service(LinkedInSandbox, fill, connections)
