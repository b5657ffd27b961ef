"""Try every connection: ``python -m include.assurance``, or ``make check-connections``.

One line per system of the policy. No personal data is touched, nothing is written. Connections come from the
environment (``AIRFLOW_CONN_<KEY>``); with ``--store`` those that are missing there from Airflow's own store.

Exit codes: 0 all that is connected works; 1 one does not work or did not answer, or the store can't be read; 2 the
policy file can't be read, or has no such system.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from include.assurance.trial import try_connection
from include.connection import Connection
from include.errors import PrivacyError, Refused
from include.policy.loader import load

POLICY = Path(__file__).resolve().parents[1] / "policy" / "clique.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the connections and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        policy = load(options.policy)
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 2
    environ: dict[str, str] = dict(os.environ)
    bad = 0
    if options.store:
        try:
            environ = {**_store(), **environ}
        except PrivacyError as error:
            print(f"{error} Below, only the environment counts.", file=sys.stderr)
            bad = 1
    for key in options.system or policy.systems:
        if key not in policy.systems:
            print(f"{key}: the policy file has no such system", file=sys.stderr)
            return 2
        tried = try_connection(policy, key, _connection(key, environ), datetime.now(tz=UTC))
        bad += tried.is_bad
        print(f"{key:<21} {tried.state.value:<15} {tried.note}".rstrip())
    return 1 if bad else 0


def _connection(key: str, environ: Mapping[str, str]) -> Connection | Refused | None:
    """The connection; None where there is none, the error where it can't be read."""
    if not environ.get(f"AIRFLOW_CONN_{key.upper()}"):
        return None
    try:
        return Connection.from_env(key, environ)
    except Refused as error:
        return error


def _store() -> dict[str, str]:
    """Every connection of Airflow's store, in the form of the environment."""
    airflow = Path(sys.executable).with_name("airflow")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connections.json"
        command = [str(airflow), "connections", "export", "--file-format", "json", str(file)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words only
        if done.returncode or not file.exists():
            raise Refused("airflow", "export its connections", "Run it where Airflow runs, with its settings.")
        exported = json.loads(file.read_text())
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in exported.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.assurance", description="Try the connection of each system"
    )
    parser.add_argument("system", nargs="*", help="key of a system; left out: all of the policy")
    parser.add_argument("--store", action="store_true", help="ask Airflow's store for what the environment lacks")
    default = Path(os.environ.get("PRIVACY_POLICY_FILE", str(POLICY)))
    parser.add_argument("--policy", type=Path, default=default, help="the policy file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
