"""Whatever is typed, and wherever it fails: no identifier leaves the vault."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from include.ledger.log import Ledger
from include.subjects.vault import Vault
from tests.orchestration.web.conftest import AirflowTwin, Browser, by_hand, planned, token_of

WORDS = ("zyxjane", "zyxroe", "zyxuser", "zyxbad")
PERSON = {"type": "erasure", "email": "zyxjane.zyxroe@example.com", "user_id": "zyxuser-1"}


@pytest.fixture
def said(site: FastAPI, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Addresses and answers' headers, as a server or a proxy would log them; the logs themselves are in ``caplog``."""
    caplog.set_level(logging.DEBUG)
    lines: list[str] = []

    @site.middleware("http")
    async def log(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        lines.append(f"{request.method} {request.url} {answer.status_code} {answer.headers.raw}")
        return answer

    return lines


def _clean(*places: str) -> None:
    for place in places:
        assert not [word for word in WORDS if word in place.lower()]


def test_nothing_that_is_typed_gets_into_logs_addresses_evidence_or_airflow(
    operator: Browser,
    site: FastAPI,
    said: list[str],
    vault: Vault,
    ledger: Ledger,
    airflow: AirflowTwin,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ref = operator.open_request(**PERSON)
    operator.open_request(**PERSON)
    bad = operator.fill("/requests/new", **{**PERSON, "email": "zyxbad@@x", "type": "zyxbad"})
    assert bad.status_code == 400
    assert not re.search(r"<title>[^<]*zyx", bad.text)
    table = "type,email,user_id\nerasure,zyxjane2@example.com,zyxuser2\nerasure,zyxbad,\n"
    for fields in ({}, {"valid_rows": "yes"}):
        operator.fill("/requests/upload", files={"file": ("zyxjane.csv", table, "text/csv")}, **fields)
    api = TestClient(site, headers={"Authorization": f"Bearer {token_of('crm', 'op')}"})
    assert api.post("/privacy/api/requests", json={**PERSON, "user_id": "zyxuser3"}).status_code == 201
    assert api.post("/privacy/api/requests", json={**PERSON, "email": "zyxbad"}).status_code == 400
    planned(ledger, ref, "tawk_to", approve=True)
    by_hand(ledger, ref)
    proof = {"file": ("zyxjane.png", b"zyxjane", "image/png")}
    operator.fill(f"/requests/{ref}", f"/requests/{ref}/manual", system="tawk_to", proof="OPS-1", files=proof)
    operator.fill(f"/requests/{ref}", f"/requests/{ref}/cancel", reason="zyxbad@example.com")
    operator.get(f"/privacy/requests/{ref}.json")
    pages = [
        operator.get(f"/privacy{path}").text for path in ("/requests", f"/requests/{ref}", f"/requests/{ref}.json")
    ]
    out, err = capfd.readouterr()
    assert len(vault.requests()) == 3
    assert said
    assert airflow.seen
    _clean(caplog.text, out, err, *said, *pages, *airflow.seen)
    _clean(*(repr(recorded) for recorded in ledger.entries()))


@pytest.mark.parametrize("way", ["page", "csv", "rest"])
def test_an_error_of_others_that_quotes_a_person_is_not_passed_on(
    operator: Browser,
    site: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    way: str,
) -> None:
    def fail(vault: Vault, *_: object, **__: object) -> None:
        raise ValueError("duplicate key: zyxjane.zyxroe@example.com")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(Vault, "open", fail)
    if way == "page":
        answer = operator.fill("/requests/new", **PERSON)
    elif way == "csv":
        file = {"file": ("x.csv", "type,user_id\nerasure,zyxuser", "text/csv")}
        answer = operator.fill("/requests/upload", files=file)
    else:
        api = TestClient(site, headers={"Authorization": f"Bearer {token_of('crm', 'op')}"})
        answer = api.post("/privacy/api/requests", json=PERSON)
    out, err = capfd.readouterr()
    assert answer.status_code == 500
    assert "ValueError at opening.py:" in answer.text
    assert "Traceback" not in answer.text + out + err
    assert "a page failed" in out + err + caplog.text
    _clean(answer.text, out, err, caplog.text)
    assert answer.headers["cache-control"] == "no-store"
