"""What an erasure does and says: the exact persons, honest receipts, the same the second time."""

import pytest

from include.policy.persons import IdentifierKind, RequestType
from include.systems import registry
from include.systems.erasing import Did, Receipt
from tests.systems.conformance.company import ANN, BEN, STRANGER, dids
from tests.systems.conformance.means import Somebody


def test_exactly_the_person_goes_and_the_receipt_says_how(company):
    outcome = company.run(ANN)
    assert company.case.state() == company.expected(ANN)
    assert dids(outcome.receipts) == [company.case.did]
    assert outcome.found[0].total > 0


def test_looking_changes_nothing(company):
    subjects = [ANN.subject(), BEN.subject(), STRANGER.subject()]
    found = company.system.find(subjects)
    assert company.case.state() == company.before
    receipts = company.system.erase(found)
    after = company.case.state()
    company.system.verify(subjects, receipts)
    assert company.case.state() == after


def test_each_is_answered_in_the_order_given(company):
    people = [STRANGER, BEN, ANN]
    outcome = company.run(*people)
    refs = [person.ref for person in people]
    assert [each.ref for each in outcome.found] == refs
    assert [each.ref for each in outcome.receipts] == refs
    assert [each.ref for each in outcome.seen] == refs
    assert company.case.state() == company.expected(*people)


def test_nobody_is_answered_with_nothing(company):
    outcome = company.run()
    assert (outcome.found, outcome.receipts, outcome.seen) == ([], [], [])
    assert company.case.state() == company.before


def test_somebody_unknown_is_absent_where_one_can_look(company):
    outcome = company.run(Somebody(99, {IdentifierKind.CONTACT_ID: ["nowhere"]}), STRANGER)
    assert company.case.state() == company.expected(STRANGER)
    assert outcome.receipts[0].did is Did.ABSENT
    if company.case.after is Did.ABSENT:
        assert outcome.receipts[1].did is Did.ABSENT
        assert (outcome.found[1].total, outcome.seen[1].remaining, outcome.seen[1].proved) == (0, 0, True)


def test_a_second_erasure_changes_nothing_more(company):
    company.run(ANN)
    after = company.case.state()
    again = company.run(ANN)
    assert company.case.state() == after
    assert again.receipts[0].did in (company.case.did, company.case.after)
    assert again.receipts[0].gone == 0


def test_work_for_a_person_is_told_again_or_was_known_before_the_call(company):
    first = company.run(ANN)
    again = company.system.erase(company.system.find([ANN.subject()]))
    if first.receipts[0].did is Did.MANUAL and again[0].did is not Did.MANUAL:
        assert first.found[0].by_hand == first.receipts[0].next_action


def test_what_was_promised_is_absent_once_it_came_true(company):
    first = company.run(ANN)
    company.case.fulfil(ANN, company.clock)
    (seen,) = company.system.verify([ANN.subject()], first.receipts)
    assert (seen.remaining, seen.pending) == (0, False)
    again = company.run(ANN)
    assert dids(again.receipts) == [company.case.after]
    if company.case.after is Did.ABSENT:
        assert (seen.proved, again.found[0].total, again.seen[0].remaining) == (company.case.proves, 0, 0)


def test_the_others_can_still_be_erased_afterwards(company):
    company.run(ANN)
    outcome = company.run(BEN)
    assert dids(outcome.receipts) == [company.case.did]
    assert company.case.state() == company.expected(ANN, BEN)


def test_many_are_erased_as_one_is(company):
    people = [ANN, STRANGER, BEN]
    together = company.run(*people)
    assert company.case.state() == company.expected(*people)
    assert [receipt.did for receipt in together.receipts][::2] == [company.case.did] * 2


def test_a_receipt_from_the_ledger_can_be_verified_by_another_process(company):
    (receipt,) = company.run(ANN).receipts
    recorded = Receipt(receipt.ref, receipt.did, receipt.gone, receipt.job, receipt.until)
    other = registry.connect_erasing(company.case.connection(), company.means)
    assert other.verify([ANN.subject()], [recorded]) == company.system.verify([ANN.subject()], [receipt])
    other.close()


@pytest.mark.parametrize("request_type", list(RequestType))
def test_both_kinds_of_request_touch_nobody_else(company, request_type):
    found = company.system.find([STRANGER.subject(request_type)])
    company.system.erase(found)
    assert company.case.state() == company.expected(STRANGER)
