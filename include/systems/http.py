"""The one HTTP client of the services: where to, how often, how long to wait, and what an answer means.

    http
    ├── http_waits     how long a vendor asks to wait, and our own back-off
    └── http_session   address, TLS, limits of an answer, silence of the libraries below

Only the host of the connection is ever called. A path is a template whose places are filled with percent-encoded
segments, none of them empty, so that no call can become one on the whole collection. Errors name the system, what was
tried and the status; never a URL, a body or an identifier.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems.http_session import base_address, open_session, origin, quiet, read
from include.systems.http_waits import asked, back_off, used_up

if TYPE_CHECKING:
    from requests.auth import AuthBase

TIMEOUT = (10.0, 60.0)
"""Seconds to connect and to wait for the next byte of an answer."""
TRIES = 4
"""Most tries of a call that is safe to repeat."""
PATIENCE = 30.0
"""Longest wait, in seconds, inside a call; a vendor that asks for more gets it from the scheduler."""
_AGENT = "clique-privacy"


class NotSent(Unavailable):
    """No connection could be made: the system certainly saw nothing of the call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted answer. ``json`` is the decoded body, None where there is none; both are hidden from ``repr``."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    json: Any = field(repr=False)


class Http:
    """Calls to one system. One thread uses it at a time.

    Args:
        connection: names the system; ``host`` and ``port`` override ``base_url``; extra ``ca_bundle`` names a file of
            certificates to trust instead of the usual ones, ``insecure_http`` allows plain http beyond loopback.
        base_url: the vendor's address, with ``https``.
        auth: adds the credentials.
        headers: sent with each call.
        sleep: waits for seconds; injected by tests.
        pace: entered around each try, as ``Budgets.pace`` gives it.

    Raises:
        Refused: the address or the bundle of certificates can't be used.
    """

    def __init__(
        self,
        connection: Connection,
        base_url: str,
        *,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        pace: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._system = connection.id
        self._base = base_address(connection, base_url)
        self._origin = origin(self._base)
        self._sleep = sleep
        self._pace = pace
        self._free_at = 0.0
        self._session = open_session(connection)
        self._session.auth = auth
        self._session.headers.update({"Accept": "application/json", "User-Agent": _AGENT, **(headers or {})})

    def call(
        self,
        method: str,
        path: str,
        *segments: str,
        tried: str,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
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
            form: sent as ``multipart/form-data`` instead.
            fields: sent as ``application/x-www-form-urlencoded`` instead.
            headers: for this call alone.
            also: statuses beside 2xx that are answers, such as 404.
            repeatable: whether a second call does no harm; by default all methods but POST and PATCH. A call that the
                system did not see, or answered with 429, is always repeated.

        Raises:
            Throttled: the vendor asks to wait longer than a call may.
            NotSent: there was no connection.
            Unavailable: no answer, or a failure on its side, after the tries that are safe.
            Refused: the vendor refused it, or a segment is empty.
        """
        parts: dict[str, Any] = {"headers": dict(headers or {})}
        if body is not None:
            parts["data"] = json.dumps(body).encode()
            parts["headers"]["Content-Type"] = "application/json"
        if form is not None:
            parts["files"] = {name: (None, value) for name, value in form.items()}
        if fields is not None:
            parts["data"] = dict(fields)
        safe = method not in {"POST", "PATCH"} if repeatable is None else repeatable
        return self._send(method, self._url(path, segments, params, tried), tried, safe, also, parts)

    def follow(
        self, url: object, *, tried: str, headers: Mapping[str, str] | None = None, also: Collection[int] = ()
    ) -> Answer:
        """Read the page that an answer of the vendor names by its whole address.

        Raises:
            Refused: it is not on the connection's own scheme, host and port.
            Throttled, NotSent, Unavailable: as ``call``.
        """
        if not isinstance(url, str) or origin(url) != self._origin:
            raise Refused(self._system, tried, "Look at the connection's host: a next page lies on another one.")
        return self._send("GET", url, tried, True, also, {"headers": dict(headers or {})})

    def pause(self, seconds: float) -> None:
        """Wait between two calls, for a vendor that needs a moment."""
        self._sleep(seconds)

    def close(self) -> None:
        """Release the sockets."""
        self._session.close()

    def _send(
        self, method: str, url: str, tried: str, safe: bool, also: Collection[int], parts: Mapping[str, Any]
    ) -> Answer:
        for failures in range(TRIES):
            self._wait(tried)
            failure: PrivacyError
            try:
                status, headers, content = self._once(method, url, tried, parts)
            except Unavailable as error:
                failure, harmless = error, safe or isinstance(error, NotSent)
            else:
                if status // 100 == 2 or status in also:
                    return self._accept(status, headers, content, tried)
                failure = _failure(self._system, tried, status, asked(headers, _decode(content)))
                harmless = safe or status == 429
            wait = failure.retry_after if isinstance(failure, Throttled) else None
            wait = back_off(failures) if wait is None else wait
            if not (isinstance(failure, Unavailable) and harmless) or wait > PATIENCE or failures == TRIES - 1:
                raise failure
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _wait(self, tried: str) -> None:
        """Honour what the last good answer said: no call is left in this window."""
        wait = self._free_at - time.monotonic()
        if wait > PATIENCE:
            raise Throttled(self._system, tried, f"Run it again after {wait:.0f} seconds.", retry_after=wait)
        if wait > 0:
            self._sleep(wait)
            self._free_at = 0.0

    def _once(
        self, method: str, url: str, tried: str, parts: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        import requests

        try:
            with (
                self._pace(),
                quiet(),
                self._session.request(
                    method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **parts
                ) as answer,
            ):
                return answer.status_code, answer.headers, read(answer, self._system, tried)
        except requests.RequestException as error:
            failure = _no_answer(self._system, tried, error)
        raise failure

    def _accept(self, status: int, headers: Mapping[str, str], content: bytes, tried: str) -> Answer:
        self._free_at = time.monotonic() + used_up(headers)
        body = _decode(content)
        # That something is absent must be said by the vendor itself, not by whatever stands in front of it.
        if body is _UNREADABLE and (status < 300 or status == 404):
            raise Unavailable(self._system, tried, f"Run it again; it answered {status} with what is no JSON.")
        return Answer(status, headers, None if body is _UNREADABLE else body)

    def _url(self, path: str, segments: tuple[str, ...], params: Mapping[str, str | int] | None, tried: str) -> str:
        if path.count("{}") != len(segments) or any(segment.strip(".") == "" for segment in segments):
            raise Refused(self._system, tried, "An identifier is empty or only dots: nothing was sent.")
        try:
            url = self._base + path.format(*(quote(segment, safe="") for segment in segments))
            return f"{url}?{urlencode(params, quote_via=quote)}" if params else url
        except UnicodeEncodeError:
            pass
        raise Refused(self._system, tried, "An identifier is not valid Unicode: nothing was sent.")


_UNREADABLE = object()


def _decode(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return _UNREADABLE


def _no_answer(system: str, tried: str, error: BaseException) -> PrivacyError:
    """What a failure of the transport means, by the innermost reason that urllib3 wraps."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

    reasons = list(_reasons(error))
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
        step = "Its certificate is not trusted; name the authority in the extra 'ca_bundle', or correct the host."
        return Refused(system, tried, step)
    if any(isinstance(reason, (NewConnectionError, ConnectTimeoutError, ProxyError)) for reason in reasons):
        return NotSent(system, tried, "Run it again; there was no connection.")
    return Unavailable(system, tried, "Run it again; there was no answer.")


def _reasons(error: BaseException) -> Iterator[BaseException]:
    inner = getattr(error, "reason", None)
    for below in (inner, *error.args):
        if isinstance(below, BaseException):
            yield below
            yield from _reasons(below)


def _failure(system: str, tried: str, status: int, wait: float | None) -> PrivacyError:
    if status == 429 or (status in (503, 504) and wait is not None):
        step = "Run it again later" if wait is None else f"Run it again after {wait:.0f} seconds"
        return Throttled(system, tried, f"{step}; it answered {status}.", retry_after=wait)
    if status >= 500 or status == 408:
        return Unavailable(system, tried, f"Run it again; it answered {status}.")
    if status in (401, 403):
        return Refused(system, tried, f"Give the connection's key the right to do it; it answered {status}.")
    if status < 400:
        return Refused(system, tried, f"Correct the connection's host: it answered {status} and points elsewhere.")
    return Refused(system, tried, f"Look at the connection and the documentation; it answered {status}.")
