"""The command line as an operator uses it, with connections in the environment."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from include.connection import Connection
from include.database import url_of
from include.errors import Refused
from include.ledger.__main__ import main
from include.ledger.connect import open_ledger
from include.ledger.entry import Entry, Kind
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]
KEY = bytes(range(32))
PERSON = "ann.lee@clinic.example"


def connection_of(url: str) -> dict[str, object]:
    parts = make_url(url)
    socket = parts.query.get("host")
    return {
        "host": parts.host,
        "port": parts.port,
        "login": parts.username,
        "password": parts.password,
        "schema": parts.database,
        "extra": {"socket_dir": socket} if socket else {},
    }


@pytest.fixture
def run(ledger_url: str, owner_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    connections = {
        "PRIVACY_LEDGER": connection_of(ledger_url),
        "PRIVACY_LEDGER_OWNER": connection_of(owner_url),
        "PRIVACY_PSEUDONYMS": {"password": base64.b64encode(KEY).decode()},
        "PRIVACY_LEDGER_SIGNER": {
            "password": base64.b64encode(KEY).decode(),
            "extra": {"origin": "ledger.example/privacy"},
        },
    }
    for name, value in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(value))

    def call(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return call


def test_the_way_from_migration_to_a_proof(run: Run, ledger: Ledger, signer_vkey: str) -> None:
    assert run("migrate").returncode == 0
    ledger.append([Entry(Kind.OUTCOME, "run_1", body={"gone": number}) for number in range(300)])
    status = run("status")
    assert (status.returncode, status.stderr) == (0, "")
    assert "entries: 300" in status.stdout
    assert "last checkpoint: none" in status.stdout
    early = run("proof", "7")
    assert (early.returncode, early.stdout) == (2, "")
    assert "sign one first" in early.stderr
    note = run("checkpoint", "sign").stdout
    assert note.startswith("ledger.example/privacy\n300\n")
    assert run("checkpoint", "show").stdout == note
    verified = run("checkpoint", "verify", "--vkey", signer_vkey)
    assert (verified.returncode, verified.stdout[:1]) == (0, "1")
    proof = run("proof", "7")
    checked = run("verify-proof", "--vkey", signer_vkey, stdin=proof.stdout)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "Entry 7 of 300" in checked.stdout
    assert '"gone":7' in checked.stdout
    forged = run("verify-proof", "--vkey", signer_vkey, stdin=proof.stdout.replace("index 7", "index 8"))
    assert (forged.returncode, forged.stdout) == (1, "")
    audit = run("audit")
    assert (audit.returncode, audit.stderr) == (0, "")
    assert audit.stdout.startswith("300 entries, 1 checkpoints, 0 problems")


def test_a_signer_from_a_key_file_and_a_copy_elsewhere(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    ledger.append([Entry(Kind.RUN_OPENED, "run_1")])
    sign = ("checkpoint", "sign", "--key-file", str(tmp_path / "key"), "--origin", "ledger.example/privacy")
    assert "--origin" in run(*sign[:4]).stderr
    kept = tmp_path / "checkpoint"
    kept.write_text(run(*sign).stdout)
    ledger.append([Entry(Kind.RUN_CLOSED, "run_1")])
    assert run(*sign, "--elsewhere", str(kept)).stdout.startswith("ledger.example/privacy\n2\n")
    kept.write_text(kept.read_text().replace("\n1\n", "\n2\n"))
    assert run(*sign, "--elsewhere", str(kept)).returncode == 1


def test_a_hold_from_setting_to_release_never_shows_or_stores_the_identifier(run: Run, ledger: Ledger) -> None:
    fields = ("--matter", "m-17", "--ground", "pending claim", "--by", "staff_4", "--review", "2199-01-01")
    made = run("hold", "set", "--subject", "--system", "firestore", *fields, stdin=PERSON + "\n")
    assert (made.returncode, made.stderr) == (0, "")
    hold_id = made.stdout.strip()
    listed = run("hold", "list").stdout
    assert hold_id in listed
    assert Pseudonymiser(KEY).subject(PERSON) in listed
    assert "holds in force: 1, due for review: 0" in run("status").stdout
    assert run("hold", "release", hold_id, "--by", "staff_4", "--reason", "settled").returncode == 0
    assert run("hold", "list").stdout == ""
    again = run("hold", "release", hold_id, "--by", "staff_4", "--reason", "settled")
    assert again.returncode == 2
    stored = "".join(str(item.entry.body) for item in ledger.entries())
    assert PERSON not in stored + made.stdout + listed + again.stderr


def test_a_hold_without_an_identifier_is_refused(run: Run, ledger: Ledger) -> None:
    fields = ("--matter", "m-17", "--ground", "claim", "--by", "staff_4", "--review", "2199-01-01")
    assert run("hold", "set", "--subject", *fields, stdin="\n").returncode == 2
    assert "Name a subject, a rule or a system" in run("hold", "set", *fields).stderr
    assert ledger.size() == 0


def test_a_gone_server_is_a_sentence_and_a_code_to_try_later() -> None:
    connection = json.dumps({"host": "127.0.0.1", "port": 1, "login": "w", "password": "hidden", "schema": "ledger"})
    for environment, code, sentence in (
        ({"AIRFLOW_CONN_PRIVACY_LEDGER": connection}, 75, "Check that its PostgreSQL answers"),
        ({}, 2, "AIRFLOW_CONN_PRIVACY_LEDGER"),
    ):
        base = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")}
        command = [sys.executable, "-m", "include.ledger", "status"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=base | environment)
        assert (done.returncode, done.stdout) == (code, "")
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "hidden" not in done.stderr


@pytest.mark.parametrize("place", [{"extra": {"socket_dir": "/run/pg"}}, {"host": "/run/pg"}])
def test_a_socket_directory_can_stand_in_host_or_extra(place: dict[str, object]) -> None:
    url = url_of(Connection("privacy_ledger", login="w", schema="ledger", **place))  # type: ignore[arg-type]
    assert url.render_as_string() == "postgresql+psycopg2://w@/ledger?host=%2Frun%2Fpg"


def test_a_connection_over_the_network_keeps_its_tls_settings() -> None:
    connection = Connection("x", "db.example", 5433, "w", "p@ss/word", "ledger", {"sslmode": "verify-full", "other": 1})
    url = url_of(connection)
    assert (url.host, url.port, url.password, dict(url.query)) == (
        "db.example",
        5433,
        "p@ss/word",
        {"sslmode": "verify-full"},
    )


@pytest.mark.parametrize("missing", ["host", "login", "schema"])
def test_what_a_connection_lacks_is_named(ledger: Ledger, missing: str) -> None:
    fields = {"host": "db.example", "login": "w", "schema": "ledger", missing: None}
    with pytest.raises(Refused, match=f"'{missing}'"):
        open_ledger(Connection("privacy_ledger", **fields), ledger.clock)  # type: ignore[arg-type]
