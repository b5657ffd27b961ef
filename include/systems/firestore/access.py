"""Who we are to Google: a service account key of the connection, else the environment's default credentials."""

from __future__ import annotations

import google.auth
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from include.connection import Connection
from include.errors import Refused
from include.systems.firestore import CARD

_SCOPES = ["https://www.googleapis.com/auth/datastore"]


def credentials_of(connection: Connection) -> Credentials | None:
    """The credentials of a connection, None for an emulator.

    Raises:
        Refused: there are none, or the key is not one, or the emulator has no address.
    """
    if connection.extra.get("emulator") is True:
        if not connection.host or not connection.port:
            raise Refused(CARD.key, "find the emulator", "Give the connection a host and a port.")
        return None
    key = connection.extra.get("keyfile_dict")
    try:
        if isinstance(key, dict):
            account: Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                key, scopes=_SCOPES
            )
            return account
        if key is not None:
            raise Refused(CARD.key, "read the service account key", "Give 'keyfile_dict' as a JSON object.")
        credentials, _ = google.auth.default(scopes=_SCOPES)
    except (GoogleAuthError, ValueError):
        raise Refused(
            CARD.key, "find credentials", "Add 'keyfile_dict' to the connection or set default credentials."
        ) from None
    return credentials


def session_of(credentials: Credentials) -> requests.Session:
    """A session that authorises each request."""
    session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    return session
