"""Google's access tokens on the calls of the one HTTP client. Heavy: imported where a client is built, never above."""

from __future__ import annotations

from google.auth.credentials import Credentials  # noqa: TID253
from google.auth.transport.requests import Request  # noqa: TID253
from requests import PreparedRequest  # noqa: TID253
from requests.auth import AuthBase  # noqa: TID253

from include.connection import Connection
from include.systems import google


class Bearer(AuthBase):
    """Adds the access token and fetches a new one when it has expired. Never shows it.

    Args:
        system: named in errors.
        credentials: of the connection.
    """

    def __init__(self, system: str, credentials: Credentials) -> None:
        self._system = system
        self._credentials = credentials

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authorise one call."""
        with google.no_answer(self._system, "get an access token"):
            if not self._credentials.valid:
                self._credentials.refresh(Request())  # type: ignore[no-untyped-call]
            self._credentials.apply(request.headers)  # type: ignore[no-untyped-call]
        return request


def bearer(connection: Connection, scope: str) -> Bearer:
    """The credentials that a connection names in ``extra``, for a scope; see :mod:`include.systems.google`.

    Raises:
        Refused: the key is not one, or the machine has none.
    """
    return Bearer(connection.id, google.credentials(connection, scope))
