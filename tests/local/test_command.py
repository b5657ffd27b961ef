"""The command line of the local stack, as far as it goes without starting one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.local.demo import table
from include.retention.status import RuleStatus, State

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "include.local", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", ["demo", "up"])
def test_the_scripts_explain_their_options(script: str) -> None:
    """They run the environment of the checkout: without one there is nothing to explain yet."""
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("this checkout has no virtual environment of its own: scripts/env makes it")
    text = (ROOT / "scripts" / script).read_text()
    assert f"python -m include.local {script}" in text
    done = run(script, "--help")
    assert done.returncode == 0
    for option in ("--folder", "--people", "--workspaces", "--seed"):
        assert option in done.stdout


def test_an_unknown_command_is_refused_with_the_known_ones() -> None:
    done = run("everything")
    assert done.returncode == 2
    assert "demo" in done.stderr


def test_a_second_stack_in_the_same_folder_is_one_sentence(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("demo", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("A stack already runs in this folder: end it first (Ctrl-C).")
    assert "Traceback" not in done.stderr


def status(rule: str, state: State, *, due: int, gone: int, held: int = 0, remaining: int = 0) -> RuleStatus:
    return RuleStatus(
        run="run_a",
        rule=rule,
        system="redis",
        action="delete",
        state=state,
        total=1000,
        due=due,
        gone=gone,
        left_alone=0,
        unknown=0,
        held=held,
        remaining=remaining,
        verified=state is not State.FAILED,
        oldest=None,
        newest=None,
        cutoff="2026-11-22T00:00:00Z",
        until=None,
        digest="0" * 64,
        connector="redis/1",
    )


def test_the_table_adds_up_and_calls_a_failure_by_its_name() -> None:
    rows = [
        status("A4", State.VERIFIED_GONE, due=70, gone=70),
        status("A4-profile", State.FAILED, due=30, gone=10, remaining=20),
    ]
    text = table(rows)
    lines = text.splitlines()
    assert lines[0].split()[:4] == ["system", "rule", "due", "deleted"]
    assert lines[2].split()[2:] == ["70", "70", "0", "0", "0", "0", "verified_gone"]
    assert "NO (failed)" in lines[3]
    assert lines[-1].split() == ["total", "2", "rules", "100", "80", "0", "0", "0", "20"]
