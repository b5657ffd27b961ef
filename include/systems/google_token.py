"""Google's access tokens for the one HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.systems import google

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from requests import PreparedRequest
    from requests.auth import AuthBase


def token(system: str, credentials: Credentials) -> AuthBase:
    """Adds the access token to each call and fetches a new one when it has expired. Never shows it.

    Args:
        system: named by errors.
        credentials: as :func:`include.systems.google.credentials` finds them.
    """
    from google.auth.transport.requests import Request
    from requests.auth import AuthBase

    class Token(AuthBase):
        def __call__(self, request: PreparedRequest) -> PreparedRequest:
            with google.no_answer(system, "get an access token"):
                if not credentials.valid:
                    credentials.refresh(Request())  # type: ignore[no-untyped-call]
                credentials.apply(request.headers)  # type: ignore[no-untyped-call]
            return request

    return Token()
