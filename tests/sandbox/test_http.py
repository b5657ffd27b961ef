"""Faults and journal of the sandbox's HTTP services, over a real socket."""

import importlib.util

import pytest
import requests
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.sandbox.http import FaultMiddleware
from tests.loopback import serve

PROTOCOLS = [name for name in ("h11", "httptools") if importlib.util.find_spec(name)]


class Service:
    """A service that counts what it did, mounted under a prefix."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.faults = Faults()
        self.journal = Journal()
        middleware = [Middleware(FaultMiddleware, "toy", self.faults, self.journal)]
        inner = Starlette(routes=[Route("/things/{id}", self.handle, methods=["POST", "GET"])], middleware=middleware)
        self.app = Starlette(routes=[Mount("/toy", inner)])

    async def handle(self, request: Request) -> JSONResponse:
        self.done.append((await request.body()).decode())
        return JSONResponse({"partial": request.scope.get("partial", False)})


@pytest.fixture(params=PROTOCOLS)
def toy(request):
    service = Service()
    with serve(service.app, http=request.param) as url:
        service.url = f"{url}/toy/things/1"
        yield service


def test_a_call_is_noted_without_prefix_and_query(toy):
    requests.post(f"{toy.url}?secret=1", data="a", timeout=5)
    assert toy.journal.as_json() == [{"service": "toy", "operation": "POST /things/1", "status": 200}]


def test_a_status_fault_answers_and_does_nothing(toy):
    toy.faults.add(Fault("toy", FaultKind.STATUS, "POST /things", status=429, retry_after=7))
    answer = requests.post(toy.url, data="a" * 200_000, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error"]["code"] == 429
    assert toy.done == []
    assert requests.post(toy.url, data="b", timeout=5).status_code == 200


def test_a_dropped_call_does_nothing_and_has_no_answer(toy):
    toy.faults.add(Fault("toy", FaultKind.DROP))
    with pytest.raises(requests.ConnectionError):
        requests.post(toy.url, data="a", timeout=5)
    assert toy.done == []
    assert toy.journal.as_json()[0]["status"] == 0


def test_a_lost_answer_did_it(toy):
    toy.faults.add(Fault("toy", FaultKind.LOST_ANSWER))
    with pytest.raises(requests.ConnectionError):
        requests.post(toy.url, data="a", timeout=5)
    assert toy.done == ["a"]
    assert toy.journal.as_json()[0]["status"] == 0


def test_latency_delays_and_partial_is_passed_on(toy):
    toy.faults.add(Fault("toy", FaultKind.LATENCY, seconds=0.1))
    toy.faults.add(Fault("toy", FaultKind.PARTIAL))
    assert requests.post(toy.url, timeout=5).elapsed.total_seconds() >= 0.1
    assert requests.post(toy.url, timeout=5).json() == {"partial": True}
    assert requests.post(toy.url, timeout=5).json() == {"partial": False}


def test_skip_and_times_count_the_matching_calls(toy):
    toy.faults.add(Fault("toy", FaultKind.STATUS, "POST ", status=503, skip=1, times=2))
    assert requests.get(toy.url, timeout=5).status_code == 200
    assert [requests.post(toy.url, timeout=5).status_code for _ in range(4)] == [200, 503, 503, 200]
