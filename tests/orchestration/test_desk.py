"""From Airflow's connections to the means of a task."""

from __future__ import annotations

import json

import pytest

from include.errors import Refused, Unavailable
from include.orchestration.desk import connection, open_desk, open_system
from include.retention.guard import Mode


def test_a_connection_of_airflow_becomes_the_products_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "conn_type": "elasticsearch",
        "host": "https://es.example:9200",
        "login": "privacy",
        "password": "hidden-secret",
        "schema": "x",
        "port": 9200,
        "extra": {"ca_certs": "/ca.crt", "verify": True},
    }
    monkeypatch.setenv("AIRFLOW_CONN_ELASTICSEARCH", json.dumps(given))
    found = connection("elasticsearch")
    assert (found.host, found.port, found.login, found.password) == (
        given["host"],
        given["port"],
        given["login"],
        given["password"],
    )
    assert dict(found.extra) == given["extra"]
    assert "hidden-secret" not in repr(found)


def test_a_missing_connection_says_which_and_where_it_is_explained() -> None:
    with pytest.raises(Refused, match=r"Create the Airflow connection 'hotjar' \(docs/connections\.md\)"):
        connection("hotjar")


@pytest.mark.usefixtures("deployed")
def test_a_desk_has_policy_ledger_holds_and_mode_and_lets_go_of_the_database() -> None:
    with open_desk() as desk:
        assert desk.mode is Mode.TRIAL
        assert desk.rule("A1").id == "A1"
        assert desk.ledger.size() == 0
        assert desk.holds.active().holds == {}
        pool = desk.ledger.engine.pool
        assert "Connections in pool: 1" in pool.status()
    assert desk.ledger.engine.pool is not pool


@pytest.mark.usefixtures("deployed")
def test_a_desk_is_put_away_when_the_task_fails() -> None:
    def work() -> None:
        with open_desk() as desk:
            opened.append((desk, desk.ledger.engine.pool))
            desk.ledger.size()
            raise ValueError

    opened: list[object] = []
    with pytest.raises(ValueError):  # noqa: PT011 - our own, without a text
        work()
    desk, pool = opened[0]  # type: ignore[misc]
    assert desk.ledger.engine.pool is not pool


def test_a_ledger_that_does_not_answer_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": 1,
        "login": "x",
        "password": "y" * 8,
        "schema": "z",
    }
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_LEDGER", json.dumps(nowhere))
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_PSEUDONYMS", json.dumps({"conn_type": "generic", "password": "A" * 44}))
    with open_desk() as desk, pytest.raises(Unavailable, match="Check that its PostgreSQL answers"):
        desk.ledger.size()


@pytest.mark.usefixtures("deployed")
def test_a_store_is_opened_by_its_key_and_closed() -> None:
    with open_system("firebase_auth") as system:
        assert system.card.key == "firebase_auth"


def test_a_system_without_a_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSTAGRAM", json.dumps({"conn_type": "http", "host": "instagram.example"}))
    with pytest.raises(Refused, match="Modules exist for"), open_system("instagram"):
        pass
