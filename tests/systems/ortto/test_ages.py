"""Which people of Ortto are due by age, and that exactly they go."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.sandbox import ortto
from include.sandbox.faults import Fault, FaultKind
from include.systems.autopilot.ortto_ages import connect
from tests.systems.conformance.means import NOW
from tests.systems.watched import selection, sweep, watched

DAY = timedelta(days=1)
RULE = selection(ortto.ENGAGED, "person", 1000)


@pytest.fixture(scope="module")
def served():
    with watched("ortto", ortto.SERVICE) as twin:
        yield twin


@pytest.fixture
def twin(served, quick):
    served.reset()
    return served


@pytest.fixture
def system(twin):
    system = connect(twin.connection(calls_per_second=10**6))
    yield system
    system.close()


def put(twin, created, engaged=None, *, email=None, external=""):
    number = f"00{twin.number():06}"
    answered = None if engaged is None else NOW - engaged * DAY
    address = f"p{number}@x.example" if email is None else email
    twin.twin.seed([ortto.Person(number, address, external, "A", "B", NOW - created * DAY, answered)])
    return number


def ids(twin):
    return {record["id"] for record in twin.held()}


def test_the_last_answer_decides_and_without_one_the_day_of_being_added(twin, system):
    due = {put(twin, 2000, 1001), put(twin, 1001)}
    young = {put(twin, 2000, 999), put(twin, 999), put(twin, 1000), put(twin, 2000, 1000)}
    survey = system.survey(RULE, None)
    assert (survey.total, survey.due, survey.held) == (6, 2, 0)
    assert (survey.oldest, survey.newest) == (NOW - 1001 * DAY, NOW - 1001 * DAY)
    assert sweep(system, RULE) == (2, 0, 0)
    assert ids(twin) == young
    assert system.read_back(RULE, None).remaining == 0
    assert not due & ids(twin)


def test_nobody_is_passed_over_when_the_list_moves(twin, system):
    """What goes moves everybody behind it forward in the list."""
    stays = {put(twin, 3000 - number, 10) for number in range(0, 700)}
    for number in range(1300):
        put(twin, 2500 - number, 1500)
    stays |= {put(twin, 500, 10) for _ in range(300)}
    assert sweep(system, RULE) == (1300, 0, 0)
    assert ids(twin) == stays
    assert {len(call.json["inclusion_ids"]) for call in twin.calls("DELETE")} <= set(range(1, 101))


def test_a_hold_on_the_address_or_on_the_user_id_keeps(twin, system):
    first, second = put(twin, 2000, email="ann@x.example"), put(twin, 2000, external="uBob")
    third = put(twin, 2000)
    on_hold = {"ann@x.example", "uBob"}.__contains__
    survey = system.survey(RULE, on_hold)
    assert (survey.due, survey.held) == (3, 2)
    assert sweep(system, RULE, on_hold) == (1, 0, 0)
    assert ids(twin) == {first, second}
    seen = system.read_back(RULE, on_hold)
    assert (seen.remaining, seen.held) == (0, 2)
    assert third not in ids(twin)


def test_who_answers_between_selection_and_deletion_stays(twin, system):
    put(twin, 2000)
    gone = put(twin, 2000)
    (batch,) = system.batches(RULE, None)
    twin.twin.seed([ortto.Person("00000000", "p@x.example", "", "A", "B", NOW - 2000 * DAY, NOW)])
    swept = system.expire(RULE, batch)
    assert (swept.gone, swept.absent, swept.changed) == (1, 0, 1)
    assert ids(twin) == {"00000000"}
    assert gone not in ids(twin)


def test_who_is_gone_already_is_absent(twin, system):
    put(twin, 2000)
    (batch,) = system.batches(RULE, None)
    twin.twin.reset()
    swept = system.expire(RULE, batch)
    assert (swept.gone, swept.absent, swept.changed) == (0, 1, 0)
    assert twin.calls("DELETE") == []


def test_a_person_without_a_date_that_can_be_read_is_not_due(twin, system, monkeypatch):
    put(twin, 2000)
    monkeypatch.setattr(ortto.Person, "fields", property(lambda person: {"c": "long ago", "str::email": "a@x.example"}))
    assert system.survey(RULE, None).due == 0


def test_a_queue_that_does_not_end_leaves_the_run_to_be_repeated(twin, system):
    put(twin, 2000)
    twin.twin.settings.queue_seconds = 86_400
    (batch,) = system.batches(RULE, None)
    with pytest.raises(Unavailable):
        system.expire(RULE, batch)
    twin.clock.now = NOW + 2 * DAY
    assert system.survey(RULE, None).due == 0
    twin.clock.now = NOW + 40 * DAY
    assert ids(twin) == set()


def test_people_whom_the_vendor_left_out_are_asked_for_again(twin, system):
    put(twin, 2000)
    put(twin, 2000)
    twin.faults.add(Fault("ortto", FaultKind.PARTIAL, "delete"))
    assert sweep(system, RULE) == (2, 0, 0)
    assert ids(twin) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        selection(ortto.ENGAGED, "person", 1000, location={"list": "x"}),
        selection(ortto.ENGAGED, "person", 1000, where={"a": "b"}),
        selection("engaged", "person", 1000),
        selection(ortto.ENGAGED, "email", 1000),
        selection(ortto.ENGAGED, "person", 1000, action=Action.ANONYMISE),
    ],
)
def test_a_rule_that_means_something_else_is_refused_before_any_call(twin, system, wrong):
    for use in (lambda: system.survey(wrong, None), lambda: list(system.batches(wrong, None))):
        with pytest.raises(Refused):
            use()
    assert twin.exchanges == []


def test_there_is_no_expiry_to_set(twin, system):
    assert system.expiry(RULE) == []
    with pytest.raises(Refused):
        system.set_expiry(RULE)
