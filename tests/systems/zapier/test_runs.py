"""Whose runs are found, until when they last, and what a person has to do."""

from datetime import UTC, datetime, timedelta

import pytest

from include.connection import Connection
from include.errors import Inconsistent, Refused, Throttled
from include.policy.loader import load
from include.policy.persons import IdentifierKind
from include.sandbox import zapier
from include.sandbox.faults import Fault, FaultKind
from include.systems.erasing import Did
from include.systems.zapier import connect_erasing
from tests.retention.truth import POLICY_FILE
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.watched import watched

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["uAnn"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})
DAY = timedelta(days=1)
JANUARY = datetime(2027, 1, 5, tzinfo=UTC)
"""The day after the first Monday of the second month after November."""


@pytest.fixture(scope="module")
def served():
    with watched("zapier", zapier.SERVICE) as twin:
        yield twin


@pytest.fixture
def twin(served, quick):
    served.reset()
    return served


@pytest.fixture
def connect(twin):
    opened = []

    def made(**extra):
        opened.append(connect_erasing(twin.connection(**extra), means_at(twin.clock)))
        return opened[-1]

    yield made
    for system in opened:
        system.close()


@pytest.fixture
def system(connect):
    return connect()


def put(twin, at, *, title="Leads", **data):
    number = f"{twin.number():032x}"
    twin.twin.seed([zapier.Run(number, title, at, data, {"ok": True})])


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    return found, receipts, system.verify(subjects, receipts)


def asked(twin):
    return [dict(call.query) for call in twin.calls("GET", "/v2/zap-runs")]


def test_runs_last_until_the_history_lets_go_of_the_newest(twin, system):
    put(twin, NOW - DAY, email="Ann@X.example")
    put(twin, NOW - 30 * DAY, text="from <old.ann@x.example>")
    put(twin, NOW - 2 * DAY, title="for uAnn")
    put(twin, NOW, email="joann@x.example", id="uAnn2")
    found, receipts, seen = run(system, ANN, BOB)
    assert (found[0].counts, found[0].clean_at) == ({"runs": 3}, JANUARY)
    assert (receipts[0].did, receipts[0].gone, receipts[0].until) == (Did.EXPIRING, 0, JANUARY)
    assert (seen[0].remaining, seen[0].until, seen[0].proved) == (0, JANUARY, False)
    assert (found[1].total, receipts[1].did, seen[1].proved) == (0, Did.ABSENT, True)


def test_an_empty_search_after_the_date_proves(twin, system):
    put(twin, NOW - DAY, email="ann@x.example")
    _, receipts, _ = run(system, ANN)
    twin.clock.now = JANUARY
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)


def test_a_run_that_outlived_its_date_is_a_residual_with_a_message_to_the_vendor(twin, system, monkeypatch):
    put(twin, NOW - DAY, email="ann@x.example")
    _, receipts, _ = run(system, ANN)
    monkeypatch.setattr(twin.twin, "_settle", lambda: None)
    twin.clock.now = JANUARY + DAY
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.proved) == (1, False)
    (again,) = system.erase(system.find([ANN.subject()]))
    assert again.did is Did.MANUAL
    assert "1 run(s)" in again.next_action
    assert "{identifiers}" in system.card.contact.text


def test_the_whole_life_of_a_run_is_asked_for(twin, system):
    """Without a date the vendor answers with the last 30 days alone, though a run can live for 69."""
    put(twin, NOW - 50 * DAY, email="ann@x.example")
    assert system.find([ANN.subject()])[0].total == 1
    assert {ask["from_date"][:4] for ask in asked(twin)} == {"2011"}
    assert {ask["to_date"] for ask in asked(twin)} == {"2026-11-22T12:00:00.000000Z"}


def test_few_runs_are_read_instead_of_searching_for_each_word(twin, system):
    for number in range(250):
        put(twin, NOW - DAY - number * timedelta(minutes=1), count=number)
    put(twin, NOW - DAY, email="bob@x.example")
    found = system.find([ANN.subject(), BOB.subject()])
    assert [each.total for each in found] == [0, 1]
    assert [(ask.get("search"), ask["offset"]) for ask in asked(twin)] == [(None, "0"), (None, "100"), (None, "200")]


def test_among_many_runs_each_word_is_searched(twin, system):
    for number in range(700):
        put(twin, NOW - DAY - number * timedelta(minutes=1), count=number)
    put(twin, NOW - 9 * DAY, email="bob@x.example", also="uAnn")
    found = system.find([ANN.subject(), BOB.subject()])
    assert [each.total for each in found] == [1, 1]
    assert {ask.get("search") for ask in asked(twin)} == {
        None,
        "uAnn",
        "ann@x.example",
        "old.ann@x.example",
        "bob@x.example",
    }


def test_a_word_that_is_too_long_to_be_searched_is_looked_for_in_all_runs(twin, system):
    long = f"u{'x' * 150}"
    for number in range(700):
        put(twin, NOW - DAY - number * timedelta(minutes=1), count=number)
    put(twin, NOW - 9 * DAY, user=long)
    assert system.find([Somebody(1, {UID: [long]}).subject()])[0].total == 1
    assert all("search" not in ask for ask in asked(twin))


def test_pages_that_are_shorter_than_asked_for_are_all_read(twin, system):
    twin.twin.settings.page = 7
    for number in range(20):
        put(twin, NOW - DAY - number * timedelta(minutes=1), email="ann@x.example")
    assert system.find([ANN.subject()])[0].total == 20


def test_a_shorter_retention_of_the_plan_counts(twin, connect):
    twin.twin.settings.retention_days = 10
    put(twin, NOW - 3 * DAY, email="ann@x.example")
    _, receipts, _ = run(connect(retention_days=10), ANN)
    assert receipts[0].until == NOW + 8 * DAY


def test_tables_are_for_a_human_whatever_the_runs_show(twin, connect):
    """No call shows what is in them; nothing said about them counts as used."""
    twin.twin.seed(rows=[{"email": "bob@x.example"}])
    put(twin, NOW - DAY, email="ann@x.example")
    for extra in ({"tables": True}, {"tables": None}):
        _, receipts, seen = run(connect(**extra), ANN, BOB, Somebody(3, {IdentifierKind.PHONE: ["+441"]}))
        assert [receipt.did for receipt in receipts] == [Did.MANUAL, Did.MANUAL, Did.ABSENT]
        assert receipts[0].until == JANUARY
        assert "Tables" in receipts[1].next_action
        assert "bob" not in receipts[1].next_action
        assert [each.proved for each in seen] == [False, False, True]


def test_a_run_without_a_time_is_taken_as_new(twin, system, monkeypatch):
    put(twin, NOW - 40 * DAY, email="ann@x.example")
    monkeypatch.setattr(zapier, "_shown", lambda run: {"id": run.id, "data_in": dict(run.data_in), "start_time": None})
    assert system.find([ANN.subject()])[0].clean_at == JANUARY


@pytest.mark.parametrize("value", ["", " ", "*", "%", "?", "/"])
def test_what_could_mean_everything_is_never_searched(twin, system, value):
    put(twin, NOW - DAY, text="* % ? /")
    (found,) = system.find([Somebody(1, {UID: [value]}).subject()])
    assert (found.total, twin.exchanges) == (0, [])


def test_an_export_has_the_runs_that_name_the_person(twin, system):
    put(twin, NOW - DAY, email="ann@x.example", name="Ann Secret")
    put(twin, NOW - DAY, email="joann@x.example")
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    assert [run["data_in"]["name"] for run in ann.records["runs"]] == ["Ann Secret"]
    assert bob.records == {"runs": []}
    assert "Secret" not in repr(ann)


def test_the_key_is_tried_without_reading_a_run(twin, system):
    put(twin, NOW - DAY, email="ann@x.example")
    assert system.access().missing == ()
    assert [exchange.body["data"] for exchange in twin.exchanges if "zap-runs" in exchange.call.path] == [[]]
    twin.faults.add(Fault("zapier", FaultKind.STATUS, "zap-runs", status=403))
    with pytest.raises(Refused):
        system.access()


def test_the_retention_is_shown_by_what_is_left(twin, system, monkeypatch):
    promises = [promise for promise in load(POLICY_FILE).promises if promise.system == "zapier"]
    put(twin, NOW - 40 * DAY, email="ann@x.example")
    (shown,) = system.retention(promises)
    assert (shown.agrees, shown.wanted) == (True, "at most 69 days")
    monkeypatch.setattr(twin.twin, "_settle", lambda: None)
    put(twin, NOW - 71 * DAY, email="bob@x.example")
    (shown,) = system.retention(promises)
    assert (shown.agrees, shown.configured) == (False, "1 runs are older")


def test_the_token_is_fetched_once_and_used_as_bearer(twin, system):
    put(twin, NOW - DAY, email="ann@x.example")
    run(system, ANN)
    (fetched,) = twin.calls("POST")
    assert fetched.headers["authorization"].startswith("Basic ")
    tokens = {call.headers["authorization"] for call in twin.calls("GET")}
    assert len(tokens) == 1
    assert tokens.pop().startswith("Bearer ")


def test_a_token_that_ends_is_fetched_again(twin, system, monkeypatch):
    run(system, ANN)
    monkeypatch.setattr("include.systems.zapier.runs.time.monotonic", lambda: 10.0**9)
    run(system, ANN)
    assert len(twin.calls("POST")) == 2


def test_a_token_of_ones_own_is_used_as_it_is(twin, connect):
    run(connect(refresh_token=None), ANN)
    assert twin.calls("POST") == []
    assert {call.headers["authorization"] for call in twin.calls("GET")} == {"Bearer sandbox"}


def test_another_refresh_token_is_for_a_human(twin, system):
    twin.twin.settings.rotates = True
    assert "another refresh token" in system.access().note


def test_a_refresh_token_that_ended_is_refused(twin, system):
    twin.twin.settings.refresh_token = "newer"
    with pytest.raises(Refused):
        system.access()


def test_the_cool_down_of_a_minute_is_left_to_the_scheduler(twin, system):
    twin.faults.add(Fault("zapier", FaultKind.STATUS, "zap-runs", status=429, retry_after=60))
    with pytest.raises(Throttled) as raised:
        system.find([ANN.subject()])
    assert raised.value.retry_after == 60


@pytest.mark.parametrize("body", [[], {"data": []}, {"meta": {"count": 1}, "data": {}}, {"meta": None}])
def test_an_answer_of_another_form_is_no_proof(twin, system, monkeypatch, body):
    from include.sandbox.rest import Reply, Routes

    known = {"GET /v2/zap-runs": lambda ask: Reply(body=body), "POST /oauth/token": twin.twin._token}
    monkeypatch.setattr(twin.twin, "_routes", Routes(known))
    with pytest.raises(Inconsistent):
        system.find([ANN.subject()])


@pytest.mark.parametrize(
    "lacking",
    [
        {"password": None},
        {"login": None},
        {"extra": {"refresh_token": ""}},
        {"extra": {"retention_days": 0}},
        {"extra": {"retention_days": True}},
        {"extra": {"calls_per_second": "1"}},
    ],
)
def test_a_connection_that_lacks_something_is_refused(lacking):
    known = {"host": "https://a.example", "login": "id", "password": "key", "extra": {"refresh_token": "r"}, **lacking}
    with pytest.raises(Refused):
        connect_erasing(Connection("zapier", **known), means_at(Clock()))
