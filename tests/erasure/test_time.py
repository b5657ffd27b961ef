"""What only time can prove: vendors' horizons, looks after one and thirty days, limits per day; then all is forgotten."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from include.erasure import push, sync
from include.erasure.status import Outcome, Stage
from include.errors import Refused
from include.sandbox.estate import Estate
from tests.erasure import claims, kit, scan, truth
from tests.erasure.office import Office


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
    for day in (1, 2, 8, 31, 32, 38, 62, 64):
        office.time.go_on(day - last)
        last = day
        closed = office.night()
        status = office.status(ref)
        outcomes[day] = {row.system: row.outcome for row in status.rows}
        assert claims.untrue(status, asked, before, office.look()) == []
        assert closed == ({"complete": 1} if day == 64 else {}), day
    assert outcomes[1]["cloud_storage"] is Outcome.EXPIRING
    assert outcomes[8]["cloud_storage"] is Outcome.VERIFIED_GONE
    assert outcomes[2]["loggly"] is outcomes[2]["sendgrid"] is outcomes[32]["sendgrid"] is Outcome.ACCEPTED or (
        outcomes[32]["sendgrid"] is Outcome.ACCEPTED
    )
    assert {outcomes[32][key] for key in ("loggly", "mailgun")} <= {Outcome.VERIFIED_GONE, Outcome.ABSENT, Outcome.HELD}
    assert outcomes[38]["sendgrid"] is Outcome.VERIFIED_GONE
    assert outcomes[64]["google_analytics"] is Outcome.ACCEPTED, "a receipt never becomes a proof"
    status = office.status(ref)
    assert (status.stage, status.key_destroyed) == (Stage.CLOSED, True)
    now = office.look()
    left = {
        place for place, records in truth.ends(now, asked).items() for end in records.values() if end.fate != "stays"
    }
    assert left == set()
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
    for days in (30, 5, 30):
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
    before = office.look()
    people = [office.asked(person) for person in office.estate.people]
    by_hand = [one for one in people if truth.of_system(truth.ends(before, one), "tawk_to")]
    if not by_hand:
        office.sandbox.company.tawk_to.seed(tickets=[_ticket(office, people[0])])
        by_hand = people[:1]
    asked = by_hand[0]
    ref = office.approved(kit.email(asked.known.emails[0]))
    office.push()
    assert office.row(ref, "tawk_to").outcome is Outcome.MANUAL_PENDING
    assert office.row(ref, "tawk_to").next_action
    for (_, collection), text_ in truth.of_system(truth.ends(office.look(), asked), "tawk_to"):
        office.sandbox.company.tawk_to.remove(collection, json.loads(text_)["id"])
    office.time.go_on(1)
    office.night()
    assert office.row(ref, "tawk_to").outcome in (Outcome.VERIFIED_GONE, Outcome.EXPIRING)


def _ticket(office: Office, asked: truth.Asked):  # type: ignore[no-untyped-def]
    from include.sandbox.tawk_to import Ticket

    return Ticket("t1", 1, office.time(), "n", asked.known.emails[0], "p1", "Help", (("v", "please"),))


def _assert_nothing_can_be_decrypted(office: Office, ref: str) -> None:
    with pytest.raises(Refused):
        office.desk.vault.subjects([ref])
    with office.desk.vault.engine.connect() as connection:
        for table in ("identifier", "fingerprint", "attachment"):
            names = connection.scalars(
                text("SELECT tablename FROM pg_tables WHERE tablename LIKE :like"), {"like": f"%{table}%"}
            ).all()
            assert names, table
            for name in names:
                found = connection.execute(
                    text(f"SELECT count(*) FROM {name} WHERE request = :ref"),
                    {"ref": ref},  # noqa: S608
                )
                assert found.scalar_one() == 0, name
