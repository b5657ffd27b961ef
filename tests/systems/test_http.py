"""The one HTTP client: what it sends, when it tries again and how long it waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.systems.http import PATIENCE, TRIES, Http
from include.systems.http_waits import asked
from tests.openapi import fields
from tests.systems.scripted import ADDRESS, Clients, busy, get, scripted  # noqa: F401 - a fixture
from tests.vendor import Reply, Vendor

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


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


def test_fields_arrive_as_a_form_of_the_web_and_are_encoded(client: Clients) -> None:
    with client() as (http, server, _):
        http.call("POST", "/token", tried="x", fields={"token": "1//a+b&c=d é", "client_id": "c"})
        (call,) = server.calls
        assert call.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qsl(call.body.decode()) == [("token", "1//a+b&c=d é"), ("client_id", "c")]


def test_parameters_body_form_and_headers_arrive(client: Clients) -> None:
    with client() as (http, server, _):
        http.call("GET", "/a", tried="x", params={"q": 'x"&=+ %', "n": 1}, headers={"On-Behalf-Of": "sub"})
        http.call("POST", "/b", tried="x", body={"emails": ["é@x.de"]})
        http.call("POST", "/c", tried="x", form={"to": "é@x.de", "v:key": "req_1", "text": "a\nb"})
        http.call("POST", "/d", tried="x", fields={"token": "a&b=c é"})
    asked_for, posted, sent, coded = server.calls
    assert dict(asked_for.query) == {"q": 'x"&=+ %', "n": "1"}
    assert asked_for.headers["on-behalf-of"] == "sub"
    assert "on-behalf-of" not in posted.headers
    assert posted.json == {"emails": ["é@x.de"]}
    assert posted.headers["content-type"] == "application/json"
    assert fields(sent) == [("to", "é@x.de"), ("v:key", "req_1"), ("text", "a\nb")]
    assert coded.headers["content-type"] == "application/x-www-form-urlencoded"
    assert coded.body == b"token=a%26b%3Dc+%C3%A9"


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
    ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 12), "Date": DATE}, None, 12),
    ({"x-account-rate-limit-reset": str(int(NOW.timestamp()) + 12), "Date": DATE}, None, 12),
    ({}, {"retry-seconds": 60}, 60),
    ({}, {"try-in-seconds": "5"}, 5),
    ({}, {"error": {"code": "rate-limit", "message": "rate limit", "try-in-seconds": 10}}, 10),
    ({}, {"error": "rate limit"}, None),
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


def test_a_window_of_one_endpoint_does_not_stop_the_others(client: Clients) -> None:
    last = Reply(200, {}, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "800"})
    with client(last, Reply(200, {})) as (http, server, waits):
        get(http)
        get(http)
    assert (len(server.calls), waits) == (2, [])


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
