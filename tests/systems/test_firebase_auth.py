"""The connector for Firebase Authentication against the sandbox; the round trip also against a real project."""

import json
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Inconsistent, Refused, Throttled, Unavailable
from include.policy.actions import Action, Anonymisation
from include.sandbox import google
from include.sandbox.faults import FaultKind, Faults, Journal
from include.sandbox.google import Answer
from include.sandbox.identitytoolkit import Account
from include.systems import firebase_auth
from include.systems.contract import Batch, ReadBack, Selection, Survey, Swept
from include.systems.firebase_auth_calls import Calls, Pace
from tests.google_twins import PROJECT, ago, auth_connection, auth_twin
from tests.loopback import serve


@pytest.fixture(scope="module")
def served():
    with auth_twin() as twin:
        yield twin


@pytest.fixture
def twin(served):
    with served.fresh() as twin:
        yield twin


@pytest.fixture
def waits():
    """Seconds the connector wanted to sleep between tries."""
    return []


@pytest.fixture
def system(twin, waits):
    system = connected(twin.url, waits)
    yield system
    system.close()


def connected(url, waits):
    def session():
        session = requests.Session()
        session.headers["Authorization"] = "Bearer sandbox"
        return session

    return firebase_auth.FirebaseAuth(Calls(session, url, PROJECT, Pace(1000), waits.append))


def rule(trigger="lastLoginAt", days=730, **more):
    given = {"location": {}, "subject": "localId", **more}
    return Selection(rule="r1", trigger_field=trigger, cutoff=ago(days=days), period_seconds=days * 86_400, **given)


def ms(moment):
    return int(moment.timestamp() * 1000)


def account(local_id, *, created=1000, login=None, refresh=None, **more):
    """An account by ages in days."""
    return Account(
        local_id,
        created_at=ms(ago(days=created)),
        last_login_at=None if login is None else ms(ago(days=login)),
        last_refresh_at=None if refresh is None else ms(ago(days=refresh)),
        **more,
    )


def put(twin, *accounts):
    twin.sandbox.seed(accounts)


def ids(twin, tenant=""):
    return [account.local_id for account in twin.sandbox.accounts(tenant)]


def only_batch(system, selection):
    (batch,) = system.batches(selection, None)
    return batch


def sweep(system, selection, on_hold=None):
    return sum(system.expire(selection, batch).gone for batch in system.batches(selection, on_hold))


def test_accounts_are_due_by_their_last_sign_in_or_their_creation(twin, system):
    put(twin, account("active", login=5), account("away", login=800), account("never", created=900))
    put(twin, account("new", created=3))
    assert system.survey(rule(), None) == Survey(4, 2, 0, ago(days=900), ago(days=800))
    assert sweep(system, rule()) == 2
    assert ids(twin) == ["active", "new"]
    assert system.read_back(rule(), None) == ReadBack(0, 0)


def test_the_creation_alone_can_count(twin, system):
    put(twin, account("old", created=800, login=1), account("young", created=1))
    assert sweep(system, rule("createdAt")) == 1
    assert ids(twin) == ["young"]


def test_a_refreshed_session_is_a_sign_of_life(twin, system):
    put(twin, account("app", login=800, refresh=2), account("gone", login=800, refresh=790), account("old", login=800))
    assert sweep(system, rule("lastRefreshAt")) == 2
    assert ids(twin) == ["app"]


def test_the_cutoff_itself_is_not_due(twin, system):
    put(twin, account("at", login=730), account("before", login=730 + 0.001 / 86_400))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["at"]


def test_an_imported_account_with_zero_never_signed_in(twin, system):
    made = (account("imported", created=900), account("fresh", created=9))
    put(twin, *(replace(one, last_login_at=0) for one in made))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["fresh"]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"emailVerified": "false"}, ["yes"]),
        ({"emailVerified": "true"}, ["no", "off"]),
        ({"disabled": "true"}, ["no", "yes"]),
        ({"emailVerified": "false", "disabled": "false"}, ["off", "yes"]),
        ({"emailVerified": "false", "disabled": "true"}, ["no", "yes"]),
    ],
)
def test_accounts_can_be_narrowed_down(twin, system, where, left):
    put(twin, account("no"), account("yes", email_verified=True), account("off", disabled=True))
    assert sweep(system, rule(where=where)) == 3 - len(left)
    assert ids(twin) == left


@pytest.mark.parametrize(("sign_in", "left"), [("password", ["both", "phone", "token"]), ("other", ["mail"])])
def test_account_without_password_is_not_taken_for_an_unfinished_sign_up(twin, system, sign_in, left):
    by = {"mail": ["password"], "both": ["password", "google.com"], "phone": ["phone"], "token": []}
    put(twin, *(account(name, providers=[{"providerId": one} for one in ids]) for name, ids in by.items()))
    assert sweep(system, rule(where={"signIn": sign_in})) == 4 - len(left)
    assert ids(twin) == left


def test_held_accounts_are_counted_and_left(twin, system):
    put(twin, account("a"), account("ab"), account("b"))

    def on_hold(subject):
        return subject == "ab"

    assert system.survey(rule(), on_hold) == Survey(3, 3, 1, ago(days=1000), ago(days=1000))
    assert sweep(system, rule(), on_hold) == 2
    assert system.read_back(rule(), on_hold) == ReadBack(0, 1)
    assert ids(twin) == ["ab"]


def test_enabled_accounts_are_deleted_in_one_forced_call(twin, system):
    put(twin, *(account(f"u{i}") for i in range(5)))
    assert sweep(system, rule()) == 5
    assert twin.calls(":batchDelete") == 1


def test_more_than_a_thousand_accounts_go_in_bounded_batches(twin, system):
    put(twin, *(account(f"u{i:04}") for i in range(2101)))
    batches = system.batches(rule(), None)
    first = next(batches)
    assert first.count == 1000
    assert twin.calls(":batchGet") == 1
    assert system.expire(rule(), first) == Swept(1000)
    assert [system.expire(rule(), batch).gone for batch in batches] == [1000, 101]
    assert (twin.calls(":batchGet"), twin.calls(":batchDelete"), twin.calls(":lookup")) == (3, 3, 44)
    assert ids(twin) == []


def test_due_accounts_among_others_fill_whole_batches(twin, system):
    put(twin, *(account(f"u{i:04}", login=800 if i % 3 else 1) for i in range(3000)))
    assert [batch.count for batch in system.batches(rule(), None)] == [1000, 1000]


def test_who_comes_back_after_the_selection_is_left(twin, system):
    put(twin, account("back", login=800), account("away", login=800), account("verified", login=800))
    selection = rule(where={"emailVerified": "false"})
    batch = only_batch(system, selection)
    put(twin, account("back", login=0), account("verified", login=800, email_verified=True))
    assert system.expire(selection, batch) == Swept(1, changed=2)
    assert ids(twin) == ["back", "verified"]


def test_what_is_gone_already_is_absent_and_nothing_is_sent(twin, system):
    put(twin, account("a"))
    batch = only_batch(system, rule())
    assert system.expire(rule(), batch) == Swept(1)
    assert system.expire(rule(), batch) == Swept(0, absent=1)
    assert twin.calls(":batchDelete") == 1


def test_a_tenant_is_swept_by_itself(twin, system):
    put(twin, account("a"), account("b", tenant="t1"))
    assert sweep(system, rule(location={"tenant": "t1"})) == 1
    assert (ids(twin), ids(twin, "t1")) == (["a"], [])


@pytest.mark.parametrize("local_id", ["a/b", "a b", "%2e", "ü", 'a"b', "x" * 128])
def test_a_strange_id_is_an_id(twin, system, local_id):
    put(twin, account(local_id), account("other", login=1))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["other"]


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
    selection = rule(**change)
    for operation in (
        lambda: system.survey(selection, None),
        lambda: next(system.batches(selection, None)),
        lambda: system.expire(selection, Batch(0, None, None, ())),
        lambda: system.read_back(selection, None),
        lambda: system.expiry(selection),
    ):
        with pytest.raises(Refused):
            operation()
    assert twin.journal.as_json() == []


def test_there_is_no_expiry_to_set(system):
    assert system.expiry(rule()) == []
    with pytest.raises(Refused):
        system.set_expiry(rule())


def test_records_hide_ids(twin, system):
    put(twin, account("secret"))
    batch = only_batch(system, rule())
    assert "secret" not in repr(batch) + repr(batch.records)


def round_trip(system, post):
    """An account created in 1970 is the only one that is due; it goes."""
    local_id = f"privacycheck{uuid.uuid4().hex[:16]}"
    selection = Selection("live", {}, "localId", "createdAt", datetime(1971, 1, 1, tzinfo=UTC), 86_400)
    assert system.survey(selection, None).due == 0
    post("", {"localId": local_id})
    post(":update", {"localId": local_id, "createdAt": "86400000"})
    assert system.survey(selection, None).due == 1
    batch = only_batch(system, selection)
    assert system.expire(selection, batch) == Swept(1)
    assert system.expire(selection, batch) == Swept(0, absent=1)
    assert system.read_back(selection, None) == ReadBack(0, 0)


def test_the_round_trip_of_a_real_project_works_in_the_sandbox(twin, system):
    def post(verb, body):
        url = f"{twin.url}/v1/projects/{PROJECT}/accounts{verb}"
        headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
        assert requests.post(url, data=json.dumps(body), headers=headers, timeout=5).status_code == 200

    round_trip(system, post)


@pytest.mark.live
@pytest.mark.skipif(
    "AIRFLOW_CONN_FIREBASE_AUTH_LIVE" not in os.environ, reason="AIRFLOW_CONN_FIREBASE_AUTH_LIVE is not set"
)
def test_the_round_trip_works_on_a_real_project():
    system = firebase_auth.connect(Connection.from_env("firebase_auth_live"))

    def post(verb, body):
        system._calls._send("prepare the check", "POST", f"{system._calls._path('')}{verb}", json=body)

    round_trip(system, post)
    system.close()
