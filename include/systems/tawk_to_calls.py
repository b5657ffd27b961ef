"""The calls to tawk.to that the connector makes: they list and read, none of them changes anything.

All are POST with a JSON body; the answer says ``ok`` and has ``data``. Source: https://docs.tawk.to/ (v1.1.0) and
https://help.tawk.to/article/rest-api.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from include.errors import Inconsistent, Refused, Throttled
from include.systems.http import Http

KEY = "tawk_to"
PAGE = 100
"""Entries asked for in a page; the vendor may send fewer."""
OLDEST = "2010-01-01T00:00:00Z"
"""Before the vendor's first day: without a start a list may be of the last days only."""
KINDS = ("chats", "tickets")
_CONTACT_FIELDS = ["id", "name", "primaryEmail", "emails", "primaryPhone", "phones", "userId", "customAttributes"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat or a ticket, complete.

    Args:
        id: the vendor's, opaque.
        contact: id of the contact that it belongs to, "" without one.
        content: everything about it, as the vendor sends it.
    """

    id: str
    contact: str
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Methods:
    """How one kind is read: methods, and the name of the id."""

    listed: str
    read: str
    key: str


_METHODS = {
    "chats": _Methods("chat.list", "chat.get", "chatId"),
    "tickets": _Methods("ticket.list", "ticket.get", "ticketId"),
}


class Calls:
    """The calls to one site.

    Args:
        http: the client.
        property_id: the site.
    """

    def __init__(self, http: Http, property_id: str) -> None:
        self._http = http
        self._property = property_id

    def conversations(self, kind: str) -> Iterator[Conversation]:
        """All of a kind, each once, those in the trash too; one page in memory at a time."""
        methods = _METHODS[kind]
        seen: set[str] = set()
        for deleted in (False, True):
            for entry in self._entries(kind, methods, deleted):
                number = str(entry.get("id"))
                if number in seen:
                    continue
                seen.add(number)
                whole = entry if _whole(entry) else self._read(kind, methods, number)
                yield Conversation(number, _contact(entry) or _contact(whole), {"listed": entry, "read": whole})

    def contact(self, number: str) -> Any:
        """What the vendor knows of a contact; None if it was deleted."""
        ask = {"personId": number, "fields": _CONTACT_FIELDS}
        return self._call("contact.person.get", ask, "read a contact", may_be_gone=True).get("data")

    def sees_property(self) -> bool:
        """Whether the key sees the site."""
        sites = self._call("property.list", {}, "list the sites").get("data")
        ids = [str(site.get("propertyId") or site.get("id")) for site in sites or () if isinstance(site, dict)]
        return self._property in ids

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _entries(self, kind: str, methods: _Methods, deleted: bool) -> Iterator[Mapping[str, Any]]:
        """Oldest first, each page from the time of the last entry on, some entries twice.

        Pages by time, because what is written or deleted meanwhile moves none, and because all that is known of the
        vendor's own paging is that clients disagree about it (``page`` or ``offset``).
        """
        start, seen, tried = OLDEST, set[str](), f"list the {kind}"
        while True:
            ask = {"size": PAGE, "sort": "co-old-new", "dateType": "cso", "startDate": start, "deleted": deleted}
            body = self._call(methods.listed, ask, tried)
            entries, total = body.get("data"), body.get("total")
            if not isinstance(entries, list):
                raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
            new = {str(entry.get("id")) for entry in entries} - seen
            seen |= new
            yield from entries
            more = len(entries) < total if isinstance(total, int) else bool(new) or len(entries) >= PAGE
            if not more:
                return
            start = max((str(entry.get("createdOn") or "") for entry in entries), default="")
            if not new or not start:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")

    def _read(self, kind: str, methods: _Methods, number: str) -> Mapping[str, Any]:
        """A complete entry; an empty one if it was deleted since it was listed."""
        answer = self._call(methods.read, {methods.key: number}, f"read one of the {kind}", may_be_gone=True)
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    def _call(self, method: str, ask: Mapping[str, Any], tried: str, *, may_be_gone: bool = False) -> dict[str, Any]:
        """One call; safe to repeat, because it only reads."""
        body = {"propertyId": self._property, **ask}
        also = (404,) if may_be_gone else ()
        answer = self._http.call("POST", f"/v1/{method}", tried=tried, body=body, also=also, repeatable=True)
        if answer.status == 404:
            return {}
        if not isinstance(answer.json, dict):
            raise Inconsistent(KEY, tried, "It answered without JSON; look at the address of the connection.")
        if answer.json.get("ok") is True:
            return answer.json
        if answer.json.get("error") == "rate_limited":
            raise Throttled(KEY, tried, "Run it again later; it asked to slow down.")
        raise Refused(KEY, tried, "Look at the key, its scopes and 'property_id' in the connection.")


def _whole(entry: Mapping[str, Any]) -> bool:
    """Whether a list has all of a conversation already, as it does for some accounts."""
    messages, count = entry.get("messages"), entry.get("messageCount")
    return isinstance(messages, list) and (not isinstance(count, int) or len(messages) >= count)


def _contact(entry: Mapping[str, Any]) -> str:
    """Id of the contact, wherever a kind of conversation has it."""
    for part in (entry, entry.get("visitor"), entry.get("requester")):
        if isinstance(part, dict) and part.get("personId"):
            return str(part["personId"])
    return ""
