"""What Meta's pages say of the calls that are made, by hand: there is no description that may be kept here.

https://developers.facebook.com/docs/graph-api/reference/page/feed/
https://developers.facebook.com/docs/graph-api/reference/object/comments/
https://developers.facebook.com/docs/graph-api/reference/comment
https://developers.facebook.com/docs/graph-api/batch-requests
https://developers.facebook.com/docs/messenger-platform/conversations
https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences/
https://developers.facebook.com/docs/marketing-api/reference/ad-account/usersofanyaudience/
https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/comments
"""

import json
from urllib.parse import parse_qsl

from tests.openapi import fields
from tests.systems.social import Exchange, described, obj, operation, some
from tests.vendor import Call

TEXT = {"type": "string", "minLength": 1}
ID = {"type": "string", "pattern": "^[0-9]+(_[0-9]+)?$"}
COUNT = {"type": "integer", "minimum": 1, "maximum": 100}
CURSORS = obj({"before": TEXT, "after": TEXT})
PAGING = obj({"cursors": CURSORS}, next=TEXT)
PERSON = obj({"id": TEXT}, name={"type": "string"}, username={"type": "string"})
ERROR = obj(
    {
        "error": obj(
            {"message": TEXT, "type": TEXT, "code": {"type": "integer"}, "fbtrace_id": TEXT},
            error_subcode={"type": "integer"},
        )
    }
)


def listed(entry):
    return obj({"data": some(entry)}, paging=PAGING)


FLAT = obj({"id": ID, "from": PERSON, "message": TEXT, "created_time": TEXT}, parent=obj({"id": ID}))
POST = obj({"id": ID, "from": PERSON, "message": TEXT, "created_time": TEXT}, comments=listed(FLAT))
ANSWER = obj({"id": ID, "from": PERSON, "text": TEXT, "timestamp": TEXT})
COMMENT = obj({"id": ID, "from": PERSON, "text": TEXT, "timestamp": TEXT}, replies=listed(ANSWER))
MEDIUM = obj({"id": ID, "text": TEXT, "timestamp": TEXT}, comments=listed(COMMENT))
THREAD = obj({"id": TEXT, "participants": obj({"data": some(PERSON)})})
MESSAGE = obj({"id": TEXT, "from": PERSON, "message": TEXT, "created_time": TEXT})
LIST = {"fields": TEXT, "limit": COUNT, "after?": TEXT}
PART = obj({"code": {"type": "integer"}, "body": TEXT})
BATCH = operation(
    body=obj({"access_token": TEXT, "batch": TEXT, "include_headers": {"enum": ["false"]}}),
    kind="multipart/form-data",
    answers={200: some(PART, maxItems=50), 400: ERROR},
)

CALLS = described(
    {
        "/v25.0": {"post": BATCH},
        "/v25.0/{page}": {
            "get": operation(query={"fields": TEXT}, answers={200: obj({"id": ID}, access_token=TEXT), 400: ERROR})
        },
        "/v25.0/{page}/feed": {"get": operation(query=LIST, answers={200: listed(POST), 400: ERROR})},
        "/v25.0/{account}/media": {"get": operation(query=LIST, answers={200: listed(MEDIUM), 400: ERROR})},
        "/v25.0/{text}/comments": {
            "get": operation(
                query={**LIST, "filter?": {"enum": ["stream"]}},
                answers={200: listed({"anyOf": [FLAT, COMMENT]}), 400: ERROR},
            )
        },
        "/v25.0/{comment}/replies": {"get": operation(query=LIST, answers={200: listed(ANSWER), 400: ERROR})},
        "/v25.0/{page}/conversations": {
            "get": operation(
                query={**LIST, "platform": {"enum": ["messenger", "instagram"]}},
                answers={200: listed(THREAD), 400: ERROR},
            )
        },
        "/v25.0/{thread}/messages": {"get": operation(query=LIST, answers={200: listed(MESSAGE), 400: ERROR})},
        "/v25.0/{account}/customaudiences": {
            "get": operation(
                query=LIST, answers={200: listed(obj({"id": ID, "subtype": TEXT, "name": TEXT})), 400: ERROR}
            )
        },
        "/v25.0/{account}/usersofanyaudience": {
            "delete": operation(
                body=obj({"payload": TEXT}),
                kind="multipart/form-data",
                answers={
                    200: obj(
                        {
                            "session_id": TEXT,
                            "num_received": {"type": "integer"},
                            "num_invalid_entries": {"type": "integer"},
                            "invalid_entry_samples": {"type": "object"},
                        }
                    ),
                    400: ERROR,
                },
            )
        },
    }
)
"""The calls that are made alone."""

PARTS = described(
    {
        "/{text}": {"delete": operation(answers={200: obj({"success": {"const": True}}), 400: ERROR, 403: ERROR})},
        "/debug_token": {
            "get": operation(query={"input_token": TEXT}, answers={200: obj({"data": {"type": "object"}}), 400: ERROR})
        },
        "/{page}/conversations": {
            "get": operation(
                query={"platform": {"enum": ["messenger", "instagram"]}, "user_id": TEXT, "fields": TEXT},
                answers={200: listed(THREAD), 400: ERROR},
            )
        },
    }
)
"""The calls that are made in a batch."""


def parts(exchange: Exchange) -> list[Exchange]:
    """The calls of a batch and their answers, as if each had been made alone."""
    steps = json.loads(dict(fields(exchange.call))["batch"])
    found = []
    for step, answer in zip(steps, exchange.body, strict=True):
        path, _, query = step["relative_url"].partition("?")
        call = Call(step["method"], f"/{path}", parse_qsl(query), {}, b"")
        found.append(Exchange(call, answer["code"], json.loads(answer["body"])))
    return found


def payload(call: Call) -> dict[str, object]:
    """What a removal from all audiences carries."""
    found: dict[str, object] = json.loads(dict(fields(call))["payload"])
    return found
