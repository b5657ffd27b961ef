"""Faults of the service: what is tried again, what is told, and what is never counted as gone."""

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.sandbox.faults import FaultKind
from include.sandbox.google import Trouble
from include.sandbox.storage.store import Store
from include.systems.contract import Swept
from tests.google_twins import NOW, only_batch
from tests.systems.cloud_storage.kit import BUCKET, WEEK, names, put, rule, sweep


def test_a_read_that_fails_once_is_repeated(twin, system):
    put(twin, "users/a/f")
    twin.fail(FaultKind.STATUS, "GET /storage", status=503)
    assert system.survey(rule(), None).due == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, Unavailable),
        ({"status": 500}, Unavailable),
        ({"status": 429, "retry_after": 7}, Throttled),
        ({"status": 403}, Refused),
        ({"status": 401}, Refused),
    ],
)
def test_a_refused_deletion_is_an_error_without_a_name_or_an_address(twin, system, fault, error):
    put(twin, "users/secret/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.STATUS, "POST /batch", **fault)
    with pytest.raises(error) as caught:
        system.expire(rule(), batch)
    assert not {"secret", "127.0.0.1", BUCKET} & set(str(caught.value).replace("/", " ").split())
    assert caught.value.__suppress_context__
    assert getattr(caught.value, "retry_after", None) == (7 if error is Throttled else None)
    assert names(twin) == ["users/secret/f"]
    assert twin.calls("POST /batch") == 1


def test_a_dropped_deletion_is_unavailable_and_can_be_repeated(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.DROP, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert system.expire(rule(), batch).gone == 1


def test_a_lost_answer_is_unavailable_and_the_repetition_finds_nothing(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.LOST_ANSWER, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert names(twin) == []
    assert system.expire(rule(), batch) == Swept(0, absent=1)
    assert list(system.batches(rule(), None)) == []


def test_a_late_answer_is_an_answer(twin, system):
    put(twin, "users/a/f")
    twin.fail(FaultKind.LATENCY, "POST /batch", seconds=0.05)
    assert sweep(system, rule()).gone == 1


def test_a_failed_part_of_a_batch_is_never_counted_as_gone(twin, system):
    put(twin, *(f"users/u{i}/f" for i in range(10)))
    batch = only_batch(system, rule())
    twin.fail(FaultKind.PARTIAL, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert len(names(twin)) == 5
    assert system.expire(rule(), batch) == Swept(5, absent=5, until=NOW + WEEK)


def test_a_missing_right_is_told_from_a_hold(twin, system, monkeypatch):
    def forbid(*_):
        raise Trouble(403, "forbidden", "The caller does not have storage.objects.delete access.")

    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    monkeypatch.setattr(Store, "delete", forbid)
    with pytest.raises(Refused, match="right"):
        system.expire(rule(), batch)


def test_a_bucket_that_is_not_there_is_refused(system):
    with pytest.raises(Refused, match="location"):
        system.survey(rule(location={"bucket": "elsewhere", "prefix": "users/"}, subject=None), None)
