"""redis-py, built from a connection, and its errors in the product's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from include.connection import Connection
from include.errors import PrivacyError, Refused, Unavailable
from include.systems.redis.patterns import SYSTEM

PAGE = 1000
"""Keys that are looked at or removed in one call."""
_TIMEOUT = 30.0
_LATER = ("BUSY", "LOADING", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "MOVED", "ASK", "UNKILLABLE", "NOREPLICAS")
_NEVER = {
    "NOPERM": "The user lacks a right: scan, pttl, unlink and eval on the keys.",
    "NOAUTH": "The server asks for a password: add it to the connection.",
    "WRONGPASS": "The user or the password was not accepted: renew them.",
    "READONLY": "This is a replica: give the connection the primary's host.",
    "MISCONF": "The server cannot save to its disk and refuses writes: an operator must look at it.",
}


class Nodes:
    """The servers that hold keys: one, or all primaries of a Redis Cluster.

    Calls are never repeated by the client: an answer that got lost would come back as "absent".

    Args:
        connection: ``host`` is a name or a URL (``redis://``, ``rediss://``, ``unix://``); ``extra`` may hold
            ``cluster`` (true for Redis Cluster), ``ssl``, ``ssl_ca_certs``, ``db`` and ``timeout`` (seconds).
    """

    def __init__(self, connection: Connection) -> None:
        if not connection.host:
            raise Refused(SYSTEM, "find its host", "Give the connection a host.")
        self._connection = connection
        self.is_cluster = bool(connection.extra.get("cluster", False))
        self._client: Any = None

    def all(self) -> list[Any]:
        """A client for each server that holds keys."""
        with speaking("connect"):
            if self._client is None:
                self._client = self._connect()
            if not self.is_cluster:
                return [self._client]
            return [self._client.get_redis_connection(node) for node in self._client.get_primaries()]

    def holding(self, keys: Iterable[bytes]) -> Iterator[tuple[Any, list[bytes]]]:
        """Keys in lists of at most ``PAGE``, each with a client for the server that holds them."""
        servers = self.all()
        by_server: dict[str, tuple[Any, list[bytes]]] = {"": (servers[0], [])} if not self.is_cluster else {}
        for key in keys:
            node = self._client.get_node_from_key(key) if self.is_cluster else None
            name = node.name if node else ""
            if name not in by_server:
                by_server[name] = (self._client.get_redis_connection(node), [])
            by_server[name][1].append(key)
        for server, held in by_server.values():
            for start in range(0, len(held), PAGE):
                yield server, held[start : start + PAGE]

    def user(self, node: Any) -> str:
        """Name of the user of the access control list; "" where the server has none, or does not say."""
        from redis.exceptions import ResponseError

        with speaking("ask who one is"):
            try:
                return str(node.acl_whoami())
            except ResponseError:
                return ""

    def close(self) -> None:
        """Close the sockets."""
        if self._client is not None:
            self._client.close()

    def _connect(self) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        connection, extra = self._connection, self._connection.extra
        timeout = float(str(extra.get("timeout", _TIMEOUT)))
        options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        options["retry"] = Retry(NoBackoff(), 0)
        host = str(connection.host)
        if connection.login:
            options["username"] = connection.login
        if connection.password:
            options["password"] = connection.password
        if "ssl_ca_certs" in extra:
            options["ssl_ca_certs"] = connection.text("ssl_ca_certs")
        kind: Any = redis.RedisCluster if self.is_cluster else redis.Redis
        if "://" in host:
            return kind.from_url(host, **options)
        if not self.is_cluster:
            options["db"] = int(str(extra.get("db", 0)))
        return kind(host=host, port=connection.port or 6379, ssl=bool(extra.get("ssl", False)), **options)


def scan(node: Any, glob: bytes) -> Iterator[list[bytes]]:
    """What matches on one server, in pages of about ``PAGE``; a key can come twice while a table grows."""
    cursor, first = 0, True
    while cursor or first:
        first = False
        with speaking("scan the keys"):
            cursor, found = node.scan(cursor, match=glob, count=PAGE)
        yield found


@contextmanager
def speaking(tried: str) -> Iterator[None]:
    """Turn redis-py's errors into the product's.

    Raises:
        Unavailable: no answer, or the server cannot do it now.
        Refused: a right, a password or the server's role stands in the way.
    """
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        raise _translated(error, tried) from None


def _translated(error: Exception, tried: str) -> PrivacyError:
    from redis import exceptions

    words = str(error)
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError):
        return Refused(SYSTEM, tried, _NEVER["NOAUTH" if "NOAUTH" in words else "WRONGPASS"])
    if isinstance(error, exceptions.NoPermissionError):
        return Refused(SYSTEM, tried, _NEVER["NOPERM"])
    if isinstance(error, exceptions.ReadOnlyError):
        return Refused(SYSTEM, tried, _NEVER["READONLY"])
    later = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterError, exceptions.MasterDownError)
    if isinstance(error, later):
        return Unavailable(SYSTEM, tried, "It did not answer. The engine tries again.")
    for code, step in _NEVER.items():
        if code in words:
            return Refused(SYSTEM, tried, step)
    if any(code in words for code in _LATER):
        return Unavailable(SYSTEM, tried, "It is busy, loading or moving keys. The engine tries again.")
    return Refused(SYSTEM, tried, "It refused the command: look at the server's version and rights.")
