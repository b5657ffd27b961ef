"""Airflow's pools, from one place for the DAG, the local stack and the deployment.

Each system has one, so that a slow store holds up its own rules and no others. Airflow leaves a task whose pool does
not exist unscheduled without a word: whoever starts an installation creates them first.

    python -m include.orchestration.pools > pools.json && airflow pools import pools.json
"""

from __future__ import annotations

import json

from include.orchestration.settings import Settings
from include.policy.loader import load
from include.policy.model import Policy

SLOTS = 2
"""A plan takes one slot, a sweep all of them: one sweep at a time in a system, while plans are counted side by side."""

REQUESTS_POOL = "requests"
"""For the tasks of persons' requests: a wave of them must not take every worker from the nightly retention."""

REQUESTS_SLOTS = 8

AGGREGATES_POOL = "aggregates"
"""One aggregation at a time: each may use the memory of a machine."""


def pools(policy: Policy) -> dict[str, dict[str, str | int | bool]]:
    """The pools that rules, requests and aggregates need, in the form of ``airflow pools import``."""
    systems = sorted({policy.holding(rule.holding).system for rule in policy.rules})
    found = {system: _pool(SLOTS, f"Calls to {system}") for system in systems}
    if policy.requests is not None:
        found[REQUESTS_POOL] = _pool(REQUESTS_SLOTS, "Requests of persons")
    return found | {AGGREGATES_POOL: _pool(1, "Anonymised aggregates")}


def _pool(slots: int, description: str) -> dict[str, str | int | bool]:
    return {"slots": slots, "description": description, "include_deferred": False}


if __name__ == "__main__":
    print(json.dumps(pools(load(Settings.read().policy_file)), indent=2))  # noqa: T201 - it is a command
