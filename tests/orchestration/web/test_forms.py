"""Forms: only from here, only from this user, only up to their size, only in memory."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.subjects.vault import Vault
from tests.orchestration.web.conftest import ORIGIN, Browser, Clock, browser

PERSON = {"type": "erasure", "email": "jane@example.com"}


def token(client: Browser) -> str:
    return re.search(r'name="token" value="([^"]+)"', client.get("/privacy/requests/new").text)[1]  # type: ignore[index]


def test_a_token_of_this_user_is_taken_for_hours_and_not_for_days(operator: Browser, clock: Clock) -> None:
    given = token(operator)
    clock.pass_time(hours=7)
    path = "/privacy/requests/new"
    assert operator.post(path, data={**PERSON, "token": given}, headers=ORIGIN).status_code == 303
    clock.pass_time(hours=2)
    answer = operator.post(path, data={**PERSON, "token": given}, headers=ORIGIN)
    assert (answer.status_code, "too old" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "forge",
    [
        lambda own: "",
        lambda own: own[::-1],
        lambda own: f"9{own}",
        lambda own: own.split(".")[0] + ".",
        lambda own: "." + own.split(".")[1],
        lambda own: f"{int(own.split('.')[0]) + 1}.{own.split('.')[1]}",
        lambda own: "\u0661" + own,
        lambda own: "9" * 400 + "." + own.split(".")[1],
        lambda own: own.split(".")[0] + ".\u00e4",
    ],
)
def test_a_forged_token_opens_nothing(operator: Browser, vault: Vault, forge) -> None:  # type: ignore[no-untyped-def]
    answer = operator.post("/privacy/requests/new", data={**PERSON, "token": forge(token(operator))}, headers=ORIGIN)
    assert answer.status_code == 403
    assert vault.requests() == []


def test_a_token_of_another_user_or_another_secret_opens_nothing(
    site: FastAPI, operator: Browser, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = "/privacy/requests/new", token(browser(site, "admin", "admin"))
    assert operator.post(path, data={**PERSON, "token": other}, headers=ORIGIN).status_code == 403
    own = token(operator)
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "t" * 32)
    assert operator.post(path, data={**PERSON, "token": own}, headers=ORIGIN).status_code == 403
    assert vault.requests() == []


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:8443"},
    {"Origin": "http://[testserver"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("action", ["cancel", "start", "manual", None])
def test_a_form_of_another_site_does_nothing(operator: Browser, vault: Vault, action: str | None) -> None:
    path = f"/requests/req_{'a' * 16}/{action}" if action else "/requests/new"
    data = {**PERSON, "token": token(operator)}
    for headers in FOREIGN:
        answer = operator.post(f"/privacy{path}", data=data, headers=headers)
        assert (answer.status_code, "another site" in answer.text) == (403, True), headers
    assert vault.requests() == []


@pytest.mark.parametrize(
    "headers",
    [
        ORIGIN,
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://privacy.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_form_from_here_is_taken_behind_a_proxy_too(
    operator: Browser, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://privacy.example")
    data = {**PERSON, "token": token(operator)}
    assert operator.post("/privacy/requests/new", data=data, headers=headers).status_code == 303


def test_a_body_that_says_that_it_is_too_large_is_not_read(operator: Browser) -> None:
    read = []

    def body() -> Iterator[bytes]:
        read.append(1)
        yield b"x"

    headers = {**ORIGIN, "Content-Length": str(6 * 1024**2), "Content-Type": "multipart/form-data; boundary=b"}
    answer = operator.post("/privacy/requests/upload", content=body(), headers=headers)
    assert (answer.status_code, "too large" in answer.text) == (413, True)


def test_a_body_without_a_length_is_read_up_to_the_limit(operator: Browser) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536

    headers = {**ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    assert operator.post("/privacy/requests/new", content=endless(), headers=headers).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "\u0661".encode(), "many"])
def test_a_length_that_is_none_is_refused(operator: Browser, length: str | bytes) -> None:
    headers = {**ORIGIN, "Content-Length": length, "Content-Type": "application/x-www-form-urlencoded"}
    assert operator.post("/privacy/requests/new", content=b"", headers=headers).status_code == 400  # type: ignore[arg-type]


def test_a_large_file_never_touches_the_disk(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_disk(*_: object, **__: object) -> None:
        raise AssertionError("identifiers were about to be written to a file")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", on_disk)
    rows = "".join(f"erasure,person{number}@example.com,bad id\n" for number in range(9_000))
    content = "type,email,user_id\n" + rows + "," * 2_000_000
    answer = operator.fill("/requests/upload", files={"file": ("x.csv", content, "text/csv")})
    assert answer.status_code == 400
    assert "mistakes" in answer.text or "mistake" in answer.text


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("", b"token=x"),
        ("text/plain", b"token=x"),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 100),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            3 * b"--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n1\r\n",
        ),
        ("multipart/form-data; boundary=" + "b" * 9999, b"x"),
    ],
)
def test_a_body_that_is_no_form_is_refused(operator: Browser, kind: str, content: bytes) -> None:
    answer = operator.post("/privacy/requests/new", content=content, headers={**ORIGIN, "Content-Type": kind})
    assert answer.status_code in {400, 403}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200), st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
)
def test_no_body_makes_a_page_fail(operator: Browser, content: bytes, kind: str) -> None:
    answer = operator.post("/privacy/requests/upload", content=content, headers={**ORIGIN, "Content-Type": kind})
    assert answer.status_code in {400, 403}
