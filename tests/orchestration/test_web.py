"""The page of the reports in Airflow's web server, behind Airflow's own checks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.reports import store
from include.retention.run import run_id
from tests.reports.nights import build, good_night

ROOT = Path(__file__).parents[2]
RUN = run_id("retention", "scheduled__2026-11-22T02:00:00+00:00")
NAME = f"retention-2026-11-22-{RUN}"
PATHS = ["/", f"/view/{NAME}", f"/files/{NAME}.html", f"/files/{NAME}.json", "/runs/retention/manual__1", "/nothing"]


@pytest.fixture
def reports(tmp_path: Path) -> str:
    report = build(good_night())
    store.write(replace(report, run=replace(report.run, run=RUN)), str(tmp_path))
    (tmp_path / "secret.html").write_text("secret")
    return str(tmp_path)


@pytest.fixture
def server(reports: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """The application, mounted as Airflow mounts it; nothing of its protection is replaced."""
    from include.orchestration import web

    monkeypatch.setenv("PRIVACY_REPORTS", reports)
    outer = FastAPI()
    outer.mount("/privacy", web.app)
    yield outer
    web.app.dependency_overrides.clear()


class Users:
    """Stands for Airflow's auth manager: who may read which DAG."""

    def __init__(self, may_read: str) -> None:
        self.may_read = may_read
        self.asked: list[tuple[str, str | None]] = []

    def is_authorized_dag(self, *, method: str, access_entity: object, details: object, user: object) -> bool:
        self.asked.append((method, details.id))  # type: ignore[attr-defined]
        return details.id == self.may_read and user == "a user"  # type: ignore[attr-defined]


def signed_in(server: FastAPI, monkeypatch: pytest.MonkeyPatch, *, may_read: str) -> tuple[TestClient, Users]:
    from airflow.api_fastapi.core_api import security

    from include.orchestration import web

    users = Users(may_read)
    web.app.dependency_overrides[security.get_user] = lambda: "a user"
    monkeypatch.setattr(security, "get_auth_manager", lambda: users)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    return TestClient(server, follow_redirects=False), users


@pytest.fixture
def client(server: FastAPI, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    return signed_in(server, monkeypatch, may_read="retention")[0]


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_request_without_a_user_is_refused(server: FastAPI, path: str) -> None:
    answer = TestClient(server).get(f"/privacy{path}")
    assert answer.status_code == 401
    assert RUN not in answer.text
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("role", "forged", "status"), [("viewer", False, 200), (None, False, 403), ("admin", True, 403)]
)
def test_airflows_own_tokens_and_roles_decide(
    server: FastAPI, monkeypatch: pytest.MonkeyPatch, role: str | None, forged: bool, status: int
) -> None:
    """Nothing but Airflow's database is replaced: the token is made, read and judged by its own auth manager."""
    from airflow.api_fastapi.auth.managers import base_auth_manager
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api import security

    manager = SimpleAuthManager()
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "k" * 64)
    monkeypatch.setattr(base_auth_manager.RevokedToken, "is_revoked", lambda jti: False)
    monkeypatch.setattr(security.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(security, "get_auth_manager", lambda: manager)
    token = manager.generate_jwt(SimpleAuthManagerUser(username="auditor", role=role))
    if forged:
        head, body, signature = token.split(".")
        token = ".".join((head, body, signature[::-1]))
    answer = TestClient(server).get("/privacy/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_user_who_may_not_read_the_dag_is_refused(
    server: FastAPI, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    client, users = signed_in(server, monkeypatch, may_read="another")
    answer = client.get(f"/privacy{path}")
    assert answer.status_code == 403
    assert users.asked == [("GET", "retention")]


def test_no_dag_named_in_the_address_widens_the_right(server: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    client, users = signed_in(server, monkeypatch, may_read="another")
    assert client.get("/privacy/runs/another/manual__1?dag_id=another").status_code == 403
    assert users.asked == [("GET", "retention")]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/static/x"])
def test_there_is_no_other_page(client: TestClient, path: str) -> None:
    assert client.get(f"/privacy{path}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_pages_can_only_be_read(client: TestClient, method: str) -> None:
    assert client.request(method, "/privacy/").status_code == 405


def test_the_list_leads_to_each_report(client: TestClient) -> None:
    page = client.get("/privacy/")
    assert "13,390 records; 12 held." in page.text
    assert f'href="view/{NAME}"' in page.text
    assert client.get(f"/privacy/view/{NAME}").status_code == 200


def test_the_frame_shows_the_report_without_rights(client: TestClient) -> None:
    page = client.get(f"/privacy/view/{NAME}")
    assert f'sandbox src="../files/{NAME}.html"' in page.text
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    report = client.get(f"/privacy/files/{NAME}.html")
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    policy = report.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; sandbox; ")
    assert "allow-scripts" not in policy


@pytest.mark.parametrize(("ending", "kind"), [("json", "application/json"), ("csv", "text/csv; charset=utf-8")])
def test_the_data_is_a_download(client: TestClient, ending: str, kind: str) -> None:
    answer = client.get(f"/privacy/files/{NAME}.{ending}")
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}.{ending}"'


@pytest.mark.parametrize(
    "path",
    [
        "/files/secret.html",
        "/files/..%2Fsecret.html",
        "/files/%2e%2e%2fsecret.html",
        f"/files/{NAME}.html%00",
        "/files/..%5csecret.html",
        "/view/secret",
        "/view/..%2Fsecret",
    ],
)
def test_nothing_else_of_the_folder_can_be_read(client: TestClient, path: str) -> None:
    answer = client.get(f"/privacy{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/", f"/files/{NAME}.html", "/files/none.html", "/none"])
def test_every_answer_is_kept_out_of_caches_and_foreign_frames(client: TestClient, path: str) -> None:
    headers = client.get(f"/privacy{path}").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"]


def test_a_run_of_the_dag_leads_to_its_report(client: TestClient) -> None:
    answer = client.get("/privacy/runs/retention/scheduled__2026-11-22T02%3A00%3A00%2B00%3A00")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/privacy/view/{NAME}")


@pytest.mark.parametrize("run", ["another/scheduled__2026-11-22T02%3A00%3A00%2B00%3A00", "retention/manual__<b>"])
def test_a_run_without_a_report_says_so(client: TestClient, run: str) -> None:
    answer = client.get(f"/privacy/runs/{run}")
    assert answer.status_code == 404
    assert "This run has no report" in answer.text
    assert "<b>" not in answer.text
    assert 'href="/privacy/"' in answer.text


def test_a_folder_that_does_not_answer_is_said_and_leads_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY_REPORTS", "nosuchprotocol://key:secret@host/x")
    answer = client.get(f"/privacy/files/{NAME}.html")
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert 'href="/privacy/"' in answer.text


def test_the_plugin_is_light_until_the_web_server_asks() -> None:
    code = (
        "import sys; import plugins.privacy as p;"
        "assert not {'fastapi', 'include.orchestration.web', 'jinja2.loaders'} & ({*sys.modules} - before)"
    )
    code = f"import airflow.plugins_manager, sys; before = {{*sys.modules}}; {code}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_the_plugin_offers_the_application_and_both_views() -> None:
    from include.orchestration import web
    from plugins.privacy import PrivacyPlugin

    assert PrivacyPlugin().fastapi_apps == [{"app": web.app, "url_prefix": "/privacy", "name": "Privacy"}]
    assert [view["destination"] for view in PrivacyPlugin.external_views] == ["nav", "dag_run"]
