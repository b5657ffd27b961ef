"""One night over all rules in a process of its own, made to be killed.

Like an orchestrator it remembers which tasks were done and nothing else: a task that was cut off starts again from its
beginning. Where stores and ledger are comes from the environment, as connections.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from include.connection import Connection
from include.ledger.connect import open_ledger
from include.retention.desk import Desk, Night
from include.retention.run import open_run
from include.systems import registry
from tests.retention import kit

RUN = "PRIVACY_TEST_RUN"
TASKS = "PRIVACY_TEST_TASKS"


def run_night(environ: Mapping[str, str] = os.environ) -> None:
    """Plan all rules, then sweep all, leaving out what the file of finished tasks names."""
    ledger = open_ledger(Connection.from_env("privacy_ledger", environ), lambda: datetime.now(UTC))
    desk = kit.desk_on(ledger)
    night = Night(environ[RUN], kit.AS_OF)
    with ExitStack() as stack:
        stack.callback(ledger.engine.dispose)
        stores = {}
        for key in registry.MODULES:
            stores[key] = registry.connect(Connection.from_env(key, environ))
            stack.callback(stores[key].close)
        open_run(desk, night, list(desk.policy.rules))
        _tasks(desk, night, stores, Path(environ[TASKS]))


def _tasks(desk: Desk, night: Night, stores: kit.Stores, finished: Path) -> None:
    done = set(finished.read_text().split()) if finished.exists() else set()
    with finished.open("a") as file:
        for step in (kit.plan_and_allow, kit.carry_out):
            for rule in desk.policy.rules:
                task = f"{step.__name__}/{rule.id}"
                if task not in done:
                    step(desk, night, rule.id, stores)
                    file.write(f"{task}\n")
                    file.flush()


if __name__ == "__main__":
    run_night()
