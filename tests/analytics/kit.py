"""A small company with events of known days, a specification, and the means to make releases of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from include.analytics.making import Office
from include.analytics.releases import Releases
from include.analytics.spec import Specification
from include.connection import Connection
from include.ledger.log import Ledger
from include.policy.loader import load
from include.sandbox.app import Sandbox, connections
from include.subjects.vault import Vault
from tests.surroundings import ROOT

POLICY = load(ROOT / "include" / "policy" / "clique.yaml")
DAY = date(2026, 11, 20)
SUNDAY = date(2026, 11, 22)
NOW = datetime(2026, 12, 2, 5, tzinfo=UTC)
COUNTRIES = ("DE", "FR", "US")
FEATURES = ("search", "export")
CANARIES = (
    "jane.doe@example.com",
    "+49 170 1234567",
    "custom_8RkQ2vXz9LmN4pTq7WsY",
    "7f9c24e8-3b12-4fef-91d5-0a2b8c1e7d55",
)
"""Feature names that would identify somebody."""

_SOURCE = {
    "user": "uid",
    "at": "at",
    "columns": {
        "feature": {"about": "what was used"},
        "country": {"about": "where it was used"},
        "clicks": {"type": "integer", "about": "how often"},
        "ip": {"about": "the machine", "identifier": True},
    },
}
_COUNTRY = {"column": "country", "keys": COUNTRIES}
_BUDGET = {"rho": "0.02"}
TABLES: tuple[dict[str, Any], ...] = (
    {
        "id": "daily_total",
        "title": "People by day",
        "source": "usage",
        "period": "daily",
        "measures": ({"kind": "users"}, {"kind": "events", "cap": 5}),
        **_BUDGET,
    },
    {
        "id": "daily_countries",
        "title": "People by country and day",
        "source": "usage",
        "period": "daily",
        "dimensions": (_COUNTRY,),
        "measures": ({"kind": "users"}, {"kind": "sum", "column": "clicks", "cap": 10}),
        **_BUDGET,
    },
    {
        "id": "daily_features",
        "title": "People by feature and day",
        "source": "usage",
        "period": "daily",
        "dimensions": ({"column": "feature", "expected_keys": 5},),
        "measures": ({"kind": "users"},),
        "max_groups": 2,
        "delta": "1e-7",
        **_BUDGET,
    },
    {
        "id": "weekly_activity",
        "title": "People by feature and week",
        "source": "activity",
        "period": "weekly",
        "dimensions": ({"column": "feature", "keys": FEATURES},),
        "measures": ({"kind": "users"},),
        "max_groups": 2,
        **_BUDGET,
    },
)


def specification(*tables: str, rho_month: str = "1", **changes: Any) -> Specification:
    """The specification with some of the tables, or all."""
    data = {
        "version": "1",
        "company": {"users": 300, "active_percent": {"daily": 50, "weekly": 90, "monthly": 100}},
        "budget": {"rho_month": rho_month, "delta_month": "1e-5", "epsilon_delta": "1e-6"},
        "sources": {
            "usage": {"kind": "firestore", "location": "events", **_SOURCE},
            "activity": {"kind": "elasticsearch", "location": "activity", **_SOURCE},
        },
        "left_out": (
            {"holding": "firestore.users", "field": "processing_restricted", "reason": "restricted"},
            {"holding": "firestore.users", "field": "objected", "reason": "objected"},
        ),
        "tables": tuple(table for table in TABLES if not tables or table["id"] in tables),
    }
    return Specification.model_validate(data | changes)


def users(count: int) -> list[str]:
    return [f"u{number:04}" for number in range(count)]


def events(people: Sequence[str], days: Sequence[date], seed: int = 1) -> Iterator[dict[str, Any]]:
    """Two events of each person on each day, the first and last of them at the borders of the day."""
    rng = Random(seed)  # noqa: S311 - invented data
    for day in days:
        midnight = datetime.combine(day, time(), UTC)
        for uid in people:
            for at in (midnight, midnight + timedelta(days=1, microseconds=-1000)):
                feature, country = rng.choice(FEATURES), rng.choice(COUNTRIES)
                yield {"uid": uid, "at": at, "feature": feature, "country": country, "clicks": rng.randrange(9)}


def seed(sandbox: Sandbox, found: Sequence[dict[str, Any]], profiles: Sequence[dict[str, Any]] = ()) -> None:
    """Put events into Firestore and Elasticsearch and profiles into Firestore; nothing else is there."""
    company = sandbox.company
    company.faults.clear()
    company.wipe()
    company.firestore.seed(
        [(f"events/e{number:06}", dict(event)) for number, event in enumerate(found)]
        + [(f"users/{profile['uid']}", profile) for profile in profiles]
    )
    types = {"uid": "keyword", "at": "date", "feature": "keyword", "country": "keyword", "clicks": "long"}
    documents = ((f"e{n:06}", {**event, "at": event["at"].isoformat()}) for n, event in enumerate(found))
    company.elasticsearch.seed("activity", documents, {"properties": {name: {"type": t} for name, t in types.items()}})


def nobody(people: Sequence[str]) -> list[bool]:
    """Nobody was erased."""
    return [False] * len(people)


def office(
    sandbox: Sandbox,
    ledger: Ledger,
    folder: Path,
    *,
    spec: Specification | None = None,
    vault: Vault | None = None,
    are_erased: Callable[[Sequence[str]], Sequence[bool]] = nobody,
) -> Office:
    """The means of a task, on the sandbox."""
    environ = connections(sandbox.endpoints)
    made = office_at(lambda key: Connection.from_env(key, environ), ledger, folder, spec or specification())
    return replace(made, vault=vault, are_erased=are_erased)


def office_at(connection: Callable[[str], Connection], ledger: Ledger, folder: Path, spec: Specification) -> Office:
    """The same without requests, on any connections."""
    return Office(
        specification=spec,
        policy=POLICY,
        releases=Releases(ledger),
        connection=connection,
        vault=None,
        are_erased=nobody,
        clock=lambda: NOW,
        spool=folder / "spool",
    )
