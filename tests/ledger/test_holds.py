from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from include.errors import Refused, Unavailable
from include.ledger.database import engine_for
from include.ledger.entry import Entry, Kind
from include.ledger.holds import ActiveHolds, Hold, Holds, Scope
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser

PSEUDONYMS = Pseudonymiser(b"k" * 32)
ANN, BOB = PSEUDONYMS.subject("user-ann"), PSEUDONYMS.subject("user-bob")
REVIEW = date(2026, 5, 1)


@pytest.fixture
def holds(ledger: Ledger) -> Holds:
    return Holds(ledger)


def put(holds: Holds, scope: Scope, review: date = REVIEW) -> Hold:
    return holds.set(scope, matter="matter-17", ground="pending claim", set_by="staff_4", review=review)


def test_a_hold_is_an_entry_and_in_force_until_it_is_released(holds: Holds, ledger: Ledger) -> None:
    ledger.append([Entry(Kind.RUN_OPENED, "run_1")])
    assert holds.active() == ActiveHolds()
    hold = put(holds, Scope(ANN, "old-leads", "firestore"))
    assert holds.active().holds == Holds(ledger).active().holds == {hold.id: hold}
    holds.release(hold.id, by="staff_5", reason="claim settled")
    assert holds.active().holds == Holds(ledger).active().holds == {}
    opened, set_, released = ledger.entries()
    assert (set_.entry.kind, released.entry.kind) == (Kind.HOLD_SET, Kind.HOLD_RELEASED)
    assert (set_.entry.rule, set_.entry.system, set_.at) == ("old-leads", "firestore", hold.set_at)
    assert set_.entry.body == {
        "hold": hold.id,
        "subject": ANN,
        "matter": "matter-17",
        "ground": "pending claim",
        "by": "staff_4",
        "review": "2026-05-01",
    }
    assert released.entry.body == {"hold": hold.id, "by": "staff_5", "reason": "claim settled"}
    assert opened.index == 0


def test_the_version_grows_with_every_hold_and_release_and_with_nothing_else(holds: Holds, ledger: Ledger) -> None:
    versions = [holds.active().version]
    hold = put(holds, Scope(ANN))
    versions.append(holds.active().version)
    ledger.append([Entry(Kind.OUTCOME, "run_1")] * 3)
    assert holds.active().version == versions[-1]
    put(holds, Scope(BOB))
    versions.append(holds.active().version)
    holds.release(hold.id, "staff_4", "done")
    versions.append(holds.active().version)
    assert versions == sorted(set(versions))
    assert versions[0] == 0
    assert Holds(ledger).active() == holds.active()


def test_a_hold_of_another_process_is_seen_at_the_next_look(holds: Holds, ledger_url: str, ledger: Ledger) -> None:
    holds.active()
    engine = engine_for(ledger_url)
    hold = put(Holds(Ledger(engine, ledger.clock)), Scope(system="redis"))
    assert holds.active().whole("any-rule", "redis") == hold
    engine.dispose()


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(rule="r1"), {("r1", "s1"), ("r1", "s2")}),
        (Scope(system="s1"), {("r1", "s1"), ("r2", "s1")}),
        (Scope(rule="r1", system="s1"), {("r1", "s1")}),
        (Scope(ANN), set()),
        (Scope(ANN, "r1", "s1"), set()),
    ],
)
def test_a_hold_without_subject_keeps_whatever_it_covers(
    holds: Holds, scope: Scope, covered: set[tuple[str, str]]
) -> None:
    hold = put(holds, scope)
    active = holds.active()
    everything = {(rule, system) for rule in ("r1", "r2") for system in ("s1", "s2")}
    assert {place for place in everything if active.whole(*place) == hold} == covered
    assert {place for place in everything if active.whole(*place) is None} == everything - covered


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(ANN), {("r1", "s1"), ("r1", "s2"), ("r2", "s1"), ("r2", "s2")}),
        (Scope(ANN, rule="r1"), {("r1", "s1"), ("r1", "s2")}),
        (Scope(ANN, system="s1"), {("r1", "s1"), ("r2", "s1")}),
        (Scope(ANN, "r1", "s1"), {("r1", "s1")}),
        (Scope(rule="r1"), set()),
    ],
)
def test_a_hold_on_a_subject_keeps_that_subject_where_it_covers(
    holds: Holds, scope: Scope, covered: set[tuple[str, str]]
) -> None:
    put(holds, scope)
    active = holds.active()
    for place in {(rule, system) for rule in ("r1", "r2") for system in ("s1", "s2")}:
        on_hold = active.on_hold(*place, PSEUDONYMS.subject)
        if place in covered:
            assert on_hold is not None
            assert on_hold("user-ann")
            assert not on_hold("user-bob")
        else:
            assert on_hold is None


def test_two_holds_on_one_subject_are_released_one_by_one(holds: Holds) -> None:
    first, second = put(holds, Scope(ANN)), put(holds, Scope(ANN, rule="r1"))
    holds.release(first.id, "staff_4", "done")
    on_hold = holds.active().on_hold("r1", "s1", PSEUDONYMS.subject)
    assert on_hold is not None
    assert on_hold("user-ann")
    assert holds.active().on_hold("r2", "s1", PSEUDONYMS.subject) is None
    assert list(holds.active().holds) == [second.id]


def test_holds_due_for_review_are_listed_the_most_overdue_first(holds: Holds) -> None:
    late = put(holds, Scope(ANN), date(2026, 4, 1))
    soon = put(holds, Scope(BOB), date(2026, 3, 20))
    put(holds, Scope(rule="r1"), date(2026, 12, 1))
    active = holds.active()
    assert active.due_for_review(datetime(2026, 3, 19, 23, tzinfo=UTC)) == ()
    assert active.due_for_review(datetime(2026, 4, 1, 0, tzinfo=UTC)) == (soon, late)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scope": Scope()}, "scope"),
        ({"scope": Scope("ann@clinic.example")}, "subject"),
        ({"scope": Scope("sub_short")}, "subject"),
        ({"scope": Scope(rule="two words")}, "rule"),
        ({"matter": "Ann Lee v. Clinic"}, "matter"),
        ({"set_by": "bob@clinic.example"}, "set_by"),
        ({"ground": "  "}, "ground"),
        ({"ground": "x" * 501}, "ground"),
        ({"ground": "ann@clinic.example sued"}, "body.ground"),
        ({"review": date(2020, 1, 1)}, "review"),
    ],
)
def test_a_hold_with_a_wrong_field_is_refused_by_name(
    holds: Holds, ledger: Ledger, change: dict[str, object], named: str
) -> None:
    fields = {"scope": Scope(ANN), "matter": "m", "ground": "g", "set_by": "staff_4", "review": REVIEW} | change
    with pytest.raises(Refused, match=named) as caught:
        holds.set(**fields)  # type: ignore[arg-type]
    assert "clinic" not in str(caught.value).lower()
    assert ledger.size() == 0


def test_only_a_hold_in_force_is_released(holds: Holds, ledger: Ledger) -> None:
    with pytest.raises(Refused, match="No hold in force"):
        holds.release("hold_unknown", "staff_4", "done")
    hold = put(holds, Scope(ANN))
    for by, reason in (("ann@x.example", "done"), ("staff_4", " "), ("staff_4", "ann@x.example")):
        with pytest.raises(Refused):
            holds.release(hold.id, by, reason)
    holds.release(hold.id, "staff_4", "done")
    with pytest.raises(Refused, match="No hold in force"):
        holds.release(hold.id, "staff_4", "done")
    assert ledger.size() == 2


def test_an_unreachable_ledger_stops_whoever_asks() -> None:
    ledger = Ledger(engine_for("postgresql://w@127.0.0.1:1/ledger"), lambda: datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(Unavailable, match="read the holds"):
        Holds(ledger).active()
