"""The front end of a vendor: hands connections on to where its storage is, in a process of its own that can be killed.

python proxy.py <port>:<host>:<port> …      listens on the first port of each and hands on to the second
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_START_SECONDS = 20.0


@dataclass
class Proxy:
    """In front of all endpoints of a sandbox; ``endpoints`` are those to connect to instead.

    Args:
        behind: endpoints of the sandbox, as base URLs or as ``host:port``.
    """

    behind: Mapping[str, str]
    endpoints: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        targets = {_target(endpoint) for endpoint in self.behind.values()}
        self._ports = {target: _free_port() for target in sorted(targets)}
        self.endpoints = {name: self._in_front(endpoint) for name, endpoint in self.behind.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listen on the same ports as ever; returns when it does."""
        pairs = [f"{port}:{target}" for target, port in self._ports.items()]
        self._process = subprocess.Popen([sys.executable, "-S", str(Path(__file__)), *pairs])
        deadline = time.monotonic() + _START_SECONDS
        while not all(map(_listens, self._ports.values())):
            assert self._process.poll() is None, "the proxy ended by itself"
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: every connection breaks wherever it is, and there is none until the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _in_front(self, endpoint: str) -> str:
        target = _target(endpoint)
        return endpoint.replace(target, f"127.0.0.1:{self._ports[target]}", 1)


def _target(endpoint: str) -> str:
    return urlsplit(endpoint).netloc if "://" in endpoint else endpoint


def _free_port() -> int:
    """A port that no client is given as its own: those would take it, or meet themselves, while the proxy is dead."""
    ports = list(range(15_000, 30_000))
    random.shuffle(ports)
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise OSError("no free port")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _serve(pairs: list[str]) -> None:
    async def listen(pair: str) -> asyncio.Server:
        port, host, target = pair.split(":")

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await asyncio.open_connection(host, int(target))
            await asyncio.gather(_hand_on(reader, there[1]), _hand_on(there[0], writer))

        return await asyncio.start_server(connected, "127.0.0.1", int(port))

    servers = [await listen(pair) for pair in pairs]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1:]))
