"""The one HTTP client of the services: where to, how often, how long to wait, and what an answer means.

Only the host of the connection is ever called. A path is a template whose places are filled with percent-encoded
segments, none of them empty, so that no call can become one on the whole collection. Errors name the system, what was
tried and the status; never a URL, a body or an identifier.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable

if TYPE_CHECKING:
    from requests.auth import AuthBase

TIMEOUT = (10.0, 60.0)
"""Seconds to connect and to wait for the next byte of an answer."""
TRIES = 4
"""Most tries of a call that is safe to repeat."""
PATIENCE = 30.0
"""Longest wait, in seconds, inside a call; a vendor that asks for more gets it from the scheduler."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted answer. ``json`` is the decoded body, None where there is none; both are hidden from ``repr``."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    json: Any = field(repr=False)


class Http:
    """Calls to one system.

    Args:
        connection: names the system; ``host`` and ``port`` override ``base_url``.
        base_url: the vendor's address, with ``https``.
        auth: adds the credentials.
        headers: sent with each call.
        sleep: waits for seconds; injected by tests.
    """

    def __init__(
        self,
        connection: Connection,
        base_url: str,
        *,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import requests

        self._system = connection.id
        self._base = _base(connection, base_url)
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = auth
        self._session.headers.update(headers or {})

    def call(
        self,
        method: str,
        path: str,
        *segments: str,
        tried: str,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        also: Collection[int] = (),
        repeatable: bool | None = None,
    ) -> Answer:
        """Make a call and wait where the vendor asks for it.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: template below the base URL; each ``{}`` takes the next of ``segments``.
            segments: values for the template, encoded here.
            tried: what is being done, for errors, as "delete a contact".
            params: of the query, encoded here.
            body: sent as JSON.
            also: statuses beside 2xx that are answers, such as 404.
            repeatable: whether a second call does no harm; by default all methods but POST and PATCH.

        Raises:
            Throttled: the vendor asks to wait longer than a call may.
            Unavailable: no answer, or a failure on its side, after the tries that are safe.
            Refused: the vendor refused it, or a segment is empty.
        """
        import requests

        url = self._base + self._fill(path, segments, tried)
        safe = method not in {"POST", "PATCH"} if repeatable is None else repeatable
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self._session.request(
                    method, url, params=params, json=body, timeout=TIMEOUT, allow_redirects=False
                )
            except requests.RequestException:
                if not (safe and left):
                    raise Unavailable(self._system, tried, "Run it again; there was no answer.") from None
                self._sleep(_back_off(left))
                continue
            if answer.ok or answer.status_code in also:
                return Answer(answer.status_code, answer.headers, _json(answer))
            error = _failure(self._system, tried, answer.status_code, answer.headers)
            wait = _wait(error, left)
            if not left or wait > PATIENCE or not (safe or isinstance(error, Throttled)):
                raise error
            if not isinstance(error, Unavailable):
                raise error
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Release the sockets."""
        self._session.close()

    def _fill(self, path: str, segments: tuple[str, ...], tried: str) -> str:
        if path.count("{}") != len(segments) or any(segment.strip(".") == "" for segment in segments):
            raise Refused(self._system, tried, "An identifier is empty or only dots: nothing was sent.")
        return path.format(*(quote(segment, safe="") for segment in segments))


def _base(connection: Connection, default: str) -> str:
    host = (connection.host or default).rstrip("/")
    url = host if "://" in host else f"https://{host}"
    return f"{url}:{connection.port}" if connection.port and connection.host else url


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _back_off(left: int) -> float:
    return float(2 ** (TRIES - 1 - left) / 2)


def _wait(error: PrivacyError, left: int) -> float:
    asked = error.retry_after if isinstance(error, Throttled) else None
    return _back_off(left) if asked is None else asked


def _failure(system: str, tried: str, status: int, headers: Mapping[str, str]) -> PrivacyError:
    if status == 429:
        asked = headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdigit() else None
        return Throttled(system, tried, "Run it again later; it answered 429.", retry_after=seconds)
    if status >= 500 or status == 408:
        return Unavailable(system, tried, f"Run it again; it answered {status}.")
    if status in (401, 403):
        return Refused(system, tried, f"Give the connection's key the right to do it; it answered {status}.")
    return Refused(system, tried, f"Look at the connection and the documentation; it answered {status}.")
