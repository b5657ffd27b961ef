"""What looks like a person never becomes a key, and the names that products give their parts do."""

from __future__ import annotations

import secrets
import string
import uuid
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.analytics.identifying import identifying
from include.analytics.spec import load
from include.sandbox.draw import identifier

LOOKS = {
    "an e-mail address": ["ada@clique.example", "mail to a.b+c@x.example now", "ada%40clique.example", "ada(at)x.org"],
    "a web address": ["https://clique.example/u/7", "www.ada.example", "ftp://x"],
    "a UUID": [str(uuid.UUID(int=2**127 + 12345)), uuid.UUID(int=2**126 + 9).hex],
    "a MAC address": ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7"],
    "a token": ["eyJhbGciOiJIUzI1NiJ9", "sk_live_51Hxyzabcdefgh", "ghp_abcdefghijklmnop"],
    "a long number": [
        "+49 170 1234567",
        "(030) 123-45-67",
        "4111 1111 1111 1111",
        "order 20261122",
        "GB29 6016 1331 9268 19",
    ],
    "a hexadecimal id": ["5f2a9c81d3e4", "session 0af7651916cd43dd"],
    "an account name": ["@ada_l", "thanks @ada"],
    "a network address": ["192.0.2.7", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"],
    "a free text": ["please call me back about my contract, I have moved to another city"],
}
ORDINARY = [
    *("search", "contact_view", "billing", "Chrome", "iPhone", "DE", "US", "pro plan", "v2.14.3", "feature_199"),
    *("team-settings", "Überblick", "日本", "export.csv", "404", "Windows 11", "2026-11", "internationalization"),
    *("InAppPurchaseCompleted", "onboarding_step_3_completed", "HTTP/2", "facade", "decade", "a/b test 12", "C++"),
    *("Q4 2026", "50-99 seats", "Europe/Berlin", "de-DE", "C000", "plan4", "k01", "NEW_DASHBOARD_VIEW"),
]


@pytest.mark.parametrize(("looks", "text"), [(looks, text) for looks, texts in LOOKS.items() for text in texts])
def test_what_identifies_is_recognised(looks: str, text: str) -> None:
    assert identifying(text) == looks


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_pass(text: str) -> None:
    assert identifying(text) is None


def test_random_ids_of_the_usual_stores_are_recognised() -> None:
    letters = string.ascii_letters + string.digits
    made = ["".join(secrets.choice(letters) for _ in range(length)) for length in (20, 22, 28) for _ in range(500)]
    missed = [text for text in made if identifying(text) is None]
    assert len(missed) <= len(made) * 3 // 100


def test_no_key_of_the_default_specification_is_refused() -> None:
    keys = [key for table in load().tables for one in table.dimensions for key in one.listed or ()]
    assert keys
    assert [key for key in keys if identifying(key)] == []


@settings(max_examples=40, deadline=None)
@given(st.emails())
def test_every_e_mail_address_is_recognised_within_a_name_too(address: str) -> None:
    assert identifying(address)
    assert identifying(f"custom_{address}")


@given(st.text(max_size=80))
def test_any_text_has_an_answer(text: str) -> None:
    assert identifying(text) is None or isinstance(identifying(text), str)


def test_the_ids_of_the_sandbox_are_recognised() -> None:
    rng = Random(3)  # noqa: S311 - invents ids
    made = [identifier(rng) for _ in range(2000)]
    assert sum(identifying(text) is None for text in made) <= 60
