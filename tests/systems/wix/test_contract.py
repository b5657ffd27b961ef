"""Every request and every answer of the twin: contacts and members against the vendor's own description (converted from
its docworks), submissions, which it does not cover, against what the pages say.

https://dev.wix.com/docs/rest/crm/forms/form-submissions/query-submissions-by-namespace
https://dev.wix.com/docs/rest/crm/forms/form-submissions/delete-submission
https://dev.wix.com/docs/rest/crm/forms/form-submissions/filter-and-sort
"""

import pytest
import requests

from tests.openapi import Description
from tests.systems.wire import contract
from tests.systems.wix.people import ANN, BOB, contact, ids, member, submission

TEXT, TIME = {"type": "string"}, {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
SUBMISSION = {
    "type": "object",
    "required": ["id", "formId", "namespace", "status", "submissions", "createdDate", "updatedDate", "submitter"],
    "properties": {
        "status": {"enum": ["PENDING", "CONFIRMED", "PAYMENT_WAITING", "PAYMENT_CANCELED"]},
        "submissions": {"type": "object"},
        "createdDate": TIME,
        "updatedDate": TIME,
        "contactId": TEXT,
        "submitter": {"type": "object", "minProperties": 1, "maxProperties": 1},
    },
}
FIELDS = {
    "type": "object",
    "properties": {
        "namespace": {"type": "object", "required": ["$eq"]},
        "id": {"type": "object", "required": ["$in"]},
        "createdDate": {"type": "object", "properties": {"$lt": TIME}},
    },
    "required": ["namespace"],
}
CURSOR = {
    "type": "object",
    "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 100}, "cursor": TEXT},
    "required": ["limit"],
}
QUERY = {
    "type": "object",
    "properties": {
        "query": {
            "type": "object",
            "properties": {"filter": FIELDS, "sort": {"type": "array"}, "cursorPaging": CURSOR},
        },
        "onlyYourOwn": {"type": "boolean"},
    },
}
FOUND = {
    "type": "object",
    "required": ["submissions", "metadata"],
    "properties": {
        "submissions": {"type": "array", "items": SUBMISSION},
        "metadata": {"type": "object", "required": ["count", "cursors", "hasNext"]},
    },
}


def body(schema):
    return {"content": {"application/json": {"schema": schema}}}


FORMS = contract(
    {
        "/form-submission-service/v4/submissions/namespace/query": {
            "post": {"requestBody": {"required": True, **body(QUERY)}, "responses": {"200": body(FOUND)}}
        },
        "/form-submission-service/v4/submissions/{submissionId}": {
            "delete": {
                "parameters": [
                    {
                        "name": "permanent",
                        "in": "query",
                        "schema": {"type": "boolean", "enum": [True]},
                        "required": True,
                    }
                ],
                "responses": {"200": body({"type": "object", "maxProperties": 0}), "404": body({"type": "object"})},
            }
        },
    }
)


def corrected(document):
    """The filter of members is a free object; the conversion took it for one of protobuf's wrappers."""
    schemas = document["components"]["schemas"]
    query = schemas["All_APIs.Members._com_wixpress_members_api_Query"]
    query["properties"]["filter"] = {"type": "object", "additionalProperties": True}


def is_form(call):
    return "form-submission" in call.path


@pytest.fixture
def walked(wire, system, retention):
    """Everything that the modules can do, once."""
    wire.twin.seed(
        [
            contact("ann", "ann@x.example"),
            contact("past", "old.ann@x.example"),
            contact("bob", "bob@x.example"),
            contact("old", "o@x.example", days=2000),
            member("ann", "ann@x.example"),
            submission("a", values={"email_1": "ann@x.example"}),
            *(submission(f"s{number}", days=2000, values={"a": "b"}) for number in range(120)),
        ]
    )
    from tests.systems.wix.test_retention import rule, sweep

    subjects = [ANN.subject(), BOB.subject()]
    system.access()
    list(system.export(subjects))
    list(system.people())
    system.verify(subjects, system.erase(system.find(subjects)))
    for collection in ("contacts", "submissions"):
        retention.survey(rule(collection), None)
        sweep(retention, rule(collection))
    return wire


def test_contacts_and_members_are_as_the_vendor_describes_them(walked):
    description = Description("wix/wix-derived-openapi.json", patch=corrected)
    assert walked.check(description, but=is_form) == {
        "POST /contacts/v4/contacts/query",
        "POST /contacts/v4/bulk/contacts/delete",
        "GET /contacts/v4/bulk/jobs/{id}",
        "DELETE /contacts/v4/contacts/{contactId}",
        "POST /members/v1/members/query",
        "DELETE /members/v1/members/{id}",
    }


def test_submissions_are_as_the_pages_describe_them(walked):
    assert len(walked.check(FORMS, but=lambda call: not is_form(call))) == 2


def test_every_call_has_the_bare_key_and_one_site(walked):
    assert {call.headers["authorization"] for call, _, _ in walked.calls} == {"sandbox"}
    assert not any("wix-account-id" in call.headers for call, _, _ in walked.calls)
    assert all(call.headers["wix-site-id"] for call, _, _ in walked.calls)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/contacts/v4/bulk/contacts/delete", {}, 400),
        ("POST", "/contacts/v4/contacts/query", {"query": {"filter": {"info.email": "a"}}}, 400),
        ("POST", "/contacts/v4/contacts/query", {"query": {"paging": {"limit": 1001}}}, 400),
        ("POST", "/contacts/v4/contacts/query", {"query": {"filter": {"id": {"$lt": "a"}}}}, 400),
        ("POST", "/members/v1/members/query", {"query": {"paging": {"limit": 101}}}, 400),
        ("POST", "/members/v1/members/query", {"query": {"filter": {"contactId": "a"}}}, 400),
        ("POST", "/form-submission-service/v4/submissions/namespace/query", {"query": {}}, 400),
        ("DELETE", "/contacts/v4/contacts/contact-ann", None, 428),
        ("DELETE", "/contacts/v4/contacts/contact-none", None, 404),
        ("DELETE", "/members/v1/members/member-none", None, 404),
        ("DELETE", "/contacts/v4/contacts/", None, 404),
    ],
)
def test_the_twin_refuses_what_the_vendor_would_refuse(wire, method, path, body, status):
    wire.twin.seed([contact("ann", "ann@x.example"), member("ann", "ann@x.example")])
    headers = {"Authorization": "k", "wix-site-id": wire.connection().extra["site_id"]}
    reply = requests.request(method, f"{wire.url}{path}", json=body, headers=headers, timeout=5)
    assert reply.status_code == status
    assert len(wire.state()) == 2


def test_the_twins_traps_are_the_vendors(wire):
    wire.twin.settings.job_polls = 0
    wire.twin.seed([contact("a", "a@x.example"), contact("b", "b@x.example"), submission("a")])
    headers = {"Authorization": "k", "wix-site-id": wire.connection().extra["site_id"]}
    requests.delete(f"{wire.url}/form-submission-service/v4/submissions/submission-a", headers=headers, timeout=5)
    assert ids(wire, "trash") == ["submission-a"]
    made = requests.post(
        f"{wire.url}/inbox/v2/conversations",
        json={"participantId": {"contactId": "contact-a"}},
        headers=headers,
        timeout=5,
    )
    assert made.json()["newConversation"] is True
    requests.post(f"{wire.url}/contacts/v4/bulk/contacts/delete", json={"filter": {}}, headers=headers, timeout=5)
    assert ids(wire, "contacts") == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "k"}, {"Authorization": "k", "wix-site-id": "other"}])
def test_without_a_key_and_its_site_nothing_is_answered(wire, headers):
    reply = requests.post(f"{wire.url}/contacts/v4/contacts/query", json={}, headers=headers, timeout=5)
    assert reply.status_code in (401, 403)
