"""Mailgun's error bodies."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from include.sandbox.rest import Refusal

_WORDS = {401: "Invalid private key", 429: "Too Many Requests"}


def refused(status: int, message: str, more: Mapping[str, Any] | None = None) -> Refusal:
    """An error with its sentence."""
    return Refusal(status, {"message": message, **(more or {})})


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault; the domains and webhooks say in the body how long to wait."""
    more = {"retry-seconds": 1} if status == 429 else {}
    return {}, {"message": _WORDS.get(status, HTTPStatus(status).phrase), **more}
