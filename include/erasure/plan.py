"""The plan of a request and of its batch: what a human approves and a push may not exceed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from include.erasure.evidence import NOT_CONNECTED
from include.ledger.entry import Json, Kind, Recorded
from include.policy.canonical import sha256
from include.policy.persons import Requests


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one person in one system.

    Args:
        system: key of the system.
        stage: name of the stage in which its turn comes.
        counts: records to remove, by kind of data.
        stays: what is kept, each with ``what``, ``count``, ``ground`` and ``routed``.
        clean_at: when the system would be truly clean; None for at once.
        connector: module and version that counted.
    """

    system: str
    stage: str
    counts: Mapping[str, int]
    stays: tuple[Mapping[str, Json], ...]
    clean_at: str | None
    connector: str

    @property
    def total(self) -> int:
        """Records to remove."""
        return sum(self.counts.values())

    @property
    def is_connected(self) -> bool:
        """Whether anybody looked."""
        return self.connector != NOT_CONNECTED


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts only: no reference, no identifier.

    Args:
        request: id of the request.
        type: what was asked for.
        policy: digest of the policy file.
        match: what the identity roots said.
        known: the person or the address is known somewhere, so that there is something to approve.
        steps: in the order of work.
    """

    request: str
    type: str
    policy: str
    match: str
    known: bool
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical form."""
        return sha256(_plain(self))

    def body(self, batch_digest: str) -> dict[str, Json]:
        """The plan as evidence."""
        systems: list[Json] = [_plain(step) for step in self.steps]
        return {
            "type": self.type,
            "policy": self.policy,
            "match": self.match,
            "to_do": self.known,
            "systems": systems,
            "digest": self.digest,
            "batch_digest": batch_digest,
        }


@dataclass(frozen=True, slots=True)
class Total:
    """What happens to a whole batch in one system: people with data there, records removed and kept, the last date."""

    system: str
    stage: str
    people: int
    records: int
    kept: int
    clean_at: str | None


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The plans that are decided on together."""

    plans: tuple[Plan, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the plans: what an approval is bound to."""
        return sha256([plan.digest for plan in self.plans])

    @property
    def not_connected(self) -> tuple[str, ...]:
        """Systems that nobody looked into for at least one of the plans, in the order of work."""
        steps = (step for plan in self.to_do for step in plan.steps if not step.is_connected)
        return tuple(dict.fromkeys(step.system for step in steps))

    @property
    def to_do(self) -> tuple[Plan, ...]:
        """Plans with something to approve."""
        return tuple(plan for plan in self.plans if plan.known)

    def totals(self) -> list[Total]:
        """The whole batch system by system, in the order of work."""
        steps: dict[str, list[Step]] = {}
        for step in (step for plan in self.to_do for step in plan.steps):
            steps.setdefault(step.system, []).append(step)
        return [_total(system, group) for system, group in steps.items()]


def draft(entries: Iterable[Recorded], requests: Requests, policy: str, receipts_only: frozenset[str]) -> Plan | None:
    """The plan of one request from its newest looks; None while a system has not been looked into.

    Args:
        entries: of one request.
        requests: of the policy file.
        policy: digest of the policy file.
        receipts_only: systems in which nothing can be looked up; what they would delete shows nothing about a person.
    """
    found, match, kind, ref = _newest(entries)
    if match is None or any(system not in found for system in requests.systems):
        return None
    steps = tuple(_step(system, stage.name, found[system]) for stage in requests.stages for system in stage.systems)
    held = any(step.total or step.stays for step in steps if step.system not in receipts_only)
    return Plan(ref, kind, policy, match, match == "one" or held, steps)


def missing(entries: Iterable[Recorded], systems: Sequence[str]) -> list[str]:
    """Systems that have not been looked into since the person was identified."""
    found, _, _, _ = _newest(entries)
    return [system for system in systems if system not in found]


def _total(system: str, steps: Sequence[Step]) -> Total:
    return Total(
        system=system,
        stage=steps[0].stage,
        people=sum(step.total > 0 for step in steps),
        records=sum(step.total for step in steps),
        kept=sum(int(str(stay["count"])) for step in steps for stay in step.stays),
        clean_at=max((step.clean_at for step in steps if step.clean_at is not None), default=None),
    )


def _newest(entries: Iterable[Recorded]) -> tuple[dict[str, Mapping[str, Json]], str | None, str, str]:
    found: dict[str, Mapping[str, Json]] = {}
    match: str | None = None
    kind = ref = ""
    for recorded in entries:
        entry = recorded.entry
        if entry.kind is Kind.REQUEST_OPENED:
            kind, ref = str(entry.body["type"]), entry.run
        elif entry.kind is Kind.IDENTITY:
            match, found = str(entry.body["match"]), {}
        elif entry.kind is Kind.FOUND and entry.system is not None:
            found[entry.system] = entry.body
    return found, match, kind, ref


def _step(system: str, stage: str, body: Mapping[str, Json]) -> Step:
    counts, stays = body["counts"], body["stays"]
    if not isinstance(counts, dict) or not isinstance(stays, list):
        raise TypeError("a look has counts and what stays")
    return Step(
        system=system,
        stage=stage,
        counts={what: int(str(count)) for what, count in counts.items()},
        stays=tuple(stay for stay in stays if isinstance(stay, dict)),
        clean_at=None if body["clean_at"] is None else str(body["clean_at"]),
        connector=str(body["connector"]),
    )


def _plain(value: Plan | Step) -> dict[str, Json]:
    fields = asdict(value)
    return {name: list(item) if isinstance(item, tuple) else item for name, item in fields.items()}
