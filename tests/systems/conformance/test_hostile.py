"""Identifiers that try to mean more than one person."""

import pytest

from include.policy.persons import IdentifierKind
from include.systems import registry
from tests.systems.conformance.company import ANN
from tests.systems.conformance.means import Somebody

HOSTILE = (
    "",
    " ",
    "*",
    "%",
    "?",
    "_",
    "/",
    "//",
    ".",
    "..",
    "../..",
    "@",
    "*@*",
    "%@%",
    '"',
    "'",
    '" OR "a',
    "\\",
    "\n",
    "\x00",
    "\u202e",
    "\ud800",
    "[a-z]*",
    "u7Kd*",
    "u7Kd%",
    "u7Kd?xpQz",
    "u7Kd",
    "users/",
    "users/u7Kd",
    "ann.7x@post.example,ann.8y@post.example",
    "ann.*@post.example",
    "*@post.example",
    "%@post.example",
    "@post.example",
    "ann.7x@",
    "7x@post.example",
    "n.7x@post.example",
    "ann.7x@post.exampl",
    "ann.7x@post.example\u200b",
    "\uff41nn.7x@post.example",
    "null",
    "true",
    "-1",
    "0",
    "u" * 300,
    "ü" * 300,
    "a" * 300 + "@post.example",
)
ODD = ("u7Kd*", "u7Kd%2F", 'u7Kd"q"', "u7Kd'q", "u7Kd ü ñ", "u7Kd\\w", "u7Kd.*", "u7Kd|x", "u7Kd" + "v" * 100)


@pytest.fixture
def kinds(company):
    return sorted(registry.erasing_card(company.key).identifiers)


def test_a_hostile_identifier_deletes_nobody(company, kinds):
    for value in HOSTILE:
        person = Somebody(500, {kind: [value] for kind in kinds})
        company.run(person)
        assert company.case.state() == company.expected(person), repr(value)
        company.before = company.case.state()


def test_hostile_identifiers_do_not_keep_others_from_being_erased(company, kinds):
    hostile = [Somebody(500 + number, {kind: [value] for kind in kinds}) for number, value in enumerate(HOSTILE)]
    outcome = company.run(*hostile[:20], ANN, *hostile[20:])
    assert company.case.state() == company.expected(*hostile, ANN)
    assert outcome.receipts[20].did is company.case.did


@pytest.mark.parametrize("value", ODD)
def test_somebody_with_an_odd_id_is_erased_and_nobody_else(company, value):
    if IdentifierKind.USER_ID not in registry.erasing_card(company.key).identifiers:
        pytest.skip(f"{company.key} knows nobody by a user id")
    person = Somebody(600, {IdentifierKind.USER_ID: [value]})
    company.case.seed(person)
    company.before = company.case.state()
    outcome = company.run(person)
    assert company.case.state() == company.expected(person)
    assert outcome.receipts[0].did is company.case.did
