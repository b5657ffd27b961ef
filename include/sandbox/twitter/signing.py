"""OAuth 1.0a as X checks it (RFC 5849 section 3.4), written again for the twin: it shares nothing with who signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from include.sandbox.rest import Ask

_FIELD = re.compile(r'([a-z_]+)="([^"]*)"')


def fields(ask: Ask) -> dict[str, str]:
    """The fields of the authorisation header; empty without one."""
    scheme, _, rest = ask.headers.get("authorization", "").partition(" ")
    return {name: unquote(value) for name, value in _FIELD.findall(rest)} if scheme == "OAuth" else {}


def expected(ask: Ask, given: dict[str, str], secrets: tuple[str, str]) -> str:
    """The signature that a call must have.

    Args:
        ask: the call.
        given: the fields of its header.
        secrets: of the app and of the token.
    """
    signed = {**ask.query, **{name: value for name, value in given.items() if name != "oauth_signature"}}
    pairs = [f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in signed.items()]
    text = "&".join(quote(part, safe="~") for part in (ask.method, ask.base + ask.path, "&".join(sorted(pairs))))
    key = "&".join(quote(secret, safe="~") for secret in secrets)
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()
