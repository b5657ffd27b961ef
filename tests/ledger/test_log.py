from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import inspect

from include.errors import Refused, Unavailable
from include.ledger import merkle
from include.ledger.database import engine_for
from include.ledger.entry import Entry, Kind, canonical
from include.ledger.log import Ledger


def batch(count: int, run: str = "run_1", rule: str = "old-leads", kind: Kind = Kind.OUTCOME) -> list[Entry]:
    return [Entry(kind, run, rule, "firestore", {"gone": number}) for number in range(count)]


def test_entries_come_back_in_order_with_index_time_and_hash(ledger: Ledger) -> None:
    first = ledger.append(batch(3))
    second = ledger.append([Entry(Kind.RUN_CLOSED, "run_1")])
    assert [item.index for item in first + second] == [0, 1, 2, 3]
    assert list(ledger.entries()) == first + second
    assert ledger.entry(3) == second[0]
    assert second[0].at > first[0].at == first[2].at
    assert all(item.leaf_hash == merkle.leaf_hash(canonical(item.entry, item.at)) for item in first)
    assert ledger.append([]) == []
    assert ledger.size() == 4


def test_entries_are_found_by_run_rule_kind_time_and_index(ledger: Ledger) -> None:
    ledger.append(batch(2, run="run_1", rule="a"))
    late = ledger.append(batch(2, run="run_2", rule="b") + batch(1, run="run_2", rule="a", kind=Kind.DRIFT))

    def found(**filters: object) -> list[int]:
        return [item.index for item in ledger.entries(**filters)]  # type: ignore[arg-type]

    assert found(run="run_2") == [2, 3, 4]
    assert found(rule="a") == [0, 1, 4]
    assert found(rule="a", kinds=[Kind.DRIFT, Kind.PLAN]) == [4]
    assert found(kinds=[]) == []
    assert found(since=late[0].at) == [2, 3, 4]
    assert found(start=4) == [4]
    assert found(run="run_1", rule="b") == []


def test_a_refused_entry_keeps_the_whole_batch_out(ledger: Ledger) -> None:
    with pytest.raises(Refused, match=r"body\.x"):
        ledger.append([*batch(2), Entry(Kind.PLAN, "run_1", body={"x": 1.5})])  # type: ignore[dict-item]
    assert ledger.size() == 0


def test_a_clock_outside_of_utc_is_refused(ledger: Ledger) -> None:
    local = Ledger(ledger.engine, lambda: datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=1))))
    with pytest.raises(Refused, match="UTC"):
        local.append(batch(1))


def test_an_unknown_index_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="no entry"):
        ledger.entry(0)


def test_roots_and_proofs_are_those_of_the_tree_at_every_kind_of_size(ledger: Ledger) -> None:
    leaves: list[bytes] = []
    for count in (1, 254, 1, 1, 300, 1000):
        leaves += [item.leaf_hash for item in ledger.append(batch(count))]
    total = len(leaves)
    root = merkle.fold(leaves)
    assert ledger.size() == total
    assert ledger.root() == root
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 513, 1024, 1500, total):
        at_size = merkle.fold(leaves[:size])
        assert ledger.root(size) == at_size
        assert merkle.verify_consistency(size, total, at_size, root, ledger.consistency(size))
        for index in {0, size // 2, size - 1} - {-1}:
            if index < size:
                proof = ledger.inclusion(index, size)
                assert merkle.verify_inclusion(leaves[index], index, size, proof, at_size)
    assert merkle.verify_consistency(300, 700, ledger.root(300), ledger.root(700), ledger.consistency(300, 700))


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.root(4),
        lambda ledger: ledger.inclusion(3),
        lambda ledger: ledger.inclusion(0, 0),
        lambda ledger: ledger.inclusion(-1),
        lambda ledger: ledger.consistency(4),
        lambda ledger: ledger.consistency(2, 1),
    ],
)
def test_proofs_outside_of_the_log_are_refused(ledger: Ledger, call: Callable[[Ledger], object]) -> None:
    ledger.append(batch(3))
    with pytest.raises(Refused):
        call(ledger)


def test_a_gone_database_is_unavailable_and_says_nothing_of_the_login() -> None:
    engine = engine_for("postgresql://somebody:hidden@127.0.0.1:1/ledger")
    ledger = Ledger(engine, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    for call in (
        ledger.size,
        ledger.root,
        ledger.audit,
        lambda: ledger.append(batch(1)),
        lambda: list(ledger.entries()),
    ):
        with pytest.raises(Unavailable) as caught:
            call()
        assert "hidden" not in str(caught.value)
        assert "somebody" not in str(caught.value)
    with pytest.raises(Unavailable), ledger.exclusive("sweep"):
        pytest.fail("the lock cannot be held")


def test_connections_return_to_the_pool(ledger: Ledger) -> None:
    for _ in range(20):
        ledger.append(batch(1))
        next(ledger.entries())
        ledger.root()
        with ledger.exclusive("sweep"):
            pass
    assert ledger.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


class TestExclusive:
    def test_a_second_holder_is_turned_away_until_the_first_is_done(self, ledger: Ledger) -> None:
        with ledger.exclusive("sweep") as confirm:
            confirm()
            with pytest.raises(Unavailable, match="Another process holds it"), ledger.exclusive("sweep"):
                pytest.fail("two hold one lock")
            with pytest.raises(Unavailable, match="Another"), ledger.exclusive("sweep", wait_seconds=0.05):
                pytest.fail("two hold one lock")
            with ledger.exclusive("report"):
                pass
        with ledger.exclusive("sweep", wait_seconds=1):
            pass

    def test_an_error_inside_is_passed_on_and_frees_the_lock(self, ledger: Ledger) -> None:
        with pytest.raises(KeyError), ledger.exclusive("sweep"):
            raise KeyError("mine")
        with ledger.exclusive("sweep"):
            pass

    def test_a_killed_holder_frees_the_lock(self, ledger: Ledger, ledger_url: str) -> None:
        script = (
            "import sys; from include.ledger.database import engine_for; from include.ledger.log import Ledger\n"
            "with Ledger(engine_for(sys.argv[1]), None).exclusive('sweep'):\n"
            "    print('held', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, ledger_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(Unavailable), ledger.exclusive("sweep"):
                pytest.fail("two hold one lock")
            holder.kill()
            with ledger.exclusive("sweep", wait_seconds=20):
                pass

    def test_a_lost_connection_is_noticed(self, ledger: Ledger) -> None:
        with ledger.exclusive("sweep") as confirm:
            with ledger.engine.connect() as other:
                other.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
                )
            with pytest.raises(Unavailable, match="keep the lock"):
                confirm()


def test_the_indexes_for_run_rule_time_and_holds_exist(ledger: Ledger) -> None:
    names = {index["name"] for index in inspect(ledger.engine).get_indexes("ledger_entry")}
    assert names == {"ledger_entry_rule", "ledger_entry_run", "ledger_entry_at", "ledger_entry_holds"}


def test_the_pure_parts_do_not_import_the_database() -> None:
    script = (
        "import sys, include.ledger.entry, include.ledger.merkle, include.ledger.pseudonym\n"
        "assert not {'sqlalchemy', 'psycopg2', 'alembic'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
