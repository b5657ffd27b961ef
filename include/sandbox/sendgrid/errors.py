"""SendGrid's error bodies, and what it takes for an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from include.sandbox.rest import Refusal

_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_WORDS = {401: "authorization required", 403: "access forbidden", 429: "too many requests"}


def is_address(text: Any) -> bool:
    """Whether it is built as an address."""
    return isinstance(text, str) and len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def refused(status: int, message: str, field: str | None = None, headers: Mapping[str, str] | None = None) -> Refusal:
    """An error in the form of all its APIs."""
    return Refusal(status, {"errors": [{"message": message, "field": field}]}, headers)


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    message = _WORDS.get(status, HTTPStatus(status).phrase.lower())
    return {}, {"errors": [{"message": message, "field": None}]}
