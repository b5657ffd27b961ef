"""The report of a night of checks: what is connected, what the policy claims, whose settings drift, who came back.

    AssuranceReport
    ├── verdict, sentence, findings   what a manager reads
    └── systems                       every system of the policy: access, claims, settings, people who came back

Computed from the ledger's entries of one run. Its JSON form has these names (``schema/assurance-report-1.json``);
a change of a name or a meaning is a new number in ``SCHEMA``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from markupsafe import Markup
from pydantic import TypeAdapter

from include.assurance.evidence import GAPS, RED, Night, State
from include.ledger.entry import Kind, Recorded
from include.policy.model import Policy
from include.reports.render import closed_schema, environment, style, style_source

SCHEMA = "urn:clique-privacy:assurance-report:1"
ALARM, ATTENTION, IN_ORDER = "alarm", "needs attention", "in order"


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of one system.

    Args:
        entry: index in the ledger; None where the night did not come to it.
        state: what it came to.
        text: what was looked at, and what to do, in sentences.
        looked: how many values, settings or people were looked at; None where that is no question.
        found: how many of them contradict the policy, or came back.
    """

    entry: int | None
    state: str
    text: str
    looked: int | None = None
    found: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of the policy, and what a look at it came to."""

    claim: str
    says: str
    check: CheckRow


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A vendor's own setting of retention beside the policy."""

    setting: str
    configured: str
    wanted: str
    agrees: bool
    note: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    """Everything about one system. ``drift`` is None where the policy has no period that it could show."""

    system: str
    name: str
    access: CheckRow
    expires_at: str | None
    sunset: str | None
    claims: tuple[ClaimRow, ...]
    drift: CheckRow | None
    settings: tuple[SettingRow, ...]
    returned: CheckRow
    opened: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a person must know: about which system, how it stands, what is so."""

    system: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class RunOf:
    """The night that the report is of."""

    run: str
    as_of: datetime
    closed_at: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class AssuranceReport:
    """The whole report; counts, settings and sentences only."""

    schema: str
    company: str
    document: str
    run: RunOf
    verdict: str
    sentence: str
    findings: tuple[Finding, ...]
    systems: tuple[SystemRow, ...]

    @property
    def name(self) -> str:
        """Name of its files, without the ending."""
        return f"assurance-{self.run.as_of:%Y-%m-%d}-{self.run.run}"


def assurance_report(policy: Policy, night: Night, entries: Iterable[Recorded], closed_at: str) -> AssuranceReport:
    """The report of a night from the ledger's entries of its run, in their order. Pure."""
    newest: dict[tuple[str, Kind, str], Recorded] = {}
    opened: dict[str, int] = {}
    for recorded in entries:
        entry = recorded.entry
        if entry.system is None:
            continue
        newest[entry.system, entry.kind, str(entry.body.get("claim", ""))] = recorded
        if entry.kind is Kind.RETURNED:
            opened[entry.system] = opened.get(entry.system, 0) + _number(entry.body["opened"])
    systems = tuple(_system(policy, key, newest, opened.get(key, 0)) for key in policy.systems)
    findings = tuple(finding for system in systems for finding in _findings(system))
    verdict = _verdict(findings)
    return AssuranceReport(
        schema=SCHEMA,
        company=policy.company.name,
        document=f"{policy.document.title}, {policy.document.published}",
        run=RunOf(night.run, night.at, closed_at),
        verdict=verdict,
        sentence=_sentence(systems, findings),
        findings=findings,
        systems=systems,
    )


def _system(policy: Policy, key: str, newest: Mapping[tuple[str, Kind, str], Recorded], opened: int) -> SystemRow:
    access, drift = newest.get((key, Kind.ACCESS, "")), newest.get((key, Kind.DRIFT, ""))
    back = newest.get((key, Kind.RETURNED, ""))
    settings = drift.entry.body["settings"] if drift is not None else []
    return SystemRow(
        system=key,
        name=policy.systems[key].name,
        access=_check(access),
        expires_at=_text(access, "expires_at"),
        sunset=_text(access, "sunset"),
        claims=tuple(
            ClaimRow(claim.id, claim.says, _check(newest.get((key, Kind.CLAIM, claim.id)), "looked", "violations"))
            for claim in policy.systems[key].claims
        ),
        drift=None if drift is None else _check(drift),
        settings=tuple(_setting(one) for one in settings if isinstance(one, dict))
        if isinstance(settings, list)
        else (),
        returned=_check(back, "looked", "people"),
        opened=opened,
    )


def _check(recorded: Recorded | None, looked: str = "", found: str = "") -> CheckRow:
    if recorded is None:
        return CheckRow(None, State.NO_ANSWER.value, "The night did not come to it.")
    body = recorded.entry.body
    counts = {"looked": _number(body[looked]), "found": _number(body[found])} if looked else {}
    return CheckRow(recorded.index, str(body["state"]), str(body["note"]), **counts)


def _setting(body: Mapping[str, Any]) -> SettingRow:
    return SettingRow(
        setting=str(body["setting"]),
        configured=str(body["configured"]),
        wanted=str(body["wanted"]),
        agrees=body["agrees"] is True,
        note=str(body["note"]),
    )


def _findings(row: SystemRow) -> list[Finding]:
    """What a person must see to, in one system. A gap is named once, not for each check."""
    if row.access.state == State.NOT_CONNECTED.value:
        return [Finding(row.name, row.access.state, row.access.text)]
    checks = [(row.access, "Its connection: " + row.access.text)]
    for claim in row.claims:
        check = claim.check
        count = f" {check.found} of {check.looked} contradict it." if check.found else ""
        checks.append((check, f"Claim {claim.claim} ({claim.says}){count} {check.text}".rstrip()))
    if row.drift is not None:
        off = [one for one in row.settings if not one.agrees]
        text = " ".join(f"{one.setting} is {one.configured}, the policy says {one.wanted}. {one.note}" for one in off)
        checks.append((row.drift, "Its retention: " + (text or row.drift.text)))
    people = f"{row.returned.found} erased people are there again; {row.opened} requests were opened for them."
    checks.append((row.returned, people if row.returned.found else "Look for erased people: " + row.returned.text))
    return [
        Finding(row.name, check.state, text)
        for check, text in checks
        if State(check.state) in RED or check.state == State.SEE_TO.value
    ]


def _verdict(findings: Sequence[Finding]) -> str:
    states = {State(finding.state) for finding in findings}
    return ALARM if states & RED else ATTENTION if states else IN_ORDER


def _sentence(systems: Sequence[SystemRow], findings: Sequence[Finding]) -> str:
    claims = [claim.check for row in systems for claim in row.claims]
    count = {state: sum(finding.state == state.value for finding in findings) for state in State}
    gaps = sum(State(row.access.state) in GAPS for row in systems)
    parts = [
        f"{len(systems) - gaps} of {len(systems)} systems were asked",
        f"{sum(one.state == State.IN_ORDER.value for one in claims)} of {len(claims)} claims hold",
        f"{count[State.VIOLATED]} are violated" if count[State.VIOLATED] else "",
        f"{count[State.BROKEN]} checks were refused or a key does not do" if count[State.BROKEN] else "",
        f"{count[State.NO_ANSWER]} had no answer" if count[State.NO_ANSWER] else "",
        f"{sum(row.opened for row in systems)} requests were opened for people who came back"
        if any(row.opened for row in systems)
        else "",
        f"{count[State.NOT_CONNECTED]} systems are not connected" if count[State.NOT_CONNECTED] else "",
    ]
    return "; ".join(filter(None, parts)) + "."


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("evidence counts are integers")
    return value


def _text(recorded: Recorded | None, key: str) -> str | None:
    value = None if recorded is None else recorded.entry.body[key]
    return None if value is None else str(value)


def as_html(report: AssuranceReport) -> str:
    """One page that needs nothing beside itself."""
    source = Markup(style_source())  # noqa: S704 - made of our own file
    template = environment().get_template("assurance.html.j2")
    return template.render(report=report, style=style(), style_source=source, kind=_kind)


def as_json(report: AssuranceReport) -> str:
    """The report in the form of ``schema/assurance-report-1.json``."""
    return json.dumps(_adapter().dump_python(report, mode="json"), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema of :func:`as_json`."""
    return closed_schema(_adapter(), SCHEMA)


def _kind(state: str) -> str:
    """The colour of a state."""
    one = State(state)
    return "bad" if one in RED else "good" if one is State.IN_ORDER else "kept"


@cache
def _adapter() -> TypeAdapter[AssuranceReport]:
    return TypeAdapter(AssuranceReport)
