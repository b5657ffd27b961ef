"""Answers to forms by a few words, and the people who gave them."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.typeform import FORMS, Answer
from tests.systems.conformance.means import NOW, Somebody

DAY = timedelta(days=1)
DEMO, FEEDBACK, EVENT = FORMS
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {UID: ["u-bob"], EMAIL: ["bob@x.example"]})


def answer(name, *, form=DEMO, days=1.0, sent=True, **more):
    """An answer that was begun some days ago, and sent off a minute later if it was."""
    begun = NOW - days * DAY
    return Answer(form, name, begun, begun + timedelta(minutes=1) if sent else None, **more)


def ids(wire):
    return sorted(record["id"] for _, record in wire.twin.records())
