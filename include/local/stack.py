"""The whole product on this machine: PostgreSQL, the sandbox company and Airflow, started and ended together.

.local/            everything the stack writes; ``make clean`` removes it
  state/           databases, Airflow's home, keys: new with each start
  logs/            what the programs printed
  reports/         audit reports; kept
  aggregates/      anonymised aggregates: new with each start, like the ledger that they are copied from
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from include.errors import Refused, Unavailable
from include.local import airflow as local_airflow
from include.local import own
from include.local.airflow import ROOT, LocalAirflow, Rest
from include.local.databases import Databases
from include.local.postgres import server
from include.local.processes import Sessions, claim_port
from include.orchestration.pools import pools
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.sandbox.app import connections

SANDBOX_SECONDS = 120
DAGS = ("retention", "anonymised_aggregates", "subject_request", "deletion_push", "third_party_sync", "assurance")
"""Let run from the start; a policy file without requests of persons has the first two only."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the sandbox company is."""

    people: int
    workspaces: int
    seed: int


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack.

    Args:
        environment: what a program needs to use it: connections and settings, as Airflow gets them.
        ledger: SQLAlchemy URL of the ledger's database with the writer's role.
    """

    folder: Path
    airflow: LocalAirflow
    rest: Rest
    endpoints: dict[str, str]
    environment: dict[str, str]
    ledger: str

    @property
    def logs(self) -> Path:
        """Folder with what the programs printed."""
        return self.folder / "logs"


@contextlib.contextmanager
def running(folder: Path, size: Size, say: Say) -> Iterator[Stack]:
    """Start everything, and end every process of it on the way out.

    Raises:
        Refused: another stack runs in this folder, or a port is taken.
        Unavailable: a program did not start; the message names its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        sessions = Sessions(folder / "sessions")
        sessions.end()
        port = claim_port(int(os.environ.get("PRIVACY_UI_PORT", "8080")), "PRIVACY_UI_PORT")
        for name in ("state", "logs", "aggregates"):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
        with server(folder / "postgres") as databases:
            try:
                yield _start(folder, size, port, databases, sessions, say)
            finally:
                with _undisturbed():
                    say("Stopping")
                    sessions.end()


def _start(folder: Path, size: Size, port: int, databases: Databases, sessions: Sessions, say: Say) -> Stack:
    say("PostgreSQL answers; starting the sandbox company and Airflow")
    endpoints = _start_sandbox(folder, sessions)
    airflow = local_airflow.prepare(folder / "state" / "airflow", port)
    ours = own.fresh(databases)
    environment = {
        **local_airflow.environment(airflow, ours.airflow),
        **connections(endpoints),
        **ours.connections(),
        "PRIVACY_MODE": "trial",
        "PRIVACY_REPORTS": str(folder / "reports"),
        "PRIVACY_AGGREGATES": str(folder / "aggregates"),
        "PRIVACY_SPOOL": str(folder / "state" / "spool"),
    }
    program = sessions.start(
        [str(Path(sys.executable).parent / "airflow"), "standalone"],
        env=environment,
        log=folder / "logs" / "airflow.log",
    )
    _seed(endpoints["admin"], size)
    say(f"The sandbox company holds {size.people:,} people in {size.workspaces} workspaces")
    rest = Rest(airflow)
    rest.log_in(lambda: program.poll() is None)
    policy = load(Settings.read().policy_file)
    rest.create_pools(pools(policy))
    say("Airflow answers; waiting for its DAGs")
    for dag in DAGS if policy.requests is not None else DAGS[:2]:
        rest.wait_for_dag(dag, lambda: program.poll() is None)
        rest.unpause(dag)
    return Stack(folder, airflow, rest, endpoints, environment, ours.ledger)


def _seed(admin: str, size: Size) -> None:
    """Fill the sandbox while Airflow starts: its age counts from today."""
    body = {**asdict(size), "as_of": f"{datetime.now(tz=UTC):%Y-%m-%d}"}
    if not requests.post(f"{admin}/seed", json=body, timeout=SANDBOX_SECONDS).ok:
        raise Unavailable("sandbox", "fill the sandbox company", "Read the sandbox's log.")


def _start_sandbox(folder: Path, sessions: Sessions) -> dict[str, str]:
    log = folder / "logs" / "sandbox.log"
    command = [sys.executable, "-m", "include.sandbox", "--empty"]
    process = sessions.start(command, env={"PYTHONPATH": str(ROOT)}, log=log)
    deadline = time.monotonic() + SANDBOX_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{"):
                endpoints: dict[str, str] = json.loads(line)
                return endpoints
        time.sleep(0.1)
    raise Unavailable("sandbox", "start the sandbox company", f"Read {log}.")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """An impatient second Ctrl-C must not leave half of the stack behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("local", "start", "A stack already runs in this folder: end it first (Ctrl-C).") from None
        yield
