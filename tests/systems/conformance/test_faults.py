"""Whatever breaks, wherever: after the engine has come back the end is the same and nothing untrue was said."""

import pytest

from include.errors import Refused, Throttled
from include.sandbox.faults import FaultKind
from include.systems import http
from include.systems.erasing import Did
from tests.systems.conformance.company import ANN, BEN, STRANGER, Company, dids

PEOPLE = (ANN, BEN, STRANGER)
LASTING = 99
POSITIONS = 3
"""How many calls of a run are made to fail, evenly spread, beside the last one."""


@pytest.fixture
def calls(company):
    """How many calls a run makes that meets no fault, and what it says."""
    company.case.estate.journal.clear()
    outcome = company.run(*PEOPLE)
    return company.case.calls(), dids(outcome.receipts)


def play(case, clock, kind, calls, **more):
    """Let calls of a run in turn be the one that fails: for a moment, then for as long as the engine tries."""
    if not case.faults:
        pytest.skip(f"the {case.key} of the sandbox is a real server, it plays no faults")
    if kind is FaultKind.PARTIAL and not case.bulk:
        pytest.skip(f"{kind.value} has no meaning for {case.key}")
    count, said = calls
    assert count > 0
    for position in sorted({count * step // POSITIONS for step in range(POSITIONS)} | {count - 1}):
        for times in (1, LASTING):
            case.reset()
            with Company(case, clock) as company:
                case.fail(kind, skip=position, times=times, **more)
                outcome, errors = company.settle(*PEOPLE)
                case.estate.faults.clear()
                assert case.state() == company.expected(*PEOPLE), (position, times)
                honest(case, outcome.receipts, said, errors)
                yield outcome, errors


def honest(case, receipts, said, errors):
    """After a failure somebody may be found already gone: ``absent`` is then as true as what was done."""
    for receipt, clean in zip(receipts, said, strict=True):
        assert receipt.did is clean or (errors and receipt.did is Did.ABSENT is case.after), receipt.did
    assert all(error.system == case.key for error in errors)


def test_an_error_of_the_server(case, clock, calls):
    for _outcome, _errors in play(case, clock, FaultKind.STATUS, calls, status=case.broken):
        pass


def test_a_connection_that_is_closed(case, clock, calls):
    for _outcome, _errors in play(case, clock, FaultKind.DROP, calls):
        pass


def test_an_answer_that_is_lost(case, clock, calls):
    for _outcome, _errors in play(case, clock, FaultKind.LOST_ANSWER, calls):
        pass


def test_a_bulk_call_of_which_every_second_item_fails(case, clock, calls):
    for _outcome, _errors in play(case, clock, FaultKind.PARTIAL, calls):
        pass


def test_a_short_wait_is_waited_for_and_a_long_one_is_left_to_the_scheduler(case, clock, calls, quick):
    for _outcome, errors in play(case, clock, FaultKind.STATUS, calls, status=case.throttled, retry_after=1):
        assert not case.over_http or all(isinstance(error, Throttled) for error in errors)
    if case.over_http:
        assert 1.0 in quick


def test_an_answer_that_takes_too_long(case, clock, calls, monkeypatch):
    if not case.over_http:
        pytest.skip(f"{case.key} has a client of its own, whose time-out the suite can't shorten")
    monkeypatch.setattr(http, "TIMEOUT", (1.0, 0.05))
    monkeypatch.setattr(http, "TRIES", 2)
    count, said = calls
    case.reset()
    with Company(case, clock) as company:
        case.fail(FaultKind.LATENCY, seconds=0.2, skip=count // 2, times=1)
        outcome, errors = company.settle(*PEOPLE)
        assert case.state() == company.expected(*PEOPLE)
        honest(case, outcome.receipts, said, errors)


def test_a_credential_that_ends_in_the_middle_is_a_matter_for_a_person_and_loses_nothing(case, clock, calls):
    if not case.faults:
        pytest.skip(f"the {case.key} of the sandbox is a real server, it plays no faults")
    count, said = calls
    for position in sorted({0, count // 2, count - 1}):
        case.reset()
        with Company(case, clock) as company:
            case.fail(FaultKind.STATUS, skip=position, times=LASTING, status=case.expired)
            with pytest.raises(Refused) as refused:
                company.run(*PEOPLE)
            assert refused.value.system == case.key
            assert refused.value.next_step
            case.estate.faults.clear()
            outcome = company.run(*PEOPLE)
            assert case.state() == company.expected(*PEOPLE), position
            honest(case, outcome.receipts, said, [refused.value])
