"""A real Airflow on a real PostgreSQL over the sandbox company, driven from outside as an operator would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import requests
from sqlalchemy.engine import make_url

from include.local.airflow import ROOT
from include.local.postgres import EmbeddedPostgres
from include.local.processes import free_port
from include.sandbox.estate import Estate
from tests.local.whole.needles import texts

PEOPLE, WORKSPACES, SEED = 150, 13, 1
UP = [sys.executable, "-m", "include.local", "up"]
UP += ["--people", str(PEOPLE), "--workspaces", str(WORKSPACES), "--seed", str(SEED)]
READY = "Everything stays up"
SECONDS = 300


class Installation:
    """A running `up`, driven from outside as a person would: by what it printed and by Airflow's REST API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy.yaml"
        self.policy.write_text((ROOT / "include" / "policy" / "clique.yaml").read_text())
        self.night = datetime.now(tz=UTC)
        self.printed = folder / "printed.txt"
        port = free_port()
        with self.printed.open("w") as out:
            self.process = subprocess.Popen(
                [*UP, "--folder", str(folder / "stack")],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PRIVACY_UI_PORT": str(port), "PRIVACY_POLICY_FILE": str(self.policy)},
            )
        self.url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + SECONDS
        while READY not in self.printed.read_text():
            assert self.process.poll() is None, self.printed.read_text()
            assert time.monotonic() < deadline, self.printed.read_text()
            time.sleep(0.5)
        password = re.search(r"admin / (\S+)", self.printed.read_text())
        assert password
        login = {"username": "admin", "password": password.group(1)}
        token = self._session.post(f"{self.url}/auth/token", json=login, timeout=30).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        return self._session.request(method, self.url + path, json=body, timeout=30)

    def post_form(self, path: str, fields: dict[str, str]) -> requests.Response:
        """Send a form of a page, as a browser that shows it does."""
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        return self._session.post(self.url + path, fields, headers=headers, allow_redirects=False, timeout=30)

    def trigger(self, conf: dict[str, object], dag: str = "retention") -> requests.Response:
        return self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})

    def run(self, conf: dict[str, object], dag: str = "retention") -> tuple[str, str]:
        """Trigger a run and wait for its end: Airflow's run id and the final state."""
        answer = self.trigger(conf, dag)
        assert answer.ok, answer.text
        run = answer.json()["dag_run_id"]
        return run, self.wait(run, dag)

    def wait(self, run: str, dag: str = "retention") -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            state = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}").json()["state"]
            if state in ("success", "failed"):
                return str(state)
            time.sleep(0.5)
        raise AssertionError("the run did not end")

    def answer(self, run: str, option: str, reason: str) -> dict[str, object]:
        """Answer the one question of a run, and return what the person was shown."""
        deadline = time.monotonic() + SECONDS
        questions = "/api/v2/dags/~/dagRuns/~/hitlDetails?response_received=false"
        while not (waiting := self.call("GET", questions).json()["hitl_details"]):
            assert time.monotonic() < deadline, "nobody was asked"
            time.sleep(0.5)
        time.sleep(2)  # an answer within a second of the question makes the task fail in Airflow 3.3
        task = waiting[0]["task_instance"]
        at = f"{task['dag_id']}/dagRuns/{run}/taskInstances/{task['task_id']}/{task['map_index']}"
        place = f"/api/v2/dags/{at}/hitlDetails"
        chosen = next(choice for choice in waiting[0]["options"] if choice.startswith(option))
        done = self.call("PATCH", place, {"chosen_options": [chosen], "params_input": {"reason": reason}})
        assert done.ok, done.text
        return dict(waiting[0])

    def report(self) -> dict[str, object]:
        """The newest report that was written."""
        newest = max((self.folder / "stack" / "reports").glob("retention-*.json"), key=lambda p: p.stat().st_mtime_ns)
        return dict(json.loads(newest.read_text()))

    def endpoints(self) -> dict[str, str]:
        """Where the sandbox company's stores are."""
        first = (self.folder / "stack" / "logs" / "sandbox.log").read_text().splitlines()[0]
        return dict(json.loads(first))

    def estate(self) -> Estate:
        """What the sandbox company was filled with."""
        midnight = self.night.replace(hour=0, minute=0, second=0, microsecond=0)
        return Estate(midnight, PEOPLE, WORKSPACES, SEED)

    def as_of(self) -> datetime:
        """The night of the newest report: before 02:00 it is yesterday's."""
        run = self.report()["run"]
        assert isinstance(run, dict)
        return datetime.fromisoformat(str(run["as_of"]))

    def seed_again(self) -> None:
        """Give the sandbox company its estate anew, as if a backup had been restored."""
        admin = self.endpoints()["admin"]
        size = {"people": PEOPLE, "workspaces": WORKSPACES, "seed": SEED, "as_of": f"{self.night:%Y-%m-%d}"}
        assert requests.post(f"{admin}/wipe", timeout=60).ok
        assert requests.post(f"{admin}/seed", json=size, timeout=60).ok

    def database(self, name: str) -> Iterator[tuple[str, str]]:
        """Each table of a database with all its rows as text."""
        url = make_url(EmbeddedPostgres(self.folder / "stack" / "postgres").url(name))
        with psycopg2.connect(url.set(drivername="postgresql").render_as_string()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
            for (table,) in cursor.fetchall():
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
                yield table, texts(cursor.fetchall())
