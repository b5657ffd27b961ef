"""How long to wait before a call is made again: what the vendor asks for, in any of its forms, else a back-off."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

EPOCH = 10**9
"""``X-RateLimit-Reset`` above this is an instant in epoch seconds, below it seconds to wait: vendors mean either."""
LONGEST_BACK_OFF = 8.0
"""Seconds; a back-off of our own never grows beyond it."""
_RESETS = ("X-RateLimit-Reset", "x-rate-limit-reset", "x-account-rate-limit-reset")
_BODY_HINTS = ("retry-seconds", "try-in-seconds")


def asked(headers: Mapping[str, str], body: Any) -> float | None:
    """The seconds that a vendor asks to wait, from the first of its hints that can be read.

    In this order: ``Retry-After`` in seconds or as a date (RFC 9110, 10.2.3), ``X-RateLimit-Reset``, or as X
    spells it ``x-rate-limit-reset`` and ``x-account-rate-limit-reset`` (each for one endpoint only), and the members
    ``retry-seconds`` (Mailgun) and ``try-in-seconds`` (Ortto) of the body or of its ``error``. Instants count from
    the answer's own ``Date``, so that neither clock needs to be right.
    """
    for hint in (_retry_after(headers), *(_reset(headers, name) for name in _RESETS), *_in_body(body)):
        if hint is not None:
            return hint
    return None


def used_up(headers: Mapping[str, str]) -> float:
    """Seconds before the next call, when a good answer says that no call is left in this window; else zero."""
    return (_reset(headers, _RESETS[0]) or 0.0) if headers.get("X-RateLimit-Remaining", "").strip() == "0" else 0.0


def back_off(failures: int) -> float:
    """Seconds after that many failures in a row: doubled each time, capped, and spread so that tasks do not meet."""
    longest = min(LONGEST_BACK_OFF, 0.5 * 2.0**failures)
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, keeps no secret


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    seconds = _number(value)
    return seconds if seconds is not None else _until(_instant(value), headers)


def _reset(headers: Mapping[str, str], name: str) -> float | None:
    value = _number(headers.get(name))
    if value is None or value < EPOCH:
        return value
    return _until(value, headers)


def _in_body(body: Any) -> list[float | None]:
    parts = [body, body.get("error")] if isinstance(body, dict) else []
    return [_number(part.get(name)) for part in parts if isinstance(part, dict) for name in _BODY_HINTS]


def _until(instant: float | None, headers: Mapping[str, str]) -> float | None:
    now = _instant(headers.get("Date", ""))
    return None if instant is None or now is None else max(0.0, instant - now)


def _instant(value: str) -> float | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return _utc(found).timestamp()


def _utc(found: datetime) -> datetime:
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
