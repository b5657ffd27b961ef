"""Airflow's surroundings, set before a test imports it: a home of its own, no examples, no settings of a user."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

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

atexit.register(shutil.rmtree, HOME, ignore_errors=True)
