"""What is sent, and what the twin answers, against Google's discovery documents; OAuth against its own pages.

OAuth has no discovery document for these two: https://developers.google.com/identity/protocols/oauth2/web-server
(offline access, revoking a token) and RFC 6749, sections 5.1, 5.2 and 6.
"""

import pytest

from include.policy.persons import IdentifierKind
from include.sandbox.google import Answer, Call
from include.sandbox.google_workspace import CALENDAR, CONTACTS, GMAIL
from tests.discovery import discovery
from tests.systems.conformance.means import Somebody

APIS = {"/gmail/": "gmail.v1", "/calendar/": "calendar.v3", "/v1/people": "people.v1"}
ANN = Somebody(
    1,
    {
        IdentifierKind.EMAIL: ["ann@example.com"],
        IdentifierKind.OAUTH_TOKEN: ["google:1//ann"],
        IdentifierKind.NOTIFICATION_CHANNEL: ["google:c1/r1", "google:c2/r2"],
    },
)


@pytest.fixture
def exchanges(google):
    google.twin.allow("1//ann", "ann@example.com", (GMAIL, CALENDAR, CONTACTS), watch=True)
    google.twin.open_channel("1//ann", "c1", "r1")
    google.twin.add_contact("1//ann", "people/c1", "Ann@example.com")
    subjects = [ANN.subject()]
    with google.system(contacts=True) as system:
        system.access()
        list(system.export(subjects))
        system.verify(subjects, system.erase(system.find(subjects)))
    assert google.left() == set()
    return google.wire.exchanges


@pytest.mark.parametrize(("part", "name"), APIS.items())
def test_the_apis_are_called_as_their_discovery_documents_say(exchanges, part, name):
    document = discovery(name)
    mine = [each for each in exchanges if each.path.startswith(part)]
    assert mine
    for each in mine:
        call = Call(each.method, each.path, each.query, each.headers, each.body, "")
        document.check_call(call)
        headers = {"content-type": each.media} if each.media else {}
        document.check_answer(call, Answer(each.status, each.answer, headers))


def test_a_token_is_asked_for_and_revoked_with_forms(exchanges):
    asked = [each for each in exchanges if each.path == "/token"]
    revoked = [each for each in exchanges if each.path == "/revoke"]
    assert asked
    assert revoked
    for each in [*asked, *revoked]:
        assert each.headers["content-type"] == "application/x-www-form-urlencoded"
        assert not each.query
    fields = {"client_id", "client_secret", "grant_type", "refresh_token"}
    assert all(set(each.sent) == fields and each.sent["grant_type"] == "refresh_token" for each in asked)
    assert [set(each.sent) for each in revoked] == [{"token"}]
    for each in asked:
        if each.status == 200:
            assert {"access_token", "expires_in", "token_type"} <= each.got.keys()
        else:
            assert (each.status, each.got["error"]) == (400, "invalid_grant")


def test_channels_are_stopped_before_the_grant_is_revoked(exchanges):
    paths = [each.path for each in exchanges]
    revoked = paths.index("/revoke")
    assert max(n for n, path in enumerate(paths) if path.endswith("stop") or "Delete" in path) < revoked
