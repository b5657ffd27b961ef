"""Faults of the service: what is tried again, what is told, and what is never counted as gone."""

import pytest

from include.errors import Inconsistent, Refused, Throttled, Unavailable
from include.sandbox import google
from include.sandbox.faults import FaultKind, Faults, Journal
from include.sandbox.google import Answer
from include.systems.contract import Swept
from tests.google_twins import PROJECT, ago, only_batch
from tests.loopback import serve
from tests.systems.firebase_auth.kit import account, connected, ids, ms, put, rule, sweep


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.DROP, FaultKind.LOST_ANSWER])
@pytest.mark.parametrize("operation", [":batchGet", ":lookup"])
def test_reads_are_repeated_twice(twin, system, waits, kind, operation):
    put(twin, account("a"))
    twin.fail(kind, operation, times=2)
    assert sweep(system, rule()) == 1
    assert waits == [0.5, 2.0]


def test_a_read_that_keeps_failing_is_unavailable(twin, system, waits):
    twin.fail(FaultKind.STATUS, ":batchGet", status=500, times=3)
    with pytest.raises(Unavailable):
        system.survey(rule(), None)
    assert twin.calls(":batchGet") == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_was_asked_for_is_passed_on_and_not_slept(twin, system, waits, status):
    twin.fail(FaultKind.STATUS, ":batchGet", status=status, retry_after=40)
    with pytest.raises(Throttled) as caught:
        system.survey(rule(), None)
    assert (caught.value.retry_after, waits, twin.calls(":batchGet")) == (40, [], 1)


@pytest.mark.parametrize(
    ("fault", "error"), [({"status": 503}, Unavailable), ({"status": 429}, Throttled), ({"status": 403}, Refused)]
)
def test_a_failed_deletion_is_sent_once_and_tells_no_identifier(twin, system, fault, error):
    put(twin, account("secret"))
    batch = only_batch(system, rule())
    twin.fail(FaultKind.STATUS, ":batchDelete", **fault)
    with pytest.raises(error) as caught:
        system.expire(rule(), batch)
    assert twin.calls(":batchDelete") == 1
    assert not any(word in str(caught.value) for word in ("secret", "127.0.0.1", PROJECT))
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert ids(twin) == ["secret"]


def test_a_lost_answer_is_unavailable_and_the_repetition_finds_nothing(twin, system):
    put(twin, account("a"))
    batch = only_batch(system, rule())
    twin.fail(FaultKind.LOST_ANSWER, ":batchDelete")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert ids(twin) == []
    assert system.expire(rule(), batch) == Swept(0, absent=1)


def test_a_late_answer_is_an_answer(twin, system):
    put(twin, account("a"))
    twin.fail(FaultKind.LATENCY, ":batchDelete", seconds=0.05)
    assert sweep(system, rule()) == 1


def test_accounts_refused_inside_a_200_are_never_counted_as_gone(twin, system):
    put(twin, *(account(f"u{i}") for i in range(10)))
    batch = only_batch(system, rule())
    twin.fail(FaultKind.PARTIAL, ":batchDelete")
    with pytest.raises(Unavailable, match="5 were refused and 5 are still there"):
        system.expire(rule(), batch)
    assert system.expire(rule(), batch) == Swept(5, absent=5)


@pytest.fixture
def scripted():
    """A connector to a service that answers what the test says, in order."""
    answers = []

    def handle(call):
        return answers.pop(0)

    with serve(google.serve(handle, "scripted", Faults(), Journal())) as url:
        system = connected(url, [])
        yield system, answers
        system.close()


def users(*names):
    return Answer(body={"users": [{"localId": name, "createdAt": str(ms(ago(days=900)))} for name in names]})


def test_a_receipt_without_a_deletion_is_found_out(scripted):
    system, answers = scripted
    answers += [users("a"), users("a"), Answer(body={}), users("a")]
    batch = only_batch(system, rule())
    with pytest.raises(Unavailable, match="0 were refused and 1 are still there"):
        system.expire(rule(), batch)


def test_a_listing_that_does_not_advance_stops(scripted):
    system, answers = scripted
    page = {**users("a").body, "nextPageToken": "t"}
    answers += [Answer(body=page)] * 2
    with pytest.raises(Inconsistent):
        system.survey(rule(), None)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>", {"content-type": "text/html"}),
        Answer(200, b"[]"),
    ],
)
def test_what_is_not_an_answer_of_the_api_is_unavailable(scripted, answer):
    system, answers = scripted
    answers += [answer] * 3
    with pytest.raises(Unavailable):
        system.survey(rule(), None)


def test_a_redirect_is_not_followed(scripted):
    system, answers = scripted
    answers.append(Answer(302, b"", {"location": "http://127.0.0.1:1/elsewhere"}))
    with pytest.raises(Refused):
        system.survey(rule(), None)
