"""The transport below ``http``: where it may connect to, whom it trusts, how much it reads; and that it is silent."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from include.connection import Connection
from include.errors import Refused, Unavailable

if TYPE_CHECKING:
    from requests import Response, Session

LARGEST = 32 * 2**20
"""Bytes of a decoded answer; more than any page of any vendor."""
LONGEST = 300.0
"""Seconds for the whole of an answer: a server that drips bytes keeps no task."""
_TALKATIVE = (
    "elastic_transport.node",
    "urllib3.connectionpool",
    "urllib3.connection",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)
_PORTS = {"https": 443, "http": 80}


def base_address(connection: Connection, default: str) -> str:
    """The connection's host, else the vendor's, as a base URL without a slash at its end.

    Raises:
        Refused: it is no web address, carries a password, or would send secrets in the clear: plain ``http`` is for
            loopback, or for a connection whose extra says ``"insecure_http": true``.
    """
    host = connection.host or default
    url = (host if "://" in host else f"https://{host}").rstrip("/")
    url = f"{url}:{connection.port}" if connection.port and connection.host else url
    if origin(url) is None or "?" in url or "#" in url:
        raise Refused(connection.id, "read its address", "Give the connection a host such as https://api.example.com.")
    parts = urlsplit(url)
    if parts.scheme == "http" and not (_loopback(parts.hostname) or connection.extra.get("insecure_http") is True):
        raise Refused(connection.id, "read its address", "Use https: plain http is for a sandbox on loopback only.")
    return url


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address; None if it is none of a web server, or carries a name or a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def open_session(connection: Connection) -> Session:
    """A session that verifies TLS and takes nothing from the environment: no proxy, no ``.netrc``, no retries.

    Raises:
        Refused: the file of the extra ``ca_bundle`` is absent.
    """
    import requests

    session = requests.Session()
    session.trust_env = False
    if "ca_bundle" in connection.extra:
        bundle = connection.text("ca_bundle")
        if not Path(bundle).is_file():
            raise Refused(connection.id, "read its 'ca_bundle'", "Name a file of certificates that this machine has.")
        session.verify = bundle
    return session


def read(answer: Response, system: str, tried: str) -> bytes:
    """The whole body, decoded, within limits.

    Raises:
        Refused: it is larger than any answer the vendor has reason to give.
        Unavailable: it took too long.
    """
    end = time.monotonic() + LONGEST
    chunks, size = [], 0
    for chunk in answer.iter_content(2**16):
        size += len(chunk)
        if size > LARGEST:
            raise Refused(system, tried, f"Look at what is at its address; the answer is larger than {LARGEST} bytes.")
        if time.monotonic() > end:
            raise Unavailable(system, tried, "Run it again; the answer did not end.")
        chunks.append(chunk)
    return b"".join(chunks)


_speaking: ContextVar[bool] = ContextVar("speaking", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """For the time of a call, nothing that the libraries below log is kept: at DEBUG they write whole addresses."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_HUSH)
    before = _speaking.get()
    _speaking.set(True)
    try:
        yield
    finally:
        # Not by a token: a generator that calls page by page may end in another context than it began in.
        _speaking.set(before)


class _Hush(logging.Filter):
    """Drops what is logged during our calls; the calls of others are their own."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _speaking.get()


_HUSH = _Hush()


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
