"""Every request and every answer of the twin against what the vendor's pages say; there is no description to read.

https://www.typeform.com/developers/responses/reference/retrieve-responses/
https://www.typeform.com/developers/responses/reference/delete-responses/
https://www.typeform.com/developers/create/reference/retrieve-forms/
https://www.typeform.com/developers/create/reference/retrieve-your-own-account/
"""

import pytest

from tests.systems.typeform.answers import ANN, BOB, DEMO, EVENT, answer
from tests.systems.wire import contract

TEXT, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
IDS = {"type": "string", "pattern": r"^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+){0,999}$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
ANSWER = {
    "type": "object",
    "required": ["field", "type"],
    "properties": {
        "field": {"type": "object", "required": ["id", "type", "ref"]},
        "type": {"enum": ["email", "text", "file_url", "choice", "choices", "boolean", "number", "date", "url"]},
        "email": TEXT,
        "text": TEXT,
        "file_url": {"type": "string", "pattern": "^https://"},
    },
}
RESPONSE = {
    "type": "object",
    "required": ["landing_id", "token", "response_id", "landed_at", "submitted_at", "metadata", "hidden", "calculated"],
    "properties": {
        "response_type": {"enum": ["started", "partial", "completed"]},
        "landed_at": TIME,
        "submitted_at": TIME,
        "hidden": {"type": "object", "additionalProperties": TEXT},
        "answers": {"type": "array", "items": ANSWER},
        "variables": {"type": "array"},
    },
}


def lists(item):
    return {
        "type": "object",
        "required": ["total_items", "page_count", "items"],
        "properties": {"total_items": COUNT, "page_count": COUNT, "items": {"type": "array", "items": item}},
    }


def answers(schema):
    return {"200": {"content": {"application/json": {"schema": schema}}}}


def query(name, schema, **more):
    return {"name": name, "in": "query", "schema": schema, **more}


DESCRIPTION = contract(
    {
        "/me": {"get": {"responses": answers({"type": "object", "required": ["alias", "email", "language"]})}},
        "/forms": {
            "get": {
                "parameters": [
                    query("page", {"type": "integer", "minimum": 1}),
                    query("page_size", {"type": "integer", "minimum": 1, "maximum": 200}),
                ],
                "responses": answers(lists({"type": "object", "required": ["id", "title"]})),
            }
        },
        "/forms/{form_id}/responses": {
            "get": {
                "parameters": [
                    query("page_size", {"type": "integer", "minimum": 1, "maximum": 1000}),
                    query("response_type", {"type": "string", "pattern": "^(started|partial|completed)(,[a-z]+)*$"}),
                    query("before", TEXT),
                    query("included_response_ids", IDS),
                ],
                "responses": answers(lists(RESPONSE)),
            },
            "delete": {
                "parameters": [query("included_response_ids", IDS, required=True)],
                "responses": answers({"type": "object"}),
            },
        },
    }
)


@pytest.fixture
def walked(wire, system, monkeypatch):
    """Everything that the module can do, once."""
    monkeypatch.setattr("include.systems.typeform.calls.PAGE", 2)
    wire.twin.seed(
        [
            answer("a", email="ann@x.example", text="hello", file_url="https://api.typeform.com/files/a.pdf"),
            answer("b", sent=False, hidden={"user_id": "u-ann"}),
            answer("c", form=EVENT, text="bob@x.example"),
            *(answer(f"d{number}", form=DEMO) for number in range(4)),
        ]
    )
    subjects = [ANN.subject(), BOB.subject()]
    system.access()
    list(system.export(subjects))
    list(system.people())
    system.verify(subjects, system.erase(system.find(subjects)))
    return wire


def test_every_call_and_every_answer_is_one_that_the_pages_describe(walked):
    assert walked.check(DESCRIPTION) == {
        "GET /me",
        "GET /forms",
        "GET /forms/{form_id}/responses",
        "DELETE /forms/{form_id}/responses",
    }


def test_every_call_has_the_token_as_bearer(walked):
    assert {call.headers["authorization"] for call, _, _ in walked.calls} == {"Bearer tfp_sandbox"}


def test_a_page_is_never_continued_and_sorted_at_once(walked):
    assert not [call for call, _, _ in walked.calls if "sort" in dict(call.query)]


@pytest.mark.parametrize(
    ("method", "path", "params", "status", "code"),
    [
        ("DELETE", "/forms/aB3dEmo1/responses", {}, 400, "INVALID_PARAMETER"),
        ("DELETE", "/forms/aB3dEmo1/responses", {"included_response_ids": ",".join(map(str, range(1001)))}, 400, None),
        ("GET", "/forms/aB3dEmo1/responses", {"page_size": 1001}, 400, None),
        ("GET", "/forms/aB3dEmo1/responses", {"before": "unknown"}, 400, None),
        ("GET", "/forms/aB3dEmo1/responses", {"before": "a", "sort": "landed_at,asc"}, 400, None),
        ("GET", "/forms/nope/responses", {}, 404, "FORM_NOT_FOUND"),
    ],
)
def test_the_twin_refuses_what_the_vendor_would_refuse(wire, system, method, path, params, status, code):
    wire.twin.seed([answer("a")])
    reply = system._calls._http.call(method, path, tried="try it", params=params, also=(400, 404))
    assert reply.status == status
    assert code in (None, reply.json["code"])
    assert len(wire.state()) == 1


def test_without_a_token_nothing_is_answered(wire):
    import requests

    reply = requests.get(f"{wire.url}/forms", timeout=5)
    assert (reply.status_code, reply.json()["code"]) == (401, "AUTHENTICATION_FAILED")
