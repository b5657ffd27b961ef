"""The errors of the product, grouped by what to do about them.

    PrivacyError
    ├── Refused            wrong input, missing right or broken rule: a retry can't help, a person must act
    │   └── PolicyInvalid  the policy file has mistakes (see ``include.policy``)
    ├── Unavailable        the system did not answer or answered "later": retry with back-off
    │   └── Throttled      the system said how long to wait
    └── Inconsistent       evidence and truth disagree: stop, keep everything, ask a person

Messages name the system, what was tried and what to do next. They are built from system keys, status codes, counts
and opaque ids; never from a response body, a query, a reference or an identifier, because Airflow copies them into
its logs.
"""

from __future__ import annotations


class PrivacyError(Exception):
    """Base of all errors the product raises on purpose.

    Args:
        system: key of the system as in the policy file, or the part of the product ("ledger", "policy").
        tried: what was being done, as "delete a batch of 500 documents".
        next_step: what a person or the scheduler does now.
    """

    def __init__(self, system: str, tried: str, next_step: str) -> None:
        super().__init__(system, tried, next_step)
        self.system = system
        self.tried = tried
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.system}: could not {self.tried}. {self.next_step}"


class Refused(PrivacyError):
    """A retry gives the same answer: bad input, a missing right, a setting that forbids it."""


class Unavailable(PrivacyError):
    """The system failed or did not answer; what was asked may or may not have happened. Retry is safe by design."""


class Throttled(Unavailable):
    """The system asked to slow down.

    Args:
        retry_after: seconds the system asked for, if it said.
    """

    def __init__(self, system: str, tried: str, next_step: str, *, retry_after: float | None = None) -> None:
        super().__init__(system, tried, next_step)
        self.retry_after = retry_after


class Inconsistent(PrivacyError):
    """Evidence and the store disagree. Nothing may be deleted until a person has looked."""
