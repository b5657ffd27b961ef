"""LinkedIn's OAuth endpoints on loopback: the state of a token, and its revocation.

Contract by hand: https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection. The revocation
is on no page of LinkedIn's; public clients send the same form to ``/oauth/v2/revoke``. Links of accounts are in
Firebase Authentication, which is a service of its own here as it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.oauth import Grant, Grants, check_client, error, form, refused
from include.sandbox.rest import Ask, Reply, Routes, serve
from include.sandbox.service import Service


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        token_days: how long a token lasts.
        revokes: whether the application may revoke its tokens.
    """

    token_days: int = 60
    revokes: bool = True


class LinkedInSandbox:
    """The service. ``app`` is the ASGI application; ``settings`` can be changed while it runs."""

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self.settings = Settings()
        self.grants = Grants(clock)
        self._revoked: set[str] = set()
        self._routes = Routes(
            {"POST /oauth/v2/introspectToken": self._introspect, "POST /oauth/v2/revoke": self._revoke}
        )
        self.app: ASGIApp = serve(self._handle, "linkedin_sign_in", faults, journal, error)

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self.grants.clear()
        self._revoked.clear()

    def allow(self, token: str, member: str) -> None:
        """A member allows the application to know who they are."""
        scopes, lasts = ("openid", "profile", "email"), timedelta(days=self.settings.token_days)
        self.grants.by_token[token] = Grant(token, member, scopes, self.grants.clock(), lasts)
        self._revoked.discard(token)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for grant in self.grants.living():
            yield "tokens", {"token": grant.token, "member": grant.user, "at": grant.made_at}

    def _handle(self, ask: Ask) -> Reply:
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404, "not_found", "Resource not found.")
        return operation()

    def _introspect(self, ask: Ask) -> Reply:
        token = self._asked(ask)
        grant = self.grants.by_token.get(token)
        if grant is None or grant.lasts is None:
            return Reply(body={"active": False, **({"status": "revoked"} if token in self._revoked else {})})
        active = self.grants.find(token) is not None
        made = int(grant.made_at.timestamp())
        return Reply(
            body={
                "active": active,
                "client_id": "clique-app",
                "authorized_at": made,
                "created_at": made,
                "status": "active" if active else "expired",
                "expires_at": made + int(grant.lasts.total_seconds()),
                "scope": ",".join(grant.scopes),
                "auth_type": "3L",
            }
        )

    def _revoke(self, ask: Ask) -> Reply:
        token = self._asked(ask)
        if not self.settings.revokes:
            raise refused(403, "access_denied", "Not enough permissions to access this resource.")
        if self.grants.by_token.pop(token, None) is not None:
            self._revoked.add(token)
        return Reply(body={})

    def _asked(self, ask: Ask) -> str:
        fields = form(ask)
        check_client(fields)
        if not fields.get("token"):
            raise refused(400, "invalid_request", 'A required parameter "token" is missing.')
        return fields["token"]


def fill(estate: Estate, twin: LinkedInSandbox) -> None:
    """The tokens of the users, a tenth of which was withdrawn; strangers' ones that look like theirs."""
    rng = estate.rng("linkedin_sign_in")
    for person in estate.people:
        known = estate.identities[person.uid]
        for value in known.oauth_tokens:
            provider, _, token = value.partition(":")
            if provider != "linkedin":
                continue
            member = known.provider.get("rawId", "")
            if rng.random() < 0.9:
                twin.allow(token, member)
            if rng.random() < 0.3:
                twin.allow(f"{token}0", f"{member}0")


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """None by itself: the connection of the sign-in names the accounts too, which are in another service."""
    return {}


SERVICE = Service(LinkedInSandbox, fill, connections)
