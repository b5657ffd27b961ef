"""A legal hold keeps a person's data whenever it is set, and its release needs nobody to remember the request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from include.erasure import push
from include.erasure.status import Outcome, Stage
from include.errors import Unavailable
from include.ledger.entry import Kind
from include.ledger.holds import Holds
from include.ledger.log import Ledger
from include.sandbox.estate import Estate
from tests.erasure import kit, scan
from tests.erasure.office import Office, OneByOne


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=10)


def test_a_hold_set_after_the_approval_keeps_everything_until_it_is_released(office: Office) -> None:
    person = office.estate.people[0]
    asked, before = office.asked(person), office.look()
    ref = office.approved(kit.email(person.email))
    hold = kit.hold(office.desk, person.uid)
    office.push()
    assert scan.changed(before, office.look()) == {}
    assert {row.outcome for row in office.status(ref).rows} == {Outcome.HELD}
    assert hold.matter in str(office.row(ref, "redis").next_action)
    assert not office.written(Kind.INTENT, ref)
    office.push()
    outcomes = office.written(Kind.OUTCOME, ref)
    assert len(outcomes) == len(office.systems), "the same hold is not told twice"
    assert office.night() == {}, "a held request stays open"
    office.desk.holds.release(hold.id, kit.STAFF, "settled")
    office.push()
    assert Outcome.HELD not in {row.outcome for row in office.status(ref).rows}
    office.assert_as_it_must_be(before, (ref, asked))


def test_a_hold_in_one_system_keeps_what_is_there_and_nothing_else(office: Office) -> None:
    person = office.estate.people[0]
    ref = office.approved(kit.email(person.email))
    kit.hold(office.desk, person.email, system="elasticsearch")
    office.push()
    held = [row.system for row in office.status(ref).rows if row.outcome is Outcome.HELD]
    assert held == ["elasticsearch"]
    left = scan.mentions(office.look(), [person.uid])
    assert {service for service, _ in left if service != "google_analytics"} == {"elasticsearch", "storage"}
    assert ("storage", "clique-files") not in left


def test_a_hold_set_between_two_batches_is_in_time_for_the_second(office: Office) -> None:
    first, second = office.estate.people[:2]
    refs = [office.approved(kit.email(person.email)) for person in (first, second)]
    office.push_stage("feeders")
    stepwise = OneByOne(office.systems["redis"], lambda: kit.hold(office.desk, second.uid))
    push.erase(office.desk, stepwise)
    assert [office.row(ref, "redis").outcome for ref in refs] == [Outcome.VERIFIED_GONE, Outcome.HELD]
    assert scan.mentions(office.look(), [second.uid])["redis", "profile"] == 1


def test_an_unreachable_store_of_holds_stops_the_push_before_any_deletion(office: Office) -> None:
    person = office.estate.people[0]
    ref = office.approved(kit.email(person.email))
    before = office.look()
    nowhere = Ledger(create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"), office.time)
    desk = replace(office.desk, holds=Holds(nowhere))
    for system in office.systems.values():
        if system.card.key in desk.requests.stages[0].systems:
            with pytest.raises(Unavailable):
                push.erase(desk, system)
    assert scan.changed(before, office.look()) == {}
    assert not office.written(Kind.INTENT, ref)
    assert office.status(ref).stage is Stage.APPROVED
