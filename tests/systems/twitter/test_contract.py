"""Every call and every answer against what X's pages say, by hand: the vendor's description may not be kept here.

https://developer.x.com/en/docs/x-ads-api/audiences/api-reference/custom-audience-users
https://developer.x.com/en/docs/x-ads-api/audiences/api-reference/custom-audiences
https://docs.x.com/x-api/direct-messages/get-dm-events
https://docs.x.com/x-api/direct-messages/delete-dm-event
https://docs.x.com/x-api/users/get-my-user
"""

import re

from tests.systems.social import check, described, obj, operation, person, some

TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "integer"}
HASHES = some({"type": "string", "pattern": "^[0-9a-f]{64}$"}, minItems=1)
KINDS = {"email": HASHES, "twitter_id": HASHES}
ADS_ERROR = {"type": "object", "required": ["errors"]}
ERROR = obj({"title": TEXT, "detail": TEXT, "type": TEXT, "status": NUMBER})
EVENT = obj(
    {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event_type": {"const": "MessageCreate"},
        "sender_id": TEXT,
        "dm_conversation_id": TEXT,
        "created_at": TEXT,
        "text": TEXT,
    }
)
AUDIENCE = obj({"id": TEXT, "name": TEXT, "audience_type": TEXT, "owner_account_id": TEXT})
REQUEST = {"type": "object"}
OPERATION = obj(
    {
        "operation_type": {"const": "Delete"},
        "params": obj({"users": some({"type": "object", "properties": KINDS, "minProperties": 1}, minItems=1)}),
    }
)
CONTRACT = described(
    {
        "/2/users/me": {
            "get": operation(answers={200: obj({"data": obj({"id": TEXT, "name": TEXT, "username": TEXT})})})
        },
        "/2/dm_events": {
            "get": operation(
                query={
                    "dm_event.fields": TEXT,
                    "event_types": {"const": "MessageCreate"},
                    "max_results": {"type": "integer", "minimum": 1, "maximum": 100},
                    "pagination_token?": TEXT,
                },
                answers={
                    200: obj({"meta": obj({"result_count": NUMBER}, next_token=TEXT)}, data=some(EVENT, minItems=1)),
                    429: ERROR,
                },
            )
        },
        "/2/dm_events/{id}": {
            "delete": operation(
                answers={200: obj({"data": obj({"deleted": {"const": True}})}), 403: ERROR, 404: ERROR, 429: ERROR}
            )
        },
        "/12/accounts/{account}/custom_audiences": {
            "get": operation(
                query={
                    "count": {"type": "integer", "minimum": 1, "maximum": 1000},
                    "permission_scope": {"enum": ["OWNER", "SHARED"]},
                    "cursor?": TEXT,
                },
                answers={
                    200: obj({"request": REQUEST, "data": some(AUDIENCE), "next_cursor": {"type": ["string", "null"]}})
                },
            )
        },
        "/12/accounts/{account}/custom_audiences/{audience}/users": {
            "post": operation(
                body=some(OPERATION, minItems=1, maxItems=2500),
                answers={
                    200: obj({"request": REQUEST, "data": obj({"success_count": NUMBER, "total_count": NUMBER})}),
                    400: ADS_ERROR,
                },
            )
        },
    }
)
ANN = person(1, email=["Ann@x.example", "past@x.example"], account="twitter:143567")


def test_each_call_is_one_that_the_pages_describe(twitter, account):
    for number in range(1000, 1130):
        account.got(str(number), "143567")
    twitter.run(ANN)
    system = twitter.system()
    system.access()
    assert list(system.export([ANN]))
    assert list(system.people()) == []
    system.close()
    assert check(CONTRACT, twitter.exchanges) == {
        "GET /2/users/me",
        "GET /2/dm_events",
        "DELETE /2/dm_events/{id}",
        "GET /12/accounts/{account}/custom_audiences",
        "POST /12/accounts/{account}/custom_audiences/{audience}/users",
    }


def test_every_call_is_signed_for_itself(twitter, account):
    account.got("1000", "143567")
    twitter.run(ANN)
    nonces = [re.search(r'oauth_nonce="([^"]+)"', call.headers["authorization"])[1] for call in twitter.calls]
    assert len(set(nonces)) == len(nonces) > 3
    assert {exchange.status for exchange in twitter.exchanges} == {200}


def test_a_refusal_is_as_the_pages_say(twitter, account):
    account.got("1000", "143567")
    twitter.twin.settings.received_deletable = False
    twitter.run(ANN)
    assert check(CONTRACT, twitter.exchanges)
    assert 403 in {exchange.status for exchange in twitter.exchanges}
