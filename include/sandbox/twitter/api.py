"""The calls of X's API and its ads API on loopback.

Contract by hand, the vendor's description may not be kept here:
https://developer.x.com/en/docs/x-ads-api/audiences/api-reference/custom-audience-users,
https://docs.x.com/x-api/direct-messages/lookup/introduction, https://docs.x.com/x-api/fundamentals/rate-limits.
Messages older than 30 days are on the account and not in the list; an empty list has no ``data``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window
from include.sandbox.twitter.signing import expected, fields

OWN = "1500000000000000001"
ACCESS_TOKEN = f"{OWN}-sandbox"
AD_ACCOUNT = "18ce54d4x5t"
SHOWN = timedelta(days=30)
OPERATIONS, BYTES = 2500, 5_000_000
KINDS = ("email", "twitter_id", "handle", "phone_number", "partner_user_id")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        audience_hours: after which a removal has come true.
        received_deletable: whether messages that others sent can be deleted on our side.
        reads_per_window: lists of messages in 15 minutes.
        deletions_per_window: of messages in 15 minutes.
        ads_per_minute: calls to the audiences.
        access_level: of the token.
    """

    audience_hours: float = 8.0
    received_deletable: bool = True
    reads_per_window: int = 10_000
    deletions_per_window: int = 10_000
    ads_per_minute: int = 100_000
    access_level: str = "read-write-directmessages"


@dataclass(frozen=True, slots=True)
class Message:
    """A direct message on our side."""

    id: str
    sender: str
    conversation: str
    at: datetime
    text: str


@dataclass(slots=True)
class Audience:
    """An audience; ``members`` are pairs of kind and hash, ``kind`` says what it was made from."""

    id: str
    name: str
    kind: str = "CRM"
    members: set[tuple[str, str]] = field(default_factory=set)


class TwitterApi:
    """Routes calls; holds messages and audiences.

    Args:
        clock: the time of the service, UTC.
        secrets: of the app and of the token.
    """

    def __init__(self, clock: Callable[[], datetime], secrets: tuple[str, str]) -> None:
        self._clock = clock
        self._secrets = secrets
        self.settings = Settings()
        self._windows = {name: Window(seconds) for name, seconds in (("reads", 900), ("deletions", 900), ("ads", 60))}
        self.clear()
        self._routes = Routes(
            {
                "GET /2/users/me": self._me,
                "GET /2/dm_events": self._events,
                "DELETE /2/dm_events/{}": self._delete,
                "GET /12/accounts/{}/custom_audiences": self._audiences,
                "POST /12/accounts/{}/custom_audiences/{}/users": self._users,
            }
        )

    def clear(self) -> None:
        """Forget everything."""
        self.messages: dict[str, Message] = {}
        self.audiences: dict[str, Audience] = {}
        self._removals: list[tuple[datetime, str, frozenset[tuple[str, str]]]] = []
        self._nonces: set[str] = set()

    def settle(self) -> None:
        """Let removals come true whose time has come."""
        now = self._clock()
        for _, audience, members in [one for one in self._removals if one[0] <= now]:
            if audience in self.audiences:
                self.audiences[audience].members -= members
        self._removals = [one for one in self._removals if one[0] > now]

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        self.settle()
        self._check(ask)
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404, "Not Found")
        return operation()

    def _check(self, ask: Ask) -> None:
        """Raise unless it is signed by the account, with a nonce that was never seen."""
        given = fields(ask)
        nonce = given.get("oauth_nonce", "")
        signed = given.get("oauth_signature_method") == "HMAC-SHA1" and given.get("oauth_token") == ACCESS_TOKEN
        if not signed or given.get("oauth_signature") != expected(ask, given, self._secrets):
            raise refused(401, "Could not authenticate you", code=32)
        if not nonce or nonce in self._nonces:
            raise refused(401, "Could not authenticate you", code=32)
        self._nonces.add(nonce)

    def _me(self, ask: Ask) -> Reply:
        data = {"id": OWN, "name": "Clique", "username": "clique"}
        return Reply(body={"data": data}, headers={"x-access-level": self.settings.access_level})

    def _events(self, ask: Ask) -> Reply:
        self._allow("reads", self.settings.reads_per_window)
        size = ask.query.get("max_results", "100")
        if not size.isdecimal() or not 1 <= int(size) <= 100:
            raise refused(400, "max_results must be between 1 and 100")
        since = self._clock() - SHOWN
        shown = sorted((one for one in self.messages.values() if one.at > since), key=lambda one: one.id, reverse=True)
        token = ask.query.get("pagination_token")
        shown = [one for one in shown if token is None or one.id < token]
        page = shown[: int(size)]
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(shown) > len(page):
            meta["next_token"] = page[-1].id
        wanted = {"id", "event_type", "text", *ask.query.get("dm_event.fields", "").split(",")}
        data = [{name: value for name, value in _event(one).items() if name in wanted} for one in page]
        return Reply(body={"data": data, "meta": meta} if data else {"meta": meta})

    def _delete(self, ask: Ask, number: str) -> Reply:
        self._allow("deletions", self.settings.deletions_per_window)
        message = self.messages.get(number)
        if message is None:
            raise refused(404, "Could not find the event")
        allowed = self.settings.access_level == "read-write-directmessages"
        if not allowed or (message.sender != OWN and not self.settings.received_deletable):
            raise refused(403, "You are not permitted to perform this action")
        del self.messages[number]
        return Reply(body={"data": {"deleted": True}})

    def _audiences(self, ask: Ask, account: str) -> Reply:
        self._ads(account)
        count = ask.query.get("count", "200")
        if not count.isdecimal() or not 1 <= int(count) <= 1000:
            raise ads_refused(400, "INVALID_PARAMETER", "count must be between 1 and 1000")
        known = sorted(self.audiences.values(), key=lambda one: one.id)
        after = [one for one in known if one.id > ask.query.get("cursor", "")]
        page = after[: int(count)]
        data = [
            {"id": one.id, "name": one.name, "audience_type": one.kind, "owner_account_id": account} for one in page
        ]
        following = page[-1].id if len(after) > len(page) else None
        return Reply(body={"request": {"params": {"account_id": account}}, "data": data, "next_cursor": following})

    def _users(self, ask: Ask, account: str, number: str) -> Reply:
        self._ads(account)
        audience = self.audiences.get(number)
        if audience is None or audience.kind != "CRM":
            raise ads_refused(404, "NOT_FOUND", "The audience was not found")
        operations = ask.json
        if not isinstance(operations, list) or not 1 <= len(operations) <= OPERATIONS or len(ask.body) > BYTES:
            raise ads_refused(400, "TOO_MANY_OPERATIONS", f"At most {OPERATIONS} operations")
        members: set[tuple[str, str]] = set()
        for place, operation in enumerate(operations):
            members |= _members(place, operation)
        due = self._clock() + timedelta(hours=self.settings.audience_hours)
        self._removals.append((due, number, frozenset(members)))
        counts = {"success_count": len(operations), "total_count": len(operations)}
        return Reply(body={"request": {"params": {}}, "data": counts})

    def _ads(self, account: str) -> None:
        self._allow("ads", self.settings.ads_per_minute)
        if account != AD_ACCOUNT:
            raise ads_refused(404, "NOT_FOUND", "The account was not found")

    def _allow(self, name: str, limit: int) -> None:
        granted, _, end = self._windows[name].take(limit)
        if not granted:
            header = "x-account-rate-limit-reset" if name == "ads" else "x-rate-limit-reset"
            raise refused(429, "Too Many Requests", headers={header: str(int(end))})


def _members(place: int, operation: Any) -> set[tuple[str, str]]:
    """What one operation takes out.

    Raises:
        Refusal: it is no deletion of this form: the whole call fails.
    """
    try:
        kind, users = operation["operation_type"], operation["params"]["users"]
        members = {(name, value) for user in users for name, values in user.items() for value in values}
    except (KeyError, TypeError, AttributeError):
        kind, members = "", set()
    good = all(name in KINDS and (name == "partner_user_id" or _HASH.fullmatch(str(v))) for name, v in members)
    if kind != "Delete" or not members or not good:
        raise Refusal(400, {"operation_errors": [[{"code": "INVALID_PARAMETER", "message": f"operation {place}"}]]})
    return members


def _event(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "event_type": "MessageCreate",
        "sender_id": message.sender,
        "dm_conversation_id": message.conversation,
        "created_at": message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "text": message.text,
    }


def refused(status: int, detail: str, *, code: int | None = None, headers: dict[str, str] | None = None) -> Refusal:
    """An error of the API."""
    body: dict[str, Any] = {
        "title": HTTPStatus(status).phrase,
        "detail": detail,
        "type": "about:blank",
        "status": status,
    }
    return Refusal(status, body if code is None else {"errors": [{"code": code, "message": detail}]}, headers)


def ads_refused(status: int, code: str, message: str) -> Refusal:
    """An error of the ads API."""
    return Refusal(status, {"errors": [{"code": code, "message": message}], "request": {"params": {}}})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, refused(status, HTTPStatus(status).phrase).reply.body
