"""Pages of a sorted table: absolute URLs of the first, the previous, the next and the last one.

There is always a next page: the one after the last is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from include.sandbox.mailgun.errors import refused
from include.sandbox.rest import Ask

T = TypeVar("T")
MAX_PAGE = 1000


def page_of(ask: Ask, rows: Mapping[str, T]) -> tuple[list[T], dict[str, str]]:
    """The rows that a request asks for, and the addresses of the pages around them.

    Args:
        ask: with ``limit``, ``page`` (``next``, ``previous``, ``last``) and the ``address`` that divides.
        rows: by address in lower case.
    """
    limit = _limit(ask)
    keys = sorted(rows)
    page, pivot = ask.query.get("page", ""), ask.query.get("address", "").lower()
    if page in ("previous", "prev"):
        chosen = [key for key in keys if key < pivot][-limit:]
    elif page == "last":
        chosen = keys[-limit:]
    elif page in ("", "first", "next"):
        chosen = [key for key in keys if page != "next" or key > pivot][:limit]
    else:
        raise refused(400, "'page' parameter is invalid")
    ends = (chosen[0], chosen[-1]) if chosen else (pivot, pivot)
    paging = {
        "first": _url(ask, limit, page="first"),
        "previous": _url(ask, limit, page="previous", address=ends[0]),
        "next": _url(ask, limit, page="next", address=ends[1]),
        "last": _url(ask, limit, page="last"),
    }
    return [rows[key] for key in chosen], paging


def _limit(ask: Ask) -> int:
    text = ask.query.get("limit") or "100"
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise refused(400, f"'limit' parameter must be between 1 and {MAX_PAGE}")
    return int(text)


def _url(ask: Ask, limit: int, **more: Any) -> str:
    kept = {name: value for name, value in ask.query.items() if name in ("term", "subscribed")}
    return f"{ask.base}{ask.path.rstrip('/')}?{urlencode({'limit': limit, **kept, **more})}"
