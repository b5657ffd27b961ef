"""What only time proves: vendors' horizons, looks after one and thirty days, limits per day; then all is forgotten."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select

from include.connection import Connection
from include.erasure import push, sync
from include.erasure.desk import Desk
from include.erasure.status import Outcome, Stage, SystemRow
from include.errors import Refused
from include.sandbox.app import connections
from include.sandbox.estate import Estate
from include.sandbox.tawk_to import Ticket
from include.subjects import schema
from include.systems import registry
from include.systems.erasing import ErasingSystem
from tests.erasure import claims, kit, scan, truth
from tests.erasure.office import Office

PER_DAY = 1000
"""Deletions of a property that this account has been granted."""
LAST = 182
"""The day after the latest horizon of a vendor, Firebase's 180 days, and the second look."""


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=12)


def _richest(office: Office) -> truth.Asked:
    """Somebody with data in most services, and nothing that has to be done by hand."""
    before = office.look()
    people = [office.asked(person) for person in office.estate.people]
    return max(people, key=lambda one: _score(truth.ends(before, one)))


def _score(ends: truth.Ends) -> int:
    fates = {end.fate for one in ends.values() for end in one.values()}
    return -1 if fates & {truth.Fate.BY_HAND, truth.Fate.BLOCKED} else len(ends)


def test_from_the_push_to_the_end_of_the_key(office: Office) -> None:
    asked, before = _richest(office), office.look()
    ref = office.approved(kit.email(asked.known.emails[0]))
    office.push()
    outcomes: dict[int, dict[str, Outcome]] = {}
    last = 0
    for day in (1, 2, 8, 31, 32, 38, 62, 64, 91, LAST):
        office.time.go_on(day - last)
        last = day
        closed = office.night()
        status = office.status(ref)
        outcomes[day] = {row.system: row.outcome for row in status.rows}
        assert claims.untrue(status, asked, before, office.look()) == []
        assert closed == ({"complete": 1} if day == LAST else {}), day
    assert outcomes[1]["cloud_storage"] is Outcome.EXPIRING
    assert outcomes[8]["cloud_storage"] is Outcome.VERIFIED_GONE
    assert outcomes[32]["sendgrid"] is Outcome.ACCEPTED
    assert {outcomes[32][key] for key in ("loggly", "mailgun")} <= {Outcome.VERIFIED_GONE, Outcome.ABSENT, Outcome.HELD}
    assert outcomes[38]["sendgrid"] is Outcome.VERIFIED_GONE
    assert outcomes[64]["google_analytics"] is Outcome.ACCEPTED, "a receipt never becomes a proof"
    status = office.status(ref)
    assert (status.stage, status.key_destroyed) == (Stage.CLOSED, True)
    left = {end.fate for records in truth.ends(office.look(), asked).values() for end in records.values()}
    assert left <= {truth.Fate.STAYS}
    _assert_nothing_can_be_decrypted(office, ref)
    office.time.go_on(1)
    assert office.night() == {}


def test_data_that_comes_back_is_found_reported_and_erased_again(office: Office) -> None:
    asked, before = _richest(office), office.look()
    ref = office.approved(kit.email(asked.known.emails[0]))
    office.push()
    office.write("events/again", {"uid": asked.known.uid, "feature": "login"})
    office.time.go_on(1)
    assert sync.recheck(office.desk, office.systems["firestore"], as_of=office.time()).residual == 1
    row = office.row(ref, "firestore")
    assert (row.outcome, row.remaining) == (Outcome.RESIDUAL_FOUND, 1)
    assert office.status(ref).stage is Stage.EXECUTING
    assert push.unfinished([office.status(ref)]) == [ref]
    office.push()
    assert office.row(ref, "firestore").outcome is Outcome.VERIFIED_GONE
    assert not scan.mentions(office.look(), ["events/again"])
    assert len(office.mails(asked, ref)) == 1, "nobody is told twice"
    for days in (30, 5, 30, 30, LAST - 94):
        office.time.go_on(days)
        assert office.status(ref).stage is not Stage.CLOSED
        office.night()
    assert office.status(ref).stage is Stage.CLOSED
    assert truth.undone(office.look(), truth.ends(before, asked), office.systems) == []
    _assert_nothing_can_be_decrypted(office, ref)


def test_data_that_comes_back_after_a_month_is_found_too(office: Office) -> None:
    asked = _richest(office)
    ref = office.approved(kit.email(asked.known.emails[0]))
    office.push()
    office.time.go_on(1.1)
    office.night()
    office.write("events/again", {"uid": asked.known.uid, "feature": "login"})
    office.time.go_on(28)
    office.night()
    assert office.row(ref, "firestore").outcome is Outcome.VERIFIED_GONE, "its turn has not come"
    office.time.go_on(1)
    office.night()
    assert office.row(ref, "firestore").outcome is Outcome.RESIDUAL_FOUND


def test_work_by_hand_is_awaited_looked_after_and_closed(office: Office) -> None:
    asked = office.asked(office.estate.people[0])
    said = (("v", "please"),)
    ticket = Ticket("t1", 1, office.time(), "", asked.known.emails[0], "p1", "Help", said)
    office.sandbox.company.tawk_to.seed(tickets=[ticket])
    ref = office.approved(kit.email(asked.known.emails[0]))
    office.push()
    assert office.row(ref, "tawk_to").outcome is Outcome.MANUAL_PENDING
    assert office.row(ref, "tawk_to").next_action
    for (_, collection), text_ in truth.of_system(truth.ends(office.look(), asked), "tawk_to"):
        office.sandbox.company.tawk_to.remove(collection, json.loads(text_)["id"])
    office.time.go_on(1)
    office.night()
    assert office.row(ref, "tawk_to").outcome in (Outcome.VERIFIED_GONE, Outcome.EXPIRING)


@pytest.mark.slow
def test_six_hundred_people_take_the_days_that_analytics_allows(office: Office) -> None:
    estate = kit.estate(people=600)
    office.sandbox.company.firestore.seed((document.id, dict(document.fields)) for document in estate.users())
    office.sandbox.company.identitytoolkit.seed(estate.accounts())
    office.sandbox.company.google_analytics.settings.deletions_per_day = PER_DAY
    desk, analytics = _analytics_only(office)
    try:
        refs = kit.open_requests(desk, [[kit.email(person.email)] for person in estate.people])
        digest = kit.plan(desk, refs, {**office.systems, "google_analytics": analytics})
        assert kit.approve(desk, refs, digest) == len(refs)
        assert _push_and_count(desk, analytics, refs).keys() == {"accepted", "deferred"}
        first = len(office.sandbox.company.google_analytics.deletions)
        assert PER_DAY - 10 < first <= PER_DAY
        tomorrow = {row.until for row in _rows(desk, refs) if row.outcome is Outcome.DEFERRED}
        assert len(tomorrow) == 1
        push.erase(desk, analytics)
        assert len(office.sandbox.company.google_analytics.deletions) == first, "no more on the same day"
        office.time.go_on(1)
        assert _push_and_count(desk, analytics, refs) == {"accepted": len(refs)}
    finally:
        office.sandbox.company.google_analytics.settings.deletions_per_day = 500
        analytics.close()
    assert tomorrow <= {office.time().replace(hour=0, minute=0, second=0, microsecond=0)}
    asked_for = {deletion.value for deletion in office.sandbox.company.google_analytics.deletions}
    assert asked_for >= {person.uid for person in estate.people}


def _analytics_only(office: Office) -> tuple[Desk, ErasingSystem]:
    stages = tuple(
        stage.model_copy(update={"systems": ("google_analytics",) if stage.name == "copies" else ()})
        for stage in office.desk.requests.stages
    )
    requests = office.desk.requests.model_copy(update={"stages": stages})
    desk = replace(office.desk, policy=office.desk.policy.model_copy(update={"requests": requests}))
    connection = Connection.from_env("google_analytics", connections(office.sandbox.endpoints))
    more = replace(connection, extra={**connection.extra, "deletions_per_day": PER_DAY})
    return desk, registry.connect_erasing(more, desk.means("google_analytics"))


def _push_and_count(desk: Desk, system: ErasingSystem, refs: list[str]) -> dict[str, int]:
    push.erase(desk, system)
    return dict(Counter(row.outcome.value for row in _rows(desk, refs)))


def _rows(desk: Desk, refs: list[str]) -> list[SystemRow]:
    return [status.row("google_analytics") for status in desk.statuses(refs, desk.clock())]


def _assert_nothing_can_be_decrypted(office: Office, ref: str) -> None:
    with pytest.raises(Refused):
        office.desk.vault.subjects([ref])
    with office.desk.vault.engine.connect() as connection:
        for table in (schema.identifiers, schema.attachments, schema.fingerprints):
            assert not connection.execute(select(table).where(table.c.request == ref)).all(), table.name
        request = connection.execute(select(schema.requests).where(schema.requests.c.id == ref)).one()
    assert (request.wrapped, request.master) == (None, None)
