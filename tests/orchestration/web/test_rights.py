"""Who may do what: every route, every role, and nothing before the check."""

from __future__ import annotations

import re
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from tests.orchestration.web.conftest import ORIGIN, browser

REF, BATCH = "req_" + "a" * 16, "bat_" + "a" * 16
NAMES = {"ref": REF, "name": "tawk_to-1.pdf", "run": "manual__1", "airflow_run": "manual__1", "dag": "retention"}


def routes() -> list[tuple[str, str]]:
    from include.orchestration import web

    found = []
    for route in web.app.routes:
        assert isinstance(route, APIRoute)
        path = re.sub(r"\{(\w+)(:path)?\}", lambda name: NAMES[name[1]], route.path)
        if path.startswith("/batches"):
            path = path.replace(REF, BATCH)
        found += [(method, path) for method in route.methods]
    return sorted(found)


ROUTES = routes()
WRITING = {"/requests/new", "/requests/upload", f"/requests/{REF}/proofs/tawk_to-1.pdf"}
REPORTS = {"/", "/view/tawk_to-1.pdf", "/files/tawk_to-1.pdf", "/runs/retention/manual__1"}


def test_there_are_the_routes_that_this_is_about() -> None:
    assert len(ROUTES) == 23
    assert {path for _, path in ROUTES} >= WRITING | REPORTS


def refused(client: TestClient, status: int) -> set[tuple[str, str]]:
    """The routes that answer with this status."""
    return {
        (method, path)
        for method, path in ROUTES
        if client.request(method, f"/privacy{path}", headers=ORIGIN).status_code == status
    }


def test_without_a_user_nothing_answers(site: FastAPI) -> None:
    assert refused(TestClient(site), 401) == set(ROUTES)


def test_a_user_without_a_role_may_do_nothing(site: FastAPI) -> None:
    assert refused(browser(site, "guest", None), 403) == set(ROUTES)


def test_a_viewer_may_look_and_nothing_else(site: FastAPI) -> None:
    acting = {(method, path) for method, path in ROUTES if method == "POST" or path in WRITING}
    assert refused(browser(site, "auditor", "viewer"), 403) == acting


def test_who_may_run_the_dag_may_do_everything(site: FastAPI) -> None:
    # 401 is the answer to a cookie where a bearer is wanted.
    operator = browser(site, "dpo", "op")
    assert refused(operator, 403) == set()
    assert refused(operator, 401) == {("POST", "/api/requests")}
    assert "too old, or not yours" in operator.post("/privacy/requests/new", data={"x": "1"}, headers=ORIGIN).text


Right = tuple[str, str | None, str]


class Manager:
    """Gives every right but one."""

    def __init__(self, denied: Right) -> None:
        self.denied = denied

    def is_authorized_dag(self, *, method: str, access_entity: Any, details: Any, user: object) -> bool:
        return (method, getattr(access_entity, "value", None), details.id) != self.denied


def test_each_route_asks_for_its_own_right(site: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.core_api import security

    from include.orchestration import web

    monkeypatch.setitem(web.app.dependency_overrides, security.get_user, lambda: "a user")
    for method, path in ROUTES:
        right: Right = ("GET", None, "subject_request")
        if path in REPORTS:
            right = ("GET", None, "retention")
        elif method == "POST" or path in WRITING:
            right = ("POST", "RUN", "subject_request")
        monkeypatch.setattr(security, "get_auth_manager", lambda right=right: Manager(right))
        answer = TestClient(site).request(method, f"/privacy{path}?dag_id=another", headers=ORIGIN)
        assert answer.status_code == 403, path


def test_no_byte_of_a_body_is_read_before_the_right_is_known(site: FastAPI) -> None:
    for method, path in ROUTES:
        if method == "POST":
            status, reads = _ask(site, path)
            assert status == 401
            assert reads <= 1, "at most the look of the server at whether the client is still there"


def _ask(site: FastAPI, path: str) -> tuple[int, int]:
    reads: list[str] = []

    async def receive() -> dict[str, Any]:
        reads.append("read")
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def ask() -> list[int]:
        statuses: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": f"/privacy{path}", "raw_path": f"/privacy{path}".encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"testserver"), (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        }  # fmt: skip
        await site(scope, receive, send)  # type: ignore[arg-type]
        return statuses

    (status,) = anyio.run(ask)
    return status, len(reads)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/requests/x", f"/requests/{REF}x", "/batches/1"])
def test_there_is_no_other_page(site: FastAPI, path: str) -> None:
    answer = browser(site, "dpo", "op").get(f"/privacy{path}")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_every_answer_keeps_out_of_caches_frames_and_scripts(site: FastAPI) -> None:
    operator = browser(site, "dpo", "op")
    for method, path in ROUTES:
        headers = operator.request(method, f"/privacy{path}", headers=ORIGIN).headers
        policy = headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'self'", "form-action"):
            assert part in policy, path
        assert "script-src" not in policy
        assert "unsafe-inline" not in policy or "sandbox" in policy


def test_only_pages_with_forms_may_send_one(site: FastAPI) -> None:
    operator = browser(site, "dpo", "op")
    assert "form-action 'self'" in operator.get("/privacy/requests/new").headers["content-security-policy"]
    for path in ("/", "/requests/x", f"/requests/{REF}/summary.html"):
        assert "form-action 'none'" in operator.get(f"/privacy{path}").headers["content-security-policy"]
