"""People who were erased and are there again: counted, and put before a human exactly once."""

from __future__ import annotations

import pytest

from include.assurance.evidence import Night, State
from include.erasure import approval
from include.erasure.desk import Desk
from include.errors import Unavailable
from include.ledger.entry import Kind
from include.policy.persons import IdentifierKind, RequestType
from include.requests import opening
from include.subjects import tombstones
from include.subjects.identifiers import Identifier
from tests.assurance.conftest import NIGHT, Check
from tests.assurance.double import Asked
from tests.erasure import kit
from tests.subjects.kit import email, intake, user

ANN = (email("ann@example.com"), user("u1"))
BOB = (email("bob@example.com"),)
PUSH = Identifier(IdentifierKind.PUSH_ID, "9f0c6f62-1b2c-4d5e-8f90-0123456789ab")
STRANGERS = [email(f"stranger{number}@example.com") for number in range(2500)]


def erase(desk: Desk, *identifiers: Identifier) -> None:
    [one] = desk.vault.open([intake(*identifiers)])
    tombstones.bury(desk.vault, {one.id: ()}, days=395)
    desk.vault.destroy([one.id])


def body(desk: Desk) -> dict[str, object]:
    return dict(list(desk.ledger.entries(run=NIGHT.run, kinds=[Kind.RETURNED]))[-1].entry.body)


def test_who_came_back_is_counted_and_gets_one_request_with_all_that_was_found(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    erase(desk, *BOB)
    there = [*STRANGERS[:1200], email("ANN@example.com"), *STRANGERS[1200:], ANN[1], BOB[0], ANN[0]]
    assert check("zapier", Asked(holds=there))[-1] is State.SEE_TO
    assert {key: body(desk)[key] for key in ("looked", "people", "opened")} == {
        "looked": len(there),
        "people": 2,
        "opened": 2,
    }
    requests = desk.vault.requests(batch=NIGHT.batch)
    assert {(one.type, one.source, one.opened_by, one.answer) for one in requests} == {
        (RequestType.ERASURE, "returned", "dag_assurance", False)
    }
    known = sorted(len(subject.identifiers) for subject in desk.vault.subjects([one.id for one in requests]))
    assert known == [1, 3]
    opened = list(desk.ledger.entries(runs=[one.id for one in requests], kinds=[Kind.REQUEST_OPENED]))
    assert {recorded.entry.body["batch"] for recorded in opened} == {NIGHT.batch}
    assert "@" not in "".join(str(recorded.entry) for recorded in desk.ledger.entries())


def test_nobody_who_is_no_erased_person_is_looked_at_twice(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    assert check("zapier", Asked(holds=STRANGERS))[-1] is State.IN_ORDER
    assert desk.vault.requests() == []


@pytest.mark.parametrize("known", [ANN, (PUSH,)])
def test_a_second_system_and_the_next_night_open_none_while_one_is_open(
    desk: Desk, check: Check, known: tuple[Identifier, ...]
) -> None:
    erase(desk, *known)
    check("zapier", Asked(holds=known))
    check("sendgrid", Asked(holds=known))
    check("zapier", Asked(holds=known), Night("run_" + "b" * 16, NIGHT.at))
    assert len(desk.vault.requests()) == 1


def test_none_is_opened_beside_the_persons_own_request(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    ref = kit.open_request(desk, email("ann@example.com"), type_=RequestType.ACCOUNT_DELETION)
    check("zapier", Asked(holds=ANN))
    assert [one.id for one in desk.vault.requests()] == [ref]
    assert (body(desk)["people"], body(desk)["opened"]) == (1, 0)


def test_declining_says_that_the_person_is_here_on_purpose(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    check("zapier", Asked(holds=ANN))
    [request] = desk.vault.requests()
    approval.close(desk, [request.id], "declined")
    assert check("zapier", Asked(holds=ANN))[-1] is State.IN_ORDER
    assert desk.vault.requests() == []


def test_any_other_end_asks_again_when_the_data_is_still_there(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    check("zapier", Asked(holds=ANN))
    [request] = desk.vault.requests()
    approval.close(desk, [request.id], "cancelled")
    check("zapier", Asked(holds=ANN))
    assert [one.id != request.id for one in desk.vault.requests()] == [True]


def test_a_crash_after_the_vault_and_before_the_ledger_is_mended_and_opens_no_second_one(
    desk: Desk, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(desk, PUSH)

    def dies(_: object, refs: list[str]) -> list[object]:
        if refs:
            raise Unavailable("ledger", "append", "Run again.")
        return []

    with monkeypatch.context() as broken:
        broken.setattr(opening, "_entries", dies)
        check("zapier", Asked(holds=[PUSH]))
    check("zapier", Asked(holds=[PUSH]))
    [request] = desk.vault.requests()
    opening.repair(desk.vault, desk.ledger)
    assert kit.status(desk, request.id).batch == NIGHT.batch
    assert (body(desk)["people"], body(desk)["opened"]) == (1, 0)


def test_the_request_goes_the_way_of_every_other(desk: Desk, check: Check) -> None:
    erase(desk, *ANN)
    check("zapier", Asked(holds=ANN))
    [request] = desk.vault.requests()
    status = kit.status(desk, request.id)
    assert (status.opened_by, status.wants_answer, status.approved) == ("dag_assurance", False, False)
