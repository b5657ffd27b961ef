"""Every call and every answer against what Meta's pages say; see ``tests/systems/meta/contract.py``."""

from include.systems.facebook import ERASING_CARD
from tests.systems.meta.contract import CALLS, PARTS, parts, payload
from tests.systems.social import check, person

ANN = person(1, email=["Ann@x.example", "past@x.example"], phone="+1 555 987 6543", account="facebook:107")
BEN = person(2, email="ben@x.example", account="facebook:108")


def used(facebook):
    batches = [one for one in facebook.exchanges if one.call.method == "POST"]
    alone = check(CALLS, facebook.exchanges)
    return alone, check(PARTS, [part for batch in batches for part in parts(batch)])


def test_each_call_is_one_that_the_pages_describe(facebook, page):
    for number in range(130):
        page.says(f"1000_{number + 1}", "107" if number % 2 else "999")
    page.says("1000_500", "999", "1000_2")
    page.writes("t_1", "107", "Hi")
    facebook.run(ANN, BEN)
    system = facebook.system()
    assert [each.ref for each in system.export([ANN, BEN])] == [ANN.ref, BEN.ref]
    assert list(system.people())
    system.access()
    system.close()
    alone, inside = used(facebook)
    assert alone == {
        "POST /v25.0",
        "GET /v25.0/{page}",
        "GET /v25.0/{page}/feed",
        "GET /v25.0/{text}/comments",
        "GET /v25.0/{page}/conversations",
        "GET /v25.0/{thread}/messages",
        "GET /v25.0/{account}/customaudiences",
        "DELETE /v25.0/{account}/usersofanyaudience",
    }
    assert inside == {"DELETE /{text}", "GET /debug_token", "GET /{page}/conversations"}


def test_what_is_refused_is_refused_as_the_pages_say(facebook, page):
    page.says("1000_1", "107")
    facebook.twin.settings.undeletable.add("1000_1")
    facebook.run(ANN)
    assert used(facebook)[1]


def test_a_token_is_in_no_address_and_the_vendors_next_page_is_not_followed(facebook, page):
    for number in range(230):
        page.says(f"1000_{number + 1}", "107")
    facebook.run(ANN)
    facebook.system().access()
    assert len(facebook.asked("GET", "/comments")) == 2
    for call in facebook.calls:
        assert not {"access_token", "input_token"} & {name for name, _ in call.query}
        assert call.headers.get("authorization", "Bearer EAA").startswith("Bearer EAA")


def test_the_payload_has_hashes_by_schema_and_nothing_else(facebook, page):
    facebook.run(ANN)
    sent = [payload(call) for call in facebook.asked("DELETE", "usersofanyaudience")]
    assert [set(one) for one in sent] == [{"schema", "data"}] * 2
    assert {one["schema"]: len(one["data"]) for one in sent} == {"EMAIL_SHA256": 2, "PHONE_SHA256": 1}
    # The phone number is the vendor's own example.
    assert sent[1]["data"] == ["1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e"]


def test_the_rights_of_the_card_are_those_of_the_pages():
    assert set(ERASING_CARD.scopes) == {
        "ads_management",
        "pages_manage_engagement",
        "pages_messaging",
        "pages_read_engagement",
        "pages_read_user_content",
    }
