"""The Redis process of the sandbox."""

import socket

import pytest
import redis

from include.errors import Unavailable
from include.sandbox.redis import RedisServer


def test_it_answers_on_a_free_port_and_is_gone_after_stop(tmp_path):
    server = RedisServer(tmp_path / "new")
    port = server.start()
    with redis.Redis(port=port) as client:
        assert client.set("key", "value")
        assert client.config_get("appendonly") == {"appendonly": "no"}
        assert client.config_get("save") == {"save": ""}
    server.stop()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    assert list((tmp_path / "new").iterdir()) == []


def test_it_starts_again_empty_on_the_port_it_is_given(tmp_path):
    server = RedisServer(tmp_path)
    port = server.start()
    with redis.Redis(port=port) as client:
        client.set("key", "value")
    try:
        assert server.start(port) == port
        with redis.Redis(port=port) as client:
            assert client.dbsize() == 0
    finally:
        server.stop()


def test_a_taken_port_is_reported(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="free port"):
        RedisServer(tmp_path).start(taken.getsockname()[1])


def test_another_server_on_the_port_is_not_taken_for_this_one(tmp_path):
    other = RedisServer(tmp_path / "other")
    port = other.start()
    try:
        with pytest.raises(Unavailable, match="free port"):
            RedisServer(tmp_path / "this").start(port)
    finally:
        other.stop()
