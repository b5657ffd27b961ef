"""Faults that the sandbox plays on request, and the journal of what it was asked.

Every service of the sandbox asks :meth:`Faults.take` before it handles a call and obeys what it gets; the journal keeps
one line for each call. Both are shared by HTTP and gRPC threads.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """Answer with an error status; nothing is done."""
    LATENCY = "latency"
    """Wait, then do it and answer."""
    DROP = "drop"
    """Close the connection; nothing is done."""
    LOST_ANSWER = "lost_answer"
    """Do it, then close the connection without an answer."""
    PARTIAL = "partial"
    """Of a bulk call, fail every second item the way the service reports failed items."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault.

    Args:
        service: ``firestore``, ``elasticsearch``, ``storage``, ``identitytoolkit``, ``sendgrid``, ``mailgun``,
            ``google_analytics``, ``loggly``, ``tawk_to``.
        kind: what goes wrong.
        operation: a piece of the RPC name (``BatchWrite``) or of ``"METHOD /path"`` of the calls to hit.
        status: HTTP status or gRPC status code number for ``status``.
        seconds: delay for ``latency``.
        retry_after: seconds for a ``Retry-After`` header with ``status``, 0 for none.
        skip: matching calls that still go well before the fault.
        times: matching calls that it hits.
    """

    service: str
    kind: FaultKind
    operation: str = ""
    status: int = 503
    seconds: float = 0.0
    retry_after: int = 0
    skip: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the journal: no bodies, no query strings."""

    service: str
    operation: str
    status: int


class Faults:
    """The planned faults, in the order they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        with self._lock:
            self._planned.append((fault, [fault.skip, fault.times]))

    def clear(self) -> None:
        """Forget all planned faults."""
        with self._lock:
            self._planned.clear()

    def take(self, service: str, operation: str) -> Fault | None:
        """The fault that this call must suffer, if any; counts the call against ``skip`` and ``times``."""
        with self._lock:
            for fault, left in self._planned:
                if fault.service != service or fault.operation not in operation:
                    continue
                if left[0] > 0:
                    left[0] -= 1
                elif left[1] > 0:
                    left[1] -= 1
                    return fault
        return None


class Journal:
    """The last calls, oldest first, and how many there were of each service."""

    def __init__(self, keep: int = 20_000) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self._counts: Counter[str] = Counter()

    def add(self, service: str, operation: str, status: int) -> None:
        """Note a call that was answered."""
        self._calls.append(Call(service, operation, status))
        self._counts[service] += 1

    def clear(self) -> None:
        """Forget everything."""
        self._calls.clear()
        self._counts.clear()

    def counts(self) -> dict[str, int]:
        """Calls by service since the start or the last ``clear``, those too that the journal has no room for."""
        return dict(self._counts)

    def as_json(self) -> list[dict[str, object]]:
        """The journal for the admin API."""
        return [asdict(call) for call in tuple(self._calls)]
