"""Which values can be addresses, and when two are one mailbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.systems.addresses import addresses, doubtful, same, sendable
from tests.systems.people import HOSTILE, person

GOOD = (
    "a@b.cd",
    "Ann.Lee+tag@mail.example.co.uk",
    "o'neil@example.com",
    "x/y@example.com",
    "a=b&c{d}|e~`!#$^_-?@example.com",
    "jos\u00e9@b\u00fccher.example",
    "a@xn--bcher-kva.example",
)


@pytest.mark.parametrize("value", GOOD)
def test_an_address_in_use_is_sent(value: str) -> None:
    assert sendable(value)
    assert addresses(person(value)) == (same(value),)
    assert not doubtful(person(value))


@pytest.mark.parametrize(
    "value",
    [
        "a@b",
        "@b.cd",
        "a@",
        "a@@b.cd",
        "a b@c.de",
        ".a@b.cd",
        "a.@b.cd",
        "a..b@c.de",
        "a@-b.cd",
        "a@b-.cd",
        "a@.b.cd",
        "a@b.cd.",
        "a@b..cd",
        "a@b.cd\n",
        '"a"@b.cd',
        "*@b.cd",
        "%@b.cd",
        "a@[1.2.3.4]",
        "x" * 300 + "@b.cd",
        "\ud800@b.cd",
    ],
)
def test_what_only_looks_like_one_is_for_a_human(value: str) -> None:
    assert not sendable(value)
    assert addresses(person(value)) == ()
    assert doubtful(person(value))


@pytest.mark.parametrize("value", ["", "*", "%", "/", "..", "n/a", " "])
def test_what_is_no_address_is_nothing_to_look_for(value: str) -> None:
    assert addresses(person(value)) == ()
    assert not doubtful(person(value))


@given(st.text())
def test_no_two_letters_but_those_of_ascii_become_one(value: str) -> None:
    assert len(same(value)) == len(value)
    assert all(
        a == b or (a.isascii() and b.isascii() and a.lower() == b) for a, b in zip(value, same(value), strict=True)
    )


def test_capitals_of_ascii_are_one_mailbox_and_look_alikes_are_not() -> None:
    assert addresses(person("Ann@Example.COM", "ann@example.com")) == ("ann@example.com",)
    assert same("\u212aate@x.com") != same("Kate@x.com")
    assert same("stra\u00dfe@x.com") != same("strasse@x.com")


@pytest.mark.parametrize("value", [value for value in HOSTILE if sendable(value)])
def test_hostile_values_that_are_sent_are_harmless_text(value: str) -> None:
    assert not set(value) & set('*%,;"\\ \n\r\t<>()[]')
    assert ".." not in value
    assert value.count("@") == 1
