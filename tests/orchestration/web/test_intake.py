"""New requests from people: a form for one, a file for many."""

from __future__ import annotations

import re

import pytest

from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.policy.persons import RequestType
from include.subjects.vault import Vault
from tests.orchestration.web.conftest import AirflowTwin, Browser, Clock, kinds

ADDRESS = "jane.roe+x@example.com"
SCRIPT = "\"><script>alert(1)</script>'"


def test_a_good_form_opens_a_request_and_starts_the_dag_with_its_id_alone(
    operator: Browser, vault: Vault, ledger: Ledger, airflow: AirflowTwin
) -> None:
    ref = operator.open_request(
        type="account_deletion", email=ADDRESS, user_id="u1", received_on="2026-02-20", answer="false"
    )
    (request,) = vault.requests()
    (subject,) = vault.subjects([ref])
    assert (request.type, request.source, request.answer) == (RequestType.ACCOUNT_DELETION, "page", False)
    assert f"{request.received_at:%Y-%m-%d}" == "2026-02-20"
    assert [known.value for known in subject.identifiers] == [ADDRESS, "u1"]
    assert kinds(ledger, ref) == [Kind.REQUEST_OPENED]
    (run,) = airflow.runs.values()
    assert run == {
        "dag_run_id": f"request__{ref}__1",
        "logical_date": None,
        "conf": {"request_id": ref},
        "state": "queued",
    }
    assert "The request is open." in operator.get(f"/privacy/requests/{ref}?done=opened").text


def test_the_form_explains_what_happens_to_a_mistake_a_stranger_and_a_prospect(operator: Browser) -> None:
    page = operator.get("/privacy/requests/new").text
    for words in ("typing mistake", "stranger", "nothing is deleted", "nobody is written to", "prospect", "controller"):
        assert words in page


def test_bad_input_comes_back_with_a_sentence_at_each_field_and_is_stored_nowhere(
    operator: Browser, vault: Vault, ledger: Ledger, airflow: AirflowTwin
) -> None:
    answer = operator.fill("/requests/new", type="all", email=f"jane{SCRIPT}", user_id="a b", received_on="2027-01-01")
    assert answer.status_code == 400
    for name in ("type", "email", "user_id", "received_on"):
        assert re.search(rf'id="{name}-wrong"', answer.text), name
        assert re.search(rf'aria-describedby="{name}-hint {name}-wrong" aria-invalid="true"', answer.text), name
    assert 'value="a b"' in answer.text
    assert "<script" not in answer.text
    assert 'value="jane&#34;&gt;&lt;script&gt;' in answer.text
    assert "Nothing was stored." in answer.text
    assert (vault.requests(), list(ledger.entries()), airflow.runs) == ([], [], {})


def test_a_form_that_names_nobody_says_so(operator: Browser) -> None:
    assert "Nobody is named" in operator.fill("/requests/new", type="erasure").text


def test_what_was_chosen_stays_chosen(operator: Browser) -> None:
    page = operator.fill("/requests/new", type="account_deletion", answer="false").text
    assert 'value="account_deletion" selected' in page
    assert 'value="false" checked' in page
    assert 'value="true" checked' not in page


def test_the_same_person_again_is_joined_and_leads_to_the_open_request(
    operator: Browser, vault: Vault, airflow: AirflowTwin
) -> None:
    ref = operator.open_request(email=ADDRESS)
    answer = operator.fill("/requests/new", type="account_deletion", email=ADDRESS.upper())
    assert answer.headers["location"] == f"/privacy/requests/{ref}?done=joined"
    page = operator.get(answer.headers["location"]).text
    assert "has an open request already" in page
    assert "handed in the same person again" in page
    assert len(vault.requests()) == len(airflow.runs) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500, 302])
def test_a_request_stays_and_can_be_started_when_airflow_did_not_take_it(
    operator: Browser, vault: Vault, airflow: AirflowTwin, status: int
) -> None:
    airflow.answers = status
    ref = operator.open_request(email=ADDRESS)
    assert "Airflow did not say" in operator.get(f"/privacy/requests/{ref}").text
    airflow.answers = None
    assert "Received, not started." in operator.get(f"/privacy/requests/{ref}").text
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/start")
    assert answer.headers["location"] == f"/privacy/requests/{ref}?done=started"
    assert list(airflow.runs) == [f"request__{ref}__1"]
    assert "Received, not started." not in operator.get(f"/privacy/requests/{ref}").text


def test_a_paused_dag_is_said(operator: Browser, airflow: AirflowTwin) -> None:
    airflow.paused = True
    ref = operator.open_request(email=ADDRESS)
    assert "is paused" in operator.get(f"/privacy/requests/{ref}").text


def test_an_airflow_that_is_not_there_keeps_nothing_from_being_opened(
    operator: Browser, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:1/execution/")
    ref = operator.open_request(email=ADDRESS)
    assert [request.id for request in vault.requests()] == [ref]


# Files


def _upload(operator: Browser, text: str | bytes, **fields: str):  # type: ignore[no-untyped-def]
    return operator.fill("/requests/upload", files={"file": ("jane.csv", text, "text/csv")}, **fields)


GOOD = "type,email\nerasure,a@example.com\nerasure,b@example.com\n"
MIXED = f'{GOOD}erasure,not an address\nerasure,=cmd|x\n,"{SCRIPT.replace(chr(34), chr(34) * 2)}"\n'


def test_a_good_file_opens_a_batch_and_starts_it_as_one(
    operator: Browser, vault: Vault, airflow: AirflowTwin, clock: Clock
) -> None:
    answer = _upload(operator, GOOD)
    (batch,) = {request.batch for request in vault.requests()}
    assert answer.headers["location"] == f"/privacy/batches/{batch}?joined=0&skipped=0"
    assert [run["conf"] for run in airflow.runs.values()] == [{"request_id": batch}]
    page = operator.get(answer.headers["location"]).text
    assert f"request__{batch}__1" in page
    assert all(request.id in page for request in vault.requests())
    assert {request.source for request in vault.requests()} == {"csv"}


def test_mistakes_in_a_file_are_shown_by_line_and_nothing_is_stored(
    operator: Browser, vault: Vault, ledger: Ledger, airflow: AirflowTwin
) -> None:
    answer = _upload(operator, MIXED)
    assert answer.status_code == 400
    lines = re.findall(r'<th scope="row" class="n">(\d+)</th><td>([^<]+)</td>', answer.text)
    assert [int(line) for line, _ in lines] == [4, 5, 6, 6]
    assert "formula" in lines[1][1]
    assert "2 rows are in order" in answer.text
    for written in ("not an address", "=cmd", "alert(1)", "<script", "a@example.com"):
        assert written not in answer.text
    assert (vault.requests(), list(ledger.entries()), airflow.runs) == ([], [], {})


def test_the_rows_that_are_in_order_are_opened_only_when_that_is_asked_for(operator: Browser, vault: Vault) -> None:
    answer = _upload(operator, MIXED, valid_rows="yes")
    assert answer.status_code == 303
    assert len(vault.requests()) == 2
    assert "3 row(s) of the file had mistakes and were left out." in operator.get(answer.headers["location"]).text


def test_a_file_of_people_who_all_have_requests_opens_none(
    operator: Browser, vault: Vault, airflow: AirflowTwin
) -> None:
    _upload(operator, GOOD)
    answer = _upload(operator, GOOD)
    assert answer.headers["location"] == "/privacy/requests?done=all_joined"
    assert "All of them have open requests already" in operator.get(answer.headers["location"]).text
    assert (len(vault.requests()), len(airflow.runs)) == (2, 1)


def test_a_file_of_one_person_opens_a_request_without_a_batch(operator: Browser, vault: Vault) -> None:
    answer = _upload(operator, "type,user_id\nerasure,u1\n")
    (request,) = vault.requests()
    assert answer.headers["location"] == f"/privacy/requests/{request.id}?done=opened"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\0" * 100,
        b"type,email",
        b"type,email\n",
        b'type,email\nerasure,"',
        b"type,email,email\nerasure,a@example.com,b@example.com",
        b"name;surname\nJane;Roe",
        b"type,email\n" + b"erasure," * 2000,
        GOOD.encode("utf-16"),
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(operator: Browser, vault: Vault, content: bytes) -> None:
    answer = _upload(operator, content)
    assert answer.status_code == 400
    assert "Nothing was stored." in answer.text
    assert vault.requests() == []


def test_no_file_at_all_is_said(operator: Browser) -> None:
    answer = operator.fill("/requests/upload", files={"file": ("", b"", "application/octet-stream")})
    assert (answer.status_code, "No file was chosen" in answer.text) == (400, True)
