"""Airflow on this machine: its settings, its start, and the few REST calls that drive it."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography.fernet import Fernet

from include.errors import Refused, Unavailable
from include.local.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
USERS = {"admin": "admin", "dpo": "op", "auditor": "viewer"}
"""Accounts of the local installation and their roles in Airflow."""

READY_SECONDS = 240
CALL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class LocalAirflow:
    """Where the local Airflow is and how to get in."""

    home: Path
    port: int
    passwords: Mapping[str, str]

    @property
    def url(self) -> str:
        """Address of the UI."""
        return f"http://127.0.0.1:{self.port}"


def prepare(home: Path, port: int) -> LocalAirflow:
    """Create the home directory with accounts and their passwords (readable by the owner only)."""
    home.mkdir(parents=True, exist_ok=True)
    passwords = {user: secrets.token_urlsafe(9) for user in USERS}
    place = home / "simple_auth_manager_passwords.json.generated"
    place.touch(mode=0o600)
    place.write_text(json.dumps(passwords))
    return LocalAirflow(home, port, passwords)


def environment(airflow: LocalAirflow, database: str) -> dict[str, str]:
    """Airflow's settings: no examples, two databases' worth of workers, nothing personal in its own tables."""
    config = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(2 * (os.cpu_count() or 2)),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "CORE__XCOM_BACKEND": "include.orchestration.xcom.GuardedXCom",
        "CORE__EXECUTION_API_SERVER_URL": f"{airflow.url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "DATABASE__SQL_ALCHEMY_CONN": database,
        "API__HOST": "127.0.0.1",
        "API__PORT": str(airflow.port),
        "API__BASE_URL": airflow.url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(16),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "API__INSTANCE_NAME": "Privacy",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(free_port()),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        # What a killed scheduler left is taken up by the next one after half a minute instead of five.
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        # A task that ends between two looks of its supervisor keeps its worker for this many seconds (5 by default).
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    return {
        **{f"AIRFLOW__{name}": value for name, value in config.items()},
        "AIRFLOW_HOME": str(airflow.home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
    }


class Rest:
    """Airflow's REST API, as one of the local accounts."""

    def __init__(self, airflow: LocalAirflow, user: str = "admin") -> None:
        self._airflow = airflow
        self._user = user
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self, alive: Callable[[], bool]) -> None:
        """Wait until Airflow answers and log in.

        Raises:
            Unavailable: Airflow ended or did not get ready in time.
        """
        self._until("start Airflow", alive, lambda: self._ok("GET", "/api/v2/version"))
        login = {"username": self._user, "password": self._airflow.passwords[self._user]}
        # The first task would wait for the execution API to be built, longer than its patience on a busy machine.
        self._until("build the execution API", alive, lambda: self._ok("GET", "/execution/health"))
        token = self.call("POST", "/auth/token", login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dag(self, dag_id: str, alive: Callable[[], bool]) -> None:
        """Wait until Airflow has read a DAG.

        Raises:
            Refused: a DAG file has a mistake.
            Unavailable: Airflow ended or did not read it in time.
        """

        def known() -> bool:
            if self.call("GET", "/api/v2/importErrors")["total_entries"]:
                raise Refused("airflow", "read the DAG files", "Run 'airflow dags list-import-errors' to see why.")
            return self._ok("GET", f"/api/v2/dags/{dag_id}")

        self._until(f"read the DAG {dag_id}", alive, known)

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def newest_run(self, dag_id: str) -> str | None:
        """Airflow's id of the newest run of a DAG, if there is one."""
        runs = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after&limit=1")["dag_runs"]
        return str(runs[0]["dag_run_id"]) if isinstance(runs, list) and runs else None

    def create_pools(self, pools: Mapping[str, Mapping[str, object]]) -> None:
        """Create or overwrite pools (see ``include.orchestration.pools``)."""
        entities = [{"name": name, **pool} for name, pool in pools.items()]
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        self.call("PATCH", "/api/v2/pools", {"actions": [action]})

    def trigger(self, dag_id: str, conf: Mapping[str, object], logical_date: str | None = None) -> str:
        """Start a run. Returns Airflow's run id."""
        run = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": logical_date, "conf": dict(conf)})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run: str) -> str:
        """State of a run, in Airflow's words."""
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run}")["state"])

    def task_states(self, dag_id: str, run: str) -> dict[str, int]:
        """How many task instances of a run are in each state."""
        found: dict[str, int] = {}
        answer = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances?limit=1000")
        tasks = answer["task_instances"]
        for instance in tasks if isinstance(tasks, list) else []:
            state = str(instance["state"] or "waiting")
            found[state] = found.get(state, 0) + 1
        return found

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """One call; any refusal is an error.

        Raises:
            Refused: Airflow said no.
            Unavailable: Airflow did not answer or failed.
        """
        try:
            answer = self._session.request(method, self._airflow.url + path, json=body, timeout=CALL_SECONDS)
        except requests.RequestException:
            raise Unavailable("airflow", f"{method} {path.split('?')[0]}", "Read the log of the local stack.") from None
        if answer.status_code >= 500:
            raise Unavailable("airflow", f"{method} {path.split('?')[0]}", f"It answered {answer.status_code}.")
        if not answer.ok:
            raise Refused("airflow", f"{method} {path.split('?')[0]}", f"It answered {answer.status_code}.")
        found: dict[str, object] = answer.json()
        return found

    def _ok(self, method: str, path: str) -> bool:
        try:
            return self._session.request(method, self._airflow.url + path, timeout=CALL_SECONDS).ok
        except requests.RequestException:
            return False

    @staticmethod
    def _until(what: str, alive: Callable[[], bool], done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not done():
            if not alive():
                raise Unavailable("airflow", what, "It ended: read .local/logs/airflow.log.")
            if time.monotonic() > deadline:
                raise Unavailable("airflow", what, "It took too long: read .local/logs/airflow.log.")
            time.sleep(0.5)
