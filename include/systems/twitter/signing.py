"""OAuth 1.0a with HMAC-SHA1: each try of a call is signed anew, so that no nonce is used twice.

Sources: RFC 5849 section 3.4, https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/creating-a-signature.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

_FORM = "application/x-www-form-urlencoded"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What signs; nothing of it is ever shown."""

    key: str = field(repr=False)
    key_secret: str = field(repr=False)
    token: str = field(repr=False)
    token_secret: str = field(repr=False)


class OAuth1(AuthBase):
    """Signs calls for one account.

    Args:
        known: what signs.
        clock: the present, UTC.
        nonce: a text that is never given twice.
    """

    def __init__(
        self, known: Secrets, clock: Callable[[], datetime], nonce: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        self._known = known
        self._clock = clock
        self._nonce = nonce

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign one try."""
        own = {
            "oauth_consumer_key": self._known.key,
            "oauth_nonce": self._nonce(),
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(self._clock().timestamp())),
            "oauth_token": self._known.token,
            "oauth_version": "1.0",
        }
        url, sent = _split(request)
        signed = signature(str(request.method), url, [*sent, *own.items()], self._known)
        fields = {**own, "oauth_signature": signed}
        request.headers["Authorization"] = "OAuth " + ", ".join(
            f'{name}="{_encoded(value)}"' for name, value in sorted(fields.items())
        )
        return request


def signature(method: str, url: str, params: Iterable[tuple[str, str]], known: Secrets) -> str:
    """The signature of a call, base64.

    Args:
        method: of HTTP.
        url: without its query.
        params: names and values of the query, of a form and of the header, each decoded.
        known: what signs.
    """
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in params)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(map(_encoded, (method.upper(), url, joined)))
    key = f"{_encoded(known.key_secret)}&{_encoded(known.token_secret)}"
    return b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()


def _split(request: PreparedRequest) -> tuple[str, list[tuple[str, str]]]:
    """The address as it is signed, and what is signed with it: the query, and a form; a JSON body is not."""
    parts = urlsplit(str(request.url))
    host = (parts.hostname or "").lower()
    place = host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"
    sent = parse_qsl(parts.query, keep_blank_values=True)
    if str(request.headers.get("Content-Type", "")).startswith(_FORM) and request.body:
        body = request.body if isinstance(request.body, str) else bytes(request.body).decode()
        sent += parse_qsl(body, keep_blank_values=True)
    return f"{parts.scheme}://{place}{parts.path}", sent


def _encoded(text: str) -> str:
    return quote(text, safe="")
