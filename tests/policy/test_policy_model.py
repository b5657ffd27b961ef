"""Digests change with what decides and with nothing else; the typed values are what the engine works with."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from include.policy.actions import Action, Anonymisation, Generalise
from include.policy.document import parse
from include.policy.loader import build, load
from include.policy.model import Policy
from include.policy.period import Period, Unit

FILE = Path(__file__).parent / "other_company.yaml"
GOOD = FILE.read_text()
POLICY = load(FILE)


def shuffled(value: Any, rng: random.Random) -> Any:
    """The same content with the keys of every mapping in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return {key: shuffled(item, rng) for key, item in items}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


def plain() -> Any:
    """The content of the file, free to be changed (``on`` is a key here and a boolean to YAML 1.1)."""
    return json.loads(json.dumps(parse(GOOD).data))


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_key_order_layout_and_comments_do_not_change_the_digest(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - an order, not a secret
    text = yaml.safe_dump(shuffled(plain(), rng), sort_keys=False, width=rng.choice([40, 80, 200]))
    assert build(parse(f"# another comment\n{text}")).digest == POLICY.digest


def leaves(value: Any, trail: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*trail, key))]
    if isinstance(value, list | tuple):
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*trail, index))]
    return [(trail, value)]


def test_every_value_of_the_file_counts_in_the_digest() -> None:
    texts = [(trail, value) for trail, value in leaves(plain()) if isinstance(value, str | int)]
    free = [(trail, value) for trail, value in texts if trail[-1] in
            {"name", "contact", "title", "note", "purpose", "source", "legal_basis", "max_records", "how", "published"}
            and "generalise" not in trail]  # fmt: skip
    assert len(free) > 25
    for trail, value in free:
        data = plain()
        holder = data
        for part in trail[:-1]:
            holder = holder[part]
        holder[trail[-1]] = value + 1 if isinstance(value, int) else f"{value} indeed"
        assert build(parse(yaml.safe_dump(data))).digest != POLICY.digest, trail


DECIDES = [
    ("location: {table: orders}", "location: {table: orders_2}"),
    ("subject: field:reader", "subject: null"),
    ("delivery: delivered_on", "delivery: sent_on"),
    ("period: 2 years", "period: 25 months"),
    ("where: {channel: web}", "where: {channel: web, town: Hoek}"),
    ("remove: [reader]", "remove: [reader, channel]"),
    ("how: prefix, size: 2", "how: prefix, size: 3"),
    ("{field: delivered_on, how: year}", "{field: delivered_on, how: month}"),
]


@pytest.mark.parametrize(("old", "new"), DECIDES)
def test_whatever_decides_what_a_rule_does_changes_its_scope(old: str, new: str) -> None:
    text = GOOD.replace(old, new).replace(
        "{field: delivered_on", "{field: sent_on" if "sent_on" in new else "{field: delivered_on"
    )
    other = build(parse(text))
    assert other.rule("R1").scope_digest(other) != POLICY.rule("R1").scope_digest(POLICY)


def test_deleting_and_anonymising_are_different_scopes() -> None:
    rule = POLICY.rule("R1")
    assert rule.model_copy(update={"action": Action.DELETE}).scope_digest(POLICY) != rule.scope_digest(POLICY)


def test_the_field_that_dates_a_record_is_part_of_the_scope() -> None:
    other = build(parse(GOOD.replace("payment: paid_on", "payment: settled_on")))
    assert other.rule("R2").scope_digest(other) != POLICY.rule("R2").scope_digest(POLICY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("source: decision of the board", "source: another decision"),
        ("name: Orders of the web shop", "name: Old orders"),
        ("max_records: 500", "max_records: 5"),
        ("period: 10 weeks", "period: 11 weeks"),
        ("payment: paid_on", "payment: settled_on"),
        ("confirmed: {by: the board", "confirmed: {by: the chair"),
    ],
)
def test_what_does_not_decide_leaves_the_scope_of_a_rule(old: str, new: str) -> None:
    other = build(parse(GOOD.replace(old, new)))
    assert other.digest != POLICY.digest
    assert other.rule("R1").scope_digest(other) == POLICY.rule("R1").scope_digest(POLICY)


def test_a_rule_reads_as_the_engine_needs_it() -> None:
    rule = POLICY.rule("R1")
    assert rule.period == Period(2, Unit.YEAR)
    assert rule.action is Action.ANONYMISE
    assert rule.anonymisation() == Anonymisation(
        remove=("reader",), generalise=(Generalise("delivered_on", "year"), Generalise("town", "prefix", 2))
    )
    assert POLICY.rule("R2").anonymisation() is None
    holding = POLICY.holding(rule.holding)
    assert (holding.system, holding.subject, holding.triggers[rule.trigger]) == (
        "order_book",
        "field:reader",
        "delivered_on",
    )
    assert POLICY.systems["order_book"].key == "order_book"
    assert [entry.id for entry in POLICY.rules_of("order_book")] == ["R1", "R2"]
    assert POLICY.rules_of("parcels") == ()


def test_limits_that_a_rule_does_not_set_come_from_the_guard() -> None:
    assert POLICY.rule("R1").budget.model_dump() == {"max_records": 500, "max_share_percent": 5, "baseline_factor": 3}
    assert POLICY.rule("R2").budget.model_dump() == {"max_records": 50, "max_share_percent": 5, "baseline_factor": 3}


def test_an_unknown_id_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        POLICY.rule("R9")
    with pytest.raises(KeyError):
        POLICY.holding("order_book.nothing")


def test_a_policy_is_immutable_and_travels_between_processes() -> None:
    with pytest.raises(pydantic.ValidationError):
        POLICY.version = "8"  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError):
        POLICY.rule("R1").period = Period(1, Unit.DAY)  # type: ignore[misc]
    copy: Policy = pickle.loads(pickle.dumps(POLICY))  # noqa: S301 - made in this line
    assert copy.digest == POLICY.digest
