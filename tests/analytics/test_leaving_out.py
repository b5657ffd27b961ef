"""Whose events are in no release: the restricted, the objecting, those who asked, those who were erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from include.analytics import making
from include.analytics.batches import batches
from include.analytics.leaving_out import LeavingOut, with_a_mark, with_open_requests
from include.analytics.spec import LeftOut
from include.errors import Refused, Unavailable
from include.ledger.log import Ledger
from include.policy.persons import IdentifierKind, RequestType
from include.sandbox.app import Sandbox
from include.sandbox.faults import Fault, FaultKind
from include.subjects.identifiers import Identifier
from include.subjects.vault import Intake, Vault
from tests.analytics import kit

MARKS = kit.specification().left_out
MONDAY = kit.SUNDAY - timedelta(days=6)


def profiles() -> list[dict[str, object]]:
    return [
        {"uid": "u0000", "processing_restricted": True},
        {"uid": "u0001", "objected": True},
        {"uid": "u0002", "processing_restricted": False, "objected": False},
        {"uid": "u0003", "processing_restricted": "true"},
    ]


def intake(uid: str, kind: RequestType) -> Intake:
    return Intake(
        type=kind,
        received_at=datetime(2026, 2, 1, tzinfo=UTC),
        opened_by="staff_a",
        source="page",
        identifiers=(Identifier(IdentifierKind.USER_ID, uid),),
        answer=False,
    )


def test_records_with_a_mark_leave_their_person_out(company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path) -> None:
    kit.seed(company_sandbox, [], profiles())
    office = kit.office(company_sandbox, ledger, tmp_path)
    assert with_a_mark(MARKS, office.policy, office.connection) == {"u0000", "u0001"}


def test_more_marked_records_than_a_page_holds(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.analytics.reading.documents.PAGE", 7)
    marked = [{"uid": uid, "processing_restricted": True} for uid in kit.users(30)]
    kit.seed(company_sandbox, [], marked)
    office = kit.office(company_sandbox, ledger, tmp_path)
    assert with_a_mark(MARKS, office.policy, office.connection) == set(kit.users(30))


def test_marks_of_documents_in_a_search_index(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.analytics.reading.hits.PAGE", 7)
    kit.seed(company_sandbox, [])
    types = {"properties": {"muted": {"type": "boolean"}}}
    records = ((uid, {"muted": number % 3 > 0}) for number, uid in enumerate(kit.users(30)))
    company_sandbox.company.elasticsearch.seed("contacts", records, types)
    office = kit.office(company_sandbox, ledger, tmp_path)
    entry = LeftOut(holding="elasticsearch.contacts", field="muted", reason="muted")
    found = with_a_mark([entry], office.policy, office.connection)
    assert found == {uid for number, uid in enumerate(kit.users(30)) if number % 3}


def test_a_mark_in_a_system_that_cannot_be_asked_is_refused(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    office = kit.office(company_sandbox, ledger, tmp_path)
    for holding in ("redis.profiles", "nowhere.users"):
        with pytest.raises(Refused, match="holding"):
            with_a_mark([LeftOut(holding=holding, field="x", reason="r")], office.policy, office.connection)


def test_everybody_with_an_open_request_is_left_out_until_it_is_closed(vault: Vault) -> None:
    kinds = (RequestType.ERASURE, RequestType.ACCOUNT_DELETION)
    opened = vault.open([intake(uid, kind) for uid, kind in zip(("u0005", "u0006"), kinds, strict=True)])
    vault.add(opened[1].id, [Identifier(IdentifierKind.USER_ID, "u0007")], "firestore")
    assert with_open_requests(vault) == {"u0005", "u0006", "u0007"}
    vault.destroy([opened[0].id])
    assert with_open_requests(vault) == {"u0006", "u0007"}


def test_a_request_that_closes_while_it_is_read_is_read_again_later(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = vault.open([intake("u0005", RequestType.ERASURE)])[0].id
    listed = vault.requests()
    monkeypatch.setattr(vault, "requests", lambda: listed)
    vault.destroy([ref])
    with pytest.raises(Unavailable):
        with_open_requests(vault)


def test_each_person_is_asked_about_once() -> None:
    asked: list[str] = []

    def erased(users: Sequence[str]) -> list[bool]:
        asked.extend(users)
        return [user == "b" for user in users]

    leaving_out = LeavingOut({"a"}, erased)
    page = pl.DataFrame({"uid": ["a", "b", "c", "c"], "n": [1, 2, 3, 4]})
    for _ in range(2):
        assert leaving_out.drop_from(page, "uid")["n"].to_list() == [3, 4]
    assert asked == ["b", "c"]
    assert "a" not in repr(leaving_out).removeprefix("LeavingOut")


def test_whoever_is_left_out_is_in_no_event_that_reaches_the_disk_or_the_mechanism(
    company_sandbox: Sandbox, ledger: Ledger, tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = kit.users(60)
    kit.seed(company_sandbox, list(kit.events(people, [kit.DAY])), profiles())
    vault.open([intake("u0005", RequestType.ERASURE)])

    def erased(users: Sequence[str]) -> list[bool]:
        return [user == "u0009" for user in users]

    office = kit.office(company_sandbox, ledger, tmp_path, vault=vault, are_erased=erased)
    seen: set[str] = set()
    real = making.bundle

    def watched(tables: object, events: pl.LazyFrame, *, unit: str, spool: Path) -> object:
        seen.update(events.collect()[unit])
        return real(tables, events, unit=unit, spool=spool)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "bundle", watched)
    for batch, start in ((batches(office.specification)[0], kit.DAY), (batches(office.specification)[1], MONDAY)):
        seen.clear()
        making.make(office, batch, start, "run_1")
        assert seen == set(people) - {"u0000", "u0001", "u0005", "u0009"}


@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize(("service", "operation"), [("firestore", "RunQuery"), ("elasticsearch", "_search")])
def test_a_store_that_answers_in_part_releases_nothing(
    company_sandbox: Sandbox,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    operation: str,
    skip: int,
) -> None:
    for reader in ("documents", "hits"):
        monkeypatch.setattr(f"include.analytics.reading.{reader}.PAGE", 20)
    kit.seed(company_sandbox, list(kit.events(kit.users(40), [kit.DAY])))
    office = replace(kit.office(company_sandbox, ledger, tmp_path), specification=kit.specification(left_out=()))
    daily, weekly = batches(office.specification)
    company_sandbox.company.faults.add(Fault(service, FaultKind.DROP, operation, skip=skip, times=1000))
    try:
        with pytest.raises(Unavailable):
            making.make(office, *((daily, kit.DAY) if service == "firestore" else (weekly, MONDAY)), "run_1")
    finally:
        company_sandbox.company.faults.clear()
    assert ledger.size() == 0
    assert [path.name for path in office.spool.iterdir()] == ["lock"]
