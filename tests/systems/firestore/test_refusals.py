"""What the Firestore module refuses, how it reports errors, and what it weighs."""

import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.actions import Action, Anonymisation, Generalise
from include.sandbox.faults import FaultKind
from include.systems.contract import Selection, Swept
from include.systems.firestore import CARD, connect
from tests.systems.firestore.kit import EVENTS, RULE, Store, old

# --- refusals before anything is sent


def anonymise(**more) -> Selection:
    return replace(EVENTS, **more)


@pytest.mark.parametrize(
    "selection",
    [
        replace(RULE, location={}),
        replace(RULE, location={"group": "a/b"}),
        replace(RULE, location={"group": "contacts", "index": "x"}),
        replace(RULE, location={"group": "contacts", "parent": "w/1"}),
        replace(RULE, location={"group": "contacts", "parent": "w//contacts"}),
        replace(RULE, location={"group": "contacts", "cascade": "yes"}),
        replace(RULE, subject="name"),
        replace(RULE, subject="field:"),
        replace(RULE, trigger_field=""),
        replace(RULE, trigger_field="a..b"),
        replace(RULE, trigger_field="__name__"),
        replace(RULE, where={"a.": "b"}),
        anonymise(subject="id"),
        anonymise(subject="parent"),
        anonymise(subject="field:owner"),
        anonymise(trigger_field="other"),
        anonymise(anonymisation=None),
        anonymise(anonymisation=Anonymisation(remove=())),
        anonymise(anonymisation=Anonymisation(remove=("uid", "at"), generalise=(Generalise("x", "hash"),))),
        anonymise(anonymisation=Anonymisation(remove=("uid", "at"), generalise=(Generalise("x", "band"),))),
        anonymise(
            anonymisation=Anonymisation(remove=("uid", "at", "p"), generalise=(Generalise("p.city", "prefix", 1),))
        ),
        anonymise(anonymisation=Anonymisation(remove=("uid", "at", "at"))),
        anonymise(location={"group": "contacts", "cascade": "descendants"}),
    ],
)
def test_a_rule_that_cannot_do_what_it_says_is_refused_before_any_call(faulty: Store, selection):
    for call in (
        lambda: faulty.system.survey(selection, None),
        lambda: next(faulty.system.batches(selection, None), None),
        lambda: faulty.system.read_back(selection, None),
        lambda: faulty.system.set_expiry(selection),
    ):
        with pytest.raises(Refused):
            call()
    assert faulty.server.journal.as_json() == []


@pytest.mark.parametrize(
    "extra",
    [
        {"emulator": True},
        {"project": "p", "emulator": True},
        {"project": "p", "keyfile_dict": "text"},
        {"project": "p", "keyfile_dict": {"type": "service_account"}},
    ],
)
def test_a_connection_that_lacks_something_is_refused(extra):
    with pytest.raises(Refused):
        connect(Connection("firestore", extra=extra))


def test_a_service_account_key_is_enough_for_google_itself():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "sweeper@p.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        "private_key": key.decode(),
    }
    system = connect(Connection("firestore", extra={"project": "p", "keyfile_dict": account}))
    assert system._gateway._client.transport.host == "firestore.googleapis.com:443"
    system.close()


# --- errors


@pytest.mark.parametrize(
    ("status", "error", "next_step"),
    [
        (8, Throttled, "Wait"),
        (14, Unavailable, "Run it again later"),
        (4, Unavailable, "Run it again later"),
        (10, Unavailable, "Run it again later"),
        (13, Unavailable, "Run it again later"),
        (2, Unavailable, "Run it again later"),
        (7, Refused, "roles/datastore.user"),
        (16, Refused, "roles/datastore.user"),
        (3, Refused, "Check the rule"),
        (9, Refused, "Create an index of collection group 'contacts' with at"),
    ],
)
def test_statuses_become_errors_by_what_helps(faulty: Store, status, error, next_step):
    faulty.fail(FaultKind.STATUS, "RunQuery", status=status, retry_after=7)
    with pytest.raises(error) as caught:
        list(faulty.system.batches(RULE, None))
    assert type(caught.value) is error
    assert next_step in str(caught.value)
    if error is Throttled:
        assert caught.value.retry_after == 7
    assert len(faulty.server.journal.as_json()) == 1, "a call was repeated silently"


@pytest.mark.parametrize("rpc", ["BatchWrite", "RunQuery", "RunAggregationQuery", "BatchGetDocuments"])
def test_no_call_is_repeated_silently(faulty: Store, rpc):
    faulty.put({"contacts/a": {"at": old(), "uid": "u"}})
    faulty.fail(FaultKind.STATUS, rpc, status=14)
    with pytest.raises(Unavailable):
        (faulty.system.survey(EVENTS, None), faulty.sweep(EVENTS))
    assert [call["status"] for call in faulty.server.journal.as_json() if call["operation"] == rpc] == [14]


@pytest.mark.parametrize(("status", "error"), [(10, Unavailable), (8, Throttled), (7, Refused)])
def test_single_failed_writes_are_reported_and_the_next_run_completes(faulty: Store, status, error):
    faulty.put({f"contacts/{n:03}": {"at": old(), "uid": "u"} for n in range(700)})
    faulty.fail(FaultKind.PARTIAL, "BatchWrite", status=status, times=2)
    with pytest.raises(error, match="350 of 700"):
        faulty.sweep(RULE)
    assert len(faulty.look()) == 350
    assert faulty.sweep(RULE) == Swept(gone=350)


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.DROP])
@pytest.mark.parametrize("selection", [RULE, EVENTS], ids=["delete", "anonymise"])
def test_after_a_lost_answer_the_next_run_completes(faulty: Store, kind, selection):
    faulty.put({f"contacts/{n:03}": {"at": old(), "uid": f"u{n}"} for n in range(700)})
    faulty.fail(kind, "BatchWrite")
    with pytest.raises(Unavailable):
        faulty.sweep(selection)
    faulty.sweep(selection)
    assert faulty.system.read_back(selection, None).remaining == 0
    assert not any("uid" in fields for fields in faulty.look().values())


def test_a_server_that_is_away_is_unavailable():
    system = connect(Connection("firestore", host="127.0.0.1", port=1, extra={"project": "p", "emulator": True}))
    with pytest.raises(Unavailable):
        system.survey(RULE, None)
    system.close()


def test_nothing_personal_is_in_errors_and_reprs(faulty: Store):
    faulty.put({"contacts/secret-id": {"at": old(), "uid": "secret-uid"}})
    (batch,) = faulty.system.batches(RULE, None)
    faulty.fail(FaultKind.STATUS, "BatchWrite", status=3)
    with pytest.raises(Refused) as caught:
        faulty.system.expire(RULE, batch)
    assert "secret" not in f"{caught.value!r} {caught.value} {batch!r}"


# --- weight


def test_importing_the_module_imports_nothing_of_google():
    heavy = "any(name.split('.')[0] in {'google', 'grpc'} for name in sys.modules)"
    check = f"import sys, include.systems.firestore; sys.exit({heavy})"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_the_card_names_what_the_module_understands():
    assert set(CARD.location_keys) == {"group", "parent", "cascade"}
    assert CARD.batch_size == 2000
    assert CARD.actions == {Action.DELETE, Action.ANONYMISE}
