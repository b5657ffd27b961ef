"""The push of everything that is approved, in a process of its own, made to be killed.

It remembers nothing: whatever is left to do is what the ledger says. A task that fails because something did not answer
is tried again, as an orchestrator does it. Where everything is comes from the environment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from include.connection import Connection
from include.erasure.push import unfinished
from include.errors import Unavailable
from include.ledger.connect import open_ledger
from include.subjects.connect import open_vault
from include.subjects.keys import CONNECTION as KEYS
from tests.erasure import kit

ENDPOINTS = "PRIVACY_TEST_ENDPOINTS"
BEGIN = "PRIVACY_TEST_BEGIN"
PASSES = 40
"""Most tries of everything."""


def clock_since(begin: float) -> Callable[[], datetime]:
    """Two hours into the night of the tests at ``begin``, seconds since 1970; then it goes on as the machine's does."""
    start = kit.AS_OF.timestamp() + 7200 - begin
    return lambda: datetime.fromtimestamp(start + time.time(), UTC)


def run_push(environ: Mapping[str, str] = os.environ) -> None:
    """Carry out what is left, until nothing is."""
    clock = clock_since(float(environ[BEGIN]))
    endpoints = json.loads(environ[ENDPOINTS])
    ledger = open_ledger(Connection.from_env("privacy_ledger", environ), clock)
    vault = open_vault(Connection.from_env("privacy_vault", environ), Connection.from_env(KEYS, environ), clock)
    desk = kit.desk_on(ledger, vault, clock)
    with ExitStack() as stack:
        stack.callback(ledger.engine.dispose)
        stack.callback(vault.engine.dispose)
        systems = stack.enter_context(kit.connected(desk, endpoints))
        tasks = kit.tasks(desk, systems, kit.mailers(desk, endpoints))
        for _ in range(PASSES):
            failed = [task for task in tasks if not _succeeds(task)]
            if not failed and not unfinished(list(desk.statuses(desk.open_requests(), clock()))):
                return
            time.sleep(0.05)
        raise AssertionError("it does not come to an end")


def _succeeds(task: Callable[[], object]) -> bool:
    try:
        task()
    except Unavailable:
        return False
    return True


if __name__ == "__main__":
    run_push()
