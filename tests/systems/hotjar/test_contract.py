"""Every request and every answer of the twin against what the vendor's reference says; there is no description to read.

https://help.hotjar.com/hc/en-us/articles/36820005914001-Hotjar-API-Reference
"""

from urllib.parse import parse_qs

import pytest
import requests

from tests.systems.conformance.case import POLICY
from tests.systems.hotjar.people import ANN, BOB, ids, reports, response
from tests.systems.wire import contract

TEXT = {"type": "string", "minLength": 1}
LIST = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
    {"name": "cursor", "in": "query", "schema": TEXT},
]
ANSWER = {"type": "object", "required": ["question_id", "answer"]}
RESPONSE = {
    "type": "object",
    "required": ["id", "answers", "created_time", "is_complete"],
    "properties": {"id": TEXT, "answers": {"type": "array", "items": ANSWER}, "tags": {"type": "array"}},
}
LOOK_UP = {
    "type": "object",
    "properties": {
        "data_subject_email": TEXT,
        "data_subject_site_id_to_user_id_map": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^\d+$"},
            "additionalProperties": TEXT,
        },
        "delete_all_hits": {"const": True},
    },
    "required": ["delete_all_hits"],
    "minProperties": 2,
}


def body(schema):
    return {"content": {"application/json": {"schema": schema}}}


def page(item):
    properties = {"results": {"type": "array", "items": item}, "next_cursor": {"type": ["string", "null"]}}
    return {"200": body({"type": "object", "required": ["results"], "properties": properties})}


DESCRIPTION = contract(
    {
        "/v1/sites/{site_id}/surveys": {
            "get": {"parameters": LIST, "responses": page({"type": "object", "required": ["id", "name"]})}
        },
        "/v1/sites/{site_id}/surveys/{survey_id}/responses": {"get": {"parameters": LIST, "responses": page(RESPONSE)}},
        "/v1/organizations/{organization_id}/user-lookup": {
            "post": {
                "requestBody": {"required": True, **body(LOOK_UP)},
                "responses": {"200": body({"type": "object"})},
            }
        },
    }
)


def is_sign_in(call):
    return call.path == "/v1/oauth/token"


@pytest.fixture
def walked(wire, system):
    """Everything that the module can do, once."""
    wire.twin.seed([response("a", email="ann@x.example"), response("b", user_id="u-ann")])
    wire.twin.seed(response(f"r{number}") for number in range(150))
    subjects = [ANN.subject(), BOB.subject()]
    system.access()
    system.check(POLICY.systems["hotjar"].claims[0])
    list(system.export(subjects))
    list(system.people())
    system.verify(subjects, system.erase(system.find(subjects)))
    return wire


def test_every_call_and_every_answer_is_one_that_the_reference_describes(walked):
    assert len(walked.check(DESCRIPTION, but=is_sign_in)) == 3


def test_the_token_is_asked_for_as_oauth_wants_it(walked):
    (call,) = [call for call, _, _ in walked.calls if is_sign_in(call)]
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(parse_qs(call.body.decode())) == {"grant_type", "client_id", "client_secret"}
    assert "authorization" not in call.headers


def test_every_other_call_has_the_token_as_bearer(walked):
    used = {call.headers["authorization"] for call, _, _ in walked.calls if not is_sign_in(call)}
    assert len(used) == 1
    assert used.pop().startswith("Bearer ")


def signed_in(wire):
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    token = requests.post(f"{wire.url}/v1/oauth/token", data=form, timeout=5).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/organizations/140/user-lookup", {"delete_all_hits": True}, 400),
        ("POST", "/v1/organizations/141/user-lookup", {"data_subject_email": "a@x.example"}, 404),
        ("GET", "/v1/sites/1401/surveys?limit=101", None, 400),
        ("GET", "/v1/sites/9/surveys", None, 404),
        ("GET", "/v1/sites/1401/surveys/9/responses", None, 404),
        ("DELETE", "/v1/sites/1401/surveys/2001/responses", None, 405),
    ],
)
def test_the_twin_refuses_what_the_vendor_would_refuse(wire, method, path, body, status):
    reply = requests.request(method, f"{wire.url}{path}", json=body, headers=signed_in(wire), timeout=5)
    assert reply.status_code == status


def test_the_twins_look_up_writes_to_the_person(wire):
    ask = {"data_subject_email": "ann@x.example", "delete_all_hits": False}
    url = f"{wire.url}/v1/organizations/140/user-lookup"
    assert requests.post(url, json=ask, headers=signed_in(wire), timeout=5).status_code == 200
    assert reports(wire) == [{"to": "ann@x.example"}]
    assert ids(wire, "responses") == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}])
def test_without_a_token_nothing_is_answered(wire, headers):
    assert requests.get(f"{wire.url}/v1/sites/1401/surveys", headers=headers, timeout=5).status_code == 401


def test_a_token_ends(wire):
    headers = signed_in(wire)
    wire.twin.settings.token_seconds = 0
    assert requests.get(f"{wire.url}/v1/sites/1401/surveys", headers=headers, timeout=5).status_code == 200
    assert requests.get(f"{wire.url}/v1/sites/1401/surveys", headers=signed_in(wire), timeout=5).status_code == 401
