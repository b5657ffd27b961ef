"""Answers and recordings by a few words, and the people they are about."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.hotjar import SURVEYS, Recording, Response
from tests.systems.conformance.means import NOW, Somebody

DAY = timedelta(days=1)
MISSING, LEAVING = SURVEYS
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {UID: ["u-bob"], EMAIL: ["bob@x.example"]})


def response(name, text="hello", *, survey=MISSING, **more):
    return Response(name, survey, NOW - DAY, text, **more)


def recording(name, **more):
    return Recording(name, NOW - DAY, **more)


def ids(wire, collection):
    return sorted(record["id"] for kind, record in wire.twin.records() if kind == collection)


def reports(wire):
    return [record for kind, record in wire.twin.records() if kind == "reports"]
