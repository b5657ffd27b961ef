"""Every call and every answer of the twin against the vendor's pages; there is no description that a machine can read.

https://help.ortto.com/a-258-retrieve-one-or-more-people-get
https://help.ortto.com/developer/latest/api-reference/person/archive.html
https://help.ortto.com/developer/latest/api-reference/person/get-activities.html
https://help.ortto.com/a-235-rate-limits
"""

from datetime import timedelta

import pytest

from include.policy.persons import IdentifierKind
from include.sandbox import ortto
from include.sandbox.faults import Fault, FaultKind
from include.systems.autopilot import ortto_ages
from include.systems.autopilot.ortto import connect_erasing
from tests.systems.conformance.means import NOW, Somebody, means_at
from tests.systems.quick import quick  # noqa: F401 - a fixture
from tests.systems.watched import described, operation, selection, shape, sweep, watched

TEXT, NUMBER, FLAG = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
OBJECT = {"type": "object"}


def some(items, most, least=1):
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


CONDITION = {
    "type": "object",
    "oneOf": [
        shape(("$str::is",), **{"$str::is": shape(("field_id", "value"), field_id=TEXT, value=TEXT)}),
        shape(("$or",), **{"$or": some({"$ref": "#/components/schemas/Condition"}, 100, 2)}),
    ],
}
SEARCH = {
    "type": "object",
    "oneOf": [
        shape(("type",), type={"const": "archived"}, q=TEXT),
        shape(
            ("limit", "offset", "fields"),
            limit={"type": "integer", "minimum": 1, "maximum": 500},
            offset=NUMBER,
            fields=some(TEXT, 100),
            filter={"$ref": "#/components/schemas/Condition"},
            sort_by_field_id=TEXT,
            sort_order={"enum": ["asc", "desc"]},
        ),
    ],
}
PERSON = shape(("id", "fields"), id=TEXT, fields=OBJECT)
PEOPLE = shape(
    ("contacts", "meta", "offset", "next_offset", "has_more"),
    contacts={"type": "array", "items": PERSON},
    meta=OBJECT,
    offset=NUMBER,
    next_offset=NUMBER,
    cursor_id=TEXT,
    has_more=FLAG,
)
ERROR = shape(("error",), error=OBJECT)
NAMED = shape(("inclusion_ids",), inclusion_ids=some(TEXT, 100))
BY_IDS = shape(("contact_ids", "fields"), contact_ids=some(TEXT, 150), fields=some(TEXT, 20))
ACTIVITIES = shape(("person_id",), person_id=TEXT, limit=NUMBER, offset=NUMBER, timeframe=OBJECT)


def counted(name):
    return {"200": shape(("scheduled_contacts", name), scheduled_contacts=NUMBER, **{name: NUMBER}), "429": ERROR}


DESCRIPTION = described(
    {
        "components": {"schemas": {"Condition": CONDITION}},
        "paths": {
            "/v1/person/get": {"post": operation(body=SEARCH, answers={"200": PEOPLE, "429": ERROR})},
            "/v1/person/get-by-ids": {
                "post": operation(body=BY_IDS, answers={"200": shape(("contacts",), contacts=OBJECT)})
            },
            "/v1/person/get/activities": {"post": operation(body=ACTIVITIES, answers={"200": OBJECT})},
            "/v1/person/archive": {"put": operation(body=NAMED, answers=counted("archived_contacts"))},
            "/v1/person/delete": {"delete": operation(body=NAMED, answers=counted("deleted_contacts"))},
        },
    }
)


@pytest.fixture
def twin(quick):  # noqa: F811 - the fixture above
    with watched("ortto", ortto.SERVICE) as twin:
        for number in range(620):
            away = NOW - timedelta(days=1) if number == 0 else None
            answers = ("2026-01-01T00:00:00Z",) * (60 if number == 1 else 0)
            twin.twin.seed(
                [
                    ortto.Person(f"00{number:06}", f"p{number}@x.example", f"u{number}", "A", "B",
                                 NOW - timedelta(days=number), activities=answers, archived_at=away)
                ]
            )  # fmt: skip
        yield twin


def test_every_call_and_every_answer_is_as_described(twin):
    known = {IdentifierKind.EMAIL: "p{}@x.example", IdentifierKind.USER_ID: "u{}"}
    people = [Somebody(n, {kind: [form.format(n)] for kind, form in known.items()}) for n in range(130)]
    subjects = [person.subject() for person in people]
    system = connect_erasing(twin.connection(), means_at(twin.clock))
    twin.faults.add(Fault("ortto", FaultKind.STATUS, status=429))
    system.access()
    list(system.export(subjects[:3]))
    list(system.people())
    receipts = system.erase(system.find(subjects))
    system.verify(subjects, receipts)
    system.close()
    ages = ortto_ages.connect(twin.connection(calls_per_second=10**6))
    assert sweep(ages, selection(ortto.ENGAGED, "person", 500)) == (119, 0, 0)
    ages.close()
    assert twin.check(DESCRIPTION) == {
        "POST /v1/person/get",
        "POST /v1/person/get-by-ids",
        "POST /v1/person/get/activities",
        "PUT /v1/person/archive",
        "DELETE /v1/person/delete",
    }
    assert {exchange.status for exchange in twin.exchanges} == {200, 429}
    assert {call.headers["x-api-key"] for call in twin.calls()} == {"sandbox"}
    assert max(len(call.body) for call in twin.calls()) < 2 * 2**20


def test_the_description_knows_no_selection_of_everybody(twin):
    assert "all_rows_selected" not in str(DESCRIPTION.documents)
