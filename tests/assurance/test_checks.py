"""What a night of checks says of a system, and that no check keeps another from being made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from include.assurance.evidence import KINDS, NAMED, State
from include.erasure.desk import Desk
from include.errors import Inconsistent, Refused, Unavailable
from include.ledger.entry import Kind
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from tests.assurance.conftest import NIGHT, Check
from tests.assurance.double import Asked, Plain

REFUSED = Refused("zapier", "use its key", "Make a new one.")
SILENT = Unavailable("zapier", "ask", "It is asked again.")
OFF = Expiry("retention of runs", "120 days", "69 days", False, "Lower it.")


def written(desk: Desk, kind: Kind, system: str = "zapier") -> list[Mapping[str, Any]]:
    entries = desk.ledger.entries(run=NIGHT.run, kinds=[kind])
    return [recorded.entry.body for recorded in entries if recorded.entry.system == system]


@pytest.mark.parametrize(
    ("access", "state", "says"),
    [
        (Access(), State.IN_ORDER, ""),
        (Access(missing=("runs:read",)), State.BROKEN, "lacks runs:read"),
        (Access(excess=("admin",)), State.SEE_TO, "more than is needed: admin"),
        (Access(expires_at=NIGHT.at), State.BROKEN, "ended on 2026-03-31"),
        (Access(expires_at=NIGHT.at + timedelta(days=30)), State.SEE_TO, "ends on 2026-04-30: renew it"),
        (Access(expires_at=NIGHT.at + timedelta(days=30, seconds=1)), State.IN_ORDER, ""),
        (Access(shown=False), State.IN_ORDER, "does not show the rights"),
        (REFUSED, State.BROKEN, "Make a new one."),
        (SILENT, State.NO_ANSWER, "asked again"),
    ],
)
def test_a_key_is_judged_by_what_it_may_do_and_how_long(
    desk: Desk, check: Check, access: Access | Exception, state: State, says: str
) -> None:
    assert check("zapier", Asked(grants=access))[0] is state
    [body] = written(desk, Kind.ACCESS)
    assert body["state"] == state.value
    assert says in body["note"]


@pytest.mark.parametrize(("days", "state"), [(180, State.SEE_TO), (181, State.IN_ORDER), (-1, State.SEE_TO)])
def test_the_end_of_an_api_is_seen_coming(check: Check, days: int, state: State) -> None:
    assert check("zapier", Asked(sunset=NIGHT.at + timedelta(days=days)))[0] is state


def test_a_key_with_a_hundred_rights_too_many_is_counted_not_listed(desk: Desk, check: Check) -> None:
    check("zapier", Asked(grants=Access(excess=tuple(f"right:{n}" for n in range(100)))))
    [body] = written(desk, Kind.ACCESS)
    assert (len(body["excess"]), body["excess_count"]) == (NAMED, 100)
    assert "and 80 more" in body["note"]


@pytest.mark.parametrize(
    ("checked", "state"),
    [
        (Checked("", looked=7), State.IN_ORDER),
        (Checked("", looked=7, violations=2), State.VIOLATED),
        (Checked("", asked=False, note="A look would e-mail the person."), State.CANNOT_ASK),
        (REFUSED, State.BROKEN),
        (SILENT, State.NO_ANSWER),
    ],
)
def test_a_claim_holds_is_violated_or_was_not_asked(
    desk: Desk, check: Check, checked: Checked | Exception, state: State
) -> None:
    assert state in check("hotjar", Asked(checked=checked))
    [body] = written(desk, Kind.CLAIM, "hotjar")
    assert (body["claim"], body["state"]) == ("hotjar.no_identifiers", state.value)
    assert body["violations"] == (2 if state is State.VIOLATED else 0)


@pytest.mark.parametrize(
    ("shows", "state"),
    [
        ([OFF], State.SEE_TO),
        ([Expiry("retention of runs", "69 days", "69 days", True, "")], State.IN_ORDER),
        (REFUSED, State.BROKEN),
        (SILENT, State.NO_ANSWER),
    ],
)
def test_settings_stand_beside_the_promise_that_trusts_the_vendor(
    desk: Desk, check: Check, shows: list[Expiry] | Exception, state: State
) -> None:
    double = Asked(shows=shows)
    check("zapier", double)
    assert double.promised == [promise.id for promise in desk.policy.promises if promise.system == "zapier"]
    [body] = written(desk, Kind.DRIFT)
    assert body["state"] == state.value
    assert (
        [one["configured"] for one in body["settings"]] == [one.configured for one in shows if isinstance(shows, list)]
        if isinstance(shows, list)
        else body["settings"] == []
    )


def test_a_system_that_answers_nothing_is_shown_as_one_that_cannot_be_asked(desk: Desk, check: Check) -> None:
    double = Plain()
    assert set(check("zapier", double)) == {State.CANNOT_ASK}
    assert double.closed == 1


def test_a_system_without_a_connection_is_a_gap_in_every_check(desk: Desk, check: Check) -> None:
    assert set(check("hotjar", None)) == {State.NOT_CONNECTED}
    kinds = {recorded.entry.kind for recorded in desk.ledger.entries(run=NIGHT.run)}
    assert kinds == set(KINDS)
    assert all("no connection" in body["note"] for kind in kinds for body in written(desk, kind, "hotjar"))


def test_a_connection_that_lacks_something_is_broken_not_absent(desk: Desk, check: Check) -> None:
    def refuses() -> None:
        raise REFUSED

    assert set(check("hotjar", refuses)) == {State.BROKEN}


def test_one_check_that_fails_keeps_no_other_from_being_made(desk: Desk, check: Check) -> None:
    states = check("zapier", Asked(grants=SILENT, shows=REFUSED, holds=SILENT))
    assert states == [State.NO_ANSWER, State.BROKEN, State.NO_ANSWER]
    assert {recorded.entry.kind for recorded in desk.ledger.entries(run=NIGHT.run)} == set(KINDS) - {Kind.CLAIM}


def test_evidence_that_contradicts_itself_stops_everything(check: Check) -> None:
    double = Asked(grants=Inconsistent("vault", "read", "Look."))
    with pytest.raises(Inconsistent):
        check("zapier", double)
    assert double.closed == 1


def test_the_stores_own_expiry_is_compared_for_every_rule(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.assurance import checks
    from include.connection import Connection

    asked: list[str] = []

    class Store:
        def expiry(self, selection: Any) -> list[Expiry]:
            asked.append(selection.rule)
            return [OFF] if selection.rule == asked[0] else []

        def close(self) -> None:
            asked.append("closed")

    monkeypatch.setattr(checks.registry, "connect", lambda connection: Store())
    monkeypatch.setitem(checks.registry.ERASING, "redis", "tests.assurance.double")
    states = checks.assure(desk, NIGHT, "redis", Connection("redis", extra={"double": Plain()}))
    assert asked == [*(rule.id for rule in desk.policy.rules_of("redis")), "closed"]
    assert states[1] is State.SEE_TO
