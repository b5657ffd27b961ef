"""tawk.to's REST API on loopback: chats, tickets and people can be listed and read; nothing can be deleted by a call.

Contract by hand, there is no description by the vendor: https://help.tawk.to/article/rest-api, https://docs.tawk.to/.
Every method is a POST to ``/v1/<name>``; an answer has ``ok``, and ``data`` or ``error`` with ``message``. Lists take
``size`` (more than 50 is 50), ``offset``, ``startDate``, ``endDate``, ``sort`` (``co-new-old``, ``co-old-new``) and
``deleted`` for the trash, and tell the ``total``. What a person does in the dashboard is ``remove`` here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import Ask, Refusal, Reply, Window, serve

PROPERTY = "5f1e6a9c0000000000000001"
MAX_SIZE = 50
_WORDS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "rate_limited"}
_MESSAGES = {
    "unauthorized": "API key is missing or not valid",
    "rate_limited": "Too many requests, please try again later",
}


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        rest_access: whether the account was given access to the REST API.
        whole_lists: whether lists have the conversations complete; otherwise each has to be read.
        calls_per_minute: tawk.to publishes no number.
    """

    rest_access: bool = True
    whole_lists: bool = True
    calls_per_minute: int = 6000


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat; ``messages`` are pairs of sender (``v`` visitor, ``a`` agent) and text; ``deleted`` is in the trash."""

    id: str
    at: datetime
    person: str
    messages: tuple[tuple[str, str], ...]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket, made from a message that was left while nobody was there."""

    id: str
    number: int
    at: datetime
    name: str
    email: str
    person: str
    subject: str
    messages: tuple[tuple[str, str], ...]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of the list of contacts, to whom chats and tickets can belong."""

    id: str
    name: str
    email: str


Conversation: TypeAlias = Chat | Ticket


@dataclass(slots=True)
class _Held:
    chats: dict[str, Chat] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)


class TawkToSandbox:
    """The service and what it holds. Any API key is accepted as the user of basic authentication, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.tawk.to``. ``settings`` can be
    changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``tawk_to``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._held = _Held()
        self._window = Window()
        self._methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "property.list": self._properties,
            "chat.list": self._chats,
            "chat.get": self._chat,
            "ticket.list": self._tickets,
            "ticket.get": self._ticket,
            "contact.person.get": self._person,
        }
        self.app = serve(self.handle, "tawk_to", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self._held = _Held()

    def seed(
        self, chats: Iterable[Chat] = (), tickets: Iterable[Ticket] = (), contacts: Iterable[Contact] = ()
    ) -> None:
        """Put records in."""
        self._held.chats.update((chat.id, chat) for chat in chats)
        self._held.tickets.update((ticket.id, ticket) for ticket in tickets)
        self._held.contacts.update((contact.id, contact) for contact in contacts)

    def remove(self, collection: str, identifier: str) -> None:
        """Delete a record for good, as a person does it in the dashboard: from the inbox and from the trash.

        Raises:
            KeyError: there is no such collection or record.
        """
        del self._records[collection][identifier]

    def trash(self, collection: str, identifier: str) -> None:
        """Put a chat or a ticket into the trash, where it is still found.

        Raises:
            KeyError: there is no such collection or record.
        """
        held = {name: self._records[name] for name in ("chats", "tickets")}[collection]
        held[identifier] = replace(held[identifier], deleted=True)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for collection, held in self._records.items():
            for record in tuple(held.values()):
                yield collection, asdict(record)

    @property
    def _records(self) -> dict[str, dict[str, Any]]:
        return {"chats": self._held.chats, "tickets": self._held.tickets, "contacts": self._held.contacts}

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_minute)[0]:
            raise _refused(429, "rate_limited")
        if not ask.basic[0]:
            raise _refused(401, "unauthorized")
        if not self.settings.rest_access:
            raise _refused(403, "forbidden", "REST API access is not enabled for this account")
        name = ask.path.rstrip("/").removeprefix("/v1/")
        method = self._methods.get(name)
        if ask.method != "POST" or method is None:
            raise _refused(404, "method_not_found", "There is no such method")
        body = ask.json if ask.body else {}
        if not isinstance(body, dict):
            raise _refused(400, "invalid_json")
        if name != "property.list" and body.get("propertyId") != PROPERTY:
            raise _refused(404, "property_not_found")
        return Reply(body={"ok": True, **method(body)})

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"data": [{"propertyId": PROPERTY, "name": "Clique", "type": "business"}]}

    def _chats(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._page(body, self._held.chats.values(), _chat)

    def _tickets(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._page(body, self._held.tickets.values(), _ticket)

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        chat = self._held.chats.get(str(body.get("chatId")))
        if chat is None:
            raise _refused(404, "chat_not_found")
        return {"data": _chat(chat, True)}

    def _ticket(self, body: dict[str, Any]) -> dict[str, Any]:
        ticket = self._held.tickets.get(str(body.get("ticketId")))
        if ticket is None:
            raise _refused(404, "ticket_not_found")
        return {"data": _ticket(ticket, True)}

    def _person(self, body: dict[str, Any]) -> dict[str, Any]:
        contact = self._held.contacts.get(str(body.get("personId")))
        if contact is None:
            raise _refused(404, "person_not_found")
        person = {"id": contact.id, "name": contact.name, "primaryEmail": contact.email, "emails": [contact.email]}
        wanted = body.get("fields")
        return {"data": {name: value for name, value in person.items() if not wanted or name in wanted}}

    def _page(
        self, body: dict[str, Any], rows: Iterable[Any], show: Callable[[Any, bool], dict[str, Any]]
    ) -> dict[str, Any]:
        size, offset, sort = body.get("size", MAX_SIZE), body.get("offset", 0), body.get("sort", "co-new-old")
        if not _is_whole(size, 1) or not _is_whole(offset, 0) or sort not in ("co-new-old", "co-old-new"):
            raise _refused(400, "invalid_args")
        start, end, trash = _moment(body.get("startDate")), _moment(body.get("endDate")), body.get("deleted") is True
        found = [
            row
            for row in rows
            if row.deleted is trash and (start is None or row.at >= start) and (end is None or row.at <= end)
        ]
        found.sort(key=lambda row: (row.at, row.id), reverse=sort == "co-new-old")
        shown = found[offset : offset + min(size, MAX_SIZE)]
        return {"total": len(found), "data": [show(row, self.settings.whole_lists) for row in shown]}


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    word = _WORDS.get(status, "internal_error")
    return {}, {"ok": False, "error": word, "message": _MESSAGES.get(word, word)}


def _refused(status: int, word: str, message: str = "") -> Refusal:
    return Refusal(status, {"ok": False, "error": word, "message": message or _MESSAGES.get(word, word)})


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _refused(400, "invalid_args") from None
    if moment.tzinfo is None:
        raise _refused(400, "invalid_args")
    return moment


def _chat(chat: Chat, whole: bool) -> dict[str, Any]:
    said = [{"type": "msg", "sender": {"t": sender}, "msg": text} for sender, text in chat.messages]
    return {
        "id": chat.id,
        "type": "chat",
        "createdOn": _shown(chat.at),
        "messageCount": len(said),
        **({"personId": chat.person} if chat.person else {}),
        **({"messages": said} if whole else {}),
    }


def _ticket(ticket: Ticket, whole: bool) -> dict[str, Any]:
    said = [{"type": "message", "sender": {"t": sender}, "text": text} for sender, text in ticket.messages]
    return {
        "id": ticket.id,
        "humanId": ticket.number,
        "status": "open",
        "createdOn": _shown(ticket.at),
        "personId": ticket.person,
        **({"subject": ticket.subject, "requester": {"name": ticket.name, "email": ticket.email}} if whole else {}),
        **({"events": said} if whole else {}),
    }


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
