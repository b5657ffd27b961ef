"""What the product adds to Airflow: CPU seconds of a process that reads the DAG files, and of one that runs a task.

Each figure is the best of several processes of their own, compiled bytecode, and the part that Airflow itself costs
beside it: Airflow pays for ``airflow.sdk`` in every process, whatever the DAG is.

    python -m benchmarks.bench_airflow
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.table import Row, show

ROOT = Path(__file__).parents[1]
ROUNDS = 3
STEPS = {
    "nothing: Python itself": "pass",
    "import airflow.sdk": "import airflow.sdk",
    "… and the operators that the DAG uses": (
        "import airflow.sdk; from airflow.providers.standard.operators.hitl import HITLOperator"
    ),
    "read dags/retention.py": "import runpy; runpy.run_path('dags/retention.py')",
    "read plugins/privacy.py": "import runpy; runpy.run_path('plugins/privacy.py')",
    "start a planning task (no client)": (
        "import runpy; runpy.run_path('dags/retention.py');"
        "import include.orchestration.desk, include.retention.planning"
    ),
    **{
        f"start a task on {system}": (
            "import runpy; runpy.run_path('dags/retention.py'); import include.orchestration.desk,"
            f"include.retention.planning; from include.systems import registry; {how}"
        )
        for system, how in {
            "redis": "registry.connect(registry.Connection('redis', host='localhost')).close()",
            "elasticsearch": "registry.card('elasticsearch'); import elasticsearch",
            "firebase_auth": "registry.card('firebase_auth'); import google.auth.transport.requests",
            "cloud_storage": "registry.card('cloud_storage'); import google.cloud.storage",
            "firestore": "import include.systems.firestore.system",
        }.items()
    },
}


def run() -> list[Row]:
    """A row for each step: CPU seconds of the whole process, and how much of it is above ``import airflow.sdk``."""
    for folder in ("include", "dags", "plugins"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    with tempfile.TemporaryDirectory() as home:
        # Round by round, so that other work on the machine disturbs all steps alike.
        rounds = [{name: _cpu(code, home) for name, code in STEPS.items()} for _ in range(ROUNDS)]
    seconds = {name: min(one[name] for one in rounds) for name in STEPS}
    base = seconds["import airflow.sdk"]
    return [
        {"process": name, "CPU seconds": round(cpu, 2), "above airflow.sdk": round(max(0.0, cpu - base), 2)}
        for name, cpu in seconds.items()
    ]


def _cpu(code: str, home: str) -> float:
    """CPU seconds, user and system, of a fresh interpreter."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    before = os.times()
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - our own steps
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


if __name__ == "__main__":
    show(run())
