"""Limits that several processes share, on a real PostgreSQL."""

from __future__ import annotations

import multiprocessing
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text

from include.errors import Unavailable
from include.local.databases import Databases
from include.systems.budget import SharedBudgets

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 3, 1, 2, 0, 30, tzinfo=UTC)
TABLES = """
CREATE TABLE vendor_budget (name text, window_start timestamptz, spent bigint, PRIMARY KEY (name, window_start));
CREATE TABLE vendor_pace (name text PRIMARY KEY, next_at timestamptz);
"""


@pytest.fixture(scope="module")
def url(postgres: Databases) -> Iterator[str]:
    postgres.drop_database("budget_test")
    postgres.ensure_role("budget_test", "test")
    postgres.ensure_database("budget_test", "budget_test", [])
    address = postgres.url("budget_test", "budget_test", "test")
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text(TABLES))
    engine.dispose()
    yield address
    postgres.drop_database("budget_test")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    with made.begin() as connection:
        connection.execute(text("TRUNCATE vendor_budget, vendor_pace"))
    yield made
    made.dispose()


def budgets(engine: Engine, now: datetime = NOW) -> SharedBudgets:
    return SharedBudgets(engine, lambda: now)


def test_what_is_left_is_granted_and_then_nothing(engine: Engine) -> None:
    shared = budgets(engine)
    assert [shared.take("erasures", 4, 10, MINUTE) for _ in range(4)] == [4, 4, 2, 0]
    assert shared.left("erasures", 10, MINUTE) == 0
    assert shared.left("others", 10, MINUTE) == 10


def test_a_window_begins_with_the_minute_and_not_with_the_first_call(engine: Engine) -> None:
    assert budgets(engine).take("erasures", 10, 10, MINUTE) == 10
    assert budgets(engine, NOW + timedelta(seconds=29)).take("erasures", 1, 10, MINUTE) == 0
    assert budgets(engine, NOW + timedelta(seconds=30)).take("erasures", 1, 10, MINUTE) == 1


def test_a_lowered_limit_grants_nothing_and_takes_nothing_back(engine: Engine) -> None:
    shared = budgets(engine)
    assert shared.take("erasures", 8, 10, MINUTE) == 8
    assert shared.take("erasures", 1, 5, MINUTE) == 0
    assert shared.left("erasures", 10, MINUTE) == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.integers(0, 20), max_size=12), limit=st.integers(0, 50))
def test_grants_are_never_more_than_wished_for_nor_than_the_limit(
    engine: Engine, wishes: list[int], limit: int
) -> None:
    shared = budgets(engine)
    name = str(uuid.uuid4())
    granted = [shared.take(name, wish, limit, MINUTE) for wish in wishes]
    assert all(got <= wish for got, wish in zip(granted, wishes, strict=True))
    assert sum(granted) == min(limit, sum(wishes))


def _greedy(url: str, wish: int, results: multiprocessing.Queue[int]) -> None:
    engine = create_engine(url)
    shared = budgets(engine)
    results.put(sum(shared.take("crowd", wish, 1000, MINUTE) for _ in range(40)))
    engine.dispose()


def test_eight_processes_together_take_the_limit_and_not_one_more(engine: Engine, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    crowd = [context.Process(target=_greedy, args=(url, wish, results)) for wish in (1, 2, 3, 5, 7, 4, 6, 8)]
    for process in crowd:
        process.start()
    taken = sum(results.get(timeout=60) for _ in crowd)
    for process in crowd:
        process.join(10)
    assert taken == 1000
    assert budgets(engine).left("crowd", 1000, MINUTE) == 0


def test_turns_are_evenly_spaced_over_all_that_ask_at_once(engine: Engine) -> None:
    """Nobody really sleeps, so that all turns are reserved in a moment: each waits a step longer than the last."""
    waits: list[float] = []
    shared = SharedBudgets(engine, lambda: NOW, waits.append)

    def call() -> None:
        for _ in range(4):
            with shared.pace("calls", 0.01):
                pass

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [round(wait / 100) for wait in sorted(waits)] == list(range(1, 16))


def test_a_turn_long_past_gives_no_right_to_a_burst(engine: Engine) -> None:
    waits: list[float] = []
    shared = SharedBudgets(engine, lambda: NOW, waits.append)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO vendor_pace VALUES ('calls', clock_timestamp() - interval '1 hour')"))
    for _ in range(3):
        with shared.pace("calls", 0.01):
            pass
    assert [round(wait / 100) for wait in waits] == [1, 2]


def test_nothing_is_sent_without_the_database(url: str) -> None:
    shared = budgets(create_engine(url.replace("budget_test?", "absent?").replace("/budget_test", "/absent")))
    with pytest.raises(Unavailable, match="nothing was sent"):
        shared.take("erasures", 1, 10, MINUTE)
    with pytest.raises(Unavailable), shared.pace("calls", 1.0):
        pytest.fail("it was let through")
    with pytest.raises(Unavailable):
        shared.left("erasures", 10, MINUTE)
