from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import Refused
from include.ledger.entry import Entry, Json, Kind, canonical, parse

AT = datetime(2026, 3, 1, 2, 0, 0, 5, tzinfo=UTC)

ids = st.from_regex(r"[A-Za-z0-9_.~:+/-]{1,40}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: "@" not in text)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | texts.filter(lambda t: t.isascii() and "%" not in t),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ids, inner, max_size=4),
    max_leaves=12,
)
entries = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    run=ids,
    rule=st.none() | ids,
    system=st.none() | ids,
    body=st.dictionaries(ids, values, max_size=5),
)
times = st.datetimes(timezones=st.just(UTC))


@given(entries, times)
def test_an_entry_is_read_back_as_it_was_written(entry: Entry, at: datetime) -> None:
    assert parse(canonical(entry, at)) == (entry, at)
    assert canonical(*parse(canonical(entry, at))) == canonical(entry, at)


def rfc8785(value: object) -> str:
    """RFC 8785, section 3.2, written out for text, integers, truth values, null, lists and dicts."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case str():
            return '"' + "".join(short.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value) + '"'
        case list():
            return "[" + ",".join(rfc8785(inner) for inner in value) + "]"
        case dict():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{rfc8785(key)}:{rfc8785(value[key])}" for key in keys) + "}"
    raise AssertionError(type(value))


@given(entries, times)
def test_the_canonical_form_is_that_of_rfc_8785(entry: Entry, at: datetime) -> None:
    data = canonical(entry, at)
    assert data.decode() == rfc8785(json.loads(data))


@given(texts)
def test_text_of_any_script_is_kept(text: str) -> None:
    try:
        data = canonical(Entry(Kind.GUARD, "run", body={"ground": text}), AT)
    except Refused:
        assert "%40" in text or not text.isascii()
    else:
        assert parse(data)[0].body["ground"] == text
        assert data.decode() == rfc8785(json.loads(data))


def test_the_bytes_are_fixed() -> None:
    entry = Entry(Kind.OUTCOME, "run_1", "old-leads", "firestore", {"gone": 3, "ok": True, "until": None, "a": ["§"]})
    assert canonical(entry, AT).decode() == (
        '{"at":"2026-03-01T02:00:00.000005Z","body":{"a":["§"],"gone":3,"ok":true,"until":null},'
        '"kind":"outcome","rule":"old-leads","run":"run_1","system":"firestore","v":1}'
    )


SECRET = "ann.lee@clinic.example"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"user <{SECRET}> asked",
        "ann%40clinic.example",
        "ann\N{FULLWIDTH COMMERCIAL AT}clinic.example",
        "ann\N{SMALL COMMERCIAL AT}clinic.example",
        "https://x/?u=a%40b.de",
    ],
)
def test_an_address_is_refused_by_its_key_and_never_shown(text: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical(Entry(Kind.PLAN, "run", body={"systems": [{"sample": text}]}), AT)
    assert "body.systems[0].sample" in str(caught.value)
    assert text not in str(caught.value)
    assert "ann" not in str(caught.value)


@pytest.mark.parametrize("field", ["run", "rule", "system"])
@pytest.mark.parametrize("value", [SECRET, "", "two words", "tab\t", "x" * 251, "naïve", "line\n"])
def test_ids_are_opaque(field: str, value: str) -> None:
    fields = {"run": "run", "rule": None, "system": None, field: value}
    with pytest.raises(Refused, match=f"entry: {field} is not allowed") as caught:
        canonical(Entry(Kind.PLAN, **fields), AT)
    assert not value or value not in str(caught.value)


def test_an_address_as_a_key_is_refused_and_never_shown() -> None:
    with pytest.raises(Refused, match=r"a key of body\.counts") as caught:
        canonical(Entry(Kind.PLAN, "run", body={"counts": {SECRET: 1}}), AT)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**53, -(2**53), b"x", AT, (1, 2), {1: 2}, {"": 1}, "\ud800", {1, 2}]
)
def test_what_has_no_exact_form_is_refused(value: Json) -> None:
    with pytest.raises(Refused, match=r"body\.x"):
        canonical(Entry(Kind.PLAN, "run", body={"x": value}), AT)


@pytest.mark.parametrize("at", [AT.replace(tzinfo=None), AT.astimezone(timezone(timedelta(hours=2)))])
def test_a_time_outside_of_utc_is_refused(at: datetime) -> None:
    with pytest.raises(Refused, match="at is not allowed"):
        canonical(Entry(Kind.PLAN, "run"), at)


@pytest.mark.parametrize("data", [b"{}", b"[]", b"nonsense", b'{"v":1}'])
def test_other_bytes_are_not_an_entry(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"entry|Expecting"):
        parse(data)


def test_an_entry_of_a_later_format_is_not_misread() -> None:
    data = canonical(Entry(Kind.PLAN, "run"), AT).replace(b'"v":1', b'"v":2')
    with pytest.raises(ValueError, match="format"):
        parse(data)
