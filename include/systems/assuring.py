"""What a system can be asked every night beside deletion: does the key work, does a claim hold, who is in it.

Each protocol is optional: what :func:`include.systems.registry.connect_erasing` returns implements those it can answer
without touching more personal data than the question needs. What it does not implement shows as "cannot be asked" in
the report. Counts and settings only; nothing that identifies a person leaves a function but through
:meth:`ListsPeople.people`, whose values go into a keyed hash and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from include.policy.register import Claim
from include.policy.rules import Promise
from include.subjects.identifiers import Identifier
from include.systems.contract import Expiry


@dataclass(frozen=True, slots=True)
class Access:
    """A credential that the vendor accepted, and what it may do.

    Args:
        missing: rights that the module needs and the key does not have, in the vendor's words.
        excess: rights that the key has and the module does not need, where the vendor shows them.
        expires_at: when the credential ends, where the vendor shows it. UTC.
        shown: whether the vendor shows the rights at all; if not, ``missing`` comes from trying what reads nothing.
        note: what a person should know, in a sentence.
    """

    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    expires_at: datetime | None = None
    shown: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at a claim of the policy came to.

    Args:
        claim: id of the claim.
        looked: how many values, settings or records were looked at.
        violations: how many of them contradict the claim.
        asked: False where the vendor offers nothing that could be asked without a side effect; ``note`` says what.
        note: what was looked at and where, in a sentence without any value found.
    """

    claim: str
    looked: int = 0
    violations: int = 0
    asked: bool = True
    note: str = ""


@runtime_checkable
class ChecksAccess(Protocol):
    """A system whose credential can be tried without reading personal data."""

    def access(self) -> Access:
        """Try the credential.

        Raises:
            Refused: it does not work; the message says what to do.
            Unavailable: no answer.
        """


@runtime_checkable
class ChecksClaims(Protocol):
    """A system in which a claim of the policy can be looked at."""

    def check(self, claim: Claim) -> Checked:
        """Look whether the claim is true today.

        Raises:
            Unavailable: a call failed; nothing is known.
            Refused: the key has no right to look.
        """


@runtime_checkable
class ShowsRetention(Protocol):
    """A system that shows for how long it keeps what it holds."""

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """The vendor's own settings beside the periods of the policy that the vendor is trusted with. Reads only.

        Args:
            promises: of this system, those that the vendor is to keep; may be empty.

        Raises:
            Unavailable: a call failed.
            Refused: the key has no right to look.
        """


@runtime_checkable
class ListsPeople(Protocol):
    """A system that can list everybody in it."""

    def people(self) -> Iterator[Identifier]:
        """Each identifier of each person that it holds, streamed; repeats are allowed.

        A suppression that outlives an erasure on purpose holds nobody: it is left out.

        Raises:
            Unavailable: a call failed; the list is not complete.
            Refused: the key has no right to look.
        """
