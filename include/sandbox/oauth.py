"""What the twins of providers of grants share: applications that are known, grants, access tokens, error bodies."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from include.sandbox.rest import Ask, Refusal

CLIENT = ("clique-app", "clique-app-secret")
"""Id and secret of the company's application, at every provider."""
_LASTS = timedelta(hours=1)


@dataclass(slots=True)
class Grant:
    """What a person allowed the application.

    Args:
        token: by which the application uses it.
        user: whose it is, in the provider's words.
        scopes: what it allows.
        made_at: when it was given.
        lasts: after which it ends by itself; None for never.
    """

    token: str
    user: str
    scopes: tuple[str, ...]
    made_at: datetime
    lasts: timedelta | None = None

    def ended(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.lasts is not None and self.made_at + self.lasts <= now


@dataclass(slots=True)
class Grants:
    """All grants by token, and the access tokens that were given for them. ``locked`` wait for their user."""

    clock: Callable[[], datetime]
    by_token: dict[str, Grant] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    _access: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def living(self) -> list[Grant]:
        """The grants that have not ended."""
        now = self.clock()
        return [grant for grant in self.by_token.values() if not grant.ended(now)]

    def find(self, token: str) -> Grant | None:
        """A grant that has not ended."""
        grant = self.by_token.get(token)
        return None if grant is None or grant.ended(self.clock()) else grant

    def give_access(self, owner: str) -> str:
        """A new access token for a grant (by its token), or for whatever ``owner`` names."""
        access = secrets.token_urlsafe(24)
        self._access[access] = owner, self.clock() + _LASTS
        return access

    def owner(self, access: str) -> str | None:
        """Whose access token it is, while it lasts and its grant does."""
        owner, until = self._access.get(access, ("", self.clock()))
        return owner if until > self.clock() else None

    def clear(self) -> None:
        """Forget all."""
        self.by_token.clear()
        self.locked.clear()
        self._access.clear()


def form(ask: Ask) -> dict[str, str]:
    """The fields of a form; an OAuth endpoint takes no other kind of body (RFC 6749, section 3.2).

    Raises:
        Refusal: it is another kind of body, or names a field twice.
    """
    if not ask.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise refused(400, "invalid_request", "The body must be application/x-www-form-urlencoded.")
    fields = dict(ask.form)
    if len(fields) != len(ask.form):
        raise refused(400, "invalid_request", "A parameter is repeated.")
    return fields


def check_client(fields: dict[str, str]) -> None:
    """Refuse an application that is not known.

    Raises:
        Refusal: 401 ``invalid_client``.
    """
    if (fields.get("client_id"), fields.get("client_secret")) != CLIENT:
        raise refused(401, "invalid_client", "The OAuth client was not found.")


def refused(status: int, code: str, description: str) -> Refusal:
    """An error of an OAuth endpoint."""
    return Refusal(status, {"error": code, "error_description": description})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, {"error": "internal_failure", "error_description": HTTPStatus(status).phrase}
