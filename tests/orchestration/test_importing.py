"""Importers: what was erased stays out of a file, and of a task's own rows."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from sqlalchemy.engine import make_url

from include.errors import Refused, Unavailable
from include.orchestration.importing import DropErased, erased, without_erased
from include.policy.persons import IdentifierKind
from include.subjects import tombstones
from include.subjects.vault import Vault
from tests.conftest import MASTER_KEY
from tests.subjects.kit import email, intake, user

COLUMNS = {"email": "email", "uid": "user_id"}
CSV = 'uid,email,note\r\nu1,other@example.com,"a, b"\r\nu2,Ann@Example.com,erased\r\nu3,jo@example.com,ü\r\n'


@pytest.fixture
def deployed(vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault in which ann@example.com is erased, and its connections."""
    [one] = vault.open([intake(email("ann@example.com"))])
    tombstones.bury(vault, {one.id: ()}, days=395)
    vault.destroy([one.id])
    url = make_url(vault_url)
    place = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    login = {"conn_type": "postgres", "login": url.username, "password": url.password or "unused"}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT", json.dumps({**place, **login}))
    key = {"conn_type": "generic", "password": base64.b64encode(MASTER_KEY).decode()}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT_KEY", json.dumps(key))
    monkeypatch.setattr("include.orchestration.desk.now", vault.clock)


def run(source: Path, target: Path, **more: Any) -> Any:
    with DAG("import", schedule=None):
        task = DropErased(task_id="screen", source=str(source), target=str(target), **{"columns": COLUMNS, **more})
    return task.execute({})  # type: ignore[arg-type]


def test_a_csv_file_arrives_without_the_erased_person_and_otherwise_unchanged(deployed: None, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(CSV, newline="")
    assert run(source, target) == {"rows": 3, "erased": 1}
    assert target.read_bytes().decode() == CSV.replace("u2,Ann@Example.com,erased\r\n", "")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_file_of_json_lines_too(deployed: None, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"email": "ANN@example.com"}, {"email": None, "uid": "u9"}, {"other": "ann@example.com"}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(source, target) == {"rows": 3, "erased": 1}
    assert [json.loads(line) for line in target.read_text().splitlines()] == rows[1:]


def test_an_import_that_refuses_erased_people_writes_nothing_and_names_nobody(deployed: None, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(CSV, newline="")
    with pytest.raises(Refused, match="take 1 of 3 rows") as refused:
        run(source, target, on_erased="refuse")
    assert "@" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    "more",
    [{"on_erased": "keep"}, {"columns": {"email": "mail"}}, {"columns": {"space": "workspace"}}, {"columns": {}}],
)
def test_settings_that_would_let_everybody_through_are_refused(
    deployed: None, tmp_path: Path, more: dict[str, Any]
) -> None:
    source = tmp_path / "in.csv"
    source.write_text(CSV, newline="")
    with pytest.raises(Refused):
        run(source, tmp_path / "out.csv", **more)
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_file_is_no_empty_import(deployed: None, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        run(tmp_path / "none.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_task_of_ones_own_asks_about_identifiers_and_rows(deployed: None) -> None:
    assert erased([email("ann@example.com"), user("u1")]) == [True, False]
    rows = [{"m": "ann@example.com"}, {"m": "jo@example.com"}]
    assert list(without_erased(rows, {"m": IdentifierKind.EMAIL})) == rows[1:]
