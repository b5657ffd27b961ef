"""The gauge of the budget, and the command that shows it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from include.analytics.__main__ import main
from include.analytics.accounting import Cost
from include.analytics.gauge import gauge
from include.analytics.releases import Releases
from include.ledger.log import Ledger
from tests.analytics import kit
from tests.analytics.drafts import CAPS, MONTH, draft, place

SPECIFICATION = kit.specification(rho_month="0.5")


@pytest.mark.parametrize(
    ("price", "percent"),
    [
        (Cost(Decimal("0.25"), Decimal(0)), 50),
        (Cost(Decimal("0.2501"), Decimal(0)), 51),
        (Cost(Decimal(0), Decimal("9e-6")), 90),
        (Cost(Decimal("0.5"), Decimal("1e-5")), 100),
    ],
)
def test_it_shows_what_is_used_rounded_up(ledger: Ledger, price: Cost, percent: int) -> None:
    releases = Releases(ledger)
    releases.settle(draft(price=price), CAPS, "run_1")
    shown = gauge(releases, SPECIFICATION, MONTH)
    assert (shown.percent, shown.spent) == (percent, price)


def test_epsilon_is_that_of_all_releases_together(ledger: Ledger) -> None:
    releases = Releases(ledger)
    assert gauge(releases, SPECIFICATION, MONTH).epsilon == 0
    for number in range(5):
        releases.settle(draft(place(f"t{number}"), Cost(Decimal("0.1"), Decimal(0))), CAPS, "run_1")
    # At rho 0.5 and delta 1e-6; the loose bound rho + 2 sqrt(rho ln 1/delta) is 5.76.
    assert 5.0 < gauge(releases, SPECIFICATION, MONTH).epsilon < 5.3


def test_the_command_prints_it(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Releases(ledger).settle(draft(), CAPS, "run_1")
    url = make_url(ledger_url)
    server = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    login = {"login": url.username, "password": url.password or "unused"}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_LEDGER", json.dumps({"conn_type": "postgres", **server, **login}))
    assert main(["budget", "--month", "2026-11"]) == 0
    assert capsys.readouterr().out.startswith("2026-11: 4 % used; rho 0.02 of 0.5, delta 1E-7 of 0.00001, epsilon 0.9")
    assert main(["budget", "--month", "2026-10"]) == 0
    assert capsys.readouterr().out.startswith("2026-10: 0 % used")


def test_without_a_ledger_the_command_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PRIVACY_LEDGER", raising=False)
    assert main(["budget"]) == 2
    server = {"conn_type": "postgres", "host": str(tmp_path), "schema": "x", "login": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_LEDGER", json.dumps(server))
    assert main(["budget"]) == 75
    assert "Check that its PostgreSQL answers" in capsys.readouterr().err
