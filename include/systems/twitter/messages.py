"""Direct messages of the last 30 days: all are listed once for many people, and deleted one by one on our own side.

The vendor counts 15 lists in 15 minutes and 300 deletions, 1500 in a day; what does not fit waits. Sources:
https://docs.x.com/x-api/direct-messages/lookup/introduction, https://docs.x.com/x-api/fundamentals/rate-limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from include.errors import Inconsistent, Throttled
from include.systems.erasing import Means
from include.systems.http import Http

PAGE = 100
"""Events of a page, the vendor's maximum."""
WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)
_LIST = "list the direct messages"
_DELETE = "delete a direct message"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls of one account.

    Args:
        reads: lists in a window.
        deletions: in a window.
        daily: deletions in a day.
    """

    reads: int
    deletions: int
    daily: int


@dataclass(frozen=True, slots=True)
class Message:
    """A direct message.

    Args:
        id: the vendor's.
        sender: id of its sender.
        conversation: id of its conversation: both ids, joined by ``-``, or that of a group.
        content: as the vendor sends it.
    """

    id: str
    sender: str = field(repr=False)
    conversation: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)

    def others(self, own: str) -> frozenset[str]:
        """The accounts that it is with: the other side of a conversation, and whoever sent it in a group."""
        pair = self.conversation
        other = pair.removeprefix(f"{own}-") if pair.startswith(f"{own}-") else pair.removesuffix(f"-{own}")
        return frozenset({self.sender, other if other != pair else ""} - {own, ""})


class Removal(Enum):
    """What became of one message."""

    GONE = "gone"
    ABSENT = "absent"
    REFUSED = "refused"


class Messages:
    """The direct messages of one account.

    Args:
        http: calls to the API, signed.
        system: key of the system.
        limits: of the vendor.
        means: the engine's.
    """

    def __init__(self, http: Http, system: str, limits: Limits, means: Means) -> None:
        self._http = http
        self._system = system
        self._limits = limits
        self._means = means

    def listed(self) -> Iterator[Message]:
        """All that can be seen, one page in memory at a time.

        Raises:
            Throttled: no list is left in this window.
        """
        token = ""
        while True:
            body = self._page(token)
            events = body.get("data", [])
            if not isinstance(events, list):
                raise Inconsistent(self._system, _LIST, "It answered without a list; look at the API.")
            for event in events:
                sender, conversation = (str(event.get(name) or "") for name in ("sender_id", "dm_conversation_id"))
                yield Message(str(event.get("id") or ""), sender, conversation, event)
            following = str(body["meta"].get("next_token") or "")
            if not following:
                return
            if following == token:
                raise Inconsistent(self._system, _LIST, "The list does not advance; report it to the vendor.")
            token = following

    def allowed(self, wanted: int) -> tuple[int, datetime]:
        """How many of so many deletions may be made now, and from when on the next ones may."""
        now, name = self._means.clock(), f"{self._system}/message_deletions"
        budgets = self._means.budgets
        granted = budgets.take(name, wanted, self._limits.deletions, WINDOW) if wanted else 0
        today = budgets.take(f"{name}/day", granted, self._limits.daily, DAY) if granted else 0
        window = DAY if today < granted else WINDOW
        return today, _EPOCH + ((now - _EPOCH) // window + 1) * window

    def delete(self, number: str) -> Removal:
        """Delete one on our own side. What the vendor lets nobody but its sender delete stays."""
        # Not repeated here: a lost answer would come back as "not found".
        answer = self._http.call("DELETE", "/2/dm_events/{}", number, tried=_DELETE, also=(403, 404), repeatable=False)
        if answer.status < 300:
            return Removal.GONE
        return Removal.ABSENT if answer.status == 404 else Removal.REFUSED

    def account(self) -> tuple[str, str]:
        """Id of the account that the token is of, and the token's access level.

        Raises:
            Refused: the token is not valid.
        """
        tried = "look at its account"
        answer = self._http.call("GET", "/2/users/me", tried=tried)
        data = answer.json.get("data") if isinstance(answer.json, Mapping) else None
        if not isinstance(data, Mapping):
            raise Inconsistent(self._system, tried, "It answered without an account; look at the API.")
        return str(data.get("id")), answer.headers.get("x-access-level", "")

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _page(self, token: str) -> Mapping[str, Any]:
        """A page; ``data`` is missing on an empty one."""
        if not self._means.budgets.take(f"{self._system}/message_lists", 1, self._limits.reads, WINDOW):
            wait = (WINDOW - (self._means.clock() - _EPOCH) % WINDOW).total_seconds()
            raise Throttled(self._system, _LIST, f"Run it again after {wait:.0f} seconds.", retry_after=wait)
        params: dict[str, str | int] = {
            "dm_event.fields": "id,sender_id,dm_conversation_id,created_at,text",
            "event_types": "MessageCreate",
            "max_results": PAGE,
        }
        if token:
            params["pagination_token"] = token
        body = self._http.call("GET", "/2/dm_events", tried=_LIST, params=params).json
        if not isinstance(body, Mapping) or not isinstance(body.get("meta"), Mapping):
            raise Inconsistent(self._system, _LIST, "It answered without a count; look at the API.")
        return body
