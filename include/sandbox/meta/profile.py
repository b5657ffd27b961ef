"""A page or a professional account on loopback: content with what people wrote below, conversations, audiences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.meta.graph import GraphApi, Tokens, error, limit_of, nested_limit, page, refused
from include.sandbox.meta.model import AD_ACCOUNT, PAGE, PAGE_TOKEN, Held, Settings, Text, Thread, hours
from include.sandbox.rest import Ask, Reply, serve

LARGEST = 10_000
"""Records of one call about audiences."""
SCHEMAS = ("EMAIL_SHA256", "PHONE_SHA256", "EXTERN_ID")
_HASH = re.compile(r"[0-9a-f]{64}")


class MetaSandbox:
    """One profile and what it holds.

    ``app`` is the ASGI application; its base URL takes the place of ``https://graph.facebook.com``. ``settings`` can be
    changed while it runs; ``held`` is looked into and filled by tests.

    Args:
        name: of the service, ``facebook`` or ``instagram``.
        number: id of the profile.
        faults: shared with the other services of the sandbox.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, name: str, number: str, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._name = name
        self._number = number
        self._clock = clock
        self.held = Held()
        self.settings = Settings()
        self._api = GraphApi(
            {
                "GET /{}/feed": self._content,
                "GET /{}/media": self._content,
                "GET /{}/comments": self._comments,
                "GET /{}/replies": self._replies,
                "GET /{}/conversations": self._conversations,
                "GET /{}/messages": self._messages,
                "GET /{}/customaudiences": self._audiences,
                "DELETE /{}/usersofanyaudience": self._remove,
                "GET /{}": self._read,
                "DELETE /{}": self._delete,
            },
            self.settings,
        )
        self.app: ASGIApp = serve(self._handle, name, faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self.held.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self.held.settle(self._clock())
        return self.held.records()

    def _handle(self, ask: Ask) -> Reply:
        self.held.settle(self._clock())
        return self._api.handle(ask)

    def _read(self, ask: Ask, number: str) -> Reply:
        if number == PAGE and "access_token" in ask.query.get("fields", ""):
            Tokens.check(ask, page=False)
            return Reply(body={"access_token": PAGE_TOKEN, "id": PAGE})
        Tokens.check(ask, page=True)
        if number not in (PAGE, self._number):
            raise refused(100, "Unsupported get request. Object does not exist", subcode=33)
        return Reply(body={"id": number})

    def _content(self, ask: Ask, number: str) -> Reply:
        Tokens.check(ask, page=True)
        edge = "feed" if self._name == "facebook" else "media"
        if number != self._number or not ask.path.endswith(edge):
            raise refused(100, "Unsupported get request. Object does not exist", subcode=33)
        shown = [(text.id, self._shown(ask, text)) for text in reversed(self.held.below(""))]
        limit = limit_of(ask, 25, 100)
        return Reply(body=page(ask, f"/{number}/{edge}", shown, limit, ask.query.get("after", "")))

    def _comments(self, ask: Ask, number: str) -> Reply:
        Tokens.check(ask, page=True)
        self._known(number)
        limit = limit_of(ask, 25, 100 if self._name == "facebook" else 50)
        return Reply(body=self._below(ask, number, limit, ask.query.get("after", "")))

    def _replies(self, ask: Ask, number: str) -> Reply:
        return self._comments(ask, number)

    def _delete(self, ask: Ask, number: str) -> Reply:
        Tokens.check(ask, page=True)
        self._known(number)
        if number in self.settings.undeletable:
            raise refused(200, "(#200) You do not have sufficient permissions to perform this action", status=403)
        self.held.delete(number)
        return Reply(body={"success": True})

    def _conversations(self, ask: Ask, number: str) -> Reply:
        Tokens.check(ask, page=True)
        platform = "messenger" if self._name == "facebook" else "instagram"
        if number != PAGE or ask.query.get("platform") != platform:
            raise refused(100, "(#100) platform must be one of messenger, instagram")
        person = ask.query.get("user_id")
        threads = [each for each in self.held.threads.values() if person is None or each.person == person]
        shown = [(thread.id, self._thread(thread)) for thread in threads]
        return Reply(
            body=page(ask, f"/{number}/conversations", shown, limit_of(ask, 25, 500), ask.query.get("after", ""))
        )

    def _messages(self, ask: Ask, number: str) -> Reply:
        Tokens.check(ask, page=True)
        thread = self.held.threads.get(number)
        if thread is None:
            raise refused(100, "Unsupported get request. Object does not exist", subcode=33)
        shown = []
        for place, (ours, text) in enumerate(thread.messages):
            sender = {"id": self._number if ours else thread.person}
            shown.append(
                (
                    f"{number}{place}",
                    {"id": f"m_{place}", "from": sender, "message": text, "created_time": _time(thread.at)},
                )
            )
        return Reply(body=page(ask, f"/{number}/messages", shown, limit_of(ask, 25, 100), ask.query.get("after", "")))

    def _audiences(self, ask: Ask, number: str) -> Reply:
        self._account(ask, number)
        shown = [
            (one.id, {"id": one.id, "subtype": one.subtype, "name": one.name}) for one in self.held.audiences.values()
        ]
        return Reply(
            body=page(ask, f"/{number}/customaudiences", shown, limit_of(ask, 25, 100), ask.query.get("after", ""))
        )

    def _remove(self, ask: Ask, number: str) -> Reply:
        self._account(ask, number)
        try:
            payload = json.loads(dict(ask.form).get("payload", ""))
            schema, data = payload["schema"], payload["data"]
        except (ValueError, KeyError, TypeError):
            raise refused(100, "(#100) The parameter payload is required") from None
        if schema not in SCHEMAS or not isinstance(data, list) or not 1 <= len(data) <= LARGEST:
            raise refused(100, "(#100) Invalid parameter", subcode=1487366)
        good = frozenset(one for one in data if schema == "EXTERN_ID" or _HASH.fullmatch(str(one)))
        self.held.remove_later(self._clock() + hours(self.settings.audience_hours), schema, good)
        invalid = len(data) - len(good)
        return Reply(
            body={
                "session_id": "1",
                "num_received": len(data),
                "num_invalid_entries": invalid,
                "invalid_entry_samples": {},
            }
        )

    def _account(self, ask: Ask, number: str) -> None:
        Tokens.check(ask, page=False)
        if number != f"act_{AD_ACCOUNT}" or self._name != "facebook":
            raise refused(100, "Unsupported request. Object does not exist", subcode=33)
        if "ads_management" not in self.settings.scopes:
            raise refused(200, "(#200) Ad account owner has NOT granted ads_management", status=403)

    def _known(self, number: str) -> None:
        if number not in self.held.texts:
            raise refused(100, "Unsupported request. Object does not exist", subcode=33)

    def _below(self, ask: Ask, number: str, limit: int, after: str) -> dict[str, Any]:
        """The comments below content, flat at Facebook, nested at Instagram."""
        stream = "filter(stream)" in ask.query.get("fields", "") or ask.query.get("filter") == "stream"
        texts = list(self.held.under(number)) if stream else self.held.below(number)
        shown = [(text.id, self._shown(ask, text)) for text in texts]
        edge = "comments" if not self.held.texts[number].parent else "replies"
        return page(ask, f"/{number}/{edge}", shown, limit, after)

    def _shown(self, ask: Ask, text: Text) -> dict[str, Any]:
        fields, facebook = ask.query.get("fields", "id"), self._name == "facebook"
        author = {"id": text.author or self._number, ("name" if facebook else "username"): text.name}
        body: dict[str, Any] = {"id": text.id, "message" if facebook else "text": text.text}
        body["created_time" if facebook else "timestamp"] = _time(text.at)
        if facebook or text.parent:
            body["from"] = author
        if facebook and text.parent and self.held.texts[text.parent].parent:
            body["parent"] = {"id": text.parent}
        edge = "replies" if text.parent else "comments"
        wanted = edge in fields and not (facebook and text.parent)
        below = self._below(ask, text.id, nested_limit(fields, edge, 25), "") if wanted else {"data": []}
        return {**body, edge: below} if below["data"] else body

    def _thread(self, thread: Thread) -> Mapping[str, Any]:
        people = [{"id": thread.person, "name": thread.name}, {"id": self._number, "name": "Clique"}]
        return {"id": thread.id, "participants": {"data": people}}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
