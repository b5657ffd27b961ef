"""Google's OAuth endpoints and as much of Gmail, Calendar and People as an integration uses, on loopback.

One mount stands for all of Google's hosts, whose paths do not meet. Built to the discovery documents of gmail v1,
calendar v3 and people v1, and to https://developers.google.com/identity/protocols/oauth2/web-server. Calls of the APIs
need the grant's scope; a channel can be stopped by the grant that made it alone, to others it is not there (404).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.oauth import CLIENT, Grant, Grants, check_client, error, form, refused
from include.sandbox.rest import Ask, Refusal, Reply, Routes, serve
from include.sandbox.service import Service

GMAIL = "https://mail.google.com/"
CALENDAR = "https://www.googleapis.com/auth/calendar"
CONTACTS = "https://www.googleapis.com/auth/contacts"
MOST_DELETED = 500
MOST_FOUND = 30


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        index_sleeps: whether a search finds nothing before an empty one has woken the index up.
    """

    index_sleeps: bool = True


@dataclass(slots=True)
class _State:
    """What the service holds beside grants: by the token of the grant that made it."""

    channels: dict[tuple[str, str], str] = field(default_factory=dict)
    watches: set[str] = field(default_factory=set)
    contacts: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    awake: set[str] = field(default_factory=set)


class GoogleWorkspaceSandbox:
    """The service. ``app`` is the ASGI application; ``settings`` can be changed while it runs."""

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self.grants = Grants(clock)
        self._state = _State()
        self._routes = Routes(
            {
                "POST /token": self._token,
                "POST /revoke": self._revoke,
                "POST /gmail/v1/users/me/stop": self._stop_mail,
                "POST /calendar/v3/channels/stop": self._stop,
                "GET /v1/people:searchContacts": self._search,
                "POST /v1/people:batchDeleteContacts": self._delete_contacts,
                "GET /v1/people/{}": self._contact,
            }
        )
        self.app: ASGIApp = serve(self._handle, "google_workspace", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self.grants.clear()
        self._state = _State()

    def allow(self, token: str, user: str, scopes: tuple[str, ...] = (GMAIL, CALENDAR), *, watch: bool = False) -> None:
        """A person allows something, and lets new mail be reported if ``watch``."""
        self.grants.by_token[token] = Grant(token, user, scopes, self.grants.clock())
        if watch:
            self._state.watches.add(token)

    def open_channel(self, token: str, channel: str, resource: str) -> None:
        """Report changes of a calendar, on the strength of a grant."""
        self._state.channels[channel, resource] = token

    def add_contact(self, token: str, name: str, *emails: str) -> None:
        """Put a contact into the address book that a grant opens; ``name`` is as ``people/c1``."""
        self._state.contacts.setdefault(token, {})[name] = emails

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record. Whether mail is watched is a trait of the mailbox."""
        for grant in self.grants.living():
            watched = {"mail_watch": grant.token in self._state.watches}
            yield "grants", {"token": grant.token, "user": grant.user, "scopes": list(grant.scopes), **watched}
        for (channel, resource), token in self._state.channels.items():
            yield "channels", {"id": channel, "resourceId": resource, "grant": token}
        for token, book in self._state.contacts.items():
            for name, emails in book.items():
                yield "contacts", {"resourceName": name, "emails": list(emails), "book": token}

    def _handle(self, ask: Ask) -> Reply:
        operation = self._routes.find(ask)
        if operation is None:
            raise _trouble(404, "Requested entity was not found.")
        return operation()

    def _token(self, ask: Ask) -> Reply:
        fields = form(ask)
        check_client(fields)
        if fields.get("grant_type") != "refresh_token" or "refresh_token" not in fields:
            raise refused(400, "unsupported_grant_type", "Invalid grant_type.")
        grant = self.grants.find(fields["refresh_token"])
        if grant is None:
            raise refused(400, "invalid_grant", "Token has been expired or revoked.")
        access = self.grants.give_access(grant.token)
        scope = " ".join(grant.scopes)
        return Reply(body={"access_token": access, "expires_in": 3599, "scope": scope, "token_type": "Bearer"})

    def _revoke(self, ask: Ask) -> Reply:
        given = form(ask).get("token", "")
        grant = self.grants.find(given) or self.grants.find(self.grants.owner(given) or "")
        if grant is None:
            raise refused(400, "invalid_token", "Token expired or revoked")
        del self.grants.by_token[grant.token]
        self._state.watches.discard(grant.token)
        return Reply(body={})

    def _stop_mail(self, ask: Ask) -> Reply:
        self._state.watches.discard(self._grant(ask, GMAIL).token)
        return Reply(204)

    def _stop(self, ask: Ask) -> Reply:
        grant, body = self._grant(ask, CALENDAR), ask.json
        channel, resource = (body or {}).get("id"), (body or {}).get("resourceId")
        if not channel or not resource:
            raise _trouble(400, "Required")
        if self._state.channels.get((channel, resource)) != grant.token:
            raise _trouble(404, "Channel not found for the project")
        del self._state.channels[channel, resource]
        return Reply(204)

    def _search(self, ask: Ask) -> Reply:
        grant = self._grant(ask, CONTACTS)
        query, size = ask.query.get("query", "").lower(), int(ask.query.get("pageSize", "10"))
        if "readMask" not in ask.query or not 0 < size <= MOST_FOUND:
            raise _trouble(400, "Request contains an invalid argument.")
        if not query:
            self._state.awake.add(grant.token)
            return Reply(body={})
        if self.settings.index_sleeps and grant.token not in self._state.awake:
            return Reply(body={})
        book = self._state.contacts.get(grant.token, {})
        # Google matches the beginning of words: more than the address that was asked for.
        found = [name for name, emails in book.items() if any(email.lower().startswith(query) for email in emails)]
        return Reply(body={"results": [{"person": _person(name, book[name])} for name in found[:size]]})

    def _delete_contacts(self, ask: Ask) -> Reply:
        grant, names = self._grant(ask, CONTACTS), (ask.json or {}).get("resourceNames") or []
        book = self._state.contacts.get(grant.token, {})
        if not 0 < len(names) <= MOST_DELETED:
            raise _trouble(400, "Request contains an invalid argument.")
        if not set(names) <= book.keys():
            raise _trouble(404, "Requested entity was not found.")
        for name in names:
            del book[name]
        return Reply(body={})

    def _contact(self, ask: Ask, number: str) -> Reply:
        grant, name = self._grant(ask, CONTACTS), f"people/{number}"
        if "personFields" not in ask.query:
            raise _trouble(400, "personFields mask is required.")
        if name not in self._state.contacts.get(grant.token, {}):
            raise _trouble(404, "Requested entity was not found.")
        return Reply(body={"resourceName": name})

    def _grant(self, ask: Ask, scope: str) -> Grant:
        grant = self.grants.find(self.grants.owner(ask.bearer) or "")
        if grant is None:
            raise _trouble(401, "Request had invalid authentication credentials.")
        if scope not in grant.scopes:
            raise _trouble(403, "Request had insufficient authentication scopes.")
        return grant


def fill(estate: Estate, twin: GoogleWorkspaceSandbox) -> None:
    """The grants of the users, a twentieth of which was withdrawn; channels and mail watches; strangers' ones."""
    rng = estate.rng("google_workspace")
    for person in estate.people:
        known = estate.identities[person.uid]
        for value in known.oauth_tokens:
            provider, _, token = value.partition(":")
            if provider != "google" or rng.random() < 0.05:
                continue
            twin.allow(token, person.email, watch=rng.random() < 0.5)
            for channel in known.notification_channels:
                identifier, _, resource = channel.removeprefix("google:").partition("/")
                twin.open_channel(token, identifier, resource)
            if rng.random() < 0.2:
                other = f"{token}{rng.choice('xyz')}"
                twin.allow(other, f"sam.{person.email}", watch=True)
                twin.open_channel(other, str(UUID(int=rng.getrandbits(128), version=4)), f"r{rng.getrandbits(60)}")


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """The Airflow connection of the integration."""
    extra = {"calls_per_second": 1000}
    return {"google_workspace": {"host": url, "login": CLIENT[0], "password": CLIENT[1], "extra": extra}}


def _person(name: str, emails: tuple[str, ...]) -> dict[str, Any]:
    return {"resourceName": name, "emailAddresses": [{"value": email} for email in emails]}


def _trouble(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": status, "message": message}})


SERVICE = Service(GoogleWorkspaceSandbox, fill, connections)
