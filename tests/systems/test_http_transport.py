"""The one HTTP client: where it connects to, what it takes for an answer, and what it never says."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems import http_session
from include.systems.http import TRIES, Http, NotSent
from include.systems.http_session import LARGEST
from tests.systems.scripted import ADDRESS, Clients, busy, get, scripted  # noqa: F401 - a fixture
from tests.vendor import Reply

SECRET = "SG.secret"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(client: Clients, status: int) -> None:
    with client() as (_, other, _), client(Reply(status, None, {"Location": other.url})) as (http, server, _):
        with pytest.raises(Refused, match="points elsewhere"):
            get(http)
        assert other.calls == []
        assert len(server.calls) == 1


def test_a_next_page_on_the_same_host_is_followed_as_it_is(client: Clients) -> None:
    with client() as (http, server, _):
        http.follow(
            f"{server.url}/lists/pages?page=next&address=a%2Bb%40c.de", tried="read a list", headers={"X-A": "1"}
        )
    assert server.calls[0].query == [("page", "next"), ("address", "a+b@c.de")]
    assert server.calls[0].headers["x-a"] == "1"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/lists",
        "//evil.example/lists",
        "/lists",
        "",
        None,
        3,
        "{base}@evil.example/",
        "{base}1/lists",
        "http://user:word@{host}/lists",
        "https://{host}/lists",
        "http://[::1",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_elsewhere_is_refused(client: Clients, url: Any) -> None:
    with client() as (http, server, _):
        filled = url.format(base=server.url, host=server.url.removeprefix("http://")) if isinstance(url, str) else url
        with pytest.raises(Refused):
            http.follow(filled, tried="read a list")
        assert server.calls == []


@pytest.mark.parametrize(
    ("host", "extra", "fits"),
    [
        ("api.example.com", {}, True),
        ("https://api.example.com/base/", {}, True),
        ("http://127.0.0.1:9", {}, True),
        ("http://localhost:9", {}, True),
        ("http://[::1]:9", {}, True),
        ("http://sandbox:9000", {}, False),
        ("http://sandbox:9000", {"insecure_http": True}, True),
        ("http://sandbox:9000", {"insecure_http": "true"}, False),
        ("http://127.0.0.1.evil.example", {}, False),
        ("ftp://api.example.com", {}, False),
        ("https://user:word@api.example.com", {}, False),
        ("https://api.example.com:port", {}, False),
        ("https://api.example.com?x=1", {}, False),
        ("https://", {}, False),
    ],
)
def test_secrets_travel_only_to_a_proper_address(host: str, extra: dict[str, object], fits: bool) -> None:
    if fits:
        Http(Connection("shop", host=host, extra=extra), "https://unused.example").close()
    else:
        with pytest.raises(Refused):
            Http(Connection("shop", host=host, extra=extra), "https://unused.example")


def test_what_the_machine_would_add_is_left_out(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with client() as (http, server, _):
        get(http)
    assert len(server.calls) == 1
    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_that_is_no_json_is_no_answer(client: Clients, status: int) -> None:
    with client(Reply(status, b"<html>")) as (http, _, _), pytest.raises(Unavailable, match="no JSON"):
        get(http, also=(404,))


def test_an_empty_answer_is_one(client: Clients) -> None:
    with client(Reply(204)) as (http, _, _):
        assert get(http).json is None


def test_an_answer_that_does_not_end_is_given_up(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "LONGEST", -1.0)
    with client() as (http, server, _), pytest.raises(Unavailable, match="did not end"):
        http.call("POST", "/x", tried="do it")
    assert len(server.calls) == 1


def test_an_answer_beyond_all_measure_is_refused(client: Clients) -> None:
    with client(Reply(200, b"[" + b" " * LARGEST + b"]")) as (http, _, _), pytest.raises(Refused, match="larger than"):
        get(http)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (408, Unavailable),
        (429, Throttled),
        (503, Unavailable),
    ],
)
def test_an_error_says_the_system_what_was_tried_and_the_status(
    client: Clients, status: int, kind: type[PrivacyError]
) -> None:
    with client(Reply(status, {"message": ADDRESS})) as (http, _, _), pytest.raises(kind) as caught:
        get(http)
    assert str(caught.value).startswith("shop: could not look for an entry.")
    assert str(status) in str(caught.value)
    assert type(caught.value) is kind


@contextmanager
def broken(behave: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """A server below HTTP: it takes connections, and does what it is told to with each."""
    listener, taken = socket.create_server(("127.0.0.1", 0)), list[int]()

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                taken.append(1)
                behave(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", taken
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _cut_short(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")


@pytest.mark.parametrize("behave", [lambda connection: None, _cut_short])
@pytest.mark.parametrize(("method", "tries"), [("GET", TRIES), ("POST", 1)])
def test_a_lost_answer_is_asked_for_again_only_where_that_is_safe(
    behave: Callable[[socket.socket], None], method: str, tries: int
) -> None:
    with broken(behave) as (url, taken):
        http = Http(Connection("shop", host=url), "", sleep=lambda _: None)
        with pytest.raises(Unavailable, match="no answer") as caught:
            http.call(method, "/x", tried="do it")
    assert not isinstance(caught.value, NotSent)
    assert len(taken) == tries


def test_no_connection_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    waits: list[float] = []
    http = Http(Connection("shop", host=f"http://127.0.0.1:{free}"), "", sleep=waits.append)
    with pytest.raises(NotSent):
        http.call("POST", "/x", tried="do it")
    assert len(waits) == TRIES - 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    return key, cert


@contextmanager
def tls(certificate: tuple[Path, Path]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with socket.create_server(("127.0.0.1", 0)) as plain:
        listener = context.wrap_socket(plain, server_side=True)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except ssl.SSLError:
                    continue
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_of_the_bundle_taken(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    with tls(certificate) as url:
        with pytest.raises(Refused, match="certificate"):
            get(Http(Connection("shop", host=url), ""))
        http = Http(Connection("shop", host=url, extra={"ca_bundle": str(certificate[1])}), "")
        assert get(http).json == {}
        http.close()
    with pytest.raises(Refused, match="ca_bundle"):
        Http(Connection("shop", host=url, extra={"ca_bundle": str(tmp_path / "absent.pem")}), "")


@pytest.mark.parametrize("reply", [Reply(200, {"email": ADDRESS}), Reply(500, ADDRESS), Reply(404, ADDRESS)])
def test_nothing_personal_and_no_secret_is_logged_or_raised(
    client: Clients, reply: Reply, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """At level DEBUG, with the root logger listening: there urllib3 writes whole addresses."""
    caplog.set_level(logging.DEBUG)
    said = ""
    auth = requests.auth.HTTPBasicAuth("api", SECRET)
    with client(reply, auth=auth) as (http, _, _):
        try:
            answer = get(http, params={"email": ADDRESS})
            said = repr(answer) + repr(http)
        except PrivacyError:
            said = traceback.format_exc()
    captured = capfd.readouterr()
    for text in (said, caplog.text, captured.out, captured.err):
        assert "example.com" not in text
        assert SECRET not in text


def test_the_calls_of_others_are_still_logged(client: Clients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with client() as (http, server, _):
        get(http)
        assert "urllib3" not in {record.name.split(".")[0] for record in caplog.records}
        requests.get(server.url + "/mine", timeout=5)
    assert "/mine" in caplog.text
