"""Microsoft's identity platform and as much of Graph as an integration uses, on loopback.

Built to the metadata of Graph v1.0 and to https://learn.microsoft.com/en-us/graph/api/subscription-list: a delegated
token lists the application's subscriptions for its user (with ``Subscription.Read.All`` those of the whole tenant), the
application's own token all of the application's. A refresh token can't be revoked; it stays valid when it is used, and
ends after 90 days or when the consent that it rests on is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.oauth import CLIENT, Grant, Grants, check_client, error, form, refused
from include.sandbox.rest import Ask, Refusal, Reply, Routes, serve
from include.sandbox.service import Service

TENANT = "7d1f0b3a-0000-4000-8000-00000000c11e"
"""The tenant in which the application has rights of its own."""
PRINCIPAL = "5a0c9e42-0000-4000-8000-00000000a991"
"""Id of the application's service principal there."""
_OWN = f"application of {TENANT}"
_FILTER = re.compile(r"clientId eq '((?:[^']|'')*)' and principalId eq '((?:[^']|'')*)'")


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        token_days: how long a refresh token lasts.
        page: subscriptions in a page.
        batch: most requests in a batch.
        reads_all: whether grants include ``Subscription.Read.All``.
        manages_consents: whether the application has ``DelegatedPermissionGrant.ReadWrite.All``.
    """

    token_days: int = 90
    page: int = 100
    batch: int = 20
    reads_all: bool = False
    manages_consents: bool = True


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is reported to the application; ``creator`` is the id of the user or principal who made it."""

    id: str
    creator: str
    resource: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """What was allowed: by one user (``principal``), or by an administrator for all of them (None)."""

    id: str
    principal: str | None
    scope: str = "Calendars.Read Mail.Read offline_access"


@dataclass(slots=True)
class _State:
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)


class MicrosoftGraphSandbox:
    """The service. ``app`` is the ASGI application; ``settings`` can be changed while it runs."""

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self.grants = Grants(clock)
        self._clock = clock
        self._state = _State()
        self._routes = Routes(
            {
                "POST /{}/oauth2/v2.0/token": self._token,
                "GET /v1.0/me": self._me,
                "GET /v1.0/subscriptions": self._list,
                "DELETE /v1.0/subscriptions/{}": self._delete,
                "GET /v1.0/servicePrincipals(appId='clique-app')": self._principal,
                "GET /v1.0/oauth2PermissionGrants": self._consents,
                "DELETE /v1.0/oauth2PermissionGrants/{}": self._withdraw,
                "POST /v1.0/$batch": self._batch,
            }
        )
        self.app: ASGIApp = serve(self._handle, "microsoft_graph", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self.grants.clear()
        self._state = _State()

    def allow(self, token: str, user: str, consent: str = "") -> None:
        """A user (by id) allows the application something; ``consent`` is the id of what the tenant notes of it."""
        scopes, now = ("Calendars.Read", "Mail.Read", "offline_access"), self._clock()
        self.grants.by_token[token] = Grant(token, user, scopes, now, timedelta(days=self.settings.token_days))
        if consent:
            self._state.consents[consent] = Consent(consent, user)

    def allow_all(self, consent: str) -> None:
        """An administrator allows it for all users of the tenant."""
        self._state.consents[consent] = Consent(consent, None)

    def subscribe(self, identifier: str, creator: str, resource: str = "me/messages") -> None:
        """Report changes, for three days."""
        until = self._clock() + timedelta(days=3)
        self._state.subscriptions[identifier] = Subscription(identifier, creator, resource, until)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for grant in self.grants.living():
            yield "refresh_tokens", {"token": grant.token, "user": grant.user, "at": grant.made_at}
        for each in self._state.subscriptions.values():
            yield "subscriptions", {"id": each.id, "creator": each.creator, "resource": each.resource}
        for consent in self._state.consents.values():
            yield "consents", {"id": consent.id, "principal": consent.principal}

    def _handle(self, ask: Ask) -> Reply:
        operation = self._routes.find(ask)
        if operation is None:
            raise _trouble(404, "ResourceNotFound")
        return operation()

    def _token(self, ask: Ask, tenant: str) -> Reply:
        fields = form(ask)
        check_client(fields)
        if fields.get("grant_type") == "client_credentials":
            if tenant != TENANT:
                raise refused(400, "unauthorized_client", "AADSTS700016: The application was not found.")
            return _access(self.grants.give_access(_OWN), "https://graph.microsoft.com/.default")
        grant = self.grants.find(fields.get("refresh_token", ""))
        if grant is None:
            raise refused(400, "invalid_grant", "AADSTS70000: The provided grant is expired or revoked.")
        if grant.token in self.grants.locked:
            raise refused(400, "interaction_required", "AADSTS50076: You must use multi-factor authentication.")
        # The successor is not kept: nobody who drops it can use it, and the old token stays as it is.
        reply = _access(self.grants.give_access(grant.token), " ".join(grant.scopes))
        return Reply(body={**reply.body, "refresh_token": f"{grant.token}.next"})

    def _me(self, ask: Ask) -> Reply:
        caller = self._caller(ask)
        if caller == _OWN:
            raise _trouble(400, "BadRequest")
        return Reply(body={"id": self.grants.by_token[caller].user})

    def _list(self, ask: Ask) -> Reply:
        if ask.query.keys() - {"$skiptoken"}:
            raise _trouble(400, "InvalidRequest")
        caller = self._caller(ask)
        listed = [each for each in self._state.subscriptions.values() if self._may_see(caller, each)]
        start = int(ask.query.get("$skiptoken", "0"))
        end = start + self.settings.page
        body: dict[str, Any] = {"value": [_shown(each) for each in listed[start:end]]}
        if end < len(listed):
            body["@odata.nextLink"] = f"{ask.base}/v1.0/subscriptions?$skiptoken={end}"
        return Reply(body=body)

    def _delete(self, ask: Ask, identifier: str) -> Reply:
        caller, each = self._caller(ask), self._state.subscriptions.get(identifier)
        if each is None or not self._may_see(caller, each):
            raise _trouble(404, "ResourceNotFound")
        del self._state.subscriptions[identifier]
        return Reply(204)

    def _principal(self, ask: Ask) -> Reply:
        self._manage(ask)
        return Reply(body={"id": PRINCIPAL})

    def _consents(self, ask: Ask) -> Reply:
        self._manage(ask)
        match = _FILTER.fullmatch(ask.query.get("$filter", ""))
        if match is None:
            raise _trouble(400, "Request_UnsupportedQuery")
        client, principal = (text.replace("''", "'") for text in match.groups())
        found = [one for one in self._state.consents.values() if client == PRINCIPAL and one.principal == principal]
        return Reply(body={"value": [_consent(one) for one in found]})

    def _withdraw(self, ask: Ask, identifier: str) -> Reply:
        self._manage(ask)
        consent = self._state.consents.pop(identifier, None)
        if consent is None:
            raise _trouble(404, "Request_ResourceNotFound")
        for token in [g.token for g in self.grants.living() if g.user == consent.principal]:
            del self.grants.by_token[token]
        return Reply(204)

    def _batch(self, ask: Ask) -> Reply:
        parts = (ask.json or {}).get("requests") or []
        if not 0 < len(parts) <= self.settings.batch:
            raise _trouble(400, "BadRequest")
        return Reply(body={"responses": [self._part(ask, part, number) for number, part in enumerate(parts)]})

    def _part(self, ask: Ask, part: Mapping[str, str], number: int) -> dict[str, Any]:
        if ask.partial and number % 2:
            return {"id": part["id"], "status": 503, "body": {"error": {"code": "ServiceUnavailable"}}}
        inner = Ask(part["method"], f"/v1.0{part['url']}", {}, ask.headers, b"", (), ask.base)
        try:
            reply = self._handle(inner)
        except Refusal as refusal:
            reply = refusal.reply
        return {"id": part["id"], "status": reply.status, "headers": {}, "body": reply.body}

    def _caller(self, ask: Ask) -> str:
        owner = self.grants.owner(ask.bearer)
        if owner is None or (owner != _OWN and self.grants.find(owner) is None):
            raise _trouble(401, "InvalidAuthenticationToken")
        return owner

    def _manage(self, ask: Ask) -> None:
        if self._caller(ask) != _OWN or not self.settings.manages_consents:
            raise _trouble(403, "Authorization_RequestDenied")

    def _may_see(self, caller: str, each: Subscription) -> bool:
        return caller == _OWN or self.settings.reads_all or self.grants.by_token[caller].user == each.creator


def fill(estate: Estate, twin: MicrosoftGraphSandbox) -> None:
    """The grants of the users, most with a subscription or two; strangers with ids that look like theirs."""
    rng = estate.rng("microsoft_graph")
    twin.allow_all("consent-of-all")
    for person in estate.people:
        known = estate.identities[person.uid]
        users = [value.partition(":")[2] for value in known.external_ids if value.startswith("microsoft:")]
        stored = [value.partition(":")[2] for value in known.oauth_tokens if value.startswith("microsoft:")]
        for token, user in zip(stored, users, strict=True):
            if rng.random() < 0.95:
                twin.allow(token, user, consent=f"consent-{rng.getrandbits(60):x}")
            for resource in rng.sample(("me/messages", f"users/{user}/events", f"users('{user}')/contacts"), 2):
                if rng.random() < 0.7:
                    twin.subscribe(str(UUID(int=rng.getrandbits(128), version=4)), user, resource)
            if rng.random() < 0.3:
                other = f"{user}0"
                twin.allow(f"{token}x", other, consent=f"consent-{rng.getrandbits(60):x}")
                twin.subscribe(str(UUID(int=rng.getrandbits(128), version=4)), other, f"users/{other}/messages")


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """The Airflow connection of the integration."""
    extra = {"tenants": [TENANT], "calls_per_second": 1000}
    return {"microsoft_graph": {"host": url, "login": CLIENT[0], "password": CLIENT[1], "extra": extra}}


def _access(access: str, scope: str) -> Reply:
    return Reply(body={"token_type": "Bearer", "scope": scope, "expires_in": 3599, "access_token": access})


def _shown(each: Subscription) -> dict[str, Any]:
    return {
        "id": each.id,
        "resource": each.resource,
        "applicationId": CLIENT[0],
        "changeType": "created,updated",
        "clientState": None,
        "notificationUrl": "https://clique.example/hooks/graph",
        "expirationDateTime": each.expires_at.isoformat().replace("+00:00", "Z"),
        "creatorId": each.creator,
    }


def _consent(one: Consent) -> dict[str, Any]:
    kind = "AllPrincipals" if one.principal is None else "Principal"
    return {
        "id": one.id,
        "clientId": PRINCIPAL,
        "consentType": kind,
        "principalId": one.principal,
        "resourceId": "8c0e6d0a-0000-4000-8000-000000000003",
        "scope": one.scope,
    }


def _trouble(status: int, code: str) -> Refusal:
    return Refusal(status, {"error": {"code": code, "message": "The request was not carried out."}})


SERVICE = Service(MicrosoftGraphSandbox, fill, connections)
