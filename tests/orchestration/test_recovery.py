"""Which errors are tried again, and what of a foreign error Airflow gets to see."""

from __future__ import annotations

import io
import json
import traceback
from datetime import timedelta

import pytest
import structlog
from airflow.sdk import RetryDecision
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowSkipException

from include.errors import Inconsistent, PrivacyError, Refused, Throttled, Unavailable
from include.orchestration.recovery import LONGEST_WAIT, RecoveryPolicy, shielded

SECRET = "jane@leak.test"


def test_a_task_that_skips_itself_is_not_shielded() -> None:
    with pytest.raises(AirflowSkipException, match="not connected"), shielded("plan"):
        raise AirflowSkipException("redis is not connected")


def decide(error: BaseException) -> RetryDecision:
    return RecoveryPolicy().evaluate(error, try_number=1, max_tries=4)


@pytest.mark.parametrize("kind", [Refused, Inconsistent])
def test_what_a_person_must_mend_fails_at_once(kind: type[PrivacyError]) -> None:
    decision = decide(kind("redis", "scan", "Look."))
    assert decision.action is RetryAction.FAIL
    assert decision.reason == kind.__name__


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (None, None),
        (0.0, timedelta(0)),
        (90.0, timedelta(seconds=90)),
        (LONGEST_WAIT.total_seconds(), LONGEST_WAIT),
        (86400.0, LONGEST_WAIT),
    ],
)
def test_a_throttling_system_is_given_the_time_it_asks_for_up_to_a_bound(
    asked: float | None, waits: timedelta | None
) -> None:
    decision = decide(Throttled("firestore", "delete", "Wait.", retry_after=asked))
    assert decision.action is (RetryAction.DEFAULT if waits is None else RetryAction.RETRY)
    assert decision.retry_delay == waits


@pytest.mark.parametrize(
    "error", [Unavailable("redis", "scan", "Again."), ValueError("x"), MemoryError(), KeyboardInterrupt()], ids=repr
)
def test_everything_else_follows_the_retries_of_the_task(error: BaseException) -> None:
    assert decide(error).action is RetryAction.DEFAULT


def test_every_error_of_the_product_has_a_decision() -> None:
    """A new class falls under one of the three recoveries or this fails."""
    for kind in PrivacyError.__subclasses__():
        assert issubclass(kind, Refused | Unavailable | Inconsistent), kind


def test_the_policy_survives_airflows_storage() -> None:
    stored = json.loads(json.dumps(RecoveryPolicy().serialize()))
    assert isinstance(RecoveryPolicy.deserialize(stored), RecoveryPolicy)


def foreign() -> None:
    """A client's error, caused by another, both of them quoting a person."""
    customer = SECRET
    try:
        json.loads(f"{{{customer}")
    except ValueError as error:
        raise LookupError(f"no document for {customer}") from error


def logged(error: BaseException) -> str:
    """What ends up in a log: Python's own rendering, and the one that Airflow configures for its JSON files."""
    plain = "".join(traceback.format_exception(error))
    sink = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(sink),
        processors=[
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(use_rich=False, show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ],
    )
    log.error("Task failed with exception", exc_info=error)
    return plain + sink.getvalue() + repr(error) + str(error.args)


def test_the_probe_sees_the_secret_where_there_is_no_shield() -> None:
    with pytest.raises(LookupError) as raised:
        foreign()
    assert SECRET in logged(raised.value)


def test_nothing_of_a_foreign_error_is_left_but_its_class_and_place() -> None:
    with pytest.raises(Unavailable) as raised, shielded("sweep of rule M1"):
        foreign()
    text = logged(raised.value)
    assert SECRET not in text
    assert "sweep of rule M1: could not go on after LookupError at test_recovery.py:" in text
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__, "Python and Airflow print a context that is not suppressed"


def test_the_products_own_errors_pass_as_they_are() -> None:
    own = Throttled("redis", "scan", "Wait.", retry_after=3)
    with pytest.raises(Throttled) as raised, shielded("plan"):
        raise own
    assert raised.value is own


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_an_order_to_stop_is_not_an_error(signal: type[BaseException]) -> None:
    with pytest.raises(signal), shielded("plan"):
        raise signal


def test_without_an_error_nothing_happens() -> None:
    with shielded("plan"):
        done = True
    assert done
