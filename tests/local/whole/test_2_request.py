"""A request of a person as an operator meets it: the page, the plan, the approval, every system, the evidence."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import requests

from include.erasure.status import OPEN
from include.policy.loader import load
from include.sandbox.estate import Estate
from include.sandbox.records import Person
from tests.erasure import scan
from tests.local.whole import raw_clients
from tests.local.whole.installation import SECONDS, Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NEW = "/privacy/requests/new"
UNSETTLED = {outcome.value for outcome in OPEN}


@pytest.fixture(scope="module")
def person(installation: Installation) -> Person:
    """Somebody with a profile and a past address."""
    documents = raw_clients.firestore_paths(installation.endpoints())
    everybody = installation.estate().people
    return next(p for p in everybody if documents.get(f"users/{p.uid}", {}).get("past_emails"))


@pytest.fixture(scope="module")
def request_id(installation: Installation, person: Person) -> str:
    """The request that the page opens."""
    answer = submit(installation, email=person.email)
    assert answer.status_code == 303, answer.text
    found = re.search(r"/requests/(req_[a-z2-7]{16})", answer.headers["Location"])
    assert found
    return found.group(1)


def submit(installation: Installation, **fields: str) -> requests.Response:
    """Fill in the form of the page and send it, as a browser does."""
    token = re.search(r'name="token" value="([^"]+)"', installation.call("GET", NEW).text)
    assert token
    form = {"type": "erasure", "answer": "yes", "token": token.group(1), **fields}
    return installation.post_form(NEW, form)


def summary(installation: Installation, ref: str) -> dict[str, Any]:
    return dict(installation.call("GET", f"/privacy/api/requests/{ref}").json())


def inspect(installation: Installation, service: str, collection: str) -> list[dict[str, Any]]:
    place = f"{installation.endpoints()['admin']}/inspect"
    found = requests.get(place, {"service": service, "collection": collection, "full": "true"}, timeout=60).json()
    return list(found["records"])


def test_bad_input_is_refused_at_the_page_with_a_sentence_at_its_field(installation: Installation) -> None:
    answer = submit(installation, email="jane.doe(at)example", user_id="a/../b")

    assert answer.status_code == 400
    assert "Nothing was stored." in answer.text
    assert "It must be one address" in answer.text


@pytest.mark.parametrize("conf", [{"request_id": "jane@leak.test"}, {"request_id": "req_1"}, {}], ids=str)
def test_the_trigger_form_takes_nothing_but_an_id(installation: Installation, conf: dict[str, object]) -> None:
    assert installation.trigger(conf, "subject_request").status_code == 400


def test_an_unknown_field_or_an_unknown_request_ends_the_run_red(installation: Installation) -> None:
    unknown = {"request_id": "req_" + "a" * 16}
    for conf in (unknown, {**unknown, "note": "urgent"}):
        assert installation.run(conf, "subject_request")[1] == "failed"


def test_the_plan_waits_for_a_human_with_counts_and_no_identifier(
    installation: Installation, person: Person, request_id: str
) -> None:
    run = f"request__{request_id}__1"
    shown = installation.answer(run, "Approve", "DPO-42")

    body = str(shown["body"])
    assert "Nothing has been deleted." in body
    assert re.search(r"Digest `[0-9a-f]{64}`", body)
    assert not [text for text in (person.email, person.uid, person.name) if text in json.dumps(shown)]
    assert installation.wait(run, "subject_request") == "success"


def test_every_system_has_an_outcome_and_the_runs_are_green(installation: Installation, request_id: str) -> None:
    systems = load(installation.policy).requests
    assert systems is not None
    deadline = time.monotonic() + SECONDS
    while True:
        rows = {row["system"]: row["outcome"] for row in summary(installation, request_id)["systems"]}
        if rows.keys() == set(systems.systems) and not UNSETTLED & set(rows.values()):
            break
        assert time.monotonic() < deadline, rows
        time.sleep(1)

    runs = installation.call("GET", "/api/v2/dags/deletion_push/dagRuns?order_by=-run_after").json()["dag_runs"]
    started_by_event = [run for run in runs if run["run_type"] == "asset_triggered"]
    assert installation.wait(started_by_event[0]["dag_run_id"], "deletion_push") == "success"
    assert rows["firestore"] == rows["firebase_auth"] == "verified_gone"


def test_the_person_is_gone_as_the_vendors_own_clients_see_it_and_was_told_once(
    installation: Installation, person: Person
) -> None:
    endpoints, estate = installation.endpoints(), installation.estate()
    known = scan.known(estate, person)
    documents = raw_clients.firestore_paths(endpoints)
    everything = [json.dumps([path, fields], default=str) for path, fields in documents.items()]
    for index in ("contacts", "activity", "app-logs"):
        found = raw_clients.index_documents(endpoints, index)
        everything += [json.dumps([identifier, source], default=str) for identifier, source in found.items()]
    everything += [*raw_clients.object_names(endpoints), *raw_clients.cache_keys(endpoints)]
    everything += raw_clients.account_ids(endpoints)
    assert not [record for record in everything if known.uid in record]
    assert others(estate, person) & raw_clients.account_ids(endpoints)

    sent = [*inspect(installation, "sendgrid", "sent"), *inspect(installation, "mailgun", "sent")]
    assert sum(person.email in json.dumps(mail) for mail in sent) == 1
    assert len(sent) == 1


def others(estate: Estate, person: Person) -> set[str]:
    return {somebody.uid for somebody in estate.people} - {person.uid}


def test_a_strangers_address_deletes_nothing_and_nobody_is_written_to(installation: Installation) -> None:
    answer = installation.call("POST", "/privacy/api/requests", {"type": "erasure", "email": "nobody@stranger.test"})

    assert answer.status_code == 201
    ref = answer.json()["request_id"]
    assert installation.wait(f"request__{ref}__1", "subject_request") == "success"
    assert (summary(installation, ref)["stage"], len(inspect(installation, "sendgrid", "sent"))) == ("closed", 1)


def test_the_runs_own_tab_and_the_page_show_the_outcomes(installation: Installation, request_id: str) -> None:
    tab = installation.call("GET", f"/privacy/runs/subject_request/request__{request_id}__1")
    page = installation.call("GET", f"/privacy/requests/{request_id}")

    for text in (tab.text, page.text):
        assert "verified gone" in text
        assert "Time line of evidence" in text


def test_the_second_look_is_green_and_finds_nothing(installation: Installation, request_id: str) -> None:
    assert installation.run({}, "third_party_sync")[1] == "success"
    assert summary(installation, request_id)["closed"] is None
