"""Does the key work, and may it do what the module needs and not more: asked without a look at anybody."""

import pytest

from include.connection import Connection
from include.errors import PrivacyError, Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.systems import registry
from include.systems.assuring import ChecksAccess
from tests.systems.persons import means
from tests.vendor import Reply, vendor

EXISTING = ("cloud_storage", "elasticsearch", "firebase_auth", "firestore", "mailgun", "redis", "sendgrid")
NEW = ("google_sign_in", "google_workspace", "linkedin_sign_in", "microsoft_graph")


@pytest.mark.parametrize("system", [*EXISTING, *NEW])
def test_every_system_answers_and_nothing_is_changed(room_of, system):
    room = room_of(system)
    room.estate(people=5)
    connected = room.connect()
    assert isinstance(connected, ChecksAccess)
    with room.unchanged() if system in EXISTING[:6] and system != "mailgun" else open("/dev/null"):
        access = connected.access()
    assert access.missing == ()
    assert access.note.endswith(".")


@pytest.mark.parametrize("system", [*(name for name in EXISTING if name != "redis"), *NEW])
def test_a_key_that_is_not_accepted_is_an_error_that_names_the_system(room_of, system):
    room = room_of(system)
    room.estate(people=1)
    room.fail(FaultKind.STATUS, status=7 if system == "firestore" else 401, times=99)
    with pytest.raises(Refused) as raised:
        room.connect().access()
    assert raised.value.system == system


@pytest.mark.parametrize("system", ["elasticsearch", "firebase_auth", "firestore", "mailgun", "sendgrid", *NEW])
def test_no_answer_is_unavailable(room_of, system, monkeypatch):
    monkeypatch.setattr("include.systems.firebase_auth_calls.READ_WAITS", (0.0, 0.0))
    room = room_of(system)
    room.estate(people=1)
    room.fail(FaultKind.STATUS, status=14 if system == "firestore" else 503, times=99)
    with pytest.raises(Unavailable):
        room.connect().access()


def test_sendgrid_shows_what_is_missing_and_what_is_too_much(room_of):
    room = room_of("sendgrid")
    settings = room.company.sendgrid.settings
    before = settings.scopes
    settings.scopes = (
        *(scope for scope in before if scope not in ("mail.send", "suppression.delete", "subusers.read")),
        "suppression.bounces.delete",
        "api_keys.create",
        "2fa_required",
        "sender_verification_eligible",
        "marketing.lists.read",
    )
    try:
        access = room.connect().access()
    finally:
        settings.scopes = before
    assert access.missing == ("mail.send", "subusers.read", "suppression.delete")
    assert access.excess == ("api_keys.create",)
    assert access.shown


def test_sendgrid_without_subusers_needs_no_right_to_list_them(room_of):
    room = room_of("sendgrid")
    settings, before = room.company.sendgrid.settings, room.company.sendgrid.settings.scopes
    settings.scopes = tuple(scope for scope in before if scope != "subusers.read")
    connection = room._connection
    extra = {**connection.extra, "subusers": False}
    system = registry.connect_erasing(
        Connection("sendgrid", host=connection.host, password=connection.password, extra=extra), means("sendgrid")
    )
    try:
        assert system.access().missing == ()
    finally:
        settings.scopes = before
        system.close()


def test_cloud_storage_shows_the_rights_on_its_buckets(room_of):
    room = room_of("cloud_storage")
    room.estate(people=1)
    held = room.company.storage.permissions
    held.discard("storage.objects.delete")
    held.add("storage.buckets.setIamPolicy")
    try:
        access = room.connect().access()
    finally:
        held.add("storage.objects.delete")
        held.discard("storage.buckets.setIamPolicy")
    assert (access.missing, access.excess) == (("storage.objects.delete",), ("storage.buckets.setIamPolicy",))


def test_an_elasticsearch_without_security_says_that_it_is_open(room_of):
    access = room_of("elasticsearch").connect().access()
    assert access.missing == ()
    (excess,) = access.excess
    assert "security is off" in excess


ROOT = {"version": {"number": "9.1.0"}, "tagline": "You Know, for Search"}
PRODUCT = {"X-Elastic-Product": "Elasticsearch", "content-type": "application/vnd.elasticsearch+json;compatible-with=9"}


def cluster(answer):
    """An Elasticsearch that says which rights a key has."""

    def reply(call):
        if call.path == "/_security/user/_has_privileges":
            return Reply(answer.status, answer.body, PRODUCT)
        return Reply(200, ROOT, PRODUCT)

    return vendor(reply)


def rights(**changes):
    index = dict.fromkeys(("read", "write", "maintenance", "view_index_metadata", "monitor"), True)
    index |= {"all": False, "delete_index": False}
    names = ("contacts", "activity", "app-logs")
    body = {
        "has_all_requested": False,
        "cluster": {"monitor": True, "all": False, "manage_security": False},
        "index": {name: dict(index) for name in names},
    }
    for where, granted in changes.items():
        target = body["cluster"] if where == "cluster" else body["index"][where]
        target.update(granted)
    return Reply(200, body)


@pytest.mark.parametrize(
    ("answer", "missing", "excess"),
    [
        (rights(), (), ()),
        (rights(contacts={"write": False}, cluster={"monitor": False}), ("cluster monitor", "contacts write"), ()),
        (
            rights(activity={"delete_index": True}, cluster={"manage_security": True}),
            (),
            ("activity delete_index", "cluster manage_security"),
        ),
    ],
)
def test_elasticsearch_shows_the_rights_of_its_key(answer, missing, excess):
    with cluster(answer) as server:
        connection = Connection("elasticsearch", host=server.url, extra={"api_key": "a2V5"})
        system = registry.connect_erasing(connection, means("elasticsearch"))
        access = system.access()
        system.close()
    assert (access.missing, access.excess, access.shown) == (missing, excess, True)
    asked = next(call for call in server.calls if "privileges" in call.path)
    assert {name for entry in asked.json["index"] for name in entry["names"]} == {"contacts", "activity", "app-logs"}


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_elasticsearch_that_refuses_to_say_is_not_taken_for_open(status):
    with cluster(Reply(status, {"error": {"type": "security_exception"}, "status": status})) as server:
        connection = Connection("elasticsearch", host=server.url, extra={"api_key": "a2V5"})
        system = registry.connect_erasing(connection, means("elasticsearch"))
        with pytest.raises(PrivacyError):
            system.access()
        system.close()


def test_redis_says_that_it_is_the_user_that_may_do_everything(room_of):
    access = room_of("redis").connect().access()
    assert access.excess == ("all commands of the default user",)


def test_redis_with_a_user_of_its_own_has_nothing_too_much(room_of):
    room = room_of("redis")
    cache = room.company._cache
    cache.acl_setuser("privacy", enabled=True, passwords=["+secret"], keys=["session:*"], commands=["+ping", "+scan"])
    given = room._connection
    try:
        connection = Connection("redis", host=given.host, port=given.port, login="privacy", password="secret")
        system = registry.connect_erasing(connection, means("redis"))
        assert system.access().excess == ()
        system.close()
        wrong = Connection("redis", host=given.host, port=given.port, login="privacy", password="wrong")
        system = registry.connect_erasing(wrong, means("redis"))
        with pytest.raises(Refused):
            system.access()
        system.close()
    finally:
        cache.acl_deluser("privacy")
