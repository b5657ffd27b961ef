"""The sandbox's Google services on loopback, with every call and answer checked against the discovery documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from starlette.applications import Starlette
from starlette.routing import Mount

from include.connection import Connection
from include.errors import Refused
from include.sandbox import google
from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.sandbox.identitytoolkit import IdentityToolkitSandbox
from include.sandbox.storage import StorageSandbox
from include.systems.contract import Batch, RetentionSystem, Selection
from tests.discovery import discovery, place, watched
from tests.loopback import serve

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROJECT = "clique-test"


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


@dataclass
class Twin:
    """A service with its switches. ``now`` is its time."""

    service: str
    sandbox: Any = None
    url: str = ""
    now: datetime = NOW
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    seen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def fresh(self) -> Iterator[Any]:
        """The same server without data, faults and history; at the end nothing may have been outside of the API."""
        self.sandbox.reset()
        self.faults.clear()
        self.journal.clear()
        self.seen.clear()
        self.problems.clear()
        self.now = NOW
        yield self
        assert self.problems == []

    def fail(self, kind: FaultKind, operation: str = "", **more: Any) -> None:
        self.faults.add(Fault(self.service, kind, operation, **more))

    def calls(self, operation: str) -> int:
        """How many calls the journal has whose operation contains the text."""
        return sum(operation in str(call["operation"]) for call in self.journal.as_json())


@pytest.fixture(scope="session")
def storage_server() -> Iterator[Twin]:
    twin = Twin("storage")
    twin.sandbox = StorageSandbox(twin.faults, twin.journal, lambda: twin.now)
    with _served(twin, "storage.v1"):
        yield twin


@pytest.fixture(scope="session")
def auth_server() -> Iterator[Twin]:
    twin = Twin("identitytoolkit")
    twin.sandbox = IdentityToolkitSandbox(twin.faults, twin.journal, lambda: twin.now, PROJECT)
    with _served(twin, "identitytoolkit.v1"):
        yield twin


@contextmanager
def _served(twin: Twin, document: str) -> Iterator[None]:
    """Mounted under a prefix as in the sandbox process; calls are checked where Google's description is at hand."""
    api = twin.sandbox._api
    if place(document).exists():
        api.handle = watched(api.handle, discovery(document), twin.seen, twin.problems)
    inner = google.serve(api.handle, twin.service, twin.faults, twin.journal)
    with serve(Starlette(routes=[Mount(f"/{twin.service}", inner)])) as base:
        twin.url = f"{base}/{twin.service}"
        yield


def storage_client(url: str) -> Client:
    return Client(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url})


def storage_connection(url: str) -> Connection:
    return Connection("cloud_storage", host=url, extra={"project": PROJECT, "anonymous": True})


def auth_connection(url: str) -> Connection:
    extra = {"project": PROJECT, "token": "sandbox", "batch_deletes_per_second": 1000}
    return Connection("firebase_auth", host=url, extra=extra)


def selection_of(trigger: str, days: int, **more: Any) -> Selection:
    """What a rule of so many days asks for at ``NOW``."""
    return Selection(rule="r1", trigger_field=trigger, cutoff=ago(days=days), period_seconds=days * 86_400, **more)


def only_batch(system: RetentionSystem, selection: Selection) -> Batch:
    (batch,) = system.batches(selection, None)
    return batch


def refuses(system: RetentionSystem, selection: Selection) -> None:
    """No operation of a night takes the rule."""
    for operation in (
        lambda: system.survey(selection, None),
        lambda: next(system.batches(selection, None)),
        lambda: system.expire(selection, Batch(0, None, None, ())),
        lambda: system.read_back(selection, None),
        lambda: system.expiry(selection),
    ):
        with pytest.raises(Refused):
            operation()
