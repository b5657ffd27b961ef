"""The product as an operator meets it: a real Airflow on a real PostgreSQL over the sandbox company.

One installation is started for the whole file; the tests run in the order in which an operator would do these things.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg2
import pytest
import requests
from sqlalchemy.engine import make_url

from include.local.airflow import ROOT
from include.local.postgres import EmbeddedPostgres
from include.local.processes import free_port
from include.sandbox.estate import Estate
from tests.local import raw_clients
from tests.local.needles import Needles, texts
from tests.retention.truth import Truth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PEOPLE, WORKSPACES, SEED = 150, 13, 1
UP = [sys.executable, "-m", "include.local", "up"]
UP += ["--people", str(PEOPLE), "--workspaces", str(WORKSPACES), "--seed", str(SEED)]
READY = "Everything stays up"
SECONDS = 300
HOUR = 3600
COLLECTIONS = ("firestore", "contacts", "activity", "app-logs", "objects", "accounts", "cache")


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

    def trigger(self, conf: dict[str, object]) -> requests.Response:
        return self.call("POST", "/api/v2/dags/retention/dagRuns", {"logical_date": None, "conf": conf})

    def run(self, conf: dict[str, object]) -> tuple[str, str]:
        """Trigger a run and wait for its end: Airflow's run id and the final state."""
        answer = self.trigger(conf)
        assert answer.ok, answer.text
        run = answer.json()["dag_run_id"]
        return run, self.wait(run)

    def wait(self, run: str) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            state = self.call("GET", f"/api/v2/dags/retention/dagRuns/{run}").json()["state"]
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
        place = f"/api/v2/dags/retention/dagRuns/{run}/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
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


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("up"))
    try:
        running.wait_until_up()
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=120)


def _totals(report: dict[str, object]) -> dict[str, int]:
    totals = report["totals"]
    assert isinstance(totals, dict)
    return totals


def test_first_night_removes_what_is_due_and_prints_its_table(installation: Installation) -> None:
    printed = installation.printed.read_text()

    rows = [line for line in printed.splitlines() if re.match(r"^(firestore|cloud_storage|elasticsearch|redis) ", line)]
    assert len(rows) >= 14
    assert not [row for row in rows if "NO (" in row]
    assert _totals(installation.report())["remaining"] == 0
    assert _totals(installation.report())["deleted"] > 0


def test_first_night_left_exactly_what_the_policy_keeps_as_the_vendors_own_clients_list_it(
    installation: Installation,
) -> None:
    endpoints, estate = installation.endpoints(), installation.estate()
    fates = Truth(estate, as_of=installation.as_of()).rules.values()
    goes = {name: {i for fate in fates if fate.collection == name for i in fate.goes} for name in COLLECTIONS}
    anonymised = Truth(estate, as_of=installation.as_of()).rules["U1"].goes

    documents = raw_clients.firestore_paths(endpoints)
    removed = goes["firestore"] - anonymised
    assert documents.keys() == {d.id for d in estate.firestore() if not set(_lineage(d.id)) & removed}
    assert {
        path for path, fields in documents.items() if path.startswith("events/") and "uid" not in fields
    } == anonymised
    assert not any({"ip", "device", "at"} & documents[path].keys() for path in anonymised)
    for index, all_of in (("contacts", estate.contact_index()), ("app-logs", estate.log_index())):
        assert raw_clients.index_documents(endpoints, index).keys() == {d.id for d in all_of} - goes[index]
    activity = raw_clients.index_documents(endpoints, "activity")
    assert {i for i, fields in activity.items() if "uid" not in fields} == goes["activity"]
    kept = sorted(o.name for o in estate.objects() if (o.name, o.time_created) not in goes["objects"])
    assert raw_clients.object_names(endpoints) == kept
    assert raw_clients.account_ids(endpoints) == {account.local_id for account in estate.accounts()} - goes["accounts"]
    living = {entry.key for entry in estate.cache() if entry.ttl is None or entry.ttl > HOUR}
    assert raw_clients.cache_keys(endpoints) >= living - goes["cache"]
    assert not raw_clients.cache_keys(endpoints) & goes["cache"]


def _lineage(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(2, len(parts) + 1, 2)]


def test_second_run_of_the_same_night_deletes_nothing_and_says_so(installation: Installation) -> None:
    _, state = installation.run({})

    assert state == "success"
    totals = _totals(installation.report())
    assert (totals["deleted"], totals["anonymised"], totals["remaining"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("conf", "sentence"),
    [
        ({"as_of": "yesterday"}, "is not a 'date'"),
        ({"rules": ["Z9"]}, "is not one of"),
        ({"dry_run": "perhaps"}, "is not of type 'boolean'"),
    ],
)
def test_form_refuses_what_is_not_a_value_of_it(
    installation: Installation, conf: dict[str, object], sentence: str
) -> None:
    answer = installation.trigger(conf)

    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_unknown_field_of_the_form_ends_the_run_before_anything_is_planned(installation: Installation) -> None:
    run, state = installation.run({"rulez": ["X2"]})

    tasks = installation.call("GET", f"/api/v2/dags/retention/dagRuns/{run}/taskInstances").json()["task_instances"]
    assert state == "failed"
    assert {task["state"] for task in tasks if task["task_id"].endswith((".plan", ".sweep"))} == {"upstream_failed"}


def test_date_in_the_future_is_refused(installation: Installation) -> None:
    _, state = installation.run({"as_of": "2999-01-01"})

    assert state == "failed"


def test_dry_run_counts_and_touches_nothing(installation: Installation) -> None:
    installation.seed_again()
    _, state = installation.run({"dry_run": True, "systems": ["cloud_storage", "redis"]})
    counted = _totals(installation.report())

    assert state == "success"
    assert counted["due"] > 0
    assert counted["deleted"] == 0
    _, again = installation.run({"dry_run": True, "systems": ["cloud_storage", "redis"]})
    assert again == "success"
    assert _totals(installation.report())["due"] == counted["due"]


def test_breached_guard_asks_and_a_refusal_deletes_nothing(installation: Installation) -> None:
    text = installation.policy.read_text()
    tight = text.replace("  - id: X2\n", "  - id: X2\n    budget: {max_share_percent: 1}\n")
    assert tight != text
    installation.policy.write_text(tight)

    answer = installation.trigger({"rules": ["X2"]})
    shown = installation.answer(answer.json()["dag_run_id"], "Decline", "DPO-17 not before Monday")
    state = installation.wait(answer.json()["dag_run_id"])

    assert "Nothing has been deleted" in str(shown["body"])
    assert re.search(r"digest \| `[0-9a-f]{64}`", str(shown["body"]))
    assert state == "success"
    assert _totals(installation.report())["deleted"] == 0


def test_approved_plan_is_carried_out(installation: Installation) -> None:
    run = installation.trigger({"rules": ["X2"]}).json()["dag_run_id"]
    installation.answer(run, "Approve", "DPO-18")

    assert installation.wait(run) == "success"
    assert _totals(installation.report())["deleted"] > 0
    assert _totals(installation.report())["remaining"] == 0


def test_no_personal_data_in_airflow_ledger_logs_and_reports(installation: Installation) -> None:
    needles = Needles(installation.estate())
    leaks = [
        f"{name}.{table}: {what}"
        for name in ("privacy_airflow", "privacy_ledger")
        for table, text in installation.database(name)
        for what in needles.found_in(text)
    ]
    for place in (installation.folder / "stack").rglob("*"):
        searched = {"logs", "reports"} & set(place.relative_to(installation.folder / "stack").parts)
        if place.is_file() and searched:
            text = place.read_bytes().decode("utf-8", "replace")
            leaks += [f"{place.name}: {what}" for what in needles.found_in(text)]

    assert leaks == []


def test_search_for_leaks_finds_a_planted_one(installation: Installation) -> None:
    estate = installation.estate()
    person, needles = estate.people[0], Needles(estate)

    for planted in (person.email, person.uid, person.name):
        assert needles.found_in(f"task failed for '{planted}'.")


def test_ending_it_leaves_no_process(installation: Installation) -> None:
    sessions = [int(place.name) for place in (installation.folder / "stack" / "sessions").iterdir()]
    assert sessions

    installation.process.send_signal(signal.SIGINT)
    installation.process.wait(timeout=120)

    left = [process.pid for process in psutil.process_iter() if _session(process.pid) in sessions]
    folder = str(installation.folder)
    left += [p.pid for p in psutil.process_iter(["cmdline"]) if any(folder in part for part in p.info["cmdline"] or ())]
    assert left == []


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1
