"""The person hears of it once, by the first sender that takes it, before the address leaves the mailers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include.erasure.answer import NO_ADDRESS
from include.erasure.status import Outcome
from include.errors import Unavailable
from include.ledger.entry import Kind
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from tests.erasure import claims, kit
from tests.erasure.office import MAILERS, Office

SENDGRID = ("sendgrid", "mail/send")


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=8)


@pytest.fixture
def ref(office: Office) -> str:
    """A request whose turn to be answered has come."""
    request = office.approved(kit.email(office.estate.people[0].email))
    office.push_before_the_answer()
    return request


def fail(office: Office, *kinds: Fault) -> None:
    for one in kinds:
        office.sandbox.company.faults.add(one)


def senders(office: Office, ref: str) -> list[str]:
    return office.mails(office.asked(office.estate.people[0]), ref)


def test_the_first_sender_is_used_and_the_mailers_are_emptied_afterwards(office: Office, ref: str) -> None:
    office.push_stage("mailers")
    assert not [intent for intent in office.written(Kind.INTENT, ref) if intent.entry.system in MAILERS]
    assert office.tell() == {"sent": 1}
    assert office.tell() == {}
    office.push()
    assert senders(office, ref) == ["sendgrid"]
    assert claims.out_of_order(list(office.desk.ledger.entries(runs=[ref])), MAILERS) == []


@pytest.mark.parametrize("status", [429, 503, 403, 400])
def test_a_sender_that_refuses_is_replaced_by_the_next(office: Office, ref: str, status: int) -> None:
    fail(office, Fault(*SENDGRID[:1], FaultKind.STATUS, SENDGRID[1], status=status, times=99))
    assert office.tell() == {"sent": 1}
    assert senders(office, ref) == ["mailgun"]
    assert office.status(ref).tried_senders == ("sendgrid",)
    office.sandbox.company.faults.clear()
    office.push()
    assert office.row(ref, "mailgun").outcome is Outcome.EXPIRING, "the events of the answer itself are accounted for"


def test_an_answer_that_was_lost_is_asked_for_and_not_sent_again(office: Office, ref: str) -> None:
    fail(office, Fault("sendgrid", FaultKind.LOST_ANSWER, SENDGRID[1]))
    with pytest.raises(Unavailable):
        office.tell()
    assert office.status(ref).notice_open == "sendgrid"
    assert office.tell() == {"sent": 1}
    assert senders(office, ref) == ["sendgrid"]
    notices = [notice.entry.body["sending"] for notice in office.written(Kind.NOTICE, ref)]
    assert notices == ["sent"]


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.STATUS])
def test_a_message_that_was_not_taken_is_sent_once_after_all(office: Office, ref: str, kind: FaultKind) -> None:
    fail(office, Fault("sendgrid", kind, SENDGRID[1], status=500))
    with pytest.raises(Unavailable):
        office.tell()
    assert senders(office, ref) == []
    assert office.tell() == {"sent": 1}
    assert len(senders(office, ref)) == 1


def test_nobody_is_told_twice_while_the_log_cannot_tell(office: Office, ref: str) -> None:
    fail(office, Fault("sendgrid", FaultKind.LOST_ANSWER, SENDGRID[1]))
    fail(office, Fault("sendgrid", FaultKind.STATUS, "messages", times=99), Fault("sendgrid", FaultKind.STATUS, "logs"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            office.tell()
    office.push_stage("mailers")
    assert office.row(ref, "sendgrid").outcome is Outcome.TO_DO, "the mailers wait until it is known"
    office.sandbox.company.faults.clear()
    office.push()
    assert senders(office, ref) == ["sendgrid"]


def test_when_all_refuse_the_first_one_is_asked_again_later(office: Office, ref: str) -> None:
    fail(
        office,
        Fault("sendgrid", FaultKind.STATUS, SENDGRID[1], times=99),
        Fault("mailgun", FaultKind.STATUS, "messages", times=99),
    )
    with pytest.raises(Unavailable):
        office.tell()
    office.sandbox.company.faults.clear()
    assert office.tell() == {"sent": 1}
    assert len(senders(office, ref)) == 1


def test_one_person_who_cannot_be_told_keeps_nobody_else_waiting(office: Office, ref: str) -> None:
    other = office.estate.people[1]
    second = office.approved(kit.email(other.email))
    office.push_before_the_answer()
    fail(office, Fault("sendgrid", FaultKind.LOST_ANSWER, SENDGRID[1]))
    with pytest.raises(Unavailable):
        office.tell()
    assert {office.status(one).notice for one in (ref, second)} == {None, "sent"}


def test_without_an_address_the_evidence_says_so_and_the_work_goes_on(office: Office) -> None:
    office.write("users/withoutaddress", {"name": "Nobody", "workspace": "w"})
    ref = office.approved(kit.user_id("withoutaddress"))
    office.push()
    assert office.status(ref).notice == NO_ADDRESS
    assert office.row(ref, "firestore").outcome is Outcome.VERIFIED_GONE
    assert not office.sandbox.company.sendgrid.sent


def test_a_mail_that_a_sender_logs_in_our_future_is_accounted_for(office: Office, ref: str) -> None:
    desk = replace(office.desk, clock=lambda: office.time() - timedelta(minutes=1))
    fail(office, Fault("sendgrid", FaultKind.STATUS, SENDGRID[1], times=99))
    with kit.connected(desk, office.sandbox.endpoints) as systems:
        kit.carry_out(desk, systems, kit.mailers(desk, office.sandbox.endpoints))
    assert senders(office, ref) == ["mailgun"]
    assert office.row(ref, "mailgun").outcome is Outcome.EXPIRING
