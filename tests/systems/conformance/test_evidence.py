"""What is written down: complete, of the agreed form, and without a word that names anybody."""

import logging
import re
import traceback
from datetime import timedelta
from urllib.parse import quote

import pytest

from include.errors import PrivacyError
from include.ledger.entry import Entry, Kind, canonical
from include.sandbox.faults import FaultKind
from include.systems import registry
from include.systems.erasing import Did, ErasureProof
from tests.systems.conformance.company import ANN, BEN, NEIGHBOURS, STRANGER
from tests.systems.conformance.means import NOW

EVERYBODY = (ANN, BEN, STRANGER, *NEIGHBOURS)
_JOB = re.compile(r"[A-Za-z0-9_.~:+/-]{1,250}", re.ASCII)
UNTIL = {Did.ACCEPTED, Did.EXPIRING, Did.DEFERRED}
NEXT = {Did.MANUAL, Did.FAILED}


def values():
    """Every identifier, as it is and as an address carries it."""
    plain = {value for person in EVERYBODY for found in person.known.values() for value in found}
    return plain | {quote(value) for value in plain} | {quote(value, safe="") for value in plain}


@pytest.fixture
def card(company):
    return registry.erasing_card(company.key)


def test_the_card_is_complete(company, card):
    assert card == company.system.card
    assert card.key == company.key
    assert card.version
    assert card.identifiers
    assert card.batch_size > 0
    assert card.documentation
    assert all(url.startswith("https://") for url in card.documentation)
    assert card.horizon >= timedelta(0)
    assert card.horizon_note.strip().endswith(".")
    assert bool(card.instructions) is (card.proof is ErasureProof.BY_HAND)


def test_counts_are_counts_and_dates_are_utc(company):
    outcome = company.run(*EVERYBODY)
    for found in outcome.found:
        assert all(type(count) is int and count > 0 for count in found.counts.values())
        assert found.clean_at is None or found.clean_at.utcoffset() == timedelta(0)
        assert all(each.ground for each in found.stays)
    for receipt in outcome.receipts:
        assert type(receipt.gone) is int
        assert receipt.until is None or receipt.until.utcoffset() == timedelta(0)
    for seen in outcome.seen:
        assert (type(seen.remaining), type(seen.blocked)) == (int, int)
        assert seen.until is None or seen.until.utcoffset() == timedelta(0)


def test_a_receipt_says_all_that_its_kind_promises(company, card):
    outcome = company.run(*EVERYBODY)
    for found, receipt in zip(outcome.found, outcome.receipts, strict=True):
        if receipt.did in UNTIL:
            assert NOW < receipt.until <= NOW + card.horizon + timedelta(days=1)
        assert bool(receipt.next_action) is (receipt.did in NEXT)
        assert receipt.job is None or _JOB.fullmatch(receipt.job)
        assert receipt.gone > 0 or receipt.did is not Did.GONE
        assert receipt.gone == 0 or receipt.did is not Did.ABSENT
        assert receipt.gone <= found.total
        assert receipt.did is not Did.ABSENT or found.total == 0 or company.case.after is not Did.ABSENT


def test_the_ledger_takes_it(company):
    outcome = company.run(*EVERYBODY)
    for found, receipt, seen in zip(outcome.found, outcome.receipts, outcome.seen, strict=True):
        body = {
            "counts": dict(found.counts),
            "stays": [{"what": each.what, "count": each.count, "ground": each.ground} for each in found.stays],
            "did": receipt.did.value,
            "gone": receipt.gone,
            "job": receipt.job,
            "next_action": receipt.next_action,
            "remaining": seen.remaining,
        }
        assert canonical(Entry(Kind.OUTCOME, receipt.ref, None, company.key, body), NOW)


def test_nothing_that_can_be_printed_names_anybody(company):
    outcome = company.run(*EVERYBODY)
    shown = [*outcome.found, *outcome.receipts, *outcome.seen, company.system, company.case.connection(), ANN.subject()]
    shown += list(vars(company.system).values()) if hasattr(company.system, "__dict__") else []
    text = "\n".join(f"{each!r}\n{each}" for each in shown) + "".join(
        each.next_action or "" for each in outcome.receipts
    )
    assert [value for value in values() if value in text] == []


FAILURES = (
    (FaultKind.STATUS, {"status": 400}),
    (FaultKind.STATUS, {"status": 401}),
    (FaultKind.STATUS, {"status": 404}),
    (FaultKind.STATUS, {"status": 429, "retry_after": 90}),
    (FaultKind.STATUS, {"status": 500}),
    (FaultKind.DROP, {}),
    (FaultKind.LOST_ANSWER, {}),
)


def test_nothing_that_is_logged_or_raised_names_anybody(company, caplog):
    caplog.set_level(logging.DEBUG)
    said = []
    for kind, more in FAILURES if company.case.faults else ():
        if company.case.throttled == 429 or kind is not FaultKind.STATUS:
            for skip in range(3):
                company.case.estate.faults.clear()
                company.case.fail(kind, skip=skip, times=99, **more)
                try:
                    company.run(*EVERYBODY)
                except PrivacyError as error:
                    said += [str(error), repr(error), *map(str, error.args), *traceback.format_exception(error)]
    company.case.estate.faults.clear()
    company.run(*EVERYBODY)
    said += [record.getMessage() for record in caplog.records]
    said += [str(record.__dict__) for record in caplog.records]
    text = "\n".join(said)
    assert [value for value in values() if value in text] == []


def test_its_errors_name_the_system_and_the_next_step(company):
    if not company.case.faults:
        pytest.skip(f"the {company.key} of the sandbox is a real server, it plays no faults")
    company.case.fail(FaultKind.STATUS, status=company.case.broken, times=99)
    with pytest.raises(PrivacyError) as raised:
        company.run(ANN)
    assert raised.value.system == company.key
    assert raised.value.tried
    assert raised.value.next_step.endswith(".")
