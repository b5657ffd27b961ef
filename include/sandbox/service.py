"""What a twin of a service brings to the sandbox: how it is made, filled, looked into, and connected to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.types import ASGIApp

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal


class Twin(Protocol):
    """A service on loopback. ``app`` answers its calls; ``settings`` can be changed while it runs."""

    app: ASGIApp
    settings: Any

    def reset(self) -> None:
        """Forget all data; the settings stay."""

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""


@dataclass(frozen=True, slots=True)
class Service:
    """A row of ``include.sandbox.services``.

    Args:
        build: makes the empty service.
        fill: puts an estate into it.
        connections: what an operator would write to connect to it at a base URL: ids and values of Airflow connections.
    """

    build: Callable[[Faults, Journal, Callable[[], datetime]], Twin]
    fill: Callable[[Estate, Any], None]
    connections: Callable[[str], Mapping[str, Mapping[str, object]]]
