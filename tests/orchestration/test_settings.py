"""The product's own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.analytics.spec import load as load_specification
from include.errors import Refused
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.retention.guard import Mode


def test_without_a_word_it_is_production_with_the_policy_that_comes_along() -> None:
    settings = Settings.read({})
    assert settings.mode is Mode.PRODUCTION
    assert load(settings.policy_file).company.name == "Clique AI Communities LTD"
    assert load_specification(settings.releases_file).tables


def test_each_setting_is_taken_from_its_variable() -> None:
    environ = {"PRIVACY_POLICY_FILE": "/etc/policy.yaml", "PRIVACY_MODE": "trial", "PRIVACY_REPORTS": "gs://reports/x"}
    settings = Settings.read(environ)
    assert (settings.policy_file, settings.mode, settings.reports) == (
        Path("/etc/policy.yaml"),
        Mode.TRIAL,
        "gs://reports/x",
    )
    environ = {"PRIVACY_RELEASES_FILE": "/etc/r.yaml", "PRIVACY_AGGREGATES": "gs://a/x", "PRIVACY_SPOOL": "/spool"}
    settings = Settings.read(environ)
    assert (settings.releases_file, settings.aggregates, settings.spool) == (
        Path("/etc/r.yaml"),
        "gs://a/x",
        Path("/spool"),
    )


@pytest.mark.parametrize("mode", ["Trial", "prod", "", "production "])
def test_a_mode_that_is_none_is_not_taken_for_the_careless_one(mode: str) -> None:
    with pytest.raises(Refused, match="'production' or 'trial'"):
        Settings.read({"PRIVACY_MODE": mode})
