"""From the product's errors to Airflow's retries, and the shield that keeps foreign errors out of its logs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowSkipException

from include.errors import Inconsistent, PrivacyError, Refused, Throttled, Unavailable

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

LONGEST_WAIT = timedelta(minutes=30)
"""A vendor may ask for more; a later night is the better place for that."""


class RecoveryPolicy(RetryPolicy):
    """Retry what may pass by itself, fail at once what a person must mend."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide by the class of the error (see ``include.errors``); a throttling system names its own delay."""
        if isinstance(exception, Refused | Inconsistent):
            return RetryDecision.fail(reason=type(exception).__name__)
        if isinstance(exception, Throttled) and exception.retry_after is not None:
            return RetryDecision.retry(delay=min(timedelta(seconds=exception.retry_after), LONGEST_WAIT))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """It has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RecoveryPolicy:
        """The inverse of :meth:`serialize`."""
        return cls()


def default_args(*, retries: int, retry_delay: timedelta) -> dict[str, Any]:
    """What the tasks of every DAG have in common: owner, retries by the class of the error, no values in logs."""
    return {
        "owner": "privacy",
        "retries": retries,
        "retry_delay": retry_delay,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": LONGEST_WAIT,
        "retry_policy": RecoveryPolicy(),
        "show_return_value_in_logs": False,
    }


@contextmanager
def shielded(part: str) -> Iterator[None]:
    """Let the product's own errors and its skipping of a task through and replace every other error.

    A client's exception may quote a query, a reference or an answer, and Airflow writes what a task raises to its log
    and to the scheduler's output. What remains is the class and the place, enough to find the code.

    Raises:
        Unavailable: in place of any foreign exception.
    """
    try:
        yield
    except (PrivacyError, AirflowSkipException):
        raise
    except Exception as error:
        kind = type(error).__name__
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    else:
        return
    raise Unavailable(
        part, f"go on after {kind} at {place}", "It is tried again; if it stays, report this place."
    ) from None
