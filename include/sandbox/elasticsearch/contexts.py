"""Search contexts that live between calls: scrolls and points in time."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from include.sandbox.elasticsearch.dates import duration
from include.sandbox.elasticsearch.errors import EsError
from include.sandbox.elasticsearch.index import View
from include.sandbox.elasticsearch.search import Hit, Request


@dataclass(slots=True)
class PointInTime:
    """What a search saw when it was opened."""

    views: Sequence[View]
    expires: float


@dataclass(slots=True)
class Scroll:
    """The rest of a search's hits."""

    request: Request
    hits: list[Hit]
    position: int
    expires: float


class Contexts:
    """The open contexts by their id."""

    def __init__(self) -> None:
        self._open: dict[str, PointInTime | Scroll] = {}

    def open_point(self, views: Sequence[View], keep_alive: str) -> str:
        """Open a point in time; returns its id."""
        return self._add(PointInTime(list(views), _until(keep_alive)))

    def open_scroll(self, request: Request, hits: list[Hit], keep_alive: str) -> str:
        """Open a scroll; returns its id."""
        return self._add(Scroll(request, hits, 0, _until(keep_alive)))

    def _add(self, context: PointInTime | Scroll) -> str:
        context_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()
        self._open[context_id] = context
        return context_id

    def point(self, context_id: object, keep_alive: str | None) -> PointInTime:
        """A point in time, kept alive for longer if so asked.

        Raises:
            EsError: 404, it is closed or has expired.
        """
        context = self._find(context_id, keep_alive)
        if not isinstance(context, PointInTime):
            raise _gone(context_id)
        return context

    def scroll(self, context_id: object, keep_alive: str | None) -> Scroll:
        """A scroll, kept alive for longer if so asked.

        Raises:
            EsError: 404, it is closed or has expired.
        """
        context = self._find(context_id, keep_alive)
        if not isinstance(context, Scroll):
            raise _gone(context_id)
        return context

    def _find(self, context_id: object, keep_alive: str | None) -> PointInTime | Scroll:
        context = self._open.get(str(context_id))
        if context is None or context.expires < time.monotonic():
            self._open.pop(str(context_id), None)
            raise _gone(context_id)
        if keep_alive:
            context.expires = _until(keep_alive)
        return context

    def close(self, context_id: str) -> bool:
        """Close a context; whether it was open."""
        return self._open.pop(context_id, None) is not None

    def close_scrolls(self) -> int:
        """Close all scrolls; how many there were."""
        scrolls = [key for key, context in self._open.items() if isinstance(context, Scroll)]
        for key in scrolls:
            del self._open[key]
        return len(scrolls)


def _until(keep_alive: str) -> float:
    return time.monotonic() + duration(keep_alive) / 1000


def _gone(context_id: object) -> EsError:
    return EsError(404, "search_context_missing_exception", f"No search context found for id [{context_id}]")
