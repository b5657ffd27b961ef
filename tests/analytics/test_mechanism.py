"""Releases: the form of what is published, and each known defect of the library as a test of ours."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import polars as pl
import pytest
from scipy import stats

from include.analytics import accounting, mechanism
from include.analytics.noise import Choice, Gaussian
from include.errors import Refused
from tests.analytics.tables import PUBLIC, UNKNOWN, USERS, events, table

CROWD = [(f"u{number}", kind) for number in range(500) for kind in "ab"]


def test_every_public_key_is_there_and_a_small_cell_is_suppressed_after_the_noise() -> None:
    made = mechanism.release(table(PUBLIC, max_groups=2, measures=(USERS, {"kind": "events", "cap": 1})), events(CROWD))
    assert made.frame.columns == ["kind", "users", "users_margin", "events", "events_margin"]
    assert made.frame.schema == {"kind": pl.String(), **dict.fromkeys(made.frame.columns[1:], pl.Int64())}
    assert made.frame["kind"].to_list() == ["a", "b", "c"]
    assert made.frame["users"][2] is None
    assert made.frame["events"][2] is None
    for users, margin in made.frame.select("users", "users_margin").rows()[:2]:
        assert abs(users - 500) < 4 * margin


def test_unknown_keys_show_above_the_threshold_only_and_sorted() -> None:
    rows = [(f"u{number}", kind) for number in range(500) for kind in ("zebra", "ape")] + [("u1", "custom_u1")]
    made = mechanism.release(table(UNKNOWN, max_groups=3), events(rows))
    assert made.frame["kind"].to_list() == ["ape", "zebra"]
    assert made.parameters.threshold is not None
    assert made.frame["users"].min() >= made.parameters.threshold


def test_a_total_has_one_row_even_of_nothing() -> None:
    assert mechanism.release(table(), events([])).frame["users"].to_list() == [None]
    assert abs(mechanism.release(table(), events(CROWD)).frame["users"][0] - 500) < 20


def test_what_was_suppressed_is_decided_by_the_noisy_number_not_by_the_true_one() -> None:
    """Suppression of true counts below 20 would itself tell them."""
    rows = [(f"u{number}", "a") for number in range(20)]
    shown = [mechanism.release(table(PUBLIC), events(rows)).frame["users"][0] is not None for _ in range(60)]
    assert 5 < sum(shown) < 55


def test_canaries_never_show_not_even_one_that_everybody_shares() -> None:
    shared = ["sales@clique.example", "3f2b8c1e-9d4a-4c6b-8a70-1f2e3d4c5b6a", "+49 170 1234567"]
    rows = [(f"u{number}", kind) for number in range(400) for kind in ("search", *shared)]
    rows += [(f"u{number}", f"custom_u{number}") for number in range(400)]
    for _ in range(20):
        assert mechanism.release(table(UNKNOWN, max_groups=5), events(rows)).frame["kind"].to_list() == ["search"]


def test_parameters_are_known_before_any_event() -> None:
    one = table(UNKNOWN, max_groups=4, measures=({**USERS, "weight": 3}, {"kind": "events", "cap": 7}))
    stated = mechanism.parameters(one)
    assert stated == mechanism.release(one, events(CROWD)).parameters
    assert sum((noise.rho for noise in stated.noise), Decimal(0)) <= stated.rho
    users, count = stated.noise
    assert users.sigma == pytest.approx(math.sqrt(4 / (2 * 0.375)))
    assert count.sigma == pytest.approx(7 * math.sqrt(4 / (2 * 0.125)))
    assert count.margin == math.ceil(1.959964 * count.sigma)


def test_an_incomplete_or_internal_table_is_refused_before_events_are_read() -> None:
    broken = pl.LazyFrame({"nothing": [1]})
    for one in (
        table(PUBLIC, internal=True),
        table(PUBLIC, rho=None),
        table(UNKNOWN, delta=None),
        table(PUBLIC, measures=({"kind": "events", "cap": 1},)),
    ):
        with pytest.raises(Refused, match="release 'toy'"):
            mechanism.release(one, broken)


def test_two_releases_of_the_same_events_differ() -> None:
    """Nothing is seeded: equal releases by chance have a probability of less than one in a million."""
    one = table({**PUBLIC, "keys": tuple("abcdefghij")}, rho="0.001", max_groups=2)
    rows = [(f"u{number}", kind) for number in range(2000) for kind in "abcdefghij"]
    frames = [mechanism.release(one, events(rows)).frame for _ in range(3)]
    assert not frames[0].equals(frames[1])
    assert not frames[1].equals(frames[2])


def test_the_noise_is_the_discrete_gaussian_of_the_stated_scale() -> None:
    gaussian = Gaussian(5, 3, Decimal("0.05"))
    drawn = gaussian.add([1000] * 20_000)
    assert statistics.fmean(drawn) == pytest.approx(1000, abs=5 * gaussian.sigma / math.sqrt(20_000))
    variance = statistics.pvariance(drawn)
    assert stats.chi2.ppf(1e-6, 20_000) < variance / gaussian.sigma**2 * 20_000 < stats.chi2.ppf(1 - 1e-6, 20_000)


class TestPitfallsOfTheLibrary:
    """Defects of OpenDP 0.16.0 that could touch a release; those of grouping are in the tests of the bounding."""

    @pytest.mark.parametrize(("groups", "rho", "delta"), [(1, "0.5", "0.01"), (3, "0.2", "0.005"), (1, "2", "0.02")])
    def test_a_key_of_one_person_shows_no_more_often_than_delta(self, groups: int, rho: str, delta: str) -> None:
        """opendp#2922: the library states a delta that is too small."""
        choice = Choice(groups, Decimal(rho), Decimal(delta))
        exact = [1 - (1 - accounting.tail(choice.sigma, choice.threshold - step)) ** groups for step in (1, 2, 3)]
        assert exact[0] <= float(delta), "delta is kept"
        assert exact[2] > float(delta), "at the price of a step of one at most"
        people = 60_000 // groups
        shown = {position // groups for position in choice.choose([1] * (people * groups))}
        within = stats.binomtest(len(shown), people, exact[0])
        assert within.pvalue > 1e-6, "and what is seen is what the arithmetic says"

    @pytest.mark.parametrize(("rho", "delta"), [("0.5", "2e-3"), ("0.5", "4e-5"), ("0.1", "1e-6")])
    def test_a_threshold_that_the_library_itself_believes_in_would_break_delta(self, rho: str, delta: str) -> None:
        choice = Choice(1, Decimal(rho), Decimal(delta))
        believed = choice.threshold
        while choice._with(believed - 1).map((1, 1.0, 1.0))[1] <= float(delta):
            believed -= 1
        assert accounting.tail(choice.sigma, believed - 1) > float(delta)
        assert believed < choice.threshold

    @pytest.mark.parametrize("groups", [2, 3, 5, 7, 50])
    def test_the_distance_of_several_cells_is_no_whole_number(self, groups: int) -> None:
        """An integer type of the metric would take the root of 2 for 1, or for 2."""
        gaussian = Gaussian(groups, 1, Decimal("0.1"))
        assert gaussian.sigma == pytest.approx(math.sqrt(groups / 0.2), rel=1e-9)
        assert gaussian._measurement.map(math.sqrt(groups)) == pytest.approx(0.1, rel=1e-9)

    def test_an_empty_cell_never_wraps_around_to_a_huge_number(self) -> None:
        """Counts of the library are unsigned unless asked otherwise; ours are signed, and below zero is zero."""
        one = table({**PUBLIC, "keys": tuple(f"k{number}" for number in range(300))}, minimum_count=2, rho="0.01")
        users = mechanism.release(one, events(CROWD)).frame["users"].drop_nulls()
        assert len(users) > 50
        assert users.max() < 10 * math.sqrt(1 / 0.02)
        assert min(Gaussian(1, 1, Decimal("0.01")).add([0] * 300)) < 0

    def test_an_overdrawn_budget_is_refused_before_a_figure_is_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = accounting.sigma
        monkeypatch.setattr(accounting, "sigma", lambda *given: real(*given) * 0.999)
        with pytest.raises(Refused, match=r"stay within a rho of 0\.5"):
            mechanism.release(table(PUBLIC), events(CROWD))
        with pytest.raises(Refused, match=r"stay within a rho of 0\.5"):
            mechanism.release(table(UNKNOWN), events(CROWD))
