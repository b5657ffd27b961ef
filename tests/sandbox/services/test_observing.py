"""The twins of services that watch and collect: what an estate leaves there, and what they refuse."""

from datetime import UTC, datetime

import pytest

from include.sandbox.estate import Estate
from include.sandbox.services import SERVICES
from tests.sandbox.services.kit import running

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
KEYS = ("firebase_performance", "looker_studio", "new_relic", "phantombuster", "tag_manager")
QUESTIONS = {
    "firebase_performance": ("GET", "/v1beta1/projects/clique-sandbox"),
    "looker_studio": ("GET", "/v1/assets:search?assetTypes=REPORT"),
    "new_relic": ("POST", "/graphql"),
    "phantombuster": ("GET", "/api/v2/agents/fetch-all"),
    "tag_manager": ("GET", "/tagmanager/v2/accounts/6001/containers/7001"),
}
KEY = {"Authorization": "Bearer t", "X-Phantombuster-Key": "k", "API-Key": "k"}


@pytest.fixture(scope="module")
def estate():
    return Estate(NIGHT, people=400, workspaces=8)


@pytest.fixture(scope="module", params=KEYS)
def filled(request, estate):
    with running(request.param, SERVICES[request.param].build) as server:
        server.now = NIGHT
        SERVICES[request.param].fill(estate, server.twin)
        yield server


def words(server):
    return " ".join(str(record).lower() for _, record in server.twin.records())


def test_some_of_the_people_are_there_and_some_who_look_alike(filled, estate):
    text = words(filled)
    if filled.name == "firebase_performance":
        known = [fid for one in estate.identities.values() for fid in one.installation_ids]
        mine = [fid for fid in known if fid.lower() in text]
        assert len(known) > len(mine) > len(known) / 2
        return
    found = [person for person in estate.people if person.email in text or person.email.replace("@", "%40") in text]
    assert 0 < len(found) < len(estate.people) / 4
    assert any(mark in text for mark in ("jo-", ".example", "+shop", "%2bshop"))


def test_the_same_estate_leaves_the_same(filled):
    first = list(filled.twin.records())
    filled.twin.reset()
    SERVICES[filled.name].fill(Estate(NIGHT, people=400, workspaces=8), filled.twin)
    assert list(filled.twin.records()) == first


def test_nobody_is_answered_without_a_key(filled):
    method, path = QUESTIONS[filled.name]
    assert filled.call(method, path)[0] == 401
    body = {"query": "query($a:Int!){actor{account(id:$a){id}}}", "variables": {"a": 4200001}}
    more = {"json": body} if method == "POST" else {}
    assert filled.call(method, path, headers=KEY, **more)[0] == 200


def test_what_it_does_not_offer_is_refused(filled):
    before = list(filled.twin.records())
    assert filled.call("DELETE", "/", headers=KEY)[0] in (404, 405)
    assert filled.call("PUT", "/v1/everything", headers=KEY)[0] in (404, 405)
    assert list(filled.twin.records()) == before


def test_events_of_new_relic_end_with_their_retention(estate):
    with running("new_relic", SERVICES["new_relic"].build) as server:
        server.now = NIGHT
        SERVICES["new_relic"].fill(estate, server.twin)
        assert server.counts()["events"] > 400
        server.twin.settings.rules = {}
        server.twin.settings.subscription_days = 1
        assert 0 < server.counts()["events"] < 400


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM Log WHERE message LIKE 'a' OR",
        "SELECT * FROM Log WHERE drop(message) LIKE 'a'",
        "DELETE FROM Log",
        "SELECT * FROM Log WHERE message LIKE 'a",
        "SELECT * FROM Log LIMIT many",
        "SELECT sum(x) FROM Log",
        "SELECT * FROM Log WHERE message LIKE '" + "a" * 5000 + "'",
    ],
)
def test_what_is_no_nrql_is_an_error_inside_of_an_accepted_answer(query):
    with running("new_relic", SERVICES["new_relic"].build) as server:
        ask = "query($a:Int!,$q:Nrql!){actor{account(id:$a){nrql(query:$q,timeout:60){results}}}}"
        body = {"query": ask, "variables": {"a": 4200001, "q": query}}
        status, answer = server.call("POST", "/graphql", headers=KEY, json=body)
        assert (status, answer["data"], len(answer["errors"])) == (200, None, 1)


@pytest.mark.parametrize("query", ["", "{", "{actor{account(id:1){id}}} more", "{actor{user{email}}}", "{everything}"])
def test_what_the_schema_does_not_have_is_an_error_likewise(query):
    with running("new_relic", SERVICES["new_relic"].build) as server:
        status, answer = server.call("POST", "/graphql", headers=KEY, json={"query": query})
        assert (status, len(answer["errors"])) == (200, 1)


def test_lists_of_phantombuster_filter_leads(estate):
    with running("phantombuster", SERVICES["phantombuster"].build) as server:
        SERVICES["phantombuster"].fill(estate, server.twin)
        total = server.counts()["leads"]
        body = {"name": "A", "filter": {"filter": {"firstName": {"operator": "contains", "valueToCompare": "a"}}}}
        number = server.call("POST", "/api/v2/org-storage/lists/save", headers=KEY, json=body)[1]["id"]
        options = {"paginationOptions": {"paginationSize": 1000, "includeTotalCount": True, "paginationOrder": "DESC"}}
        path = f"/api/v2/org-storage/leads/by-list/{number}"
        answer = server.call("POST", path, headers=KEY, json=options)[1]
        assert 0 < answer["totalCount"] < total
        assert all("a" in lead["firstName"].lower() for lead in answer["leads"])
        assert len(answer["leads"]) <= 100
        assert server.call("POST", "/api/v2/org-storage/lists/delete", headers=KEY, json={"id": number})[0] == 200
        assert server.call("POST", path, headers=KEY, json=options)[0] == 400


@pytest.mark.parametrize("body", [{}, {"ids": "1"}, {"ids": [1]}, {"ids": ["1"], "all": True}])
def test_a_deletion_of_leads_takes_ids_and_nothing_else(estate, body):
    with running("phantombuster", SERVICES["phantombuster"].build) as server:
        SERVICES["phantombuster"].fill(estate, server.twin)
        before = server.counts()
        assert server.call("POST", "/api/v2/org-storage/leads/delete-many", headers=KEY, json=body)[0] == 400
        assert server.counts() == before
