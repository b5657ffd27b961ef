"""The one HTTP client: what it sends, when it tries again, how long it waits, and what it never says."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems import http_session
from include.systems.http import PATIENCE, TRIES, Http, NotSent
from include.systems.http_session import LARGEST
from include.systems.http_waits import asked
from tests.openapi import fields
from tests.vendor import Call, Reply, Vendor, vendor

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ADDRESS = "ann+1@example.com"
SECRET = "SG.secret"


class Script:
    """Answers in turn; the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def __call__(self, call: Call) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Clients:
    """Makes clients of a scripted vendor; as many vendors as are needed at the same time, started once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._free: list[Vendor] = []

    @contextmanager
    def __call__(self, *replies: Reply, **more: Any) -> Iterator[tuple[Http, Vendor, list[float]]]:
        script = Script(*(replies or (Reply(200, {}),)))
        server = self._free.pop() if self._free else self._stack.enter_context(vendor(script))
        server.answer, server.calls = script, []
        waits: list[float] = []
        http = Http(Connection("shop", host=server.url), "https://unused.example", sleep=waits.append, **more)
        try:
            yield http, server, waits
        finally:
            http.close()
            self._free.append(server)


@pytest.fixture(scope="module")
def client() -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(stack)


def get(http: Http, **more: Any) -> Any:
    return http.call("GET", "/lists/{}", ADDRESS, tried="look for an entry", **more)


def busy(status: int = 429, body: Any = None, **headers: str) -> Reply:
    return Reply(status, body or {}, {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_segment_arrives_as_one_segment_whatever_is_in_it(client: Clients) -> None:
    with client() as (http, server, _):
        for value in ("a/b", "..%2f", "?x=1#y", "a b", "é", "%", "*", "a/../../b", ";a=b", "\\", "x" * 300):
            http.call("DELETE", "/v3/{}/bounces/{}", "example.com", value, tried="remove an entry")
            assert server.calls[-1].segments == ["v3", "example.com", "bounces", value]
            assert server.calls[-1].query == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(max_size=40))
def test_no_value_shortens_a_path_or_reaches_another(segments: Any, value: str) -> None:
    http, server = segments
    before = len(server.calls)
    if value.strip("."):
        http.call("DELETE", "/lists/{}", value, tried="remove an entry")
        assert server.calls[-1].segments == ["lists", value]
    else:
        with pytest.raises(Refused):
            http.call("DELETE", "/lists/{}", value, tried="remove an entry")
        assert len(server.calls) == before


@pytest.fixture(scope="module")
def segments(client: Clients) -> Iterator[tuple[Http, Vendor]]:
    with client() as (http, server, _):
        yield http, server


@pytest.mark.parametrize("value", ["", ".", "..", "...", "\ud800"])
def test_an_identifier_that_would_change_the_path_is_refused_unsent(client: Clients, value: str) -> None:
    with client() as (http, server, _), pytest.raises(Refused, match="nothing was sent"):
        http.call("DELETE", "/lists/{}", value, tried="remove an entry")
    assert server.calls == []


def test_a_template_and_its_values_must_fit(client: Clients) -> None:
    with client() as (http, server, _), pytest.raises(Refused):
        http.call("DELETE", "/lists/{}", tried="remove an entry")
    assert server.calls == []


def test_parameters_body_form_and_headers_arrive(client: Clients) -> None:
    with client() as (http, server, _):
        http.call("GET", "/a", tried="x", params={"q": 'x"&=+ %', "n": 1}, headers={"On-Behalf-Of": "sub"})
        http.call("POST", "/b", tried="x", body={"emails": ["é@x.de"]})
        http.call("POST", "/c", tried="x", form={"to": "é@x.de", "v:key": "req_1", "text": "a\nb"})
    asked_for, posted, sent = server.calls
    assert dict(asked_for.query) == {"q": 'x"&=+ %', "n": "1"}
    assert asked_for.headers["on-behalf-of"] == "sub"
    assert "on-behalf-of" not in posted.headers
    assert posted.json == {"emails": ["é@x.de"]}
    assert posted.headers["content-type"] == "application/json"
    assert fields(sent) == [("to", "é@x.de"), ("v:key", "req_1"), ("text", "a\nb")]


def test_connections_are_used_again() -> None:
    ports = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ports.add(scope["client"][1])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    from tests.loopback import serve

    with serve(app) as url:
        http = Http(Connection("shop", host=url), "")
        for _ in range(5):
            get(http)
        http.close()
    assert len(ports) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_failure_on_its_side_is_tried_again_where_that_is_safe(client: Clients, method: str) -> None:
    with client(Reply(500), Reply(502), Reply(200, {"ok": 1})) as (http, server, waits):
        assert http.call(method, "/x", tried="do it").json == {"ok": 1}
    assert len(server.calls) == 3
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


@pytest.mark.parametrize(
    ("method", "repeatable", "calls"), [("POST", None, 1), ("PATCH", None, 1), ("POST", True, 4), ("GET", False, 1)]
)
def test_what_may_have_been_done_is_not_done_twice(
    client: Clients, method: str, repeatable: bool | None, calls: int
) -> None:
    with client(Reply(500)) as (http, server, _), pytest.raises(Unavailable, match="500"):
        http.call(method, "/x", tried="do it", repeatable=repeatable)
    assert len(server.calls) == calls


def test_throttling_is_waited_for_even_by_a_call_that_must_not_be_repeated(client: Clients) -> None:
    with client(busy(Retry_After="3"), Reply(202, {})) as (http, server, waits):
        assert http.call("POST", "/x", tried="do it").status == 202
    assert waits == [3.0]
    assert len(server.calls) == 2


def test_a_vendor_that_stays_busy_is_left_to_the_scheduler(client: Clients) -> None:
    with client(busy(Retry_After="2")) as (http, server, waits), pytest.raises(Throttled) as caught:
        get(http)
    assert caught.value.retry_after == 2
    assert len(server.calls) == TRIES
    assert waits == [2.0] * (TRIES - 1)


def test_a_wait_beyond_patience_is_not_slept(client: Clients) -> None:
    with client(busy(Retry_After=str(int(PATIENCE) + 1))) as (http, server, waits), pytest.raises(Throttled) as caught:
        get(http)
    assert (caught.value.retry_after, waits, len(server.calls)) == (PATIENCE + 1, [], 1)


DATE = format_datetime(NOW, usegmt=True)
HINTS: list[tuple[dict[str, str], Any, float | None]] = [
    ({"Retry-After": "7", "X-RateLimit-Reset": "9"}, {"retry-seconds": 11}, 7),
    ({"Retry-After": format_datetime(NOW + timedelta(seconds=20), usegmt=True), "Date": DATE}, None, 20),
    ({"Retry-After": format_datetime(NOW - timedelta(hours=1), usegmt=True), "Date": DATE}, None, 0),
    ({"Retry-After": "soon", "X-RateLimit-Reset": "9"}, None, 9),
    ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 12), "Date": DATE}, {"retry-seconds": 11}, 12),
    ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 12)}, {"retry-seconds": 11}, 11),
    ({}, {"retry-seconds": 60}, 60),
    ({}, {"try-in-seconds": "5"}, 5),
    ({"Retry-After": "-1"}, {"try-in-seconds": True}, None),
    ({"Retry-After": "nan"}, ["retry-seconds"], None),
    ({"Retry-After": "inf"}, None, None),
]


@pytest.mark.parametrize(("headers", "body", "seconds"), HINTS)
def test_the_first_hint_that_can_be_read_counts(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    assert asked(headers, body) == seconds


def test_a_hint_in_the_body_of_a_real_answer_is_waited_for(client: Clients) -> None:
    with client(busy(body={"retry-seconds": 4}), Reply(200, {})) as (http, _, waits):
        get(http)
    assert waits == [4.0]


def test_an_answer_that_says_no_call_is_left_makes_the_next_one_wait(client: Clients) -> None:
    last = busy(200, X_RateLimit_Remaining="0", X_RateLimit_Reset="8")
    with client(last, Reply(200, {})) as (http, _, waits):
        get(http)
        assert waits == []
        get(http)
        get(http)
    assert len(waits) == 1
    assert 7 < waits[0] <= 8


def test_the_wait_for_a_far_window_is_left_to_the_scheduler(client: Clients) -> None:
    with client(busy(200, X_RateLimit_Remaining="0", X_RateLimit_Reset="3600")) as (http, server, waits):
        get(http)
        with pytest.raises(Throttled) as caught:
            get(http)
    assert caught.value.retry_after is not None
    assert 3500 < caught.value.retry_after <= 3600
    assert (len(server.calls), waits) == (1, [])


def test_each_try_waits_for_its_turn(client: Clients) -> None:
    turns: list[str] = []

    @contextmanager
    def pace() -> Iterator[None]:
        turns.append("in")
        yield
        turns.append("out")

    with client(Reply(500), Reply(200, {}), pace=pace) as (http, _, _):
        get(http)
    assert turns == ["in", "out", "in", "out"]


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
