"""Child processes of the local stack: each in a session of its own, ended with everything that it started.

The session ids are kept in a folder, so that what a killed stack left behind is found and ended by the next one. An
environment variable would not do: Airflow overwrites the memory in which its environment can be read.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from include.errors import Refused

GRACE_SECONDS = 20


class Sessions:
    """The programs of one stack. ``folder`` keeps a file for each: its session id, which is its first process's id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, command: list[str], *, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program; its output is appended to ``log``. Airflow settings of this shell are not for it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env={**own, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (self._folder / str(process.pid)).write_text(str(_started(process.pid)))
        self._programs.append(process)
        return process

    def end(self) -> None:
        """End every process of every session: ask the first ones, then all, then insist."""
        leaders = [psutil.Process(pid) for pid in self._alive() if psutil.pid_exists(pid)]
        _signal(leaders, signal.SIGTERM)
        psutil.wait_procs(leaders, timeout=GRACE_SECONDS)
        for ask, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            left = [process for session in self._known() for process in _members(session)]
            _signal(left, ask)
            psutil.wait_procs(left, timeout=seconds)
        for program in self._programs:
            # Others have waited for it: it is told, or it would warn that it was left running.
            program.poll()
        for place in self._folder.iterdir():
            place.unlink()

    def _known(self) -> list[int]:
        return [int(place.name) for place in self._folder.iterdir()]

    def _alive(self) -> list[int]:
        return [pid for pid in self._known() if _started(pid) == _number(self._folder / str(pid))]


def _members(session: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                yield process
        except (ProcessLookupError, PermissionError):
            continue


def _started(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def _number(place: Path) -> float:
    text = place.read_text()
    return float(text) if text else -1.0


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def claim_port(port: int, variable: str) -> int:
    """``port``, if it is free.

    Raises:
        Refused: another program listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Refused("local", f"use port {port}", f"Stop the program on it or set {variable}.") from None
    return port
