"""An even rate in one process, and where it comes from."""

import pytest

from include.connection import Connection
from include.errors import Refused
from include.systems.steady import Steady, calls_per_second


def test_calls_are_spread_evenly_and_an_idle_time_is_not_saved_up():
    now, waits = [100.0], []

    def sleep(seconds):
        waits.append(round(seconds, 6))
        now[0] += seconds

    steady = Steady(2.0, lambda: now[0], sleep)
    for _ in range(3):
        with steady():
            pass
    now[0] += 60
    for _ in range(2):
        with steady():
            now[0] += 0.2
    assert waits == [0.5, 0.5, 0.3]


@pytest.mark.parametrize(
    ("extra", "rate"), [({}, 2.0), ({"calls_per_second": 5}, 5.0), ({"calls_per_second": 0.5}, 0.5)]
)
def test_the_connection_can_say_another_rate_than_the_vendor(extra, rate):
    assert calls_per_second(Connection("typeform", extra=extra), 2.0) == rate


@pytest.mark.parametrize("value", [0, -1, True, "2", None])
def test_a_rate_that_is_none_is_refused(value):
    with pytest.raises(Refused):
        calls_per_second(Connection("typeform", extra={"calls_per_second": value}), 2.0)
