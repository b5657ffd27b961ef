"""Evidence is read once: who stops in between and reads on knows the same as who reads it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.erasure import push
from include.erasure.desk import Desk
from include.erasure.evidence import Look
from include.erasure.history import histories, read_on
from include.erasure.status import Outcome, status_of, statuses
from include.ledger import log
from include.ledger.entry import Kind, Recorded
from include.sandbox.estate import Estate
from include.systems.erasing import Did
from tests.erasure import kit
from tests.erasure.story import START, Story, approved


def long_story() -> Story:
    """A plan, a lost call, a residual, a second plan."""
    story = approved()
    story.intent(5)
    story.outcome(Did.GONE, intent=story.intent(3), gone=3).seen().seen(remaining=2, look=Look.RECHECK)
    story.identified().found(2).planned(count=2).decided()
    return story.outcome(Did.GONE, intent=story.intent(2), gone=2).seen().other(Kind.NOTICE, sending="sent")


@given(st.data())
def test_stopping_and_reading_on_changes_nothing(data: st.DataObject) -> None:
    entries = long_story().entries
    stop = data.draw(st.integers(1, len(entries)), label="entries read at first")
    again = data.draw(st.integers(0, len(entries)), label="from where it is read on, which may be too early")
    (history,) = histories(entries[:stop])
    status_of(history, START)
    read_on([history], entries[min(again, stop) :])
    assert [status_of(history, START)] == statuses(entries, at=START)


def test_a_push_reads_what_was_found_once(
    desk: Desk, systems: kit.Systems, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = kit.open_requests(desk, [[kit.email(person.email)] for person in estate.people[:6]])
    kit.approve(desk, refs, kit.plan(desk, refs, systems))
    for key in desk.requests.stages[0].systems:
        push.erase(desk, systems[key])
    found = len(list(desk.ledger.entries(runs=refs, kinds=[Kind.FOUND])))
    read: Counter[int] = Counter()
    entries = log.Ledger.entries

    def counted(*arguments: object, **filters: object) -> Iterator[Recorded]:
        for recorded in entries(*arguments, **filters):  # type: ignore[arg-type]
            read[recorded.index] += recorded.entry.run in refs and recorded.entry.kind is Kind.FOUND
            yield recorded

    monkeypatch.setattr(log.Ledger, "entries", counted)
    pushed = push.erase(desk, systems["redis"])
    assert pushed.requests == len(refs)
    assert set(pushed.outcomes) <= {Outcome.VERIFIED_GONE, Outcome.ABSENT}
    assert Counter(read.values())[1] == found >= len(refs) * len(systems)
    assert max(read.values()) == 1
