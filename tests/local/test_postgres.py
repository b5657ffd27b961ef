from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from include.errors import Refused, Unavailable
from include.local.databases import GivenPostgres
from include.local.postgres import EmbeddedPostgres, _programs, server

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from include.local.postgres import EmbeddedPostgres
started = EmbeddedPostgres(Path(sys.argv[1])).start()
print("up", flush=True)
sys.stdin.readline()
started.stop()
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        yield Path(name)


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within 20 seconds")


def query(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def holder(directory: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HOLD, str(directory)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_data_outlives_a_restart_and_no_process_does(directory: Path) -> None:
    with EmbeddedPostgres(directory) as first:
        first.ensure_database("kept")
        first.ensure_database("kept")
        query(first.url("kept"), "CREATE TABLE note AS SELECT 7 AS number")
        pid = postmaster(directory)
    assert not alive(pid)
    again = EmbeddedPostgres(directory).start()
    assert query(again.url("kept"), "SELECT number FROM note") == 7
    again.stop()
    again.stop()
    assert not (directory / "data" / "postmaster.pid").exists()


def test_only_the_owner_reaches_the_files_and_there_is_no_network_listener(directory: Path) -> None:
    with EmbeddedPostgres(directory) as started:
        assert {(directory / name).stat().st_mode & 0o777 for name in ("", "data", "socket")} == {0o700}
        assert query(started.url("postgres"), "SHOW listen_addresses") == ""
        assert query(started.url("postgres"), "SHOW fsync") == "on"
        assert query(started.url("postgres"), "SHOW synchronous_commit") == "on"


def test_what_a_failed_statement_carried_is_not_logged(directory: Path) -> None:
    with EmbeddedPostgres(directory) as started:
        query(started.url("postgres"), "CREATE TABLE person (name text PRIMARY KEY)")
        for statement in ("INSERT INTO person VALUES ('Ann Lee')",) * 2 + ("SELECT 'Ann Lee' FROM nothing",):
            try:
                query(started.url("postgres"), statement)
            except DBAPIError:
                continue
    log = (directory / "log").read_text()
    assert "duplicate key" in log
    assert "Ann Lee" not in log


def test_a_second_process_attaches_and_does_not_stop_the_first_ones_server(directory: Path) -> None:
    with EmbeddedPostgres(directory) as owner:
        pid = postmaster(directory)
        process = holder(directory)
        process.communicate(b"\n", timeout=20)
        assert process.returncode == 0
        assert postmaster(directory) == pid
        assert query(owner.url("postgres"), "SELECT 1") == 1


def test_the_server_goes_when_its_owner_is_killed_and_comes_again(directory: Path) -> None:
    process = holder(directory)
    pid = postmaster(directory)
    process.kill()
    process.communicate()
    until(lambda: not alive(pid))
    with EmbeddedPostgres(directory) as started:
        assert query(started.url("postgres"), "SELECT 1") == 1


def test_a_start_right_after_the_owner_was_killed_waits_for_the_old_server(directory: Path) -> None:
    process = holder(directory)
    pid = postmaster(directory)
    process.kill()
    process.communicate()
    until(lambda: not alive(pid) or True)
    with EmbeddedPostgres(directory) as started:
        until(lambda: not alive(pid))
        started.start()


def test_what_a_power_cut_leaves_behind_is_recovered(directory: Path) -> None:
    process = holder(directory)
    pid = postmaster(directory)
    guard = int(Path(f"/proc/{pid}/status").read_text().split("PPid:\t")[1].split()[0])
    url = EmbeddedPostgres(directory).url("postgres")
    query(url, "CREATE TABLE kept AS SELECT 7 AS number")
    os.killpg(guard, signal.SIGKILL)
    until(lambda: not alive(pid))
    process.communicate(b"\n")
    stale = directory / "data" / "postmaster.pid"
    assert stale.exists()
    stale.write_text("\n".join([str(os.getpid()), *stale.read_text().splitlines()[1:]]))
    with EmbeddedPostgres(directory) as started:
        assert query(started.url("postgres"), "SELECT number FROM kept") == 7


def test_stopping_does_not_wait_for_a_forked_child(directory: Path) -> None:
    started = EmbeddedPostgres(directory).start()
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    began = time.monotonic()
    started.stop()
    stopped_after = time.monotonic() - began
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert stopped_after < 25


def test_a_server_that_cannot_start_says_where_to_look(directory: Path) -> None:
    EmbeddedPostgres(directory).start().stop()
    with (directory / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(Unavailable, match=r"/log"):
        EmbeddedPostgres(directory).start()


def test_a_long_path_gets_a_short_socket(directory: Path) -> None:
    deep = directory / ("d" * 60) / ("e" * 60)
    started = EmbeddedPostgres(deep)
    try:
        with started:
            assert query(started.url("postgres"), "SELECT 1") == 1
            assert str(deep) not in started.url("postgres")
    finally:
        host = Path(create_engine(started.url("postgres")).url.query["host"])  # type: ignore[arg-type]
        shutil.rmtree(host)


def test_a_temporary_directory_that_is_too_long_is_a_sentence(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "t" * 90)  # noqa: S108 - only its length matters
    with pytest.raises(Refused, match="TMPDIR"):
        EmbeddedPostgres(directory / ("d" * 90))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account; all tests here run as one already")
def test_an_ordinary_account_runs_its_own_server(directory: Path) -> None:
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in _programs().parents):
        pytest.skip("PostgreSQL's programs lie in a directory that is closed to other accounts")
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            with EmbeddedPostgres(directory) as started:
                started.ensure_database("mine")
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert (directory / "data").stat().st_uid == nobody.pw_uid
    assert not (directory / "data" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_a_closed_parent_is_opened_to_the_servers_account_for_passing_only(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "postgres") as started:
        assert query(started.url("postgres"), "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o710
    grouped = directory / "grouped"
    grouped.mkdir()
    grouped.chmod(0o740)
    with pytest.raises(Refused, match="pass through"):
        EmbeddedPostgres(grouped / "postgres").start()


def test_the_operators_server_is_used_where_one_is_named(directory: Path) -> None:
    assert isinstance(server(directory, {}), EmbeddedPostgres)
    with EmbeddedPostgres(directory) as started:
        given = server(directory / "unused", {"PRIVACY_POSTGRES_URL": started.url("postgres")})
        assert isinstance(given, GivenPostgres)
        with given:
            given.ensure_role("reader", "pass word")
            given.ensure_role("reader", "pass/word")
            given.ensure_role("stranger")
            given.ensure_database("shop", guests=["reader"])
            url = given.url("shop", "reader", "pass/word")
            assert query(url, "SELECT current_user || ' in ' || current_database()") == "reader in shop"
            with pytest.raises(DBAPIError, match="permission denied"):
                query(given.url("shop", "stranger"), "SELECT 1")
            with pytest.raises(Refused, match="CREATEDB"):
                GivenPostgres(url.replace("/shop", "/postgres")).ensure_database("another")
            given.drop_database("shop")
        assert query(started.url("postgres"), "SELECT 1") == 1
    assert not (directory / "unused").exists()
    with pytest.raises(Unavailable, match="connect"):
        given.start()
