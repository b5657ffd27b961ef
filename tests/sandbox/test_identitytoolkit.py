"""The sandbox's Identity Toolkit, driven by plain requests; the traps are those of the real service."""

import pytest
import requests

from include.sandbox.faults import FaultKind
from include.sandbox.identitytoolkit import Account
from tests.google_twins import NOW, PROJECT

MS = int(NOW.timestamp() * 1000)


@pytest.fixture
def twin(auth_server):
    with auth_server.fresh() as twin:
        yield twin


def call(twin, method, verb, body=None, *, tenant="", authorization="Bearer x", **query):
    path = f"/v1/projects/{PROJECT}" + (f"/tenants/{tenant}" if tenant else "") + f"/accounts{verb}"
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.request(method, twin.url + path, json=body, params=query, headers=headers, timeout=5)
    return answer.status_code, answer.json()


def post(twin, verb, body, **more):
    return call(twin, "POST", verb, body, **more)


def message(answer):
    return answer[0], answer[1]["error"]["message"]


def ids(twin, tenant=""):
    return [account.local_id for account in twin.sandbox.accounts(tenant)]


def test_an_account_is_made_looked_up_changed_and_deleted(twin):
    status, made = post(twin, "", {"localId": "u1", "email": "Ann@Example.com", "displayName": "Ann"})
    assert (status, made["localId"], made["email"]) == (200, "u1", "ann@example.com")
    assert (
        post(twin, ":update", {"localId": "u1", "disableUser": True, "lastLoginAt": "1000", "validSince": "5"})[0]
        == 200
    )
    for wanted in ({"localId": ["u1"]}, {"email": ["ANN@example.com"]}, {"initialEmail": ["ann@example.com"]}):
        (user,) = post(twin, ":lookup", wanted)[1]["users"]
        assert (user["localId"], user["disabled"], user["lastLoginAt"], user["createdAt"]) == (
            "u1",
            True,
            "1000",
            str(MS),
        )
    assert post(twin, ":delete", {"localId": "u1"})[0] == 200
    assert message(post(twin, ":delete", {"localId": "u1"})) == (400, "USER_NOT_FOUND")


def test_a_look_up_without_a_hit_has_no_users(twin):
    status, body = post(twin, ":lookup", {"localId": ["nobody"]})
    assert (status, "users" in body) == (200, False)


def test_an_old_address_is_found_as_initial_email(twin):
    twin.sandbox.seed([Account("u1", email="old@example.com")])
    post(twin, ":update", {"localId": "u1", "email": "new@example.com", "deleteAttribute": ["DISPLAY_NAME"]})
    assert "users" not in post(twin, ":lookup", {"email": ["old@example.com"]})[1]
    assert len(post(twin, ":lookup", {"initialEmail": ["old@example.com"]})[1]["users"]) == 1


def test_a_look_up_takes_a_hundred_identifiers(twin):
    twin.sandbox.seed(Account(f"u{i}") for i in range(101))
    assert len(post(twin, ":lookup", {"localId": [f"u{i}" for i in range(100)]})[1]["users"]) == 100
    assert post(twin, ":lookup", {"localId": [f"u{i}" for i in range(101)]})[0] == 400
    assert post(twin, ":lookup", {})[0] == 400


def test_a_batch_deletion_without_force_refuses_enabled_accounts_inside_a_200(twin):
    twin.sandbox.seed([Account("on"), Account("off", disabled=True)])
    status, body = post(twin, ":batchDelete", {"localIds": ["off", "on"]})
    (error,) = body["errors"]
    assert (status, error["index"], error["localId"]) == (200, 1, "on")
    assert error["message"].startswith("NOT_DISABLED : ")
    assert ids(twin) == ["on"]


def test_a_batch_deletion_ignores_unknown_and_repeated_ids(twin):
    twin.sandbox.seed([Account("a"), Account("b")])
    assert post(twin, ":batchDelete", {"localIds": ["a", "nobody", "a"], "force": True}) == (200, {})
    assert ids(twin) == ["b"]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_deletion_takes_one_to_a_thousand_ids(twin, count):
    answer = post(twin, ":batchDelete", {"localIds": [f"u{i}" for i in range(count)], "force": True})
    assert message(answer) == (400, "LOCAL_ID_LIST_EXCEEDS_LIMIT")


def test_a_partial_fault_fails_every_second_id(twin):
    twin.sandbox.seed(Account(f"u{i}") for i in range(4))
    twin.fail(FaultKind.PARTIAL, ":batchDelete")
    _, body = post(twin, ":batchDelete", {"localIds": [f"u{i}" for i in range(4)], "force": True})
    assert [error["index"] for error in body["errors"]] == [1, 3]
    assert ids(twin) == ["u1", "u3"]


@pytest.mark.parametrize(("size", "pages"), [(1, 7), (3, 3), (7, 1), (1000, 1)])
def test_pages_are_complete_and_survive_deletions(twin, size, pages):
    twin.sandbox.seed(Account(f"u{i}") for i in range(7))
    found, token, count = [], None, 0
    while True:
        query = {"maxResults": size, **({"nextPageToken": token} if token else {})}
        _, body = call(twin, "GET", ":batchGet", **query)
        found += [user["localId"] for user in body["users"]]
        count += 1
        token = body.get("nextPageToken")
        if not token:
            break
        post(twin, ":delete", {"localId": found[-1]})
    assert (found, count) == ([f"u{i}" for i in range(7)], pages)


def test_a_page_has_twenty_accounts_unless_asked(twin):
    twin.sandbox.seed(Account(f"u{i}") for i in range(30))
    assert len(call(twin, "GET", ":batchGet")[1]["users"]) == 20


def test_a_query_sorts_pages_and_counts(twin):
    twin.sandbox.seed(Account(f"u{i}", created_at=1000 - i, last_login_at=i or None) for i in range(10))
    _, body = post(twin, ":query", {"sortBy": "CREATED_AT", "limit": "3", "offset": "2"})
    assert [user["localId"] for user in body["userInfo"]] == ["u7", "u6", "u5"]
    _, body = post(twin, ":query", {"sortBy": "LAST_LOGIN_AT", "order": "DESC", "limit": "1"})
    assert [user["localId"] for user in body["userInfo"]] == ["u9"]
    assert post(twin, ":query", {"returnUserInfo": False}) == (200, {"recordsCount": "10"})
    assert post(twin, ":query", {"expression": [{"userId": "u3"}]})[1]["recordsCount"] == "1"


def test_a_tenant_has_its_own_accounts(twin):
    twin.sandbox.seed([Account("a"), Account("b", tenant="t1")])
    assert [u["localId"] for u in call(twin, "GET", ":batchGet", tenant="t1")[1]["users"]] == ["b"]
    assert [u["localId"] for u in call(twin, "GET", ":batchGet", tenantId="t1")[1]["users"]] == ["b"]
    assert post(twin, ":batchDelete", {"localIds": ["a", "b"], "force": True}, tenant="t1") == (200, {})
    assert (ids(twin), ids(twin, "t1")) == (["a"], [])
    assert call(twin, "GET", ":batchGet", tenant="t2")[0] == 400
    assert post(twin, ":lookup", {"localId": ["a"], "tenantId": "other"}, tenant="t1")[0] == 400


def test_without_a_bearer_token_nothing_is_answered(twin):
    for authorization in ("", "Basic eA==", "Bearer "):
        assert call(twin, "GET", ":batchGet", authorization=authorization)[0] == 401


def test_a_known_id_or_address_is_not_given_twice(twin):
    twin.sandbox.seed([Account("a", email="a@example.com")])
    assert message(post(twin, "", {"localId": "a"})) == (400, "DUPLICATE_LOCAL_ID")
    assert message(post(twin, "", {"email": "A@example.com"})) == (400, "EMAIL_EXISTS")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        (":lookup", {"localIds": ["a"]}),
        (":lookup", {"localId": "a"}),
        (":lookup", {"localId": [1]}),
        (":batchDelete", {"localIds": ["a"], "Force": True}),
        (":batchDelete", {"localIds": ["a"], "force": "true"}),
        (":update", {"localId": "a", "disabled": True}),
        (":update", {"localId": "a", "lastLoginAt": "yesterday"}),
        (":delete", {"local_id": "a"}),
        (":query", {"sortBy": "AGE"}),
        (":query", {"limit": 501}),
        ("", {"uid": "a"}),
    ],
)
def test_what_google_does_not_know_is_refused(twin, verb, body):
    status, answer = post(twin, verb, body)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    twin.problems.clear()


@pytest.mark.parametrize("query", [{"pageToken": "x"}, {"maxResults": 0}, {"maxResults": 1001}, {"maxResults": "many"}])
def test_an_unknown_or_wrong_parameter_is_refused(twin, query):
    assert call(twin, "GET", ":batchGet", **query)[0] == 400
    twin.problems.clear()


@pytest.mark.parametrize(("path", "status"), [("other/accounts:batchGet", 403), (f"{PROJECT}/accounts:lookup", 404)])
def test_another_project_or_method_is_refused(twin, path, status):
    address = f"{twin.url}/v1/projects/{path}"
    assert requests.get(address, headers={"Authorization": "Bearer x"}, timeout=5).status_code == status
    twin.problems.clear()
