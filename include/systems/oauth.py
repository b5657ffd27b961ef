"""Stored grants of persons: which of them are a provider's, and whether the provider still honours one (RFC 6749).

A grant is asked for an access token, as the product itself would do to use it. ``invalid_grant`` is the provider's
word that it is gone for good. No answer and no error of this module shows a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.http import Http
from include.systems.places import usable

_ENDED = "invalid_grant"
_WAITS_FOR_ITS_USER = frozenset({"interaction_required", "consent_required", "login_required"})
"""The grant is there, and the person would have to sign in before it can be used again."""
_NOBODYS = "a-grant-of-nobody"


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant that the provider honours.

    Args:
        token: the stored one.
        access: for calls in the person's name, for an hour or so; None where the person has to sign in first.
        scopes: what it allows, in the provider's words.
    """

    token: str = field(repr=False)
    access: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """What makes a call one in the person's name."""
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True, slots=True)
class Application:
    """The product as a client of the provider."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def of(cls, connection: Connection) -> Application:
        """``login`` is the client's id, ``password`` its secret.

        Raises:
            Refused: one is missing.
        """
        if not connection.login or not connection.password:
            step = "Give the client id of the application as login and its client secret as password."
            raise Refused(connection.id, "read its connection", step)
        return cls(connection.login, connection.password)

    @property
    def fields(self) -> dict[str, str]:
        """How it names itself in a form."""
        return {"client_id": self.id, "client_secret": self.secret}


class TokenEndpoint:
    """Where grants become access tokens.

    Args:
        system: named in errors.
        http: to the provider.
        application: whose grants they are.
        path: template of the path.
        segments: values for it.
    """

    def __init__(self, system: str, http: Http, application: Application, path: str, *segments: str) -> None:
        self._system = system
        self._http = http
        self._application = application
        self._path = path
        self._segments = segments

    def redeem(self, token: str) -> Grant | None:
        """The grant with an access token; None if the provider says that it has ended.

        Raises:
            Refused: the application is not accepted.
            Unavailable: no answer; nothing is known of the grant.
        """
        status, body = self._ask({"grant_type": "refresh_token", "refresh_token": token})
        access = body.get("access_token")
        if status == 200 and isinstance(access, str):
            return Grant(token, access, tuple(str(body.get("scope", "")).split()))
        if body.get("error") == _ENDED:
            return None
        if body.get("error") in _WAITS_FOR_ITS_USER:
            return Grant(token)
        raise self._refused("redeem a grant", status)

    def application_token(self, scope: str) -> str:
        """An access token for the application itself.

        Raises:
            Refused: the application is not accepted.
            Unavailable: no answer.
        """
        status, body = self._ask({"grant_type": "client_credentials", "scope": scope})
        access = body.get("access_token")
        if status == 200 and isinstance(access, str):
            return access
        raise self._refused("get an access token for the application", status)

    def try_application(self) -> None:
        """Ask with a grant that is nobody's: that the provider speaks of the grant shows that it knows the client.

        Raises:
            Refused: the application is not accepted.
            Unavailable: no answer.
        """
        self.redeem(_NOBODYS)

    def _ask(self, more: dict[str, str]) -> tuple[int, dict[str, object]]:
        answer = self._http.call(
            "POST",
            self._path,
            *self._segments,
            tried="redeem a grant",
            fields={**self._application.fields, **more},
            also=(400,),
            repeatable=True,
        )
        return answer.status, answer.json if isinstance(answer.json, dict) else {}

    def _refused(self, tried: str, status: int) -> Refused:
        step = f"Look at the client id and the secret of the connection, and at the application; it answered {status}."
        return Refused(self._system, tried, step)


def tokens(subject: Subject, provider: str) -> tuple[str, ...]:
    """The stored tokens of a person that are a provider's, without its name."""
    return named(subject, IdentifierKind.OAUTH_TOKEN, provider)


def named(subject: Subject, kind: IdentifierKind, service: str) -> tuple[str, ...]:
    """Values of the form ``<service>:<value>`` of one service, without its name; empty and unusable ones left out."""
    values = (value.partition(":") for value in subject.values(kind))
    return tuple(rest for name, colon, rest in values if name == service and colon and rest.strip() and usable(rest))


def texts(connection: Connection, name: str) -> tuple[str, ...]:
    """A list of strings from ``extra``, empty where it is left out.

    Raises:
        Refused: it is no list of strings.
    """
    value: object = connection.extra.get(name, ())
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, str) and v for v in value):
        raise Refused(connection.id, "read its connection", f"'{name}' in the extra must be a list of strings.")
    return tuple(value)
