"""Deleted records leave the disk where the store would keep their bytes."""

from __future__ import annotations

from include.ledger.entry import Kind
from include.retention.desk import Desk
from include.retention.expunge import expunge
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.retention import kit


def test_each_index_is_expunged_once_and_what_the_cluster_said_is_on_record(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    kit.plan_and_allow(desk, kit.night(), "W5", stores)
    kit.carry_out(desk, kit.night(), "W5", stores)

    assert expunge(desk, kit.night(2), stores["elasticsearch"]) == 3

    written = [recorded.entry.body for recorded in kit.written(desk, Kind.EXPUNGED)]
    assert [body["holding"] for body in written] == [
        "elasticsearch.contacts",
        "elasticsearch.activity",
        "elasticsearch.app-logs",
    ]
    logs = written[-1]
    assert isinstance(logs["before"], int)
    assert logs["before"] > 0
    assert logs["after"] == 0


def test_cache_rewrites_its_log(desk: Desk, small: Estate, stores: kit.Stores) -> None:
    assert expunge(desk, kit.night(), stores["redis"]) == 2
    assert {recorded.entry.body["how"] for recorded in kit.written(desk, Kind.EXPUNGED)} == {"bgrewriteaof"}


def test_store_that_keeps_nothing_is_left_alone(desk: Desk, stores: kit.Stores) -> None:
    assert expunge(desk, kit.night(), stores["firestore"]) == 0
    assert kit.written(desk, Kind.EXPUNGED) == []
