"""Redis keys that would not expire in time, on a real Redis."""

import os
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused
from include.policy.actions import Action
from include.sandbox.redis import RedisServer
from include.systems.contract import Selection, Swept
from include.systems.redis import CARD, connect
from include.systems.redis.patterns import Pattern

HOUR = 3600


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    port = server.start()
    yield Connection("redis", host="127.0.0.1", port=port)
    server.stop()


@pytest.fixture(params=["local", pytest.param("live", marks=pytest.mark.live)])
def connection(request):
    if request.param == "local":
        return request.getfixturevalue("local")
    if "AIRFLOW_CONN_REDIS_LIVE" not in os.environ:
        pytest.skip("AIRFLOW_CONN_REDIS_LIVE names no Redis server")
    return Connection.from_env("redis_live")


class Store:
    """A Redis with keys under a name of their own, and the system under test."""

    def __init__(self, connection: Connection) -> None:
        self.client = redis.Redis(host=connection.host, port=connection.port, password=connection.password)
        self.system = connect(connection)
        self.name = f"test-{uuid.uuid4().hex[:12]}"

    def selection(self, pattern: str = "{subject}:*", subject: str | None = "pattern", **changes) -> Selection:
        location = {"pattern": f"{self.name}:{pattern}"}
        cutoff = datetime(2026, 1, 1, tzinfo=UTC)
        return Selection("cache", location, subject, "write", cutoff, HOUR, **changes)

    def put(self, key: str | bytes, ttl: int | None = None) -> None:
        raw = key.encode() if isinstance(key, str) else key
        self.client.set(self.name.encode() + b":" + raw, "value", ex=ttl)

    def keys(self) -> set[str]:
        start = len(self.name) + 1
        return {key.decode(errors="surrogateescape")[start:] for key in self.client.scan_iter(f"{self.name}:*")}

    def sweep(self, selection: Selection, on_hold=None) -> Swept:
        swept = [self.system.expire(selection, batch) for batch in self.system.batches(selection, on_hold)]
        return Swept(*(sum(getattr(one, name) for one in swept) for name in ("gone", "absent", "changed")))


@pytest.fixture
def store(connection):
    store = Store(connection)
    yield store
    for key in store.client.scan_iter(f"{store.name}:*"):
        store.client.unlink(key)
    store.client.close()
    store.system.close()


def test_a_key_is_due_without_a_ttl_or_with_one_longer_than_the_period(store):
    store.put("ann:1")
    store.put("ann:2", ttl=2 * HOUR)
    store.put("bob:1", ttl=HOUR // 2)
    survey = store.system.survey(store.selection(), None)
    assert (survey.total, survey.due, survey.held) == (3, 2, 0)
    assert (survey.oldest, survey.newest) == (None, None)
    assert store.sweep(store.selection()) == Swept(gone=2)
    assert store.keys() == {"bob:1"}
    assert store.system.read_back(store.selection(), None).remaining == 0


def test_held_subjects_stay_and_are_counted(store):
    for who in ("ann", "bob", "ann:x"):
        store.put(f"{who}:1")
    survey = store.system.survey(store.selection(), lambda subject: subject == "ann:x")
    assert (survey.due, survey.held) == (3, 1)
    assert store.sweep(store.selection(), lambda subject: subject == "ann:x").gone == 2
    assert store.keys() == {"ann:x:1"}
    back = store.system.read_back(store.selection(), lambda subject: subject == "ann:x")
    assert (back.remaining, back.held) == (0, 1)


def test_keys_of_other_patterns_are_never_touched(store):
    for key in ("ann:1", ":1", "ann", "annx1", "ann:"):
        store.put(key)
    selection = store.selection("{subject}:1")
    assert store.system.survey(selection, None).total == 1
    assert store.sweep(selection).gone == 1
    assert store.keys() == {":1", "ann", "annx1", "ann:"}


def test_a_key_rewritten_with_a_proper_ttl_in_between_is_left_alone(store):
    for number in range(3):
        store.put(f"ann:{number}")
    selection = store.selection()
    (batch,) = store.system.batches(selection, None)
    store.put("ann:0", ttl=60)
    store.client.delete(f"{store.name}:ann:1")
    assert store.system.expire(selection, batch) == Swept(gone=1, absent=1, changed=1)
    assert store.keys() == {"ann:0"}


def test_expiring_a_batch_twice_counts_nothing_twice(store):
    store.put("ann:1")
    (batch,) = store.system.batches(store.selection(), None)
    assert store.system.expire(store.selection(), batch) == Swept(gone=1)
    assert store.system.expire(store.selection(), batch) == Swept(gone=0, absent=1)


def test_batches_are_bounded_and_cover_everything_once(store):
    with store.client.pipeline(transaction=False) as pipeline:
        for number in range(12_000):
            pipeline.set(f"{store.name}:u{number}:x", 1)
        pipeline.execute()
    seen: list[bytes] = []
    for batch in store.system.batches(store.selection(), None):
        assert batch.count == len(batch.records.keys) <= CARD.batch_size
        seen += batch.records.keys
        store.system.expire(store.selection(), batch)
    assert len(seen) == len(set(seen)) == 12_000
    assert store.keys() == set()


def test_a_holding_without_subjects_needs_no_placeholder(store):
    store.put("page:1")
    assert store.sweep(store.selection("page:*", subject=None), lambda subject: True).gone == 1


@pytest.mark.parametrize("subject", ["a*b", "a?b", "[ab]", "a\\b", "ü n", "a\nb", "{x}", "^-]", "*"])
def test_hostile_subjects_are_told_apart(store, subject):
    store.put(f"{subject}:1")
    store.put("other:1")
    assert store.sweep(store.selection(), lambda held: held != subject).gone == 1
    assert store.keys() == {"other:1"}


def test_a_subject_that_is_not_utf8_is_no_obstacle(store):
    store.put(b"\xff\xfe:1")
    assert store.sweep(store.selection(), lambda subject: False).gone == 1


def test_batches_hide_keys_in_their_repr(store):
    store.put("ann@example.org:1")
    (batch,) = store.system.batches(store.selection(), None)
    assert "ann" not in repr(batch)


@pytest.mark.parametrize("pattern", ["", "*", "{subject}", "{subject}:*", "**?*:{subject}", "a:{subject}:{subject}"])
def test_patterns_that_could_mean_every_key_are_refused(store, pattern):
    selection = replace(store.selection(), location={"pattern": pattern})
    with pytest.raises(Refused, match="pattern"):
        store.system.survey(selection, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": Action.ANONYMISE},
        {"trigger_field": "at"},
        {"where": {"status": "x"}},
        {"subject": "field:uid"},
        {"subject": None},
    ],
)
def test_what_redis_cannot_do_is_refused(store, changes):
    with pytest.raises(Refused):
        list(store.system.batches(replace(store.selection(), **changes), None))


def test_expiry_counts_keys_without_ttl_and_tells_of_persistence(store):
    store.put("ann:1")
    store.put("ann:2", ttl=2 * HOUR)
    ttl, persistence = store.system.expiry(store.selection())
    assert not ttl.agrees
    assert ttl.configured == "1 of 2 keys without, 1 with too long a one"
    assert persistence.setting == "persistence of the server"


def test_set_expiry_limits_keys_instead_of_removing_them(store):
    store.put("ann:1")
    store.put("ann:2", ttl=60)
    assert store.system.set_expiry(store.selection()).agrees
    assert store.keys() == {"ann:1", "ann:2"}
    assert 0 < store.client.ttl(f"{store.name}:ann:1") <= HOUR
    assert store.client.ttl(f"{store.name}:ann:2") <= 60


TEXT = st.text(st.sampled_from("ab:*?[]^-\\{}\nü"), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TEXT, after=TEXT, keys=st.lists(TEXT, max_size=6))
def test_the_exact_match_and_the_glob_of_redis_agree(local, before, after, keys):
    """The glob finds every key that is meant; what it finds beyond that has an empty subject."""
    pattern = Pattern.parse(f"x{before}{{subject}}{after}", with_subject=True)
    candidates = {f"x{before}{key}{after}".encode() for key in keys} | {key.encode() for key in keys if key}
    with closing(redis.Redis(port=local.port, db=3)) as client:
        client.flushdb()
        for key in candidates:
            client.set(key, 1)
        by_glob = set(client.scan_iter(pattern.glob))
    exact = {key for key in candidates if pattern.exact.fullmatch(key)}
    assert exact <= by_glob
    for key in by_glob - exact:
        assert not list(pattern.subjects(key))


@settings(max_examples=200, deadline=None)
@given(subject=st.text(min_size=1, max_size=8), rest=st.text(max_size=5))
def test_the_subject_that_wrote_a_key_is_among_its_subjects(subject, rest):
    pattern = Pattern.parse("session:{subject}:*", with_subject=True)
    raw = f"session:{subject}:{rest}".encode(errors="surrogatepass")
    assert pattern.exact.fullmatch(raw)
    assert subject in set(pattern.subjects(raw)) or "\ud800" <= max(subject) <= "\udfff"


def test_importing_the_module_does_not_import_the_client():
    code = "import include.systems.redis, sys; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_connection_without_a_host_is_refused():
    with pytest.raises(Refused, match="host"):
        connect(Connection("redis"))
