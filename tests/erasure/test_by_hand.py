"""What a person has to do survives the end of a process between the erasure and its outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.erasure import push
from include.erasure.status import Outcome
from include.ledger.entry import Kind
from include.sandbox.estate import Estate
from include.sandbox.wix import Contact, Submission, WixSandbox
from include.systems.wix import ERASING_CARD
from tests.erasure import kit
from tests.erasure.office import Office, OneByOne


class KilledError(BaseException):
    """The process ends here."""


def kill() -> None:
    raise KilledError


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=6)


@pytest.fixture
def asked(office: Office) -> Callable[[], str]:
    """A request of somebody who is a contact of the site and has sent a form, approved; all systems before it done."""

    def begin() -> str:
        address = "somebody@visitor.example"
        then = office.time()
        office.sandbox.company.twin(WixSandbox).seed(
            [
                Contact("contact-x", (address,), "A", "B", then, then),
                Submission("submission-x", "form-1", then, {"email_1": address}),
            ]
        )
        return office.approved(kit.email(address))

    return begin


def wix_until_killed(office: Office) -> None:
    """The stages up to the one of Wix, in which the process ends after the erasure."""
    dying = {**office.systems, "wix": OneByOne(office.systems["wix"], kill)}
    with pytest.raises(KilledError):
        office.push(dying)


def test_the_inbox_is_looked_into_though_the_contact_is_gone(office: Office, asked: Callable[[], str]) -> None:
    ref = asked()
    wix_until_killed(office)
    assert office.row(ref, "wix").outcome is Outcome.UNDER_WAY
    assert not [one for one in office.written(Kind.OUTCOME, ref) if one.entry.system == "wix"]
    office.push()
    row = office.row(ref, "wix")
    assert (row.outcome, row.next_action, row.gone) == (Outcome.MANUAL_PENDING, ERASING_CARD.instructions, 2)
    push.erase(office.desk, office.systems["wix"])
    assert office.row(ref, "wix").outcome is Outcome.MANUAL_PENDING, "it is written once"
    outcomes = [one for one in office.written(Kind.OUTCOME, ref) if one.entry.system == "wix"]
    assert [one.entry.body["did"] for one in outcomes] == ["manual"]


def test_so_it_is_where_the_next_try_still_finds_something_else(office: Office, asked: Callable[[], str]) -> None:
    ref = asked()
    wix_until_killed(office)
    office.sandbox.company.twin(WixSandbox).seed(
        [Submission("submission-again", "form-1", office.time(), {"e": "somebody@visitor.example"})]
    )
    office.push()
    row = office.row(ref, "wix")
    assert (row.outcome, row.next_action) == (Outcome.MANUAL_PENDING, ERASING_CARD.instructions)
    assert not office.systems["wix"].find(office.desk.vault.subjects([ref]))[0].counts


def test_a_try_that_a_hold_stops_in_between_forgets_nothing(office: Office, asked: Callable[[], str]) -> None:
    ref = asked()
    wix_until_killed(office)
    hold = kit.hold(office.desk, "somebody@visitor.example", "wix")
    office.push()
    assert office.row(ref, "wix").outcome is Outcome.HELD
    office.desk.holds.release(hold.id, kit.STAFF, "settled")
    office.push()
    assert office.row(ref, "wix").outcome is Outcome.MANUAL_PENDING


def test_without_a_lost_call_the_word_of_the_module_stands(office: Office, asked: Callable[[], str]) -> None:
    ref = asked()
    office.push()
    assert office.row(ref, "wix").outcome is Outcome.MANUAL_PENDING
    stranger = office.approved(kit.email(office.estate.people[0].email))
    office.push()
    by_hand = [
        one.entry.body["by_hand"] for one in office.written(Kind.INTENT, stranger) if one.entry.system == "redis"
    ]
    assert by_hand == [None]
