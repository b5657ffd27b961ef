"""One person, and a wave of them, from the request to the last outcome in every system; nobody else loses anything."""

from __future__ import annotations

import os

import pytest

from include.erasure.answer import OpenMailer
from include.erasure.desk import Desk
from include.erasure.status import OPEN, Outcome, RequestStatus, Stage
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.erasure import kit, scan
from tests.erasure.passing import Time

PEOPLE = int(os.environ.get("PRIVACY_WAVE", "40"))
"""People in the wave."""
KEPT_ON_PURPOSE = {("sendgrid", "global_unsubscribes"), ("mailgun", "unsubscribes")}
"""Suppressions that the policy lets survive."""
BY_OTHER_MEANS = {
    ("sendgrid", "sent"),
    ("sendgrid", "activity"),
    ("mailgun", "events"),
    ("loggly", "events"),
    ("microsoft_graph", "refresh_tokens"),
    ("microsoft_graph", "consents"),
    ("tawk_to", "chats"),
    ("tawk_to", "tickets"),
    ("tawk_to", "contacts"),
    ("zapier", "runs"),
    ("hotjar", "responses"),
    ("wix", "conversations"),
    ("google_analytics", "deletions"),
    ("looker_studio", "data_sources"),
    ("looker_studio", "reports"),
    ("new_relic", "events"),
    ("phantombuster", "results"),
    ("tag_manager", "tags"),
    ("tag_manager", "variables"),
    ("storage", "clique-files (soft-deleted)"),
    ("facebook", "comments"),
    ("facebook", "conversations"),
    ("facebook", "posts"),
    ("instagram", "comments"),
    ("instagram", "conversations"),
    ("linkedin", "page_messages"),
    ("twitter", "messages"),
}
"""What vendors let expire, what a person deletes by hand, and the twins' own notes of what they were asked."""


@pytest.fixture
def estate() -> Estate:
    """Half as many again as the wave has."""
    return kit.estate(people=PEOPLE * 3 // 2)


def test_a_person_is_erased_everywhere_and_nobody_else(
    desk: Desk, systems: kit.Systems, sandbox: Sandbox, estate: Estate, open_mailer: OpenMailer
) -> None:
    person = estate.people[3]
    known = scan.known(estate, person)
    before = scan.look(sandbox.company)
    ref = kit.open_request(desk, kit.email(person.email))
    digest = kit.plan(desk, [ref], systems)
    assert scan.changed(before, scan.look(sandbox.company)) == {}, "nothing is deleted before the approval"
    assert kit.status(desk, ref).stage is Stage.PLANNED
    assert kit.approve(desk, [ref], digest) == 1
    kit.carry_out(desk, systems, open_mailer)
    status = kit.status(desk, ref)
    assert not [row for row in status.rows if row.outcome in OPEN]
    assert status.row("firestore").outcome is Outcome.VERIFIED_GONE
    after = scan.look(sandbox.company)
    left = scan.mentions(after, known.needles).keys() - BY_OTHER_MEANS - KEPT_ON_PURPOSE
    assert left == set()
    for place, records in scan.changed(before, after).items():
        needles = [needle.lower() for needle in known.needles]
        mine = [record for record in records if any(needle in record.lower() for needle in needles)]
        assert len(mine) == len(records) or place == ("firestore", "interactions"), place


def test_a_wave_of_people_is_one_plan_and_one_push(
    desk: Desk,
    systems: kit.Systems,
    sandbox: Sandbox,
    estate: Estate,
    open_mailer: OpenMailer,
    time: Time,
) -> None:
    people, rest = estate.people[:PEOPLE], estate.people[PEOPLE:]
    before = scan.look(sandbox.company)
    refs = kit.open_requests(desk, [[kit.email(person.email)] for person in people], batch="bat_" + "a" * 16)
    assert kit.approve(desk, refs, kit.plan(desk, refs, systems)) == len(refs)
    sandbox.company.journal.clear()
    kit.carry_out(desk, systems, open_mailer)
    statuses = list(desk.statuses(refs, desk.clock()))
    assert len(statuses) == len(refs)
    assert not [row for status in statuses for row in status.rows if row.outcome in OPEN]
    after = scan.look(sandbox.company)
    wave = [needle for person in people for needle in scan.known(estate, person).needles]
    # Entries of the cache end by themselves while a large wave takes its minutes.
    changed = {place: records for place, records in scan.changed(before, after).items() if place[0] != "redis"}
    for place, records in changed.items():
        text = "\n".join(records)
        of_others = [record for person in rest if person.uid in text for record in records if person.uid in record]
        # A contact that is about somebody of the wave goes, whoever looked after it.
        assert all(scan.mentions({place: frozenset({record})}, wave) for record in of_others), place
    time.go_on(1 / 24)  # the jobs that vendors have accepted come to their end
    index = scan.Index(scan.look(sandbox.company))
    for person, status in zip(people, statuses, strict=True):
        left = index.mentions(scan.known(estate, person).needles).keys() - BY_OTHER_MEANS - KEPT_ON_PURPOSE
        assert left == grounds(status)
    assert len(sandbox.company.records("sendgrid", "sent")) == len(refs)


def grounds(status: RequestStatus) -> set[scan.Place]:
    """Where a person's data stays, by what the evidence says."""
    routed = {row.system for row in status.rows if any(kept.routed and kept.count for kept in row.stays)}
    held = {("storage", "clique-files")} if status.row("cloud_storage").outcome is Outcome.HELD else set()
    return held | {(system, "contacts") for system in routed}
