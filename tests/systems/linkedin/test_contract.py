"""Every call and every answer against what LinkedIn's pages say, by hand: there is no description by the vendor.

https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users
https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segments
https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.linkedin import PageMessage, Segment
from include.systems.assuring import ListsPeople
from include.systems.erasing import Did, Exporting
from include.systems.linkedin import ERASING_CARD
from tests.systems.conformance.means import NOW
from tests.systems.social import check, described, network, obj, operation, person, some
from tests.vendor import Reply

TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "integer"}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ERROR = obj({"status": NUMBER, "message": TEXT}, serviceErrorCode=NUMBER)
SEGMENT = obj({"id": NUMBER, "name": TEXT, "type": {"enum": ["USER", "COMPANY"]}, "account": TEXT})
USER = obj(
    {
        "action": {"const": "REMOVE"},
        "userIds": some(obj({"idType": {"const": "SHA256_EMAIL"}, "idValue": HASH}), minItems=1, maxItems=1),
    }
)
CONTRACT = described(
    {
        "/rest/dmpSegments": {
            "get": operation(
                query={"q": {"const": "account"}, "account": TEXT, "start": NUMBER, "count": NUMBER},
                answers={
                    200: obj(
                        {"paging": obj({"start": NUMBER, "count": NUMBER, "total": NUMBER}), "elements": some(SEGMENT)}
                    ),
                    426: ERROR,
                },
            )
        },
        "/rest/dmpSegments/{segment}/users": {
            "post": operation(
                body=obj({"elements": some(USER, minItems=1)}),
                answers={200: obj({"elements": some(obj({"status": NUMBER}))}), 429: ERROR},
            )
        },
    }
)
ANN = person(1, email=["Ann@X.example", "past@x.example"])
BEN = person(2, email="ben@x.example")


def hashed(value):
    return sha256(value.encode()).hexdigest()


@pytest.fixture
def linkedin(quick):
    with network("linkedin") as made:
        made.twin.segments.update(
            {1: Segment(1, "Users"), 2: Segment(2, "Companies", "COMPANY"), 3: Segment(3, "Events")}
        )
        made.twin.settings.segment_hours = 0
        yield made


def sent(linkedin):
    return [call for call in linkedin.calls if call.method == "POST" and call.path.endswith("/users")]


def test_each_call_is_one_that_the_pages_describe(linkedin):
    linkedin.run(ANN, BEN)
    assert check(CONTRACT, linkedin.exchanges) == {"GET /rest/dmpSegments", "POST /rest/dmpSegments/{segment}/users"}
    for call in linkedin.calls:
        assert (call.headers["linkedin-version"], call.headers["x-restli-protocol-version"]) == ("202610", "2.0.0")
        assert call.headers["authorization"] == "Bearer AQsandbox"
    assert {call.headers["x-restli-method"] for call in sent(linkedin)} == {"BATCH_CREATE"}


def test_the_token_is_asked_about_in_a_form_and_in_no_address(linkedin):
    told = linkedin.system().access()
    (call,) = linkedin.asked("POST", "introspect")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(call.body.decode())) == {
        "client_id": "77sandbox",
        "client_secret": "sandbox-secret",
        "token": "AQsandbox",
    }
    assert (call.path, call.query) == ("/oauth/v2/introspectToken", [])
    assert (told.missing, told.excess, told.shown) == ((), (), True)
    assert told.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)


def test_all_addresses_leave_every_segment_of_people_past_ones_too(linkedin):
    for number in (1, 3):
        values = ("ann@x.example", "past@x.example", "ben@x.example", "joann@x.example")
        linkedin.twin.segments[number].members |= set(map(hashed, values))
    _, receipts, seen = linkedin.run(ANN, BEN)
    assert {record["hash"] for record in linkedin.state("audience_members")} == {hashed("joann@x.example")}
    assert [call.segments[2] for call in sent(linkedin)] == ["1", "3"]
    assert [(one.did, one.until) for one in receipts] == [(Did.ACCEPTED, NOW + timedelta(hours=48))] * 2
    assert [(one.proved, one.remaining, one.until) for one in seen] == [(False, 0, NOW + timedelta(hours=48))] * 2


def test_a_second_removal_is_answered_like_the_first(linkedin):
    first, second = linkedin.run(ANN)[1], linkedin.run(ANN)[1]
    assert first == second


def test_it_takes_the_vendor_as_long_as_it_says(linkedin):
    linkedin.twin.settings.segment_hours = 48
    linkedin.twin.segments[1].members.add(hashed("ben@x.example"))
    linkedin.run(BEN)
    assert len(linkedin.state("audience_members")) == 1
    linkedin.clock.now = NOW + timedelta(hours=49)
    assert linkedin.state("audience_members") == []


def test_people_come_in_batches(linkedin):
    people = [person(number, email=f"p{number}@x.example") for number in range(1, 6)]
    linkedin.run(*people, batch_records=2)
    assert [len(call.json["elements"]) for call in sent(linkedin)] == [2, 2, 1] * 2


def test_all_pages_of_segments_are_read(linkedin):
    linkedin.twin.segments.update({number: Segment(number, "S") for number in range(10, 240)})
    linkedin.run(BEN)
    assert len({call.segments[2] for call in sent(linkedin)}) == 232


def test_nothing_is_sent_where_there_is_no_segment_of_people(linkedin):
    linkedin.twin.segments = {2: Segment(2, "Companies", "COMPANY")}
    (found,), (receipt,), (seen,) = linkedin.run(ANN)
    assert (found.total, receipt.did, seen.proved, sent(linkedin)) == (0, Did.ABSENT, True, [])
    assert linkedin.run(ANN, ad_account_id=None)[1][0].did is Did.ABSENT


def test_messages_of_somebody_whose_account_is_known_are_left_to_a_person(linkedin):
    linkedin.twin.messages["2-1"] = PageMessage("2-1", "annlee", "A", NOW, "Hello")
    _, (receipt, other), (seen, _) = linkedin.run(person(1, account="linkedin:annlee"), person(2, account="twitter:5"))
    assert (receipt.did, receipt.until, seen.proved) == (Did.MANUAL, None, False)
    assert receipt.next_action == f"Left by hand: messages. {ERASING_CARD.instructions}"
    assert other.did is Did.ABSENT
    assert linkedin.run(person(1, account="linkedin:annlee"), page_messages=False)[1][0].did is Did.ABSENT
    assert len(linkedin.state("page_messages")) == 1


def test_a_hash_that_the_vendor_refuses_fails_for_its_person_only(linkedin):
    linkedin.twin.settings.refused.add(hashed("past@x.example"))
    _, (receipt, other), _ = linkedin.run(ANN, BEN)
    assert (receipt.did, other.did) == (Did.FAILED, Did.ACCEPTED)
    assert "refused 1 of the hashes" in receipt.next_action


def test_entries_that_fail_for_the_moment_are_sent_again_by_the_engine(linkedin):
    linkedin.faults.add(Fault("linkedin", FaultKind.PARTIAL, operation="/users"))
    with pytest.raises(Unavailable):
        linkedin.run(ANN, BEN)
    assert linkedin.run(ANN, BEN)[1][0].did is Did.ACCEPTED


@pytest.mark.parametrize("answer", [{}, {"elements": []}, {"elements": [{}, {}, {}]}, {"elements": [None] * 3}])
def test_an_answer_that_does_not_say_it_of_each_is_no_receipt(linkedin, answer):
    linkedin.instead = lambda call: Reply(200, answer) if call.method == "POST" else None
    with pytest.raises(Unavailable):
        linkedin.run(ANN, BEN)


def test_a_version_that_has_ended_is_named(linkedin):
    with pytest.raises(Refused) as raised:
        linkedin.run(ANN, version="202401")
    assert "Raise 'version'" in raised.value.next_step
    assert check(CONTRACT, linkedin.exchanges)


def test_the_vendors_limit_of_a_minute_is_waited_for(linkedin, quick):
    linkedin.twin.settings.calls_per_minute = 1
    with pytest.raises(Throttled):
        linkedin.run(ANN)
    assert linkedin.budgets.paced["linkedin/calls"] == len(linkedin.calls)


def test_the_access_without_the_secret_of_the_app_says_that_it_knows_less(linkedin):
    told = linkedin.system(client_secret=None).access()
    assert (told.shown, told.expires_at) == (False, None)
    assert told.note


def test_the_access_names_rights_that_are_too_much_and_a_token_that_has_ended(linkedin):
    linkedin.twin.settings.scopes = ("rw_dmp_segments", "r_ads", "w_member_social")
    assert linkedin.system().access().excess == ("r_ads", "w_member_social")
    linkedin.instead = lambda call: Reply(200, {"active": False}) if "oauth" in call.path else None
    with pytest.raises(Refused):
        linkedin.system().access()


def test_nothing_can_be_listed_or_exported(linkedin):
    assert not isinstance(linkedin.system(), ListsPeople)
    assert not isinstance(linkedin.system(), Exporting)


@pytest.mark.parametrize(
    "extra",
    [
        {"ad_account_id": "me"},
        {"version": "v1"},
        {"version": "202613"},
        {"batch_records": 0},
        {"calls_per_second": "x"},
    ],
)
def test_a_connection_that_lacks_something_is_refused(linkedin, extra):
    with pytest.raises(Refused) as raised:
        linkedin.system(**extra)
    assert next(iter(extra)) in raised.value.next_step
