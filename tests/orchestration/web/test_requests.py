"""The pages that show requests: list, one, batch, summary, and the tab on a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from include.erasure.overview import PAGE
from include.ledger.log import Ledger
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.opening import open_requests
from include.subjects.identifiers import Identifier
from include.subjects.vault import Vault
from tests.orchestration.runs import SYSTEMS
from tests.orchestration.web.conftest import AirflowTwin, Browser, Clock, by_hand, planned

SCHEMA = json.loads((Path(__file__).parents[3] / "include/reports/schema/subject-request-2.json").read_text())
REF = "req_" + "a" * 16


def many(vault: Vault, ledger: Ledger, count: int, first: int = 0) -> list[str]:
    drafts = [
        Draft(RequestType.ERASURE, (Identifier(IdentifierKind.USER_ID, f"u{number}"),), ledger.clock().date())
        for number in range(first, first + count)
    ]
    opening = open_requests(vault, ledger, drafts, opened_by="staff_x", source="csv", clock=ledger.clock)
    return [one.id for one in opening.opened]


def listed(html: str) -> list[str]:
    return re.findall(r'<a class="mono" href="/privacy/requests/(req_[a-z2-7]{16})">', html)


def test_an_empty_list_says_so(viewer: Browser) -> None:
    page = viewer.get("/privacy/requests").text
    assert "There is none." in page
    assert "New request" not in page


def test_the_list_has_the_newest_first_and_leads_to_each(viewer: Browser, operator: Browser, clock: Clock) -> None:
    first = operator.open_request(user_id="u1")
    clock.pass_time(minutes=1)
    second = operator.open_request(user_id="u2", type="account_deletion")
    page = viewer.get("/privacy/requests").text
    assert listed(page) == [second, first]
    assert "Account deletion" in page
    assert "2026-03-01" in page
    assert "received" in page


def test_all_pages_together_show_each_request_once(viewer: Browser, vault: Vault, ledger: Ledger, clock: Clock) -> None:
    refs = many(vault, ledger, PAGE + 7)
    clock.pass_time(days=1)
    refs += many(vault, ledger, PAGE, PAGE + 7)
    seen: list[str] = []
    path = "/privacy/requests"
    for pages in range(1, 10):  # noqa: B007 - how many there were is asked below
        page = viewer.get(path).text
        seen += listed(page)
        older = re.search(r'href="(/privacy/requests\?[^"]+)">Older', page)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert pages == 3
    assert len(seen) == len(set(seen)) == len(set(refs))


def test_the_list_can_be_narrowed_to_a_stage(viewer: Browser, vault: Vault, ledger: Ledger) -> None:
    refs = many(vault, ledger, 3)
    planned(ledger, refs[0], "redis")
    planned(ledger, refs[1], "redis", approve=True)
    assert listed(viewer.get("/privacy/requests?stage=waiting for approval").text) == [refs[0]]
    assert listed(viewer.get("/privacy/requests?stage=approved").text) == [refs[1]]
    assert listed(viewer.get("/privacy/requests?stage=closed").text) == []
    assert len(listed(viewer.get("/privacy/requests?stage=<b>").text)) == 3


def test_a_search_for_a_stage_stops_and_goes_on_where_it_stopped(
    viewer: Browser, vault: Vault, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.erasure.overview._PART", 2)
    monkeypatch.setattr("include.erasure.overview.SCANNED", 4)
    (oldest,) = many(vault, ledger, 1)
    planned(ledger, oldest, "redis")
    clock.pass_time(days=1)
    many(vault, ledger, 6, 1)
    page = viewer.get("/privacy/requests?stage=waiting for approval").text
    assert listed(page) == []
    older = re.search(r'href="(/privacy/requests\?[^"]+)">Older', page)
    assert older is not None
    assert listed(viewer.get(older[1].replace("&amp;", "&")).text) == [oldest]


def test_more_open_requests_than_are_looked_at_are_said(
    viewer: Browser, vault: Vault, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.erasure.overview.SCANNED", 2)
    many(vault, ledger, 3)
    assert "More requests are open" in viewer.get("/privacy/runs/deletion_push/x").text


@pytest.mark.parametrize(
    "query", ["before=x", "before=1~req_x", "before=%00", f"before={'9' * 18}~{REF}", "stage=%3Cscript%3E", "done=<b>"]
)
def test_a_query_that_is_none_shows_the_first_page(viewer: Browser, query: str) -> None:
    page = viewer.get(f"/privacy/requests?{query}")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "<b>" not in page.text


def test_a_request_shows_its_evidence_its_systems_and_its_plan(
    viewer: Browser, operator: Browser, ledger: Ledger
) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "redis", "sendgrid", approve=True)
    page = viewer.get(f"/privacy/requests/{ref}").text
    for words in ("Redis", "SendGrid", "approved the plan dddddddddddd: DSR-7.", "One person matches", "3 records"):
        assert words in page, words
    assert f'<time datetime="{ledger.clock().isoformat()}">' in page
    assert "d" * 64 in page
    assert "jane" not in page
    assert "<form" not in page, "a viewer can do nothing here"


def test_the_json_is_what_its_schema_says(viewer: Browser, operator: Browser, ledger: Ledger) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "tawk_to", "redis", approve=True)
    by_hand(ledger, ref)
    answer = viewer.get(f"/privacy/requests/{ref}.json")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert told["request"] == ref
    outcomes = {row["system"]: row["outcome"] for row in told["systems"]}
    assert outcomes["tawk_to"] == "manual_pending"
    assert outcomes.keys() == set(SYSTEMS), "each system of the policy has its row"
    assert told["decisions"][0]["reason"] == "DSR-7"
    assert [line["kind"] for line in told["timeline"]][:2] == ["request_opened", "identity"]


def test_the_summary_is_a_file_that_needs_nothing_beside_it(viewer: Browser, operator: Browser, ledger: Ledger) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "redis", approve=True)
    answer = viewer.get(f"/privacy/requests/{ref}/summary.html")
    assert answer.headers["content-disposition"] == f'attachment; filename="{ref}.html"'
    assert "sandbox" in answer.headers["content-security-policy"]
    for absent in ("<form", "<a ", "<script", "src=", "jane", "url("):
        assert absent not in answer.text, absent
    page = viewer.get(f"/privacy/requests/{ref}").text
    told = viewer.get(f"/privacy/requests/{ref}.json").json()
    for line in told["timeline"]:
        assert line["sentence"] in answer.text
        assert line["sentence"] in page


@pytest.mark.parametrize("path", [f"/requests/{REF}", f"/requests/{REF}.json", f"/requests/{REF}/summary.html"])
def test_a_request_that_nobody_knows_is_not_there(viewer: Browser, path: str) -> None:
    assert viewer.get(f"/privacy{path}").status_code == 404


def test_a_batch_counts_its_requests_by_stage_and_says_that_its_plan_waits(
    viewer: Browser, vault: Vault, ledger: Ledger
) -> None:
    refs = many(vault, ledger, PAGE + 3)
    planned(ledger, refs[0], "redis")
    (batch,) = {request.batch for request in vault.requests()}
    page = viewer.get(f"/privacy/batches/{batch}").text
    assert f"{PAGE + 3} requests that came in together" in page
    assert "Required Actions" in page
    assert re.search(r"waiting for approval</span></dt><dd>1</dd>", page)
    assert re.search(rf"received</span></dt><dd>{PAGE + 2}</dd>", page)
    assert len(listed(page)) == PAGE
    more = re.search(r'href="(/privacy/batches/[^"]+)">More', page)
    assert more is not None
    assert len(listed(viewer.get(more[1]).text)) == 3
    assert viewer.get(f"/privacy/batches/bat_{'a' * 16}").status_code == 404


# The tab


@pytest.mark.parametrize("ref", [REF, "bat_" + "a" * 16])
def test_a_run_that_was_started_here_leads_to_its_request(viewer: Browser, ref: str) -> None:
    answer = viewer.get(f"/privacy/runs/subject_request/request__{ref}__2")
    path = "batches" if ref.startswith("bat_") else "requests"
    assert (answer.status_code, answer.headers["location"]) == (303, f"/privacy/{path}/{ref}")


def test_a_run_that_was_started_by_the_form_leads_to_the_request_that_it_names(
    viewer: Browser, airflow: AirflowTwin
) -> None:
    name = "manual__2026-03-01T12:00:00+00:00"
    airflow.runs[name] = {"conf": {"request_id": REF}}
    answer = viewer.get(f"/privacy/runs/subject_request/{name.replace('+', '%2B')}")
    assert answer.headers["location"] == f"/privacy/requests/{REF}"


@pytest.mark.parametrize("conf", [{}, None, {"request_id": "jane@example.com"}, {"request_id": f"{REF}/../x"}])
def test_a_run_for_no_request_says_so(viewer: Browser, airflow: AirflowTwin, conf: object) -> None:
    airflow.runs["manual__1"] = {"conf": conf}
    answer = viewer.get("/privacy/runs/subject_request/manual__1")
    assert (answer.status_code, "This run is for no request" in answer.text) == (404, True)
    assert "jane" not in answer.text


@pytest.mark.parametrize("dag", ["deletion_push", "third_party_sync"])
def test_a_nightly_run_shows_the_open_requests_with_their_outcomes(
    viewer: Browser, vault: Vault, ledger: Ledger, dag: str
) -> None:
    refs = many(vault, ledger, 3)
    planned(ledger, refs[0], "redis", "tawk_to", approve=True)
    by_hand(ledger, refs[0])
    planned(ledger, refs[1], "redis")
    page = viewer.get(f"/privacy/runs/{dag}/scheduled__1").text
    assert listed(page) == [refs[0]]
    assert "manual pending" in page


def test_a_nightly_run_without_open_requests_says_so(viewer: Browser) -> None:
    assert "There is none" in viewer.get("/privacy/runs/deletion_push/x").text


# What does not answer


@pytest.mark.parametrize("connection", ["PRIVACY_VAULT", "PRIVACY_LEDGER"])
def test_a_database_that_does_not_answer_is_said(
    viewer: Browser, operator: Browser, monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    operator.open_request(user_id="u1")
    place = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "x", "password": "hidden-word"}
    monkeypatch.setenv(f"AIRFLOW_CONN_{connection}", json.dumps({**place, "schema": "x"}))
    answer = viewer.get("/privacy/requests")
    assert answer.status_code == 503
    assert "hidden-word" not in answer.text
    assert "127.0.0.1" not in answer.text


def test_a_connection_that_is_missing_is_said(viewer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PRIVACY_VAULT_KEY")
    answer = viewer.get("/privacy/requests")
    assert (answer.status_code, "privacy_vault_key" in answer.text) == (503, True)
