"""A night as the engine's evidence tells it, without a store: entries in order, and what the report is built from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from include.ledger.entry import Entry, Kind, Recorded
from include.ledger.holds import Hold, Scope
from include.policy.actions import Action
from include.policy.loader import load
from include.policy.model import Policy
from include.reports.audit import Surroundings, audit_report
from include.reports.context import NightRule, PastNight, Seal
from include.reports.model import AuditReport
from include.reports.trail import read_trail
from include.retention.status import statuses
from include.systems.contract import Card, Proof

AS_OF = datetime(2026, 11, 22, 2, tzinfo=UTC)
RUN = "run_abcdefghijklmnop"


@dataclass
class Night:
    """Writes the entries that the engine would write."""

    dry_run: bool = False
    policy: str = ""
    entries: list[Recorded] = field(default_factory=list)
    first: int = 100

    def write(self, kind: Kind, rule: str | None, system: str | None, body: dict[str, object]) -> int:
        index = self.first + len(self.entries)
        at = AS_OF + timedelta(seconds=len(self.entries))
        self.entries.append(Recorded(index, at, Entry(kind, RUN, rule, system, body), bytes(32)))  # type: ignore[arg-type]
        return index

    def open(self, *rules: tuple[str, str]) -> Night:
        listed = [{"rule": rule, "system": system, "action": "delete"} for rule, system in rules]
        self.write(
            Kind.RUN_OPENED,
            None,
            None,
            {
                "as_of": "2026-11-22T02:00:00Z",
                "dry_run": self.dry_run,
                "mode": "production",
                "policy": self.policy,
                "policy_version": "1",
                "rules": listed,
            },
        )
        return self

    def plan(
        self, rule: str, system: str, *, total: int, due: int, held: int = 0, verdict: str = "pass", reason: str = ""
    ) -> None:
        body = {
            "action": "delete",
            "total": total,
            "due": due,
            "held": held,
            "oldest": "2019-01-04T00:00:00Z",
            "newest": "2023-11-20T00:00:00Z",
            "cutoff": "2023-11-22T00:00:00Z",
            "digest": hashlib.sha256(f"{rule} {due}".encode()).hexdigest(),
            "connector": f"{system}/1",
            "dry_run": self.dry_run,
        }
        self.write(Kind.PLAN, rule, system, body)
        breaches = [{"code": "share", "text": reason}] if reason else []
        self.write(Kind.GUARD, rule, system, {"digest": body["digest"], "verdict": verdict, "breaches": breaches})

    def drift(
        self, rule: str, system: str, *, agrees: bool, note: str = "It stays as it is.", configured: str = "none"
    ) -> None:
        setting = {
            "setting": "ttlConfig of interactions.at",
            "configured": configured,
            "wanted": "63072000 s",
            "agrees": agrees,
            "note": note,
        }
        self.write(Kind.DRIFT, rule, system, {"settings": [setting]})

    def decide(self, rule: str, system: str, *, approved: bool, reason: str = "DPO-12") -> None:
        choice = "approved" if approved else "declined"
        self.write(
            Kind.DECISION, rule, system, {"digest": "0" * 64, "choice": choice, "by": "stf_k3j2", "reason": reason}
        )

    def batch(self, rule: str, system: str, gone: int | None, *, count: int | None = None, absent: int = 0) -> None:
        intent = self.write(Kind.INTENT, rule, system, {"count": gone if count is None else count})
        body: dict[str, object] = {"intent": intent, "gone": gone}
        if gone is not None:
            body |= {"absent": absent, "changed": 0, "blocked": 0, "until": None}
        self.write(Kind.OUTCOME, rule, system, body)

    def look(
        self,
        rule: str,
        system: str,
        *,
        remaining: int = 0,
        held: int = 0,
        until: str | None = None,
        complete: bool = True,
    ) -> None:
        body = {"remaining": remaining, "held": held, "blocked": 0, "until": until, "complete": complete}
        self.write(Kind.VERIFICATION, rule, system, body)

    def sweep(self, rule: str, system: str, *, total: int, due: int, held: int = 0, until: str | None = None) -> None:
        """A rule for which everything went well."""
        self.plan(rule, system, total=total, due=due, held=held)
        if due > held:
            self.batch(rule, system, due - held)
        self.look(rule, system, held=held, until=until)

    def close(self) -> list[Recorded]:
        self.write(Kind.RUN_CLOSED, None, None, {"as_of": "2026-11-22T02:00:00Z", "dry_run": self.dry_run, "rules": []})
        return self.entries


def card(key: str) -> Card:
    return Card(
        key=key,
        version="1",
        proof=Proof.READ_BACK,
        actions=frozenset(Action),
        location_keys={},
        subject_forms={},
        trigger_fields=frozenset(),
        batch_size=500,
        documentation=f"{key} manual, chapter on deletion",
        horizon="Backups keep a copy for 7 days.",
    )


SYSTEMS = ("firestore", "cloud_storage", "firebase_auth", "redis", "elasticsearch", "sendgrid", "mailgun")


def surroundings(*, holds: Sequence[Hold] = (), nights: int = 0, connected: Sequence[str] = SYSTEMS) -> Surroundings:
    past = tuple(
        PastNight(
            f"run_{'abcdefgh'[day % 8]}aaaaaaaaaaaaaa{'abcdefgh'[day // 8]}",
            AS_OF - timedelta(days=nights - day),
            day + 1,
            (NightRule("C2", "firestore", "verified_gone", 40 + day * 7 % 31, 38 + day * 7 % 31, 2, 0),),
        )
        for day in range(nights)
    )
    return Surroundings(
        holds=holds,
        cards={key: card(key) for key in SYSTEMS},
        connected=frozenset(connected),
        nights=past,
        checkpoint=Seal(
            note=f"ledger.example/evidence\n140\n{'A' * 43}=\n\n— ledger.example/evidence c2ln\n",
            size=140,
            root="00" * 32,
            vkey="ledger.example/evidence+00000000+AQ==",
        ),
    )


def hold(identity: str = "hold_01", *, review: date, ground: str = "A claim is pending.") -> Hold:
    return Hold(identity, Scope(rule="C2"), "matter-7", ground, "stf_k3j2", review, AS_OF - timedelta(days=100))


@cache
def policy() -> Policy:
    return load(Path(__file__).parents[2] / "include" / "policy" / "clique.yaml")


def build(night: Night, around: Surroundings | None = None, law: Policy | None = None) -> AuditReport:
    """The report of a night, as the closing of a run builds it."""
    law = law or policy()
    trail = read_trail(night.entries)
    trail = replace(trail, run=replace(trail.run, policy=night.policy or law.digest))
    return audit_report(law, trail, statuses(night.entries, at=trail.run.closed_at), around or surroundings())


def of(report: AuditReport, code: str) -> list[str]:
    """The findings of one kind."""
    return [f"{finding.subject}: {finding.text}" for finding in report.findings if finding.code == code]


def good_night() -> Night:
    """Everything due was removed, but for twelve records on hold."""
    night = Night().open(("C2", "firestore"), ("A4", "redis"))
    night.sweep("C2", "firestore", total=48_210, due=1_402, held=12)
    night.drift("C2", "firestore", agrees=True)
    night.sweep("A4", "redis", total=90_000, due=12_000)
    night.close()
    return night
