"""What is sent and how fast: the bounds of a call, the pace, the token; and the rules for which nothing is sent."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused
from include.policy.actions import Action, Anonymisation
from include.sandbox.faults import FaultKind
from include.systems import firebase_auth
from include.systems.firebase_auth_calls import Calls, Pace
from tests.google_twins import PROJECT, auth_connection, refuses
from tests.systems.firebase_auth.kit import account, put, rule


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_deletion_never_names_nobody_or_too_many(count):
    calls = Calls(lambda: pytest.fail("nothing may be sent"), "http://127.0.0.1:1", PROJECT, Pace(1000))
    with pytest.raises(ValueError, match="1 to 1000"):
        calls.batch_delete("", ["a"] * count)
    with pytest.raises(ValueError, match="1 to 1000"):
        calls.batch_delete("", ["a", ""])


@given(st.lists(st.floats(0, 5), max_size=20), st.sampled_from([0.5, 1.0, 10.0]))
def test_a_pace_is_never_exceeded(pauses, rate):
    now = [0.0]
    gone_out = []
    pace = Pace(rate, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    for pause in pauses:
        now[0] += pause
        pace.wait()
        gone_out.append(now[0])
    for earlier, later in pairwise(gone_out):
        assert later - earlier >= 1 / rate - 1e-9


def test_the_pace_is_one_batch_a_second_unless_the_connection_says_otherwise(twin):
    extra = {"project": PROJECT, "token": "x"}
    assert firebase_auth.connect(Connection("firebase_auth", extra=extra))._calls._pace._gap == 1.0
    assert firebase_auth.connect(auth_connection(twin.url))._calls._pace._gap == 0.001
    for rate in (0, -1, "fast", True):
        with pytest.raises(Refused, match="batch_deletes_per_second"):
            firebase_auth.connect(Connection("firebase_auth", extra={**extra, "batch_deletes_per_second": rate}))


def test_a_static_token_is_sent_and_a_refused_one_is_not_tried_again(twin):
    put(twin, account("a"))
    system = firebase_auth.connect(auth_connection(twin.url))
    assert system.survey(rule(), None).total == 1
    twin.fail(FaultKind.STATUS, ":batchGet", status=401)
    with pytest.raises(Refused):
        system.survey(rule(), None)
    system.close()


@pytest.mark.parametrize(
    "change",
    [
        {"location": {"project": "p"}},
        {"trigger": "updatedAt"},
        {"where": {"email": "a@example.com"}},
        {"where": {"disabled": "yes"}},
        {"subject": "email"},
        {"action": Action.ANONYMISE, "anonymisation": Anonymisation(("email",))},
    ],
)
def test_a_rule_that_is_not_understood_is_refused_before_any_call(twin, system, change):
    refuses(system, rule(**change))
    assert twin.journal.as_json() == []
