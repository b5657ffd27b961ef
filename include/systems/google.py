"""What the connectors for Google's JSON APIs share: base URL, credentials, and errors by what to do about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems.http_session import quiet

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

TIMEOUT = (10.0, 60.0)
"""Seconds to connect and to wait for the next byte of an answer."""


def base_url(connection: Connection, default: str) -> str:
    """The connection's host as a base URL without a slash at its end; ``default`` when it names none."""
    host = (connection.host or default).rstrip("/")
    url = host if "://" in host else f"https://{host}"
    return f"{url}:{connection.port}" if connection.port and connection.host else url


def credentials(connection: Connection, scope: str) -> Credentials:
    """Credentials named by ``extra``: ``anonymous``, ``token``, ``keyfile_dict``, or those of the machine.

    Raises:
        Refused: the key is not one, or the machine has none.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError
    from google.oauth2.credentials import Credentials as Token
    from google.oauth2.service_account import Credentials as Key

    if connection.extra.get("anonymous") is True:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if "token" in connection.extra:
        return Token(connection.text("token"))  # type: ignore[no-untyped-call]
    try:
        if "keyfile_dict" in connection.extra:
            return Key.from_service_account_info(  # type: ignore[no-any-return, no-untyped-call]
                connection.extra["keyfile_dict"], scopes=[scope]
            )
        found, _ = google.auth.default(scopes=[scope])
    except (ValueError, DefaultCredentialsError):
        next_step = "Put a service account key as 'keyfile_dict' into the connection's extra."
        raise Refused(connection.id, "find credentials", next_step) from None
    return found


def failure(system: str, tried: str, status: int, retry_after: str | None = None) -> PrivacyError:
    """The error that an HTTP status stands for. ``retry_after`` is the header as it came."""
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    if status == 429 or (status == 503 and seconds is not None):
        wait = "Run it again later" if seconds is None else f"Run it again after {seconds:.0f} seconds"
        return Throttled(system, tried, f"{wait}; it answered {status}.", retry_after=seconds)
    if status >= 500 or status == 408:
        return Unavailable(system, tried, f"Run it again; it answered {status}.")
    if status in (401, 403):
        return Refused(system, tried, f"Give the connection's account the right to do it; it answered {status}.")
    return Refused(system, tried, f"Look at the rule's location and the connection; it answered {status}.")


@contextmanager
def no_answer(system: str, tried: str) -> Iterator[None]:
    """Turn a broken connection, a time-out or a failed token exchange into :class:`Unavailable` or :class:`Refused`.

    Google's libraries, too, log whole addresses at DEBUG, which can hold the name of an object or of a person.
    """
    import requests
    from google.auth.exceptions import GoogleAuthError, TransportError

    try:
        with quiet():
            yield
    except (requests.RequestException, TransportError):
        raise Unavailable(system, tried, "Run it again; there was no answer.") from None
    except GoogleAuthError as error:
        if error.retryable:
            raise Unavailable(system, tried, "Run it again; Google gave no token.") from None
        raise Refused(system, tried, "Look at the credentials of the connection; Google refused them.") from None
