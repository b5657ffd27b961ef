"""The retention of an installation as an operator meets it: a first night, its repetition, dry runs, the guard."""

from __future__ import annotations

import re

import pytest

from tests.local.whole import raw_clients
from tests.local.whole.installation import Installation
from tests.retention.truth import Truth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUR = 3600
COLLECTIONS = ("firestore", "contacts", "activity", "app-logs", "objects", "accounts", "cache")


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
