"""Every call and every answer of the twin against what is known of the interface; the vendor describes it nowhere.

https://autopilot.docs.apiary.io/
"""

import pytest

from include.policy.persons import IdentifierKind
from include.sandbox import autopilot
from include.systems.autopilot.legacy import connect_erasing
from tests.systems.conformance.means import NOW, Somebody, means_at
from tests.systems.watched import described, operation, shape, watched

TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
CONTACT = {"type": "object", "required": ["contact_id", "Email"], "properties": {"contact_id": TEXT, "Email": TEXT}}
PAGE = shape(
    ("contacts", "total_contacts"),
    contacts={"type": "array", "items": CONTACT, "maxItems": 100},
    total_contacts={"type": "integer"},
    bookmark=TEXT,
)
ERROR = shape(("error", "message"), error=TEXT, message=TEXT)
DESCRIPTION = described(
    {
        "paths": {
            "/v1/account": {"get": operation(answers={"200": {"type": "object"}, "401": ERROR})},
            "/v1/contacts": {"get": operation(answers={"200": PAGE, "400": ERROR})},
            "/v1/contacts/{bookmark}": {"get": operation(answers={"200": PAGE, "400": ERROR})},
            "/v1/contact/{contact_id_or_email}": {
                "get": operation(answers={"200": CONTACT, "404": ERROR}),
                "delete": operation(answers={"200": None, "403": ERROR, "404": ERROR, "429": ERROR}),
            },
        }
    }
)


@pytest.fixture(scope="module")
def twin():
    with watched("autopilot", autopilot.SERVICE) as twin:
        people = [Somebody(n, {IdentifierKind.EMAIL: [f"p{n}@x.example"]}) for n in range(3)]
        for number in range(450):
            twin.twin.seed([autopilot.Contact(f"person_{number:03}", f"p{number}@x.example", "A", "B", NOW)])
        system = connect_erasing(twin.connection(), means_at(twin.clock))
        subjects = [person.subject() for person in people]
        system.access()
        list(system.export(subjects))
        list(system.people())
        found = system.find(subjects)
        system.erase(found)
        system.verify(subjects, system.erase(found))
        system.close()
        yield twin


def test_every_call_and_every_answer_is_as_described(twin):
    assert twin.check(DESCRIPTION) == {
        "GET /v1/account",
        "GET /v1/contacts",
        "GET /v1/contacts/{bookmark}",
        "GET /v1/contact/{contact_id_or_email}",
        "DELETE /v1/contact/{contact_id_or_email}",
    }
    assert {exchange.status for exchange in twin.exchanges} == {200, 404}


def test_the_key_is_in_the_vendors_own_header(twin):
    assert {call.headers["autopilotapikey"] for call in twin.calls()} == {"sandbox"}
    assert all("authorization" not in call.headers for call in twin.calls())


def test_no_deletion_is_without_an_id(twin):
    assert all(call.path.removeprefix("/v1/contact/").startswith("person_") for call in twin.calls("DELETE"))
