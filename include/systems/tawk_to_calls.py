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
"""Entries asked for in a page. The vendor names no maximum: the end of a list is where nothing more comes."""
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
    """How one kind is read: methods, the name of the id, and the member that only a complete entry has."""

    listed: str
    read: str
    key: str
    content: str


_METHODS = {
    "chats": _Methods("chat.list", "chat.get", "chatId", "messages"),
    "tickets": _Methods("ticket.list", "ticket.get", "ticketId", "events"),
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
                whole = entry if methods.content in entry else self._read(kind, methods, number)
                yield Conversation(number, str(whole.get("personId") or entry.get("personId") or ""), whole)

    def contact(self, number: str) -> Any:
        """What the vendor knows of a contact."""
        ask = {"personId": number, "fields": _CONTACT_FIELDS}
        return self._call("contact.person.get", ask, "read a contact").get("data")

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _entries(self, kind: str, methods: _Methods, deleted: bool) -> Iterator[Mapping[str, Any]]:
        """Oldest first, so that what is written meanwhile comes at the end and moves nothing."""
        offset, seen, tried = 0, set[str](), f"list the {kind}"
        while True:
            ask = {"size": PAGE, "offset": offset, "sort": "co-old-new", "deleted": deleted}
            body = self._call(methods.listed, ask, tried)
            entries = body.get("data")
            if not isinstance(entries, list):
                raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
            ids = {str(entry.get("id")) for entry in entries}
            if entries and ids <= seen:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            seen |= ids
            yield from entries
            offset += len(entries)
            total = body.get("total")
            if not entries or (isinstance(total, int) and offset >= total):
                return

    def _read(self, kind: str, methods: _Methods, number: str) -> Mapping[str, Any]:
        data = self._call(methods.read, {methods.key: number}, f"read one of the {kind}").get("data")
        return data if isinstance(data, dict) else {}

    def _call(self, method: str, ask: Mapping[str, Any], tried: str) -> dict[str, Any]:
        """One call; safe to repeat, because it only reads."""
        body = {"propertyId": self._property, **ask}
        answer = self._http.call("POST", f"/v1/{method}", tried=tried, body=body, repeatable=True).json
        if not isinstance(answer, dict):
            raise Inconsistent(KEY, tried, "It answered without JSON; look at the address of the connection.")
        if answer.get("ok") is True:
            return answer
        if answer.get("error") == "rate_limited":
            raise Throttled(KEY, tried, "Run it again later; it asked to slow down.")
        raise Refused(KEY, tried, "Look at the key, its scopes and 'property_id' in the connection.")
