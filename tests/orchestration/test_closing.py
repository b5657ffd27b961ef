"""Closing a run, on a real ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.ledger import merkle
from include.ledger.entry import Kind
from include.ledger.holds import Holds
from include.ledger.log import Ledger
from include.ledger.note import Signer, Tree, verify
from include.ledger.pseudonym import Pseudonymiser
from include.orchestration import closing
from include.orchestration.closing import close
from include.retention.desk import Desk
from include.retention.desk import Night as Nightly
from include.retention.guard import Mode
from tests.reports.nights import AS_OF, RUN, SYSTEMS, Night, card, policy

NIGHT = Nightly(run=RUN, as_of=AS_OF)
NAME = f"retention-2026-11-22-{RUN}"


@pytest.fixture
def signer() -> Signer:
    return Signer("ledger.example/evidence", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def desk(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(closing, "find_connection", lambda key: None if key == "redis" else Connection(key))
    monkeypatch.setattr(closing.registry, "cards", lambda: {key: card(key) for key in SYSTEMS})
    ledger.clock.now = AS_OF  # type: ignore[attr-defined]
    return Desk(policy(), ledger, Holds(ledger), Pseudonymiser(bytes(32)), ledger.clock, Mode.PRODUCTION)


def run_of(desk: Desk, *, swept: bool = True) -> Night:
    """A run as the engine leaves it in the ledger: proved, or with a plan that nobody carried out."""
    night = Night(policy=policy().digest, first=0).open(("C2", "firestore"))
    if swept:
        night.sweep("C2", "firestore", total=4000, due=120, held=20)
    else:
        night.plan("C2", "firestore", total=4000, due=120, held=20)
    desk.ledger.append([recorded.entry for recorded in night.entries])
    return night


def closings(desk: Desk) -> list[int]:
    return [recorded.index for recorded in desk.ledger.entries(run=RUN, kinds=[Kind.RUN_CLOSED])]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_proved_run_is_closed_signed_and_reported(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    run_of(desk)
    closed = close(desk, NIGHT, str(tmp_path), signer)
    assert (closed.rules, closed.gone, closed.held, closed.unfinished) == (1, 100, 20, ())
    assert closed.report == f"{NAME}.html"
    report = json.loads((tmp_path / f"{NAME}.json").read_text())
    assert report["sentence"] == closed.sentence
    assert closed.sentence.startswith("Everything due was removed and verified: 1 rule, 100 records; 20 held.")
    assert [night["run"] for night in report["nights"]] == [RUN]
    assert [one["system"] for one in report["uncovered"] if one["blocks"]] == ["redis"]


def test_the_checkpoint_of_the_report_covers_the_closing_entry(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    run_of(desk)
    close(desk, NIGHT, str(tmp_path), signer)
    report = json.loads((tmp_path / f"{NAME}.json").read_text())
    seal, closed = report["checkpoint"], report["run"]["closed"]
    verify(seal["note"], [signer.verifier])
    tree = Tree.parse(seal["note"])
    assert (tree.size, tree.root.hex()) == (seal["size"], seal["root"])
    proof = desk.ledger.inclusion(closed, tree.size)
    leaf = desk.ledger.entry(closed).leaf_hash
    assert merkle.verify_inclusion(leaf, closed, tree.size, proof, tree.root)


def test_closing_again_writes_nothing_new(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    run_of(desk)
    first = close(desk, NIGHT, str(tmp_path), signer)
    before, size = files(tmp_path), desk.ledger.size()
    assert close(desk, NIGHT, str(tmp_path), signer) == first
    assert (files(tmp_path), desk.ledger.size()) == (before, size)


@pytest.mark.parametrize("step", ["checkpoint", "read_trail", "store.write"])
def test_a_crash_at_any_step_is_mended_by_closing_again(
    desk: Desk, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run_of(desk)

    def crash(*_: object, **__: object) -> None:
        raise Unavailable("here", "go on", "Again.")

    with monkeypatch.context() as patch:
        patch.setattr(f"include.orchestration.closing.{step}", crash)
        with pytest.raises(Unavailable):
            close(desk, NIGHT, str(tmp_path / "reports"), signer)
    closed = close(desk, NIGHT, str(tmp_path / "reports"), signer)
    assert len(closings(desk)) == 1
    assert closed.unfinished == ()
    assert set(files(tmp_path / "reports")) == {f"{NAME}.html", f"{NAME}.json", f"{NAME}.csv", "latest.html"}


def test_a_run_that_is_not_proved_names_its_rules(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    run_of(desk, swept=False)
    closed = close(desk, NIGHT, str(tmp_path), signer)
    assert closed.unfinished == ("C2",)
    assert closed.sentence.startswith("Not proved: 1 of 1 rule (C2). 100 due records remain.")
    body = desk.ledger.entry(closings(desk)[0]).entry.body
    assert body["not_final"] == ["C2"]
    assert body["rules"] == [
        {
            "rule": "C2",
            "system": "firestore",
            "state": "planned",
            "total": 4000,
            "due": 120,
            "gone": 0,
            "left_alone": 0,
            "unknown": 0,
            "held": 20,
            "remaining": 100,
        }
    ]


def test_what_is_done_after_a_closing_is_closed_again(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    night = run_of(desk, swept=False)
    close(desk, NIGHT, str(tmp_path), signer)
    done = len(night.entries)
    night.first = desk.ledger.size() - done
    night.batch("C2", "firestore", 100)
    night.look("C2", "firestore", held=20)
    desk.ledger.append([recorded.entry for recorded in night.entries[done:]])
    closed = close(desk, NIGHT, str(tmp_path), signer)
    assert (closed.unfinished, closed.gone, len(closings(desk))) == ((), 100, 2)
    report = json.loads((tmp_path / f"{NAME}.json").read_text())
    assert report["run"]["closed"] == closings(desk)[1]
    assert [rule["gone"] for night in report["nights"] for rule in night["rules"]] == [100]


def test_a_run_that_was_never_opened_is_not_closed(desk: Desk, signer: Signer, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        close(desk, NIGHT, str(tmp_path), signer)
    assert desk.ledger.size() == 0
    assert files(tmp_path) == {}


def test_nothing_is_signed_or_reported_for_a_ledger_that_another_key_signed(
    desk: Desk, signer: Signer, tmp_path: Path
) -> None:
    run_of(desk)
    close(desk, NIGHT, str(tmp_path), signer)
    before = files(tmp_path)
    stranger = Signer("ledger.example/evidence", Ed25519PrivateKey.generate())
    with pytest.raises(Inconsistent):
        close(desk, NIGHT, str(tmp_path), stranger)
    assert files(tmp_path) == before
