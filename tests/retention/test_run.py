"""Opening a run: filters, clocks, and that it happens once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import Refused
from include.ledger.entry import Entry, Kind
from include.ledger.log import Ledger
from include.retention.desk import Desk
from include.retention.run import CLOCK_TOLERANCE, chosen_rules, open_run, run_id, run_statuses
from include.retention.status import State
from tests.retention import kit


@pytest.fixture
def real(ledger: Ledger) -> Desk:
    """A desk by the machine's own clock, which is the database's too."""
    return kit.desk_on(Ledger(ledger.engine, lambda: datetime.now(UTC)))


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_run_ids_are_opaque_and_repeatable(one: list[str], other: list[str]) -> None:
    assert re.fullmatch(r"run_[a-z2-7]{16}", run_id(*one))
    assert (run_id(*one) == run_id(*other)) == ("\n".join(one) == "\n".join(other))


def test_filters_narrow_and_keep_the_order_of_the_policy(desk: Desk) -> None:
    every = [rule.id for rule in desk.policy.rules]
    assert [rule.id for rule in chosen_rules(desk, [], [])] == every
    assert [rule.id for rule in chosen_rules(desk, ["C3", "A1"], [])] == ["A1", "C3"]
    assert {desk.system_of(rule) for rule in chosen_rules(desk, [], ["redis"])} == {"redis"}
    assert chosen_rules(desk, ["C3"], ["redis"]) == []


@pytest.mark.parametrize(("rules", "systems"), [(["C99"], []), ([], ["hotjar"]), (["C3", "nope"], ["redis"])])
def test_filters_that_name_nothing_are_refused(desk: Desk, rules: list[str], systems: list[str]) -> None:
    with pytest.raises(Refused, match="policy file"):
        chosen_rules(desk, rules, systems)


def test_a_rule_that_is_not_in_the_policy_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="C99"):
        desk.rule("C99")


def test_a_run_is_opened_once_and_every_rule_has_a_row_before_it_is_counted(real: Desk) -> None:
    rules = list(real.policy.rules)
    open_run(real, kit.night(), rules)
    open_run(real, kit.night(), rules[:2])
    (opened,) = kit.written(real, Kind.RUN_OPENED)
    assert opened.entry.body["policy"] == real.policy.digest
    assert opened.entry.body["as_of"] == "2025-03-31T00:00:00Z"
    statuses = run_statuses(real, kit.night().run, at=kit.AS_OF)
    assert [status.rule for status in statuses] == [rule.id for rule in rules]
    assert {status.state for status in statuses} == {State.UNCOUNTED}
    assert {status.action for status in statuses} == {"delete", "anonymise"}


def test_a_date_in_the_future_is_refused(real: Desk) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(Refused, match="future"):
        open_run(real, kit.night(as_of=tomorrow), list(real.policy.rules))
    assert real.ledger.size() == 0


@pytest.mark.parametrize("shift", [1.2 * CLOCK_TOLERANCE, -1.2 * CLOCK_TOLERANCE])
def test_a_clock_that_the_database_contradicts_is_refused(real: Desk, shift: timedelta) -> None:
    wrong = replace(real, clock=lambda: datetime.now(UTC) + shift)
    with pytest.raises(Refused, match="disagree"):
        open_run(wrong, kit.night(), list(real.policy.rules))
    nearly = replace(real, clock=lambda: datetime.now(UTC) + shift / 2)
    open_run(nearly, kit.night(), list(real.policy.rules))


def test_a_clock_before_the_last_entry_is_refused(real: Desk) -> None:
    ahead = Ledger(real.ledger.engine, lambda: datetime.now(UTC) + CLOCK_TOLERANCE + timedelta(minutes=1))
    ahead.append([Entry(Kind.OPERATOR_ACTION, "operator", body={"what": "looked"})])
    with pytest.raises(Refused, match="last entry"):
        open_run(real, kit.night(), list(real.policy.rules))
