"""The record of processing activities, article 30(1) GDPR, written by the policy file.

What the file does not know is said ("not established", "not stated"), never left out: an empty cell reads like "none".
"""

from __future__ import annotations

from dataclasses import dataclass

from include.policy import render
from include.policy.model import Policy
from include.policy.register import Activity, Recipient, Role
from include.policy.rules import Enforcement, Promise, Rule

UNCONFIRMED = "default, not in the policy"
ENFORCEMENT = {
    None: "by a nightly rule of this installation",
    Enforcement.VENDOR: "left to the vendor's own setting, not checked by this installation",
    Enforcement.LATER: "not yet enforced by this installation",
}
_COLUMNS = (
    "activity",
    "name",
    "capacity",
    "categories of data subjects",
    "categories of personal data",
    "purpose",
    "legal basis",
    "recipients",
    "transfers",
    "time limits for erasure",
    "security measures",
    "note",
)


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """An envisaged time limit for erasure, article 30(1)(f)."""

    rule: str
    name: str
    system: str
    period: str
    action: str
    enforcement: str
    confirmation: str

    @property
    def confirmed(self) -> bool:
        """Whether somebody has taken the decision."""
        return self.confirmation != UNCONFIRMED

    def __str__(self) -> str:
        what = f"{self.rule} {self.name} ({self.system}): {self.action} after {self.period}"
        return f"{what}; {self.enforcement}; {self.confirmation}"


@dataclass(frozen=True, slots=True)
class Row:
    """One processing activity with the fields of article 30(1)(b) to (f)."""

    id: str
    name: str
    capacity: str
    subjects: tuple[str, ...]
    categories: tuple[str, ...]
    purpose: str
    legal_basis: tuple[str, ...]
    recipients: tuple[str, ...]
    transfers: tuple[str, ...]
    limits: tuple[TimeLimit, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Record:
    """The whole record: who, article 30(1)(a), the activities, and (g)."""

    company: str
    contact: str
    representative: str
    data_protection_officer: str
    document: str
    version: str
    digest: str
    security_measures: str
    gaps: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def unconfirmed(self) -> int:
        """Number of distinct periods that nobody has confirmed."""
        return len({limit.rule for row in self.rows for limit in row.limits if not limit.confirmed})


def record(policy: Policy) -> Record:
    """Gather the record from a policy."""
    company = policy.company
    return Record(
        company=company.name,
        contact=company.contact,
        representative=company.representative or "not stated",
        data_protection_officer=company.data_protection_officer or "not stated",
        document=f"{policy.document.title}, {policy.document.published}",
        version=policy.version,
        digest=policy.digest,
        security_measures=policy.security_measures,
        gaps=tuple(f"Section {s.id}, {s.title}: {s.gap}" for s in policy.sections if s.gap),
        rows=tuple(_row(policy, activity) for activity in policy.activities),
    )


def html(record: Record) -> str:
    """A page that needs nothing but itself, for screen (light and dark) and print."""
    return render.environment().get_template("ropa.html.j2").render(record=record)


def markdown(record: Record) -> str:
    """The record as Markdown: a table for the head, a list for each activity."""
    text = render.markdown_text
    parts = [
        f"# Record of processing activities: {text(record.company)}\n\n",
        render.markdown_table(("", ""), _head(record)),
    ]
    if record.gaps:
        parts.append("\n## Gaps of the published policy\n\n" + "".join(f"- {text(gap)}\n" for gap in record.gaps))
    for row in record.rows:
        parts.append(f"\n## {text(row.id)} {text(row.name)}\n\n")
        cells = dict(zip(_COLUMNS[2:], _cells(row, record)[2:], strict=True))
        cells.pop("time limits for erasure")
        parts.extend(f"- {name}: {text(value)}\n" for name, value in cells.items() if value)
        parts.append("- time limits for erasure:\n")
        parts.extend(f"  - {text(str(limit))}\n" for limit in row.limits)
        parts.append("" if row.limits else "  - none in this file\n")
    return "".join(parts)


def csv(record: Record) -> str:
    """One line per activity, for a spreadsheet."""
    return render.csv_table(_COLUMNS, (_cells(row, record) for row in record.rows))


def _head(record: Record) -> list[tuple[str, str]]:
    return [
        ("Controller", record.company),
        ("Contact", record.contact),
        ("Representative", record.representative),
        ("Data protection officer", record.data_protection_officer),
        ("Published policy", record.document),
        ("Version of the policy file", f"{record.version} ({record.digest})"),
        ("Security measures", record.security_measures),
        ("Unconfirmed periods", str(record.unconfirmed)),
    ]


def _cells(row: Row, record: Record) -> tuple[str, ...]:
    return (
        row.id,
        row.name,
        row.capacity,
        "; ".join(row.subjects),
        "; ".join(row.categories),
        row.purpose,
        "; ".join(row.legal_basis),
        "; ".join(row.recipients) or "none named",
        "; ".join(row.transfers) or "none",
        " | ".join(str(limit) for limit in row.limits) or "none in this file",
        record.security_measures,
        row.note,
    )


def _row(policy: Policy, activity: Activity) -> Row:
    schedules: tuple[Rule | Promise, ...] = (*policy.rules, *policy.promises)
    return Row(
        id=activity.id,
        name=activity.name,
        capacity=str(activity.acting_as),
        subjects=activity.subjects,
        categories=activity.categories,
        purpose=activity.purpose,
        legal_basis=activity.legal_basis,
        recipients=tuple(_recipient(policy, recipient) for recipient in activity.recipients),
        transfers=tuple(_transfer(policy, recipient) for recipient in activity.recipients),
        limits=tuple(_limit(policy, entry) for entry in schedules if activity.id in entry.policy),
        note=activity.note or "",
    )


def _recipient(policy: Policy, recipient: Recipient) -> str:
    system = policy.systems[recipient.system]
    role = "own system at" if system.role is Role.FIRST_PARTY else f"{str(system.role).replace('_', ' ')}"
    details = [f"{role} {system.operator}", recipient.purpose, recipient.qualification]
    return f"{system.name} ({', '.join(detail for detail in details if detail)})"


def _transfer(policy: Policy, recipient: Recipient) -> str:
    system = policy.systems[recipient.system]
    place = system.location or "place of storage not established"
    return f"{system.name}: {place}, {system.safeguard or 'safeguard not established'}"


def _limit(policy: Policy, entry: Rule | Promise) -> TimeLimit:
    system = entry.system if isinstance(entry, Promise) else policy.holding(entry.holding).system
    confirmed = entry.confirmed
    return TimeLimit(
        rule=entry.id,
        name=entry.name,
        system=policy.systems[system].name,
        period=str(entry.period),
        action=str(entry.action),
        enforcement=ENFORCEMENT[entry.enforced if isinstance(entry, Promise) else None],
        confirmation=f"confirmed by {confirmed.by} on {confirmed.on}" if confirmed else UNCONFIRMED,
    )
