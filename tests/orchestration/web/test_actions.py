"""What people do to a request."""

from __future__ import annotations

import hashlib
import re

import pytest

from include.erasure.desk import Desk
from include.erasure.status import Outcome, Stage
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.orchestration.erasing import open_erasure_desk
from include.subjects.vault import Vault
from tests.orchestration.web.conftest import AirflowTwin, Browser, by_hand, kinds, newest, planned

BAD_REASONS = ["", "x", "jane@example.com", "a" * 81, "<script>", "a\nb", " ", "\u00e4\u00e4\u00e4\u00e4"]


def stage(ref: str) -> Stage:
    with open_erasure_desk() as desk:
        (status,) = desk.statuses([ref], desk.clock())
    return status.stage


def outcome(desk: Desk, ref: str, system: str) -> Outcome:
    return next(desk.statuses([ref], desk.clock())).row(system).outcome


def test_a_request_is_cancelled_with_a_reason(operator: Browser, ledger: Ledger) -> None:
    ref = operator.open_request(email="jane@example.com")
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/cancel", reason="DSR-7: asked twice")
    assert answer.headers["location"] == f"/privacy/requests/{ref}?done=cancelled"
    written = newest(ledger, ref).entry
    assert (written.kind, written.body["reason"]) == (Kind.CANCELLED, "DSR-7: asked twice")
    assert re.fullmatch(r"staff_[a-z2-7]{26}", str(written.body["by"]))
    page = operator.get(answer.headers["location"]).text
    assert "cancelled the request: DSR-7: asked twice." in page
    assert "Cancel the request" not in page
    assert stage(ref) is Stage.CANCELLED


@pytest.mark.parametrize("reason", BAD_REASONS)
def test_a_reason_that_could_name_somebody_is_refused(operator: Browser, ledger: Ledger, reason: str) -> None:
    ref = operator.open_request(email="jane@example.com")
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/cancel", reason=reason)
    assert answer.status_code == 400
    assert 'id="reason-wrong"' in answer.text
    assert "<script" not in answer.text
    assert kinds(ledger, ref) == [Kind.REQUEST_OPENED]


def test_work_by_hand_is_recorded_with_its_proof(operator: Browser, ledger: Ledger, vault: Vault) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "tawk_to", approve=True)
    by_hand(ledger, ref)
    page = operator.get(f"/privacy/requests/{ref}").text
    assert "Delete conversation c-1 in the dashboard." in page
    assert "In the dashboard of tawk.to" in page
    answer = operator.fill(
        f"/requests/{ref}",
        f"/requests/{ref}/manual",
        system="tawk_to",
        proof="OPS-12",
        files={"file": ("Jane Roe <jane@example.com>.PNG", b"picture", "image/png")},
    )
    assert answer.headers["location"] == f"/privacy/requests/{ref}?done=recorded"
    written = newest(ledger, ref).entry
    assert (written.kind, written.system, written.body["proof"]) == (Kind.MANUAL_DONE, "tawk_to", "OPS-12")
    name = str(written.body["file"])
    assert re.fullmatch(r"tawk_to-[0-9a-f]{8}\.png", name)
    assert vault.attachment(ref, name) == b"picture"
    assert re.fullmatch("[0-9a-f]{64}", str(written.body["attachment"]))
    assert written.body["attachment"] != hashlib.sha256(b"picture").hexdigest()
    with open_erasure_desk() as desk:
        assert outcome(desk, ref, "tawk_to") is Outcome.MANUAL_DONE
    page = operator.get(answer.headers["location"]).text
    assert "did the work by hand in tawk.to, proof OPS-12; a file is attached" in page
    assert "Jane" not in page
    assert "Record work" not in page
    proof = operator.get(f"/privacy/requests/{ref}/proofs/{name}")
    assert (proof.content, proof.headers["content-type"]) == (b"picture", "application/octet-stream")
    assert proof.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_the_proof_can_be_a_reference_alone(operator: Browser, ledger: Ledger) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "tawk_to", approve=True)
    by_hand(ledger, ref)
    empty = {"file": ("", b"", "application/octet-stream")}
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/manual", system="tawk_to", proof="OPS-12", files=empty)
    assert answer.status_code == 303
    body = newest(ledger, ref).entry.body
    assert (body["attachment"], body["file"]) == (None, None)


@pytest.mark.parametrize("name", ["x", "tawk_to-00000000", "..%2f..%2fx", "%00", "a%0d%0ab"])
def test_no_other_file_can_be_asked_for(operator: Browser, name: str) -> None:
    ref = operator.open_request(email="jane@example.com")
    assert operator.get(f"/privacy/requests/{ref}/proofs/{name}").status_code == 404


@pytest.mark.parametrize("proof", BAD_REASONS)
def test_a_proof_that_could_name_somebody_is_refused(operator: Browser, ledger: Ledger, proof: str) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "tawk_to", approve=True)
    by_hand(ledger, ref)
    before = kinds(ledger, ref)
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/manual", system="tawk_to", proof=proof)
    assert (answer.status_code, 'id="proof-wrong"' in answer.text) == (400, True)
    assert kinds(ledger, ref) == before


@pytest.mark.parametrize("system", ["redis", "", "nothing", "<b>"])
def test_work_that_nobody_waits_for_is_not_recorded(operator: Browser, ledger: Ledger, system: str) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "redis", "tawk_to", approve=True)
    by_hand(ledger, ref)
    before = kinds(ledger, ref)
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/manual", system=system, proof="OPS-12")
    assert (answer.status_code, "Nothing is waiting for a person" in answer.text) == (400, True)
    assert kinds(ledger, ref) == before


def test_a_proof_that_is_too_large_is_refused(operator: Browser, ledger: Ledger) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "tawk_to", approve=True)
    by_hand(ledger, ref)
    before = kinds(ledger, ref)
    large = {"file": ("x.png", b"x" * (20 * 1024**2 + 70_000), "image/png")}
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/manual", system="tawk_to", proof="OPS-1", files=large)
    assert answer.status_code == 413
    assert kinds(ledger, ref) == before


def test_a_run_under_way_is_not_started_twice(operator: Browser, airflow: AirflowTwin) -> None:
    ref = operator.open_request(email="jane@example.com")
    page = operator.get(f"/privacy/requests/{ref}").text
    assert f"/dags/subject_request/runs/request__{ref}__1" in page
    assert f'action="/privacy/requests/{ref}/start"' not in page
    answer = operator.fill(f"/requests/{ref}", f"/requests/{ref}/start")
    assert (answer.status_code, "under way already" in answer.text) == (400, True)
    assert len(airflow.runs) == 1


def test_a_request_whose_run_ended_is_started_again_under_a_new_number(
    operator: Browser, airflow: AirflowTwin, ledger: Ledger
) -> None:
    ref = operator.open_request(email="jane@example.com")
    airflow.runs[f"request__{ref}__1"]["state"] = "failed"
    assert "Start again" in operator.get(f"/privacy/requests/{ref}").text
    operator.fill(f"/requests/{ref}", f"/requests/{ref}/start")
    assert list(airflow.runs) == [f"request__{ref}__1", f"request__{ref}__2"]
    assert airflow.runs[f"request__{ref}__2"]["conf"] == {"request_id": ref}


def test_an_approved_request_is_not_started_again_by_mistake(
    operator: Browser, airflow: AirflowTwin, ledger: Ledger
) -> None:
    ref = operator.open_request(email="jane@example.com")
    planned(ledger, ref, "redis", approve=True)
    airflow.runs.clear()
    assert f'action="/privacy/requests/{ref}/start"' not in operator.get(f"/privacy/requests/{ref}").text
    assert operator.fill(f"/requests/{ref}", f"/requests/{ref}/start").status_code == 400
    assert airflow.runs == {}


def test_a_batch_that_was_not_started_can_be_started(operator: Browser, vault: Vault, airflow: AirflowTwin) -> None:
    airflow.answers = 500
    file = {"file": ("x.csv", "type,user_id\nerasure,u1\nerasure,u2\n", "text/csv")}
    operator.fill("/requests/upload", files=file)
    airflow.answers = None
    (batch,) = {request.batch for request in vault.requests()}
    assert "Received, not started." in operator.get(f"/privacy/batches/{batch}").text
    answer = operator.fill(f"/batches/{batch}", f"/batches/{batch}/start")
    assert answer.headers["location"] == f"/privacy/batches/{batch}"
    assert list(airflow.runs) == [f"request__{batch}__1"]


@pytest.mark.parametrize("action", ["cancel", "start", "manual"])
def test_a_request_that_nobody_knows_can_have_nothing_done_to_it(operator: Browser, action: str) -> None:
    ref = "req_" + "a" * 16
    given = {"reason": "DSR-7", "proof": "DSR-7", "system": "redis"}
    answer = operator.fill("/requests/new", f"/requests/{ref}/{action}", **given)
    assert answer.status_code == 400


def test_airflow_is_asked_with_the_callers_own_token(operator: Browser, airflow: AirflowTwin) -> None:
    operator.open_request(email="jane@example.com")
    assert airflow.tokens == {f"Bearer {operator.cookies['_token']}"}
