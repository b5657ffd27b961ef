"""The Graph API on loopback: tokens, fields, cursors, batches, errors.

Contract by hand, there is no description that may be kept here:
https://developers.facebook.com/docs/graph-api/overview, https://developers.facebook.com/docs/graph-api/batch-requests,
https://developers.facebook.com/docs/graph-api/results,
https://developers.facebook.com/docs/graph-api/guides/error-handling. Most errors have the status 400 and a code in the
body. Lists are paged by cursors; the last page has a cursor too but no ``next``, and ``next`` carries the token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

from include.sandbox.meta.model import PAGE_TOKEN, SYSTEM_TOKEN, Settings
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window

BATCH = 50
_VERSION = re.compile(r"/v[0-9]+\.[0-9]+(?=/|$)")
_CODES = {400: 100, 401: 190, 403: 200, 404: 100, 429: 4}


class Tokens:
    """Whose call it is."""

    @staticmethod
    def of(ask: Ask) -> str:
        """The token of a call, from its header, its form or its query."""
        return ask.bearer or dict(ask.form).get("access_token", "") or ask.query.get("access_token", "")

    @classmethod
    def check(cls, ask: Ask, *, page: bool) -> None:
        """Raise unless the call has the token that it needs; edges of a page take no other than the page's."""
        token = cls.of(ask)
        if page and token == SYSTEM_TOKEN:
            raise refused(190, "A Page access token is required for this call", subcode=2069032)
        if token != (PAGE_TOKEN if page else SYSTEM_TOKEN):
            raise refused(190, "Error validating access token", status=401)


class GraphApi:
    """Calls below ``/v<number>``.

    Args:
        table: routes without the version, as of :class:`~include.sandbox.rest.Routes`.
        settings: can be changed while it runs.
    """

    def __init__(self, table: Mapping[str, Callable[..., Reply]], settings: Settings) -> None:
        self._settings = settings
        self._window = Window(3600.0)
        self._routes = Routes({"GET /debug_token": self._debug_token, **table})

    def handle(self, ask: Ask) -> Reply:
        """Answer one call or one batch."""
        match = _VERSION.match(ask.path)
        if match is None:
            raise refused(2500, "Unknown path components", status=400)
        ask = replace(ask, path=ask.path[match.end() :] or "/")
        if not Tokens.of(ask):
            raise refused(104, "An access token is required to request this resource.")
        if ask.method == "POST" and ask.path == "/":
            return self._batch(ask)
        return self._one(ask)

    def _one(self, ask: Ask) -> Reply:
        granted, _, end = self._window.take(self._settings.calls_per_hour)
        if not granted:
            minutes = -(-self._window.left(end) // 60)
            usage = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
            reply = refused(32, "(#32) Page request limit reached").reply
            raise Refusal(400, reply.body, {"X-Business-Use-Case-Usage": json.dumps(usage)})
        try:
            operation = self._routes.find(ask)
        except Refusal:
            raise refused(100, "Unsupported request", subcode=33) from None
        if operation is None:
            raise refused(100, "Unsupported request. Object does not exist", subcode=33)
        return operation()

    def _batch(self, ask: Ask) -> Reply:
        try:
            steps = json.loads(dict(ask.form).get("batch", ""))
        except ValueError:
            steps = None
        if not isinstance(steps, list) or not steps:
            raise refused(100, "batch must be a JSON array")
        if len(steps) > BATCH:
            raise refused(100, f"Too many requests in batch message. Maximum batch size is {BATCH}")
        return Reply(body=[self._step(ask, number, step) for number, step in enumerate(steps)])

    def _step(self, ask: Ask, number: int, step: Mapping[str, str]) -> dict[str, Any]:
        path, _, query = step["relative_url"].partition("?")
        one = replace(ask, method=step["method"], path=f"/{path}", query=dict(parse_qsl(query)), body=b"")
        try:
            if ask.partial and number % 2:
                raise refused(2, "An unexpected error has occurred. Please retry.", status=500)
            reply = self._one(one)
        except Refusal as refusal:
            reply = refusal.reply
        return {"code": reply.status, "body": json.dumps(reply.body)}

    def _debug_token(self, ask: Ask) -> Reply:
        token = ask.query.get("input_token", "")
        known = token in (SYSTEM_TOKEN, PAGE_TOKEN)
        data = {"app_id": "42", "type": "SYSTEM_USER", "is_valid": known, "scopes": list(self._settings.scopes)}
        return Reply(
            body={"data": {**data, "expires_at": self._settings.expires_at} if known else {**data, "scopes": []}}
        )


def page(
    ask: Ask, path: str, entries: Sequence[tuple[str, Mapping[str, Any]]], limit: int, after: str
) -> dict[str, Any]:
    """A page of entries, each with the key by which its cursor finds it again."""
    keys = [key for key, _ in entries]
    start = keys.index(after) + 1 if after in keys else 0
    shown = entries[start : start + limit]
    body: dict[str, Any] = {"data": [entry for _, entry in shown]}
    if shown:
        cursors = {"before": shown[0][0], "after": shown[-1][0]}
        more = start + limit < len(entries)
        url = f"{ask.base}/v25.0{path}?access_token={quote(Tokens.of(ask))}&limit={limit}&after={cursors['after']}"
        body["paging"] = {"cursors": cursors, **({"next": url} if more else {})}
    return body


def limit_of(ask: Ask, default: int, most: int) -> int:
    """The size of a page that a call asks for."""
    text = ask.query.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise refused(100, f"(#100) limit must be between 1 and {most}")
    return int(text)


def nested_limit(fields: str, edge: str, default: int) -> int:
    """The size of the first page of an edge inside of ``fields``."""
    match = re.search(rf"{edge}(?:\.filter\(\w+\))?\.limit\((\d+)\)", fields)
    return int(match[1]) if match else default


def refused(code: int, message: str, *, status: int = 400, subcode: int | None = None) -> Refusal:
    """An error with its code."""
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A0b1C2"}
    return Refusal(status, {"error": error if subcode is None else {**error, "error_subcode": subcode}})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    return {}, refused(_CODES.get(status, 2), "A planned fault", status=status).reply.body
