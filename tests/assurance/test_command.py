"""``python -m include.assurance``: one line per system, and an exit code that a script can use."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.assurance import __main__ as command
from include.assurance import trial
from include.connection import Connection
from include.systems import registry
from include.systems.assuring import Access
from tests.assurance.double import Asked, Plain
from tests.erasure.kit import POLICY


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands for Zapier."""
    made: dict[str, Any] = {"zapier": Asked()}
    for key in POLICY.systems:
        monkeypatch.delenv(f"AIRFLOW_CONN_{key.upper()}", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_ZAPIER", json.dumps({"conn_type": "zapier", "password": "key-in-clear"}))
    monkeypatch.setitem(registry.ERASING, "zapier", "tests.assurance.double")
    connect = registry.connect_erasing
    monkeypatch.setattr(
        trial.registry,
        "connect_erasing",
        lambda connection, means: connect(Connection(connection.id, extra={"double": made["zapier"]}), means),
    )
    return made


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_every_system_of_the_policy_has_a_line_and_a_gap_is_no_failure(
    double: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 0
    shown = lines(capsys)
    assert list(shown) == list(POLICY.systems)
    assert "in order" in shown["zapier"]
    assert "not connected" in shown["firestore"]
    assert double["zapier"].closed == 1


@pytest.mark.parametrize(
    ("system", "code", "says"),
    [
        (Asked(grants=Access(missing=("runs:read",))), 1, "does not work"),
        (Asked(grants=Access(excess=("admin",))), 0, "see to it"),
        (Plain(), 0, "cannot be asked"),
    ],
)
def test_one_that_does_not_work_is_the_exit_code(
    double: dict[str, Any], capsys: pytest.CaptureFixture[str], system: Plain, code: int, says: str
) -> None:
    double["zapier"] = system
    assert command.main(["zapier"]) == code
    shown = lines(capsys)
    assert list(shown) == ["zapier"]
    assert says in shown["zapier"]


def test_a_connection_that_cannot_be_read_does_not_work_and_is_not_shown(
    double: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ZAPIER", "{'password': 'key-in-clear'")
    assert command.main(["zapier"]) == 1
    assert "key-in-clear" not in lines(capsys)["zapier"]


def test_what_the_environment_lacks_is_asked_of_airflows_store(
    double: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ZAPIER")

    def exported(words: list[str], **_: object) -> Any:
        Path(words[-1]).write_text(json.dumps({"zapier": {"conn_type": "zapier", "extra": "{}"}}))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(command.subprocess, "run", exported)
    assert command.main(["--store", "zapier"]) == 0
    assert "in order" in lines(capsys)["zapier"]


def test_a_store_that_cannot_be_read_is_said_and_is_no_success(
    double: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assert command.main(["--store"]) == 1
    shown = capsys.readouterr()
    assert "only the environment counts" in shown.err
    assert "in order" in shown.out


def test_an_unknown_system_is_refused(double: dict[str, Any]) -> None:
    assert command.main(["nobody"]) == 2
