"""Letting a store expire records by itself: on request, on the record, and never past a legal hold."""

from __future__ import annotations

import pytest

from include.errors import Refused
from include.ledger.entry import Kind
from include.retention.desk import Desk
from include.retention.expiry import set_expiry
from tests.retention import kit

RULE = "C3"


def test_setting_is_made_and_both_the_wish_and_the_result_are_recorded(desk: Desk, stores: kit.Stores) -> None:
    setting = set_expiry(desk, kit.night(), desk.rule(RULE), stores["firestore"], by=kit.STAFF)

    assert setting.agrees
    assert [recorded.entry.kind for recorded in kit.written(desk, Kind.OPERATOR_ACTION, Kind.DRIFT, rule=RULE)] == [
        Kind.OPERATOR_ACTION,
        Kind.DRIFT,
    ]
    assert kit.written(desk, Kind.OPERATOR_ACTION)[0].entry.body["by"] == kit.STAFF


@pytest.mark.parametrize("scope", [{"subject": "somebody"}, {"rule": RULE}, {"system": "firestore"}])
def test_hold_in_force_refuses_it_before_anything_is_set(desk: Desk, stores: kit.Stores, scope: dict[str, str]) -> None:
    before = stores["firestore"].expiry(kit.selection(desk, RULE))
    kit.hold(desk, scope.get("subject"), rule=scope.get("rule"), system=scope.get("system"))

    with pytest.raises(Refused, match="legal hold"):
        set_expiry(desk, kit.night(), desk.rule(RULE), stores["firestore"], by=kit.STAFF)

    assert kit.written(desk, Kind.OPERATOR_ACTION) == []
    assert stores["firestore"].expiry(kit.selection(desk, RULE)) == before


def test_location_without_such_a_setting_is_refused_and_the_wish_stays_on_record(
    desk: Desk, stores: kit.Stores
) -> None:
    with pytest.raises(Refused):
        set_expiry(desk, kit.night(), desk.rule("M1"), stores["firestore"], by=kit.STAFF)

    assert len(kit.written(desk, Kind.OPERATOR_ACTION, rule="M1")) == 1
