"""Airflow's surroundings for all tests, set before anything imports it: a home of its own, no settings of a user."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOME = tempfile.mkdtemp(prefix="airflow-home-")

os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
)
for name in ("PRIVACY_POLICY_FILE", "PRIVACY_MODE", "PRIVACY_REPORTS"):
    os.environ.pop(name, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the home."""
    shutil.rmtree(HOME, ignore_errors=True)
