"""Ending a stack ends everything that it started, whatever it ignores and whoever was killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.errors import Refused
from include.local import processes
from include.local.processes import Sessions, claim_port, free_port

ROOT = Path(__file__).parents[2]

FAMILY = """
import os, signal, sys, time
from pathlib import Path
folder, depth = Path(sys.argv[1]), int(sys.argv[2])
if depth < 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if depth:
    import subprocess
    subprocess.Popen([sys.executable, "-c", Path(sys.argv[3]).read_text(), str(folder), str(depth - 1), sys.argv[3]])
(folder / f"{depth}").write_text(str(os.getpid()))
time.sleep(300)
"""
STACK = """
import sys, time
from pathlib import Path
from include.local.processes import Sessions
sessions = Sessions(Path(sys.argv[1]))
child = sessions.start([sys.executable, "-c", "import time; time.sleep(300)"], env={}, log=Path(sys.argv[2]))
print(child.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty seconds of grace are for Airflow."""
    monkeypatch.setattr(processes, "GRACE_SECONDS", 2)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "sessions")


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_for(*places: Path) -> list[int]:
    for _ in range(400):
        if all(place.exists() and place.read_text() for place in places):
            return [int(place.read_text()) for place in places]
        time.sleep(0.05)
    pytest.fail(f"{[place.name for place in places]} did not come up")


def test_grandchildren_that_ignore_the_request_are_ended_too(sessions: Sessions, tmp_path: Path) -> None:
    script = tmp_path / "family.py"
    script.write_text(FAMILY)
    parent = sessions.start(
        [sys.executable, str(script), str(tmp_path), "2", str(script)], env={}, log=tmp_path / "log"
    )
    family = wait_for(*(tmp_path / str(depth) for depth in (0, 1, 2)))
    assert family[2] == parent.pid
    sessions.end()
    parent.wait(5)
    assert [gone(pid) for pid in family] == [True, True, True]


def test_a_program_that_ends_when_asked_gets_the_time_for_it(sessions: Sessions, tmp_path: Path) -> None:
    tidy = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('tidied up')))"
    log = tmp_path / "log"
    program = sessions.start([sys.executable, "-u", "-c", f"{tidy}; print('ready'); time.sleep(300)"], env={}, log=log)
    for _ in range(200):
        if "ready" in log.read_text():
            break
        time.sleep(0.05)
    sessions.end()
    assert program.wait(5) == 0
    assert log.read_text().splitlines() == ["ready", "tidied up"]


def test_what_a_killed_stack_left_behind_is_ended_by_the_next_one(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    stack = subprocess.Popen(
        [sys.executable, "-c", STACK, str(folder), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert stack.stdout is not None
    left = int(stack.stdout.readline())
    stack.kill()
    stack.communicate()
    assert not gone(left)
    Sessions(folder).end()
    assert gone(left)
    assert list(folder.iterdir()) == []


def test_a_number_that_now_belongs_to_another_program_is_left_alone(sessions: Sessions, tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        (tmp_path / "sessions" / str(stranger.pid)).write_text("12345.0")
        sessions.end()
        assert not gone(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_ending_twice_and_ending_nothing_are_harmless(sessions: Sessions, tmp_path: Path) -> None:
    sessions.end()
    program = sessions.start([sys.executable, "-c", ""], env={}, log=tmp_path / "log")
    program.wait()
    sessions.end()
    sessions.end()


def test_a_program_gets_its_environment_and_no_terminal(sessions: Sessions, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import os, sys; print(os.environ['GIVEN'], sys.stdin.read() == '', os.getsid(0) == os.getpid())"
    sessions.start([sys.executable, "-c", code], env={"GIVEN": "yes"}, log=log).wait(20)
    assert log.read_text() == "yes True True\n"
    sessions.end()


def test_a_taken_port_is_a_sentence_that_names_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused) as refused:
            claim_port(port, "PRIVACY_UI_PORT")
    sentence = f"local: could not use port {port}. Stop the program on it or set PRIVACY_UI_PORT."
    assert str(refused.value) == sentence
    assert claim_port(port, "PRIVACY_UI_PORT") == port


def test_a_free_port_can_be_used() -> None:
    port = free_port()
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", port))
