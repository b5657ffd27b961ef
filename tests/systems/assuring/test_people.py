"""Who is in a system: exactly those whom an erasure would find there, for every system that can list everybody."""

from collections import Counter

import pytest

from include.policy.persons import IdentifierKind
from include.systems.addresses import same
from include.systems.assuring import ListsPeople
from include.systems.erasing import Did
from tests.systems.conformance.cases import CASES
from tests.systems.conformance.company import ANN, BEN, NEIGHBOURS, STRANGER, Company
from tests.systems.conformance.means import Clock
from tests.systems.persons import user

SYSTEMS = (
    "cloud_storage",
    "elasticsearch",
    "firebase_auth",
    "firestore",
    "google_sign_in",
    "linkedin_sign_in",
    "mailgun",
    "redis",
    "sendgrid",
)


@pytest.fixture(params=SYSTEMS)
def filled(request, company_sandbox, quick, monkeypatch):
    """A system with Ann, Ben and people who are hard to tell apart from them."""
    case = CASES[request.param](company_sandbox)
    case.hurry(monkeypatch)
    case.reset()
    with Company(case, Clock()) as company:
        yield company
    case.reset()


def as_kept(kind, value):
    """Case counts for nothing in an address, and for all in an id."""
    return kind, same(value) if kind is IdentifierKind.EMAIL else value


def listed(company):
    return {as_kept(one.kind, one.value) for one in company.system.people()}


def known(person, *kinds):
    return {as_kept(kind, value) for kind in kinds for value in person.values(kind)}


def test_everybody_is_listed_and_nobody_else(filled):
    kinds = {kind for kind, _ in listed(filled)}
    assert kinds
    everybody = set().union(*(known(person, *kinds) for person in (ANN, BEN, *NEIGHBOURS)))
    here = listed(filled)
    odd = {value for _, value in here - everybody}
    assert odd <= {"someone@else.example", "somebody"} | {
        f"{provider}:r{person.number}" for person in NEIGHBOURS for provider in ("google.com", "oidc.linkedin")
    }
    assert known(ANN, *kinds) & here
    assert not (known(STRANGER, *kinds) & here)


def test_whoever_is_erased_is_listed_no_more(filled):
    before = listed(filled)
    others = set().union(*(known(person, *IdentifierKind) for person in (BEN, *NEIGHBOURS)))
    outcome = filled.run(ANN)
    assert outcome.receipts[0].did in (Did.GONE, Did.ACCEPTED, Did.EXPIRING)
    after = listed(filled)
    assert (known(ANN, *IdentifierKind) - others) & before
    assert not (known(ANN, *IdentifierKind) - others) & after
    assert (others - known(ANN, *IdentifierKind)) & before <= after


def test_listing_changes_nothing_and_streams(filled):
    people = filled.system.people()
    assert next(people)
    list(people)
    assert filled.case.state() == filled.before


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_can_say_so(room_of, system):
    assert isinstance(room_of(system).connect(), ListsPeople)


@pytest.mark.parametrize("system", ["firestore", "firebase_auth", "elasticsearch", "cloud_storage", "redis"])
def test_a_whole_company_is_listed(room_of, system):
    room = room_of(system)
    estate = room.estate(people=60)
    found = Counter(one.value for one in room.connect().people())
    for person in estate.people:
        subject = user(person)
        assert any(found[value] for value in subject.values(*IdentifierKind)), system
