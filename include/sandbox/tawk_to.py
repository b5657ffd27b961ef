"""tawk.to's REST API on loopback: chats, tickets and people can be listed and read; nothing can be deleted by a call.

Contract by hand, there is no description by the vendor: https://help.tawk.to/article/rest-api,
https://developer.tawk.to/rest-api/. Every method is a POST to ``/v1/<name>``; an answer has ``ok``, and ``data`` or
``error`` with ``message``. Lists take ``startDate``, ``endDate`` (RFC 3339, both included), ``size``, ``page`` (from
1) and ``sort`` (``co-new-old``, ``co-old-new``) and tell the ``total``. What a person deletes in the dashboard is
``remove`` here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import Ask, Refusal, Reply, Window, serve

PROPERTY = "5f1e6a9c0000000000000001"
MAX_SIZE = 100
_ERRORS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "rate_limited"}
_MESSAGES = {
    "unauthorized": "API key is missing or not valid",
    "rate_limited": "Too many requests, please try again later",
}


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        rest_access: whether the account was given access to the REST API.
        calls_per_minute: tawk.to publishes no number.
    """

    rest_access: bool = True
    calls_per_minute: int = 6000


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat; ``messages`` are pairs of sender (``v`` visitor, ``a`` agent) and text."""

    id: str
    at: datetime
    name: str
    email: str
    person: str
    messages: tuple[tuple[str, str], ...]


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


@dataclass(slots=True)
class _Held:
    chats: dict[str, Chat] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)


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

    def seed(self, chats: Iterable[Chat] = (), tickets: Iterable[Ticket] = ()) -> None:
        """Put chats and tickets in."""
        self._held.chats.update((chat.id, chat) for chat in chats)
        self._held.tickets.update((ticket.id, ticket) for ticket in tickets)

    def remove(self, collection: str, identifier: str) -> None:
        """Delete a chat or a ticket, as a person does it in the dashboard.

        Raises:
            KeyError: there is no such collection or record.
        """
        held: dict[str, dict[str, Any]] = {"chats": self._held.chats, "tickets": self._held.tickets}
        del held[collection][identifier]

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for chat in tuple(self._held.chats.values()):
            yield "chats", asdict(chat)
        for ticket in tuple(self._held.tickets.values()):
            yield "tickets", asdict(ticket)

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
            raise _refused(404, "method_not_found", f"There is no method {name}")
        body = ask.json if ask.body else {}
        if not isinstance(body, dict):
            raise _refused(400, "invalid_json")
        if name != "property.list" and body.get("propertyId") != PROPERTY:
            raise _refused(404, "property_not_found")
        return Reply(body={"ok": True, **method(body)})

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"data": [{"propertyId": PROPERTY, "name": "Clique", "type": "business"}]}

    def _chats(self, body: dict[str, Any]) -> dict[str, Any]:
        return _page(body, self._held.chats.values(), _chat)

    def _tickets(self, body: dict[str, Any]) -> dict[str, Any]:
        return _page(body, self._held.tickets.values(), _ticket)

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        chat = self._held.chats.get(str(body.get("chatId")))
        if chat is None:
            raise _refused(404, "chat_not_found")
        return {"data": {**_chat(chat), "messages": _messages(chat.messages)}}

    def _ticket(self, body: dict[str, Any]) -> dict[str, Any]:
        ticket = self._held.tickets.get(str(body.get("ticketId")))
        if ticket is None:
            raise _refused(404, "ticket_not_found")
        return {"data": {**_ticket(ticket), "messages": _messages(ticket.messages)}}

    def _person(self, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get("personId")
        known: list[Chat | Ticket] = [*self._held.chats.values(), *self._held.tickets.values()]
        for one in known:
            if one.person and one.person == wanted:
                return {"data": {"id": one.person, "firstName": one.name, "primaryEmail": one.email}}
        raise _refused(404, "person_not_found")


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    word = _ERRORS.get(status, "internal_error")
    return {}, {"ok": False, "error": word, "message": _MESSAGES.get(word, word)}


def _refused(status: int, word: str, message: str = "") -> Refusal:
    return Refusal(status, {"ok": False, "error": word, "message": message or _MESSAGES.get(word, word)})


def _page(body: dict[str, Any], rows: Iterable[Any], show: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    size, page, sort = body.get("size", 50), body.get("page", 1), body.get("sort", "co-new-old")
    if not _is_whole(size, MAX_SIZE) or not _is_whole(page, 10**6) or sort not in ("co-new-old", "co-old-new"):
        raise _refused(400, "invalid_args")
    start, end = (_moment(body.get(name)) for name in ("startDate", "endDate"))
    found = [row for row in rows if (start is None or row.at >= start) and (end is None or row.at <= end)]
    found.sort(key=lambda row: (row.at, row.id), reverse=sort == "co-new-old")
    return {"total": len(found), "data": [show(row) for row in found[(page - 1) * size : page * size]]}


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


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


def _chat(chat: Chat) -> dict[str, Any]:
    visitor = {"name": chat.name, "email": chat.email, "personId": chat.person or None}
    when = _shown(chat.at)
    return {"id": chat.id, "type": "chat", "createdOn": when, "messageCount": len(chat.messages), "visitor": visitor}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "humanId": ticket.number,
        "subject": ticket.subject,
        "status": "open",
        "createdOn": _shown(ticket.at),
        "requester": {"name": ticket.name, "email": ticket.email, "personId": ticket.person or None},
    }


def _messages(messages: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    return [{"sender": {"t": sender}, "type": "msg", "msg": text} for sender, text in messages]


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
