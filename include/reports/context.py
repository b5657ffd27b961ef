"""What a report says around the rules of its run: decisions, settings, holds, gaps, the nights before, the proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What the guard said of a rule's plan when it did not simply pass, and what a person decided.

    ``by`` is a staff pseudonym.
    """

    rule: str
    system: str
    verdict: str
    reasons: tuple[str, ...]
    choice: str | None
    by: str | None
    reason: str | None
    digest: str
    guard: int
    decision: int | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A store's own expiry setting beside what the policy wants. ``entry`` is its ledger index."""

    rule: str
    system: str
    setting: str
    configured: str
    wanted: str
    agrees: bool
    note: str
    entry: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold in force: what it covers in words, never whom; ``review`` is the day to decide about it again."""

    hold: str
    scope: str
    matter: str
    ground: str
    since: datetime
    review: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A period that nobody has confirmed: a default of this product, with the source that justifies it."""

    id: str
    name: str
    system: str
    period: str
    source: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the published policy that is missing, and how the policy file fills it."""

    section: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A system of the policy that this run did not or not fully look at, and why.

    ``blocks``: rules of this system can't be carried out until somebody acts.
    """

    system: str
    name: str
    sections: tuple[str, ...]
    blocks: bool
    why: str
    next_step: str


@dataclass(frozen=True, slots=True)
class NightRule:
    """One rule on a past night."""

    rule: str
    system: str
    state: str
    due: int
    gone: int
    held: int
    remaining: int


@dataclass(frozen=True, slots=True)
class PastNight:
    """A closed run. ``entry`` is the ledger index of its closing."""

    run: str
    as_of: datetime
    entry: int
    rules: tuple[NightRule, ...]

    @property
    def due(self) -> int:
        """Records due over all rules."""
        return sum(rule.due for rule in self.rules)

    @property
    def gone(self) -> int:
        """Records deleted or anonymised over all rules."""
        return sum(rule.gone for rule in self.rules)

    @property
    def held(self) -> int:
        """Records held over all rules."""
        return sum(rule.held for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Seal:
    """The signed state of the ledger that covers this run's closing (C2SP tlog-checkpoint).

    Args:
        note: the signed note, as text.
        size: entries that it covers.
        root: hash of the Merkle tree, hexadecimal.
        vkey: the public key that verifies it, in the form of C2SP signed-note.
    """

    note: str
    size: int
    root: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector that took part, with what outlives a deletion in its system."""

    system: str
    version: str
    proof: str
    horizon: str
    documentation: str
