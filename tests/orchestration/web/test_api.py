"""The endpoint for other systems."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.ledger.log import Ledger
from include.subjects.vault import Vault
from tests.orchestration.web.conftest import AirflowTwin, Browser, token_of

SCHEMA = json.loads((Path(__file__).parents[3] / "include/reports/schema/subject-request-2.json").read_text())
PERSON = {"type": "erasure", "email": "jane@example.com", "answer": False}
PATH = "/privacy/api/requests"


@pytest.fixture
def api(site: FastAPI) -> TestClient:
    return TestClient(site, headers={"Authorization": f"Bearer {token_of('crm', 'op')}"})


def test_another_system_opens_a_request_and_asks_what_became_of_it(
    api: TestClient, vault: Vault, airflow: AirflowTwin
) -> None:
    answer = api.post(PATH, json=PERSON)
    opened = answer.json()
    (request,) = vault.requests()
    assert answer.status_code == 201
    assert opened == {
        "request_id": request.id,
        "joined": False,
        "started": True,
        "url": f"{PATH}/{request.id}",
    }
    assert answer.headers["location"] == opened["url"]
    assert (request.source, request.answer) == ("rest", False)
    assert list(airflow.runs) == [f"request__{request.id}__1"]
    told = api.get(opened["url"])
    assert told.status_code == 200
    jsonschema.validate(told.json(), SCHEMA)


def test_the_same_person_again_is_joined(api: TestClient, vault: Vault, airflow: AirflowTwin) -> None:
    first = api.post(PATH, json=PERSON).json()
    again = api.post(PATH, json={**PERSON, "type": "account_deletion"}).json()
    assert again == {**first, "joined": True, "started": False}
    assert len(vault.requests()) == len(airflow.runs) == 1


def test_a_request_stays_where_airflow_does_not_start_it(api: TestClient, airflow: AirflowTwin, vault: Vault) -> None:
    airflow.answers = 503
    answer = api.post(PATH, json=PERSON)
    assert (answer.status_code, answer.json()["started"]) == (201, False)
    assert len(vault.requests()) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "must be JSON"),
        (b"{", "must be JSON"),
        (b"\xff", "must be JSON"),
        (b"[" * 9000, "must be JSON"),
        (b"[]", "JSON object"),
        (b'"jane@example.com"', "JSON object"),
        (b"NaN", "JSON object"),
        (b'{"type": "erasure"}', "Nobody is named"),
        (b'{"type": "erasure", "email": "jane"}', "'email'"),
        (b'{"type": "erasure", "email": ["jane@example.com"]}', "text in quotes"),
        (b'{"type": "erasure", "user_id": "u1", "jane@example.com": "x"}', "not known"),
        (b'{"type": "erasure", "user_id": "u1", "answer": "yes"}', "true or false"),
        (b'{"type": "erasure", "user_id": "\\u0000"}', "'user_id'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence_that_does_not_repeat_it(
    api: TestClient, vault: Vault, body: bytes, says: str
) -> None:
    answer = api.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert says in answer.json()["error"]
    assert "jane" not in answer.text
    assert vault.requests() == []


def test_json_that_does_not_say_so_is_refused(api: TestClient, vault: Vault) -> None:
    answer = api.post(PATH, content=json.dumps(PERSON), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400
    assert vault.requests() == []


def test_a_session_of_a_browser_opens_nothing(operator: Browser, vault: Vault) -> None:
    answer = operator.post(PATH, json=PERSON)
    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert vault.requests() == []


def test_who_has_no_token_or_no_right_is_told_so_in_json(site: FastAPI, vault: Vault) -> None:
    assert TestClient(site).post(PATH, json=PERSON).json()["error"].startswith("You are not logged in")
    forged = TestClient(site, headers={"Authorization": "Bearer x.y.z"}).post(PATH, json=PERSON)
    assert (forged.status_code, list(forged.json())) == (403, ["error"])
    viewer = TestClient(site, headers={"Authorization": f"Bearer {token_of('auditor', 'viewer')}"})
    answer = viewer.post(PATH, json=PERSON)
    assert (answer.status_code, list(answer.json())) == (403, ["error"])
    assert vault.requests() == []


def test_a_body_that_is_too_large_is_refused(api: TestClient, vault: Vault) -> None:
    answer = api.post(PATH, json={**PERSON, "user_id": "u" * 20_000})
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    assert vault.requests() == []


@pytest.mark.parametrize("ref", ["req_" + "a" * 16, "jane@example.com", "x", "bat_" + "a" * 16])
def test_what_is_not_there_is_not_repeated(api: TestClient, ref: str) -> None:
    answer = api.get(f"{PATH}/{ref}")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert ref not in answer.text


def test_a_vault_that_does_not_answer_is_503(api: TestClient, monkeypatch: pytest.MonkeyPatch, ledger: Ledger) -> None:
    place = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "x", "password": "x", "schema": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT", json.dumps(place))
    answer = api.post(PATH, json=PERSON)
    assert (answer.status_code, list(answer.json())) == (503, ["error"])
    assert list(ledger.entries()) == []


def test_a_method_that_is_not_there_is_said_in_json(api: TestClient) -> None:
    assert (api.put(PATH, json=PERSON).status_code, list(api.put(PATH).json())) == (405, ["error"])
