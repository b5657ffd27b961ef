"""The sandbox as one process: HTTP services on one port, Firestore's gRPC, and a real Redis."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import redis
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from include.errors import Unavailable
from include.sandbox.admin import admin_app
from include.sandbox.company import PROJECT, Clock, Company
from include.sandbox.estate import Estate
from include.sandbox.google_analytics import PROPERTIES
from include.sandbox.mailgun import DOMAINS
from include.sandbox.oauth import CLIENT
from include.sandbox.redis import RedisServer
from include.sandbox.services import SERVICES
from include.sandbox.tawk_to import PROPERTY

_START_SECONDS = 20.0


class Sandbox:
    """Starts everything on ``with`` and ends everything when the block ends.

    ``company`` is the running company and ``endpoints`` says where its services are: ``firestore`` and ``redis`` as
    ``host:port``, the others as base URLs.

    Args:
        port: of the HTTP services; 0 takes a free one.
        estate: put into the services before they are announced; None leaves them empty.
    """

    company: Company
    endpoints: Mapping[str, str]

    def __init__(self, port: int = 0, estate: Estate | None = None) -> None:
        self._port = port
        self._estate = estate
        self._open = ExitStack()

    def __enter__(self) -> Sandbox:
        """Start; whatever was started is ended again when a part fails.

        Raises:
            Unavailable: a server did not start, for example because the port is taken.
        """
        with ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))
            server = RedisServer(Path(directory))
            stack.callback(server.stop)
            cache_port = server.start()
            cache = redis.Redis(port=cache_port)
            stack.callback(cache.close)
            self.company = Company(Clock(time.monotonic), cache)
            if self._estate is not None:
                self.company.seed(self._estate)
            stack.callback(self.company.firestore.stop)
            rpc_port = self.company.firestore.start("127.0.0.1", 0)
            base = stack.enter_context(_Http(_application(self.company), self._port))
            self.endpoints = {
                "firestore": f"127.0.0.1:{rpc_port}",
                "redis": f"127.0.0.1:{cache_port}",
                **{name: f"{base}/{name}" for name in (*_mounts(self.company), "admin")},
                "firestore_admin": f"{base}/firestore-admin",
            }
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self._open.close()


def connections(endpoints: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that plug the product into a sandbox: names and values of Airflow connections."""
    google = {"project": PROJECT}
    accounts = {**google, "token": "sandbox", "updates_per_second": 1000}
    values: dict[str, dict[str, object]] = {
        "FIRESTORE": {
            **_address(endpoints["firestore"]),
            "extra": {**google, "emulator": True, "rest_endpoint": endpoints["firestore_admin"]},
        },
        "ELASTICSEARCH": {"host": endpoints["elasticsearch"]},
        "CLOUD_STORAGE": {"host": endpoints["storage"], "extra": {**google, "anonymous": True}},
        "FIREBASE_AUTH": {
            "host": endpoints["identitytoolkit"],
            "extra": {**google, "token": "sandbox", "batch_deletes_per_second": 100},
        },
        "GOOGLE_SIGN_IN": {"host": endpoints["identitytoolkit"], "extra": accounts},
        "LINKEDIN_SIGN_IN": {
            "host": endpoints["identitytoolkit"],
            "login": CLIENT[0],
            "password": CLIENT[1],
            "extra": {**accounts, "oauth_host": endpoints["linkedin_sign_in"], "calls_per_second": 1000},
        },
        "REDIS": _address(endpoints["redis"]),
        "SENDGRID": {
            "host": endpoints["sendgrid"],
            "password": "SG.sandbox",
            "extra": {"activity_delay_seconds": 0},
        },
        "MAILGUN": {
            "host": endpoints["mailgun"],
            "login": "api",
            "password": "key-sandbox",
            "extra": {"sending_domain": DOMAINS[0], "activity_delay_seconds": 0},
        },
        "GOOGLE_ANALYTICS": {
            "host": endpoints["google_analytics"],
            "extra": {"token": "sandbox", "properties": list(PROPERTIES[:1]), "calls_per_second": 1000},
        },
        "LOGGLY": {"host": endpoints["loggly"], "password": "sandbox"},
        "TAWK_TO": {
            "host": endpoints["tawk_to"],
            "login": "sandbox",
            "extra": {"property_id": PROPERTY, "rest_access": True},
        },
    }
    for name, service in SERVICES.items():
        for key, value in service.connections(endpoints[name]).items():
            values[key.upper()] = dict(value)
    return {f"AIRFLOW_CONN_{name}": json.dumps({"conn_type": name.lower(), **value}) for name, value in values.items()}


class _Http:
    """uvicorn in a thread."""

    def __init__(self, app: Starlette, port: int) -> None:
        self._port = port
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)

    def __enter__(self) -> str:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", self._port))
        except OSError:
            self._socket.close()
            raise Unavailable("sandbox", f"listen on port {self._port}", "Choose another port.") from None
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise Unavailable("sandbox", "start its HTTP services", "Look at the output of the process.")
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _mounts(company: Company) -> dict[str, ASGIApp]:
    return {
        "elasticsearch": company.elasticsearch.app,
        "storage": company.storage.app,
        "identitytoolkit": company.identitytoolkit.app,
        "sendgrid": company.sendgrid.app,
        "mailgun": company.mailgun.app,
        "google_analytics": company.google_analytics.app,
        "loggly": company.loggly.app,
        "tawk_to": company.tawk_to.app,
        **{name: twin.app for name, twin in company.twins.items()},
    }


def _application(company: Company) -> Starlette:
    routes = [Mount(f"/{name}", app) for name, app in _mounts(company).items()]
    routes += [Mount("/firestore-admin", company.firestore.admin_app), Mount("/admin", admin_app(company))]
    return Starlette(routes=routes)


def _address(endpoint: str) -> dict[str, object]:
    host, _, port = endpoint.rpartition(":")
    return {"host": host, "port": int(port)}
