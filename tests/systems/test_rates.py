"""How fast a service is called: one pace for all tasks, or one of a process alone."""

import pytest

from include.connection import Connection
from include.errors import Refused
from include.systems.rates import alone, shared
from tests.systems.conformance.means import Clock, MemoryBudgets

RATE = "calls_per_second"


class Seconds:
    """A machine whose sleep passes at once."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


def connection(**extra):
    return Connection("shop", extra=extra)


def test_the_connection_counts_before_the_default():
    assert connection().positive(RATE, 10.0) == 10.0
    assert connection(calls_per_second=3).positive(RATE, 10.0) == 3
    assert connection(calls_per_second=3).positive("views_per_second", 10.0) == 10.0


@pytest.mark.parametrize("value", [0, -1, "10", True, None])
def test_what_is_no_pace_is_refused(value):
    with pytest.raises(Refused):
        connection(calls_per_second=value).positive(RATE, 10.0)


def test_all_tasks_share_a_pace_by_its_name():
    budgets = MemoryBudgets(Clock())
    for name in ("calls_per_second", "calls_per_second", "views_per_second"):
        with shared(connection(), budgets, 1.0, name)():
            pass
    assert budgets.paced == {"shop/calls_per_second": 2, "shop/views_per_second": 1}


def test_calls_of_a_process_are_evenly_spaced():
    machine = Seconds()
    turn = alone(connection(calls_per_second=4), 1.0, clock=machine, sleep=machine.sleep)
    for _ in range(4):
        with turn():
            pass
    assert machine.slept == [0.25, 0.25, 0.25]


def test_a_pause_earns_no_burst():
    machine = Seconds()
    turn = alone(connection(), 2.0, clock=machine, sleep=machine.sleep)
    with turn():
        machine.now += 60
    for _ in range(3):
        with turn():
            pass
    assert machine.slept == [0.5, 0.5]
