"""Loggly on loopback: the log events of the clients, found by search, gone with the retention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from include.sandbox.faults import Faults, Journal
from include.sandbox.loggly.api import Event, LogglyApi, Settings, error
from include.sandbox.rest import serve

__all__ = ["Event", "LogglySandbox", "Settings"]


class LogglySandbox:
    """The service and its events. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://<subdomain>.loggly.com``. ``settings``
    can be changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``loggly``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = LogglyApi(clock)
        self.settings = self._api.settings
        self.app = serve(self._api.handle, "loggly", faults, journal, error)

    def reset(self) -> None:
        """Forget all events; the settings stay."""
        self._api.clear()

    def seed(self, events: Iterable[Event]) -> None:
        """Put events in."""
        for event in events:
            self._api.add(event)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._api.settle()
        for event in tuple(self._api.events.values()):
            yield "events", asdict(event)
