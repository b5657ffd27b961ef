"""Keys of persons go by their exact names; glob characters mean themselves; what could be another's stays."""

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.systems import registry
from include.systems.erasing import Did, Stays
from include.systems.redis.erasing import AMBIGUOUS, FEW
from include.systems.redis.patterns import Pattern
from tests.systems.persons import HOSTILE, Room, erase, means, place, subject, user
from tests.systems.test_redis_faults import Wire, cluster  # noqa: F401 - a fixture

SESSIONS = {"pattern": "session:{subject}:*"}


@pytest.fixture
def room(company_sandbox):
    room = Room(company_sandbox, "redis", "redis")
    yield room
    room.close()


@pytest.fixture
def system(room):
    return room.connect()


@pytest.fixture
def client(room, company_sandbox):
    with redis.Redis(port=int(company_sandbox.endpoints["redis"].rpartition(":")[2])) as client:
        yield client


def put(client, *keys):
    client.mset(dict.fromkeys(keys, "x"))


def keys(client):
    return sorted(key.decode() for key in client.scan_iter())


@pytest.mark.parametrize("many", [1, FEW + 3])
def test_exactly_the_persons_keys_go(room, system, many):
    estate = room.estate(people=60)
    persons = estate.people[:many]
    mine = [key for key in room.records() if key.split(":")[1] in {person.uid for person in persons}]
    assert len(mine) > many
    after = {key: record for key, record in room.records().items() if key not in mine}
    assert erase(system, *map(user, persons)) == [Did.GONE] * many
    assert room.records().keys() == after.keys()
    assert erase(system, *map(user, persons)) == [Did.ABSENT] * many


def test_sessions_and_profiles_are_counted_apart(client, system):
    put(client, "session:u1:1", "session:u1:2", "profile:u1", "session:u2:1", "other:u1", "profile:u1x", "session:u1")
    (found,) = system.find([subject(user_id="u1")])
    assert found.counts == {"redis.sessions": 2, "redis.profiles": 1}
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert keys(client) == ["other:u1", "profile:u1x", "session:u1", "session:u2:1"]


@pytest.mark.parametrize("crowd", [0, FEW + 1])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_identifiers_reach_nobody(room, client, system, hostile, crowd):
    put(
        client,
        "session:u1:1",
        "profile:u1",
        "session::1",
        "profile:",
        "session:a:b:1",
        "session:[a-z]:1",
        "session:\\u:1",
    )
    everyone = [subject("req_h", user_id=hostile), *(subject(f"req_{n}", user_id=f"no{n}") for n in range(crowd))]
    with room.unchanged():
        assert set(erase(system, *everyone)) == {Did.ABSENT}


@pytest.mark.parametrize("crowd", [0, FEW + 1])
@pytest.mark.parametrize("uid", ["*", "?", "[ab]", "a*", "\\", "^", "linkedin:x", "ü", "a b", "{subject}", "%"])
def test_odd_ids_reach_themselves_alone(client, system, uid, crowd):
    put(client, f"session:{uid}:1", f"profile:{uid}", "session:a:1", "profile:b", "session:ab:1", "profile:linkedin")
    everyone = [subject("req_h", user_id=uid), *(subject(f"req_{n}", user_id=f"no{n}") for n in range(crowd))]
    assert erase(system, *everyone) == [Did.GONE] + [Did.ABSENT] * crowd
    assert keys(client) == ["profile:b", "profile:linkedin", "session:a:1", "session:ab:1"]


def test_a_key_that_can_be_anothers_stays_and_is_shown(room, client, system):
    put(client, "session:linkedin:x:1", "session:linkedin:1")
    (found,) = system.find([subject(user_id="linkedin")])
    assert found.counts == {"redis.sessions": 1}
    assert found.stays == (Stays("redis.sessions", 1, AMBIGUOUS),)
    assert erase(system, subject(user_id="linkedin")) == [Did.GONE]
    assert keys(client) == ["session:linkedin:x:1"]
    both = [subject("req_a", user_id="linkedin"), subject("req_b", user_id="linkedin:x")]
    assert erase(system, *both) == [Did.ABSENT, Did.GONE]


@given(
    uid=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
    other=st.text(alphabet="ab:*?[]^-\\", min_size=1, max_size=6),
    text=st.sampled_from(["s:{subject}", "s:{subject}:*", "s:{subject}:?", "s:*:{subject}", "s?{subject}-*-x"]),
)
def test_a_key_has_one_owner_and_the_owner_can_be_read_from_it(uid, other, text):
    pattern = Pattern.parse(text, with_subject=True)
    fill = text.replace("*", "q").replace("?", "r")
    for known in (uid, other):
        key = fill.replace("{subject}", known).encode()
        owners = pattern.owners(key)
        assert known in owners
        assert owners == sorted(set(pattern.subjects(key)), key=lambda one: (-len(one), one))
        assert pattern.key_of(known) == (key if text == "s:{subject}" else None)


def test_scan_finds_exactly_what_the_escaped_glob_says(client):
    pattern = Pattern.parse("s:{subject}:*", with_subject=True)
    odd = ["*", "?", "[a]", "a-c", "\\*", "^a", "ä", "]"]
    put(client, *(f"s:{uid}:1" for uid in odd), "s:a:1", "s:b:1", "s:xx:1")
    for uid in odd:
        assert [key.decode() for key in client.scan_iter(match=pattern.glob_of(uid))] == [f"s:{uid}:1"]


def test_what_is_gone_already_is_absent(client, system):
    put(client, "profile:u1")
    found = system.find([subject(user_id="u1")])
    client.delete("profile:u1")
    assert [(one.did, one.gone) for one in system.erase(found)] == [(Did.ABSENT, 0)]


def test_the_look_afterwards_sees_what_came_back(client, system):
    put(client, "profile:u1")
    receipts = system.erase(system.find([subject(user_id="u1")]))
    put(client, "profile:u1", "session:u1:9")
    assert [one.remaining for one in system.verify([subject(user_id="u1")], receipts)] == [2]


def test_a_kept_key_stays_on_its_ground(room, client):
    put(client, "session:u1:1")
    system = room.connect(places=(place("s", SESSIONS, match="pattern", erasure="keep", ground="A contract runs."),))
    (found,) = system.find([subject(user_id="u1")])
    assert (found.counts, found.stays) == ({}, (Stays("s", 1, "A contract runs."),))
    with room.unchanged():
        assert erase(system, subject(user_id="u1")) == [Did.ABSENT]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_wire_is_unavailable_and_the_next_run_ends_it(client, company_sandbox, when):
    put(client, "profile:u1", "session:u1:1", "profile:u2")
    wire = Wire(int(company_sandbox.endpoints["redis"].rpartition(":")[2]))
    system = registry.connect_erasing(Connection("redis", host="127.0.0.1", port=wire.port), means("redis"))
    found = system.find([subject(user_id="u1")])
    wire.cut = when
    for call in (lambda: system.erase(found), lambda: system.find([subject(user_id="u1")])):
        with pytest.raises(Unavailable) as error:
            call()
        assert "u1" not in str(error.value)
    wire.cut = ""
    assert erase(system, subject(user_id="u1")) == [Did.GONE if when == "before" else Did.ABSENT]
    assert keys(client) == ["profile:u2"]
    system.close()
    wire.close()


def test_a_cluster_is_served_on_all_its_primaries(cluster):  # noqa: F811 - the fixture
    with redis.RedisCluster(host="127.0.0.1", port=cluster) as client:
        for number in range(60):
            client.set(f"session:u{number}:x", 1)
            client.set(f"profile:u{number}", 1)
        connection = Connection("redis", host="127.0.0.1", port=cluster, extra={"cluster": True})
        system = registry.connect_erasing(connection, means("redis"))
        persons = [subject(f"req_{n}", user_id=f"u{n}") for n in range(50)]
        assert erase(system, *persons) == [Did.GONE] * 50
        assert len(list(client.scan_iter())) == 20
        system.close()


@pytest.mark.parametrize(
    "wrong",
    [
        place("s", {"pattern": "session:*"}, match="pattern"),
        place("s", {"pattern": "{subject}"}, match="pattern"),
        place("s", SESSIONS, match="id"),
        place("s", SESSIONS, match="pattern", where={"a": ("b",)}),
        place("s", SESSIONS, match="pattern", erasure="unlink", unlink=("a",), ground="g"),
        place("s", {**SESSIONS, "db": "2"}, match="pattern"),
    ],
)
def test_what_this_module_cannot_do_is_refused_before_any_call(room, wrong):
    with pytest.raises(Refused):
        room.connect(places=(wrong,))
