"""Redis that fails, refuses, persists or is a cluster: real servers, and a wire that can be cut."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.sandbox.redis import RedisServer
from include.systems.contract import Selection, Swept
from include.systems.redis import connect

RULE = Selection("cache", {"pattern": "s:{subject}:*"}, "pattern", "write", datetime(2026, 1, 1, tzinfo=UTC), 3600)


@contextmanager
def running(folder: Path, *options: str):
    server = RedisServer(folder, options)
    port = server.start()
    client = redis.Redis(port=port)
    try:
        yield port, client
    finally:
        client.close()
        server.stop()


class Wire:
    """A TCP relay. While ``cut`` is "before", commands do not get through; while it is "after", answers do not."""

    def __init__(self, port: int) -> None:
        self.cut = ""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            threading.Thread(target=self._relay, args=(near, far, near, "before"), daemon=True).start()
            threading.Thread(target=self._relay, args=(far, near, near, "after"), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, near: socket.socket, when: str) -> None:
        try:
            while data := source.recv(65_536):
                if self.cut == when:
                    near.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture(params=["before", "after"])
def broken(request, tmp_path):
    with running(tmp_path) as (port, client):
        wire = Wire(port)
        system = connect(Connection("redis", host="127.0.0.1", port=wire.port))
        yield wire, system, client, request.param
        system.close()
        wire.close()


def test_a_cut_wire_is_unavailable_and_the_next_sweep_completes(broken):
    wire, system, client, when = broken
    for number in range(10):
        client.set(f"s:u{number}:x", 1)
    (batch,) = system.batches(RULE, None)
    wire.cut = when
    with pytest.raises(Unavailable):
        system.expire(RULE, batch)
    with pytest.raises(Unavailable):
        system.survey(RULE, None)
    with pytest.raises(Unavailable):
        list(system.batches(RULE, None))
    with pytest.raises(Unavailable):
        system.read_back(RULE, None)
    wire.cut = ""
    assert client.dbsize() == (10 if when == "before" else 0)
    again = system.expire(RULE, batch)
    assert again == (Swept(gone=10) if when == "before" else Swept(gone=0, absent=10))
    assert list(system.batches(RULE, None)) == []
    assert system.read_back(RULE, None).remaining == 0


def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    with running(tmp_path) as (port, _):
        time.sleep(0.01)
    with pytest.raises(Unavailable):
        connect(Connection("redis", host="127.0.0.1", port=port)).survey(RULE, None)


def test_a_replica_is_refused(tmp_path):
    with running(tmp_path / "primary") as (primary, client), running(tmp_path / "replica") as (port, replica):
        client.set("s:ann:1", 1)
        replica.replicaof("127.0.0.1", primary)
        while not replica.exists("s:ann:1"):
            time.sleep(0.01)
        system = connect(Connection("redis", host="127.0.0.1", port=port))
        (batch,) = system.batches(RULE, None)
        with pytest.raises(Refused, match="replica"):
            system.expire(RULE, batch)
        system.close()


def test_missing_rights_and_wrong_passwords_are_refused(tmp_path):
    with running(tmp_path) as (port, client):
        client.set("s:ann:1", 1)
        client.acl_setuser(
            "looker", enabled=True, passwords=["+pw"], keys=["*"], commands=["+scan", "+pttl", "+eval", "+client"]
        )
        looker = connect(Connection("redis", host="127.0.0.1", port=port, login="looker", password="pw"))
        assert looker.survey(RULE, None).due == 1
        (batch,) = looker.batches(RULE, None)
        with pytest.raises(Refused, match="right"):
            looker.expire(RULE, batch)
        assert looker.expiry(RULE)[1].configured == "unknown"
        with pytest.raises(Refused):
            looker.expunge(RULE)
        stranger = connect(Connection("redis", host="127.0.0.1", port=port, login="looker", password="no"))
        with pytest.raises(Refused, match="password"):
            stranger.survey(RULE, None)
        looker.close()
        stranger.close()


def test_a_server_busy_with_a_script_is_unavailable(tmp_path):
    with running(tmp_path, "--lua-time-limit", "50") as (port, client):
        client.set("s:ann:1", 1)
        system = connect(Connection("redis", host="127.0.0.1", port=port))
        (batch,) = system.batches(RULE, None)
        hog = threading.Thread(target=_run_for_ever, args=(port,))
        hog.start()
        try:
            _wait_until_busy(client)
            with pytest.raises(Unavailable, match="busy"):
                system.expire(RULE, batch)
        finally:
            client.script_kill()
            hog.join()
        assert system.expire(RULE, batch) == Swept(gone=1)
        system.close()


def _run_for_ever(port: int) -> None:
    with redis.Redis(port=port) as client, pytest.raises(redis.ResponseError, match="killed"):
        client.eval("while true do end", 0)


def _wait_until_busy(client: redis.Redis) -> None:
    while True:
        try:
            client.ping()
        except redis.ResponseError:
            return


def test_removed_keys_stay_in_the_append_only_file_until_it_is_rewritten(tmp_path):
    with running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as (port, client):
        client.set("s:ann@example.org:1", 1)
        system = connect(Connection("redis", host="127.0.0.1", port=port))
        (batch,) = system.batches(RULE, None)
        assert system.expire(RULE, batch) == Swept(gone=1)
        persistence = system.expiry(RULE)[1]
        assert not persistence.agrees
        assert "expunge" in persistence.note
        assert b"ann@example.org" in _files(tmp_path)
        system.expunge(RULE)
        while (
            client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]
        ):
            time.sleep(0.01)
        assert b"ann@example.org" not in _files(tmp_path)
        system.close()


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_snapshots_are_named_in_the_expiry(tmp_path):
    with running(tmp_path, "--save", "900", "1") as (port, _):
        system = connect(Connection("redis", host=f"redis://127.0.0.1:{port}/0"))
        assert "snapshot" in system.expiry(RULE)[1].note
        system.close()


@pytest.fixture
def cluster(tmp_path):
    """Two primaries with half of the slots each."""
    with (
        running(tmp_path / "a", "--cluster-enabled", "yes") as (port, first),
        running(tmp_path / "b", "--cluster-enabled", "yes") as (other, second),
    ):
        first.execute_command("CLUSTER", "ADDSLOTS", *range(8192))
        second.execute_command("CLUSTER", "ADDSLOTS", *range(8192, 16384))
        second.execute_command("CLUSTER", "SET-CONFIG-EPOCH", 2)
        first.execute_command("CLUSTER", "MEET", "127.0.0.1", other)
        for client in (first, second):
            while (
                client.cluster("info")["cluster_state"] != "ok" or client.cluster("info")["cluster_known_nodes"] != "2"
            ):
                time.sleep(0.01)
        yield port


def test_a_cluster_is_swept_on_all_its_primaries(cluster):
    with redis.RedisCluster(host="127.0.0.1", port=cluster) as client:
        for number in range(300):
            client.set(f"s:u{number}:x", 1, ex=60 if number % 3 == 0 else None)
    system = connect(Connection("redis", host="127.0.0.1", port=cluster, extra={"cluster": True}))
    survey = system.survey(RULE, lambda subject: subject == "u1")
    assert (survey.total, survey.due, survey.held) == (300, 200, 1)
    swept = [system.expire(RULE, batch) for batch in system.batches(RULE, lambda subject: subject == "u1")]
    assert len(swept) == 2
    assert sum(one.gone for one in swept) == 199
    back = system.read_back(RULE, lambda subject: subject == "u1")
    assert (back.remaining, back.held) == (0, 1)
    system.close()
