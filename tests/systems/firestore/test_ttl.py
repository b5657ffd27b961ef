"""The store's own expiry against the rules."""

from dataclasses import replace

import pytest

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.sandbox.faults import FaultKind
from include.systems.firestore import connect
from tests.sandbox.firestore_kit import Running
from tests.systems.firestore.kit import EVENTS, RULE, Store


def test_the_time_to_live_is_read_compared_and_set(faulty: Store):
    (missing,) = faulty.system.expiry(RULE)
    assert (missing.setting, missing.configured, missing.wanted) == ("ttlConfig of contacts.at", "none", "86400 s")
    assert not missing.agrees
    assert faulty.system.set_expiry(RULE).agrees
    assert faulty.system.expiry(RULE)[0].agrees
    (longer,) = faulty.system.expiry(replace(RULE, period_seconds=90000))
    assert (longer.agrees, longer.configured) == (False, "86400 s")
    assert "earlier than the policy" in longer.note
    (shorter,) = faulty.system.expiry(replace(RULE, period_seconds=80000))
    assert "longer than the policy" in shorter.note


@pytest.mark.parametrize(
    "selection",
    [
        EVENTS,
        replace(RULE, where={"kind": "a"}),
        replace(RULE, location={"group": "contacts", "parent": "contacts"}),
        replace(RULE, location={"group": "contacts", "cascade": "descendants"}),
        replace(RULE, period_seconds=2**31),
    ],
)
def test_a_rule_that_a_time_to_live_cannot_express_is_never_set(faulty: Store, selection):
    with pytest.raises(Refused):
        faulty.system.set_expiry(selection)
    assert all(not call["operation"].startswith("PATCH") for call in faulty.server.journal.as_json())


def test_a_time_to_live_that_deletes_more_than_the_rule_is_drift(faulty: Store):
    faulty.system.set_expiry(RULE)
    (found,) = faulty.system.expiry(EVENTS)
    assert (found.wanted, found.agrees) == ("none", False)
    (other,) = faulty.system.expiry(replace(EVENTS, location={"group": "other"}))
    assert other.agrees


@pytest.mark.parametrize(
    ("status", "error"), [(403, Refused), (404, Refused), (400, Refused), (429, Throttled), (503, Unavailable)]
)
def test_statuses_of_the_admin_api_become_errors(faulty: Store, status, error):
    faulty.fail(FaultKind.STATUS, "GET /v1", status=status, retry_after=9)
    with pytest.raises(error) as caught:
        faulty.system.expiry(RULE)
    assert type(caught.value) is error
    if error is Throttled:
        assert caught.value.retry_after == 9


def test_an_emulator_without_an_admin_api_has_no_expiry(sandbox: Running):
    extra = {"project": "demo", "emulator": True}
    system = connect(Connection("firestore", host="127.0.0.1", port=sandbox.port, extra=extra))
    assert system.expiry(RULE) == []
    with pytest.raises(Refused):
        system.set_expiry(RULE)
    system.close()
