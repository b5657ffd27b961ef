"""Autopilot's old interface on loopback: contacts by id or address, the list in pages, one deletion to a call.

Contract by hand, there is no description by the vendor: https://autopilot.docs.apiary.io/. An API key is asked for in
the header ``autopilotapikey``. An address is found whatever its letters; a contact that is not there is a 404, to be
read and to be deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, YEAR, ago, identifier
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.identities import as_typed
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window, serve
from include.sandbox.service import Service
from include.sandbox.traces import strangers

PAGE = 100
_MESSAGES = {
    400: "Invalid email address or API key missing.",
    401: "Provided API key not valid.",
    403: "Contact could not be deleted.",
    404: "Contact could not be found.",
    429: "Too many requests.",
}


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        calls_per_second: the vendor publishes no number.
        protected: address, in lower case, of a contact that the service refuses to delete; "" for none.
    """

    calls_per_second: int = 10_000
    protected: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the vendor keeps it."""

    id: str
    email: str
    first: str
    last: str
    updated_at: datetime
    unsubscribed: bool = False


class AutopilotSandbox:
    """The service and its contacts. Any API key is accepted, none is not.

    Args:
        faults: shared with the other services of the sandbox; this one is ``autopilot``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self._contacts: dict[str, Contact] = {}
        self._window = Window(1.0)
        self._routes = Routes(
            {
                "GET /v1/account": self._account,
                "GET /v1/contacts": self._list,
                "GET /v1/contacts/{}": self._list,
                "GET /v1/contact/{}": self._get,
                "DELETE /v1/contact/{}": self._delete,
            }
        )
        self.app: ASGIApp = serve(self.handle, "autopilot", faults, journal, error)

    def reset(self) -> None:
        """Forget all contacts; the settings stay."""
        self._contacts.clear()

    def seed(self, contacts: Iterable[Contact]) -> None:
        """Put contacts in."""
        self._contacts.update((contact.id, contact) for contact in contacts)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for contact in tuple(self._contacts.values()):
            yield "contacts", asdict(contact)

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_second)[0]:
            raise Refusal(429, {"error": "Too Many Requests", "message": _MESSAGES[429]}, {"Retry-After": "1"})
        if not ask.headers.get("autopilotapikey"):
            raise refused(400)
        operation = self._routes.find(ask)
        if operation is None:
            raise Refusal(404, {"error": "Not Found", "message": "No such resource."})
        return operation()

    def _account(self, ask: Ask) -> Reply:
        return Reply(body={"instanceId": "clique", "companyName": "Clique", "billing": {"plan": "Silver"}})

    def _list(self, ask: Ask, bookmark: str = "") -> Reply:
        rows = sorted(self._contacts.values(), key=lambda contact: contact.id)
        rest = [contact for contact in rows if contact.id > bookmark]
        body: dict[str, Any] = {"contacts": [_shown(c) for c in rest[:PAGE]], "total_contacts": len(rows)}
        if len(rest) > PAGE:
            body["bookmark"] = rest[PAGE - 1].id
        return Reply(body=body)

    def _get(self, ask: Ask, key: str) -> Reply:
        return Reply(body=_shown(self._found(key)))

    def _delete(self, ask: Ask, key: str) -> Reply:
        contact = self._found(key)
        if self.settings.protected and contact.email.lower() == self.settings.protected:
            raise refused(403)
        del self._contacts[contact.id]
        return Reply()

    def _found(self, key: str) -> Contact:
        held = self._contacts.get(key)
        if held is None:
            held = next((c for c in self._contacts.values() if c.email.lower() == key.lower()), None)
        if held is None:
            raise refused(404)
        return held


def refused(status: int) -> Refusal:
    """An error with the vendor's words for it."""
    return Refusal(status, error(status)[1])


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"error": str(status), "message": _MESSAGES.get(status, "Internal server error.")}


def fill(estate: Estate, service: AutopilotSandbox) -> None:
    """A third of the users under their present or past address, some under both; and strangers."""
    rng = estate.rng("autopilot")
    contacts = []
    for person in estate.people:
        for address in (person.email, *estate.identities[person.uid].past_emails):
            if rng.random() < 0.33:
                contacts.append((person.name, as_typed(rng, address)))
    contacts += [stranger for stranger in strangers(estate) if rng.random() < 0.5]
    for name, address in contacts:
        first, _, last = name.partition(" ")
        at, out = ago(estate.as_of, rng, DAY, 4 * YEAR), rng.random() < 0.1
        service.seed([Contact(f"person_{identifier(rng, 32)}", address, first, last, at, out)])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How the product reaches it."""
    return {"autopilot": {"host": url, "password": "sandbox", "extra": {"calls_per_second": 1000}}}


SERVICE = Service(AutopilotSandbox, fill, connections)


def _shown(contact: Contact) -> dict[str, Any]:
    return {
        "contact_id": contact.id,
        "Email": contact.email,
        "FirstName": contact.first,
        "LastName": contact.last,
        "updated_at": contact.updated_at.isoformat(),
        "unsubscribed": contact.unsubscribed,
        "type": "contact",
    }
