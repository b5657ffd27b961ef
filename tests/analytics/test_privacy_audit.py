"""The claimed budget holds on neighbouring inputs, and the audit that says so finds what breaks it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import polars as pl
import pytest

from include.analytics import accounting, bounding, mechanism, noise
from include.analytics.spec import Table
from tests.analytics.auditor import Publish, Seen, violation
from tests.analytics.tables import table

COMPANIES = 250
RELEASES = 30
CROWD = 15
COMPANY = {"column": "company", "keys": tuple(f"c{number:03d}" for number in range(COMPANIES))}


@dataclass(frozen=True)
class Case:
    """A table of each company's cells; the one person more is in those from ``first`` on, a crowd in the first two."""

    table: Table
    cells: int
    first: int = 0


def toy(case: Case, *, with_target: bool) -> pl.LazyFrame:
    crowd = [(f"{who}", f"k{cell:02d}") for who in range(CROWD) for cell in range(2)]
    target = [("target", f"k{cell:02d}") for cell in range(case.first, case.cells)] if with_target else []
    people = pl.LazyFrame(crowd + target, schema=["who", "kind"], orient="row")
    companies = pl.LazyFrame({"company": COMPANY["keys"]})
    user = pl.concat_str("company", "who", separator="/").alias("user")
    return people.join(companies, how="cross").with_columns(user)


def publisher(case: Case, *, with_target: bool, retries: int = 1) -> Publish:
    """What each company shows; with re-noised retries the mean over them, which is what an onlooker would take."""
    data = toy(case, with_target=with_target).collect().lazy()

    def publish() -> Sequence[Seen]:
        frames = [mechanism.release(case.table, data).frame for _ in range(retries)]
        whole = pl.concat(frames).group_by("company", "kind").agg(pl.col("users").mean())
        shown = {(company, kind): users for company, kind, users in whole.rows()}
        return [
            tuple(_number(shown.get((company, f"k{cell:02d}"))) for cell in range(case.cells))
            for company in COMPANY["keys"]
        ]

    return publish


def _number(users: float | None) -> float:
    return math.nan if users is None else users


def public(cells: int, most: int) -> Table:
    keys = tuple(f"k{cell:02d}" for cell in range(cells))
    return table(COMPANY, {"column": "kind", "keys": keys}, rho="0.5", max_groups=most, minimum_count=2)


UNKNOWN = table(COMPANY, {"column": "kind"}, rho="0.5", delta="0.02", max_groups=1, minimum_count=2)
CASES = {
    "public keys": Case(public(2, 2), 2),
    "many public keys": Case(public(12, 2), 12),
    "unknown keys": Case(UNKNOWN, 3, first=2),
}


def audit(case: Case, releases: int, retries: int = 1) -> str | None:
    return violation(
        publisher(case, with_target=True, retries=retries),
        publisher(case, with_target=False, retries=retries),
        accounting.cost(case.table),
        releases,
    )


@pytest.mark.parametrize("case", CASES)
def test_no_violation_in_thousands_of_runs(case: str) -> None:
    assert audit(CASES[case], RELEASES) is None


def fifth_of_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    real = accounting.sigma
    monkeypatch.setattr(accounting, "sigma", lambda *given: real(*given) / 5)
    monkeypatch.setattr(noise, "_within", lambda *_: None)


def unbounded_contribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounding, "_drawn", lambda persons, _most: persons)


def seeded_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(self: noise.Gaussian, figures: Sequence[int]) -> list[int]:
        rng = Random(7)  # noqa: S311 - the defect
        return [figure + round(rng.gauss(0, self.sigma)) for figure in figures]

    monkeypatch.setattr(noise.Gaussian, "add", add)


def threshold_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(self: noise.Choice, users: Sequence[int]) -> dict[int, int]:
        return self._with(self.threshold - 3)(dict(enumerate(users)))

    monkeypatch.setattr(noise.Choice, "choose", choose)


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defect is in who calls: every retry draws again."""


DEFECTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, int]] = {
    "noise divided by five": (fifth_of_the_noise, "public keys", 1),
    "unbounded contribution": (unbounded_contribution, "many public keys", 1),
    "seeded randomness": (seeded_randomness, "public keys", 1),
    "threshold off": (threshold_off, "unknown keys", 1),
    "re-noised retry": (nothing, "public keys", 10),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, case, retries = DEFECTS[defect]
    plant(monkeypatch)
    assert audit(CASES[case], releases=6, retries=retries) is not None
