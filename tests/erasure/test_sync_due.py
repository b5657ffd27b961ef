"""When a look is due again."""

from __future__ import annotations

from datetime import timedelta

from include.erasure import sync
from include.erasure.evidence import Look
from include.systems.erasing import Did
from tests.erasure.story import START, Story, approved

DAY = timedelta(days=1)
DAYS = (1, 30)


def is_due(story: Story, days: float) -> bool:
    at = START + days * DAY
    return sync.is_due(story.row(at), at, DAYS)


def test_every_erasure_is_looked_at_on_the_days_of_the_policy_and_then_no_more() -> None:
    story = approved().erased().seen()
    assert not is_due(story, 0.9)
    assert is_due(story, 1.5)
    story.now = START + 1.5 * DAY
    story.seen(look=Look.RECHECK)
    assert not is_due(story, 29)
    assert is_due(story, 31)
    story.now = START + 31 * DAY
    assert not is_due(story.seen(look=Look.RECHECK), 400)


def test_what_expires_is_searched_for_once_its_date_has_come_although_nothing_was_proved_before() -> None:
    date = START + 12 * DAY
    story = approved().erased(Did.EXPIRING, gone=0, until=date).seen(until=date, proved=False)
    story.now = START + 2 * DAY
    story.seen(look=Look.RECHECK, until=date, proved=False)
    assert not is_due(story, 11)
    assert is_due(story, 12)


def test_a_receipt_that_nothing_can_prove_is_not_looked_at_for_its_date() -> None:
    date = START + 40 * DAY
    story = approved().erased(Did.ACCEPTED, gone=0, until=date)
    story.now = START + 31 * DAY
    story.seen(look=Look.RECHECK, until=date, proved=False)
    assert not is_due(story, 41)


def test_a_vendors_job_is_looked_at_each_night_until_it_has_ended() -> None:
    assert is_due(approved().erased(Did.ACCEPTED).seen(pending=True), 0.5)
