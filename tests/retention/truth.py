"""What must be in every store after a night, worked out from the seeded records and the text of the policy alone.

It shares no code with the policy's loader, the engine or the modules of the systems: periods come from the YAML text,
a naive calendar adds them to each record's own day, and the stores are looked into from behind.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import redis
import yaml

from include.sandbox import traces
from include.sandbox.app import Sandbox
from include.sandbox.company import INDEXES
from include.sandbox.estate import BUCKET, Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.identitytoolkit import Account
from include.sandbox.mailgun import MailgunSandbox
from include.sandbox.phantombuster import leads
from include.sandbox.sendgrid import SendGridSandbox
from include.sandbox.services import SERVICES

POLICY_FILE = Path(__file__).parents[2] / "include" / "policy" / "clique.yaml"
DAY_SECONDS = 86_400

SUPPRESSIONS = {
    "sendgrid": {
        "bounces": "A6-bounces",
        "blocks": "A6-blocks",
        "invalid_emails": "A6-invalid-emails",
        "spam_reports": "A6-spam-reports",
    },
    "mailgun": {"bounces": "A7-bounces", "complaints": "A7-complaints"},
}
"""Lists of mail services whose entries age, each with its rule."""

Contents: TypeAlias = dict[str, dict[Any, Any]]
"""Collection → id → record."""


@cache
def periods() -> Mapping[str, str]:
    """The period of each rule, as the file writes it."""
    return {rule["id"]: rule["period"] for rule in yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))["rules"]}


def is_over(moment: datetime | None, rule: str, as_of: datetime) -> bool:
    """Whether the last day on which the rule keeps a record of ``moment`` has passed."""
    if moment is None:
        return False
    count, unit = periods()[rule].split()
    return _add(moment.date(), int(count), unit.rstrip("s")) < as_of.date()


def _add(day: date, count: int, unit: str) -> date:
    if unit in {"day", "week"}:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def look(sandbox: Sandbox) -> Contents:
    """Everything that is in the stores now."""
    company = sandbox.company
    contents: Contents = {"firestore": dict(company.firestore.documents(None))}
    for index in INDEXES:
        contents[index] = dict(company.elasticsearch.documents(index))
    contents["objects"] = {
        (item.name, item.time_created): (item.custom_time, item.temporary_hold, bytes(item.content))
        for item in company.storage.objects(BUCKET, versions=True)
    }
    contents["accounts"] = {account.local_id: asdict(account) for account in company.identitytoolkit.accounts()}
    contents["leads"] = {lead["id"]: lead for lead in company.records("phantombuster", "leads")}
    contents["form answers"] = {record["id"]: record for record in company.records("typeform", "answers")}
    for kind in ("contacts", "submissions"):
        contents[f"website {kind}"] = {record["id"]: record for record in company.records("wix", kind)}
    contents["readers"] = {record["id"]: record for record in company.records("ortto", "people")}
    contents["devices"] = _devices(company.records("onesignal", "users"))
    for service, twin in (("sendgrid", company.sendgrid), ("mailgun", company.mailgun)):
        contents |= suppressions(service, twin)
    host, _, port = sandbox.endpoints["redis"].rpartition(":")
    with redis.Redis(host, int(port)) as client:
        contents["cache"] = {key.decode(): client.get(key) for key in client.scan_iter(count=5000)}
    return contents


def suppressions(service: str, twin: SendGridSandbox | MailgunSandbox) -> Contents:
    """The lists of a mail service that age, each entry by whose list it is on and its address."""
    found: Contents = {f"{service} {name}": {} for name in SUPPRESSIONS[service]}
    for kind, record in twin.records():
        if kind in SUPPRESSIONS[service]:
            whose = record.get("subuser", record.get("domain"))
            found[f"{service} {kind}"][whose, record.get("email", record.get("address"))] = record
    return found


@dataclass(frozen=True)
class Fate:
    """Ids of the records that a rule covers in a collection: those that must go, and those that are kept by a hold."""

    collection: str
    goes: frozenset[Any]
    held: frozenset[Any]

    @property
    def due(self) -> int:
        """Records that are too old, on hold or not."""
        return len(self.goes) + len(self.held)


class Truth:
    """The judgement over an estate.

    Args:
        estate: as it was seeded.
        held: identifiers, as the stores write them, of the people on hold.
        as_of: the night, where it is another one than that of the estate.
    """

    def __init__(self, estate: Estate, held: Collection[str] = (), as_of: datetime | None = None) -> None:
        self._estate = estate
        self._as_of = as_of or estate.as_of
        self._held = frozenset(held)
        self.rules: dict[str, Fate] = dict(self._fates())

    def after(self, before: Contents, *rules: str) -> Contents:
        """What must be in the stores once some rules, or all, were applied to ``before``."""
        after = {collection: dict(records) for collection, records in before.items()}
        for rule in rules or self.rules:
            fate = self.rules[rule]
            for identifier in fate.goes:
                if rule in {"U1", "U1-search"}:
                    after[fate.collection][identifier] = _anonymous(before[fate.collection][identifier])
                else:
                    after[fate.collection].pop(identifier, None)
        roots = [path for path in before["firestore"] if path not in after["firestore"]]
        for path in list(after["firestore"]):
            if any(path.startswith(f"{root}/") for root in roots):
                del after["firestore"][path]
        return after

    def own(self, rule: str) -> frozenset[Any]:
        """What a rule itself removes when all are applied in the order of the policy file.

        A contact takes its history along, and a profile may be due by two rules: the first one takes it.
        """
        order = list(periods())
        earlier = [fate.goes for name, fate in self.rules.items() if order.index(name) < order.index(rule)]
        return frozenset(i for i in self.rules[rule].goes if not any(set(_lineage(i)) & goes for goes in earlier))

    def _fates(self) -> Iterator[tuple[str, Fate]]:
        estate, over = self._estate, self._over
        people = estate.people
        other = {account.local_id for account in estate.accounts() if not _by_password_alone(account)}
        logins = [(p.verified, p.uid, p.last_login_at or p.created_at, p.created_at) for p in people]
        yield "A1", self._fate("accounts", ((u, u) for ok, u, login, _ in logins if ok and over(login, "A1")))
        yield (
            "A1-unverified",
            self._fate(
                "accounts",
                ((u, u) for ok, u, _, made in logins if not ok and u not in other and over(made, "A1-unverified")),
            ),
        )
        yield (
            "A1-other",
            self._fate(
                "accounts", ((u, u) for ok, u, last, _ in logins if not ok and u in other and over(last, "A1-other"))
            ),
        )
        yield "A1-profile", self._users(p.uid for p in people if over(p.last_login_at, "A1-profile"))
        yield "A2", self._users(p.uid for p in people if over(p.closed_at, "A2"))
        yield "A3", self._files()
        yield "A4", self._cache("session")
        yield "A4-profile", self._cache("profile")
        for rule, source in (("M1", "event"), ("C2", "own_prospect")):
            old = [c for c in estate.contacts() if c.source == source and over(c.last_contact_at, rule)]
            yield rule, self._fate("firestore", ((c.path, c.id) for c in old))
            yield f"{rule}-search", self._fate("contacts", ((c.id, c.id) for c in old))
        ended = (d for d in estate.workspaces() if over(_time(d.fields.get("contract_ended_at")), "C1"))
        yield "C1", self._fate("firestore", ((d.id, d.id.split("/")[1]) for d in ended))
        old_talks = (d for d in estate.interactions() if over(_time(d.fields["at"]), "C3"))
        yield "C3", self._fate("firestore", ((d.id, d.id.split("/")[3]) for d in old_talks))
        events = [d for d in estate.events() if over(_time(d.fields["at"]), "U1")]
        yield "U1", self._fate("firestore", ((d.id, str(d.fields["uid"])) for d in events))
        yield "U1-search", self._fate("activity", ((d.id.split("/")[1], str(d.fields["uid"])) for d in events))
        logs = (d for d in estate.log_index() if over(_time(d.fields["at"]), "W5"))
        yield "W5", self._fate("app-logs", ((d.id, str(d.fields["uid"])) for d in logs))
        exports = (o for o in estate.objects() if o.name.startswith("exports/") and over(o.time_created, "X2"))
        collected = ((one.id, one.slug) for one in leads(estate) if over(one.editions[0].at, "A14"))
        yield "A14", self._fate("leads", collected)
        yield from self._suppressed()
        yield "X2", self._fate("objects", (((o.name, o.time_created), "") for o in exports))
        answers = (a for _, a in _seeded("typeform", estate) if over(a["submitted_at"] or a["landed_at"], "M4"))
        yield "M4", self._fate("form answers", ((a["id"], a["email"]) for a in answers))
        visitors = (r for kind, r in _seeded("wix", estate) if kind == "contacts" and over(r["active"], "D1"))
        yield "D1", self._fate("website contacts", ((r["id"], r["emails"][0]) for r in visitors))
        sent = (r for kind, r in _seeded("wix", estate) if kind == "submissions" and over(r["created"], "D1-forms"))
        yield "D1-forms", self._fate("website submissions", ((r["id"], "") for r in sent))
        readers = [p for kind, p in _seeded("ortto", estate) if kind == "people"]
        old_readers = (p for p in readers if over(p["engaged_at"] or p["created_at"], "M2"))
        yield "M2", self._fate("readers", ((p["id"], p["external_id"]) for p in old_readers))
        devices = _devices([user for _, user in _seeded("onesignal", estate)])
        asleep = (number for number, device in devices.items() if over(device["last_active"], "A8"))
        yield "A8", self._fate("devices", ((number, devices[number]["external_id"] or number) for number in asleep))

    def _suppressed(self) -> Iterator[tuple[str, Fate]]:
        clock, fills = (lambda: self._estate.as_of), (traces.fill_sendgrid, traces.fill_mailgun)
        twins = SendGridSandbox(Faults(), Journal(), clock), MailgunSandbox(Faults(), Journal(), clock)
        for service, twin, fill in zip(SUPPRESSIONS, twins, fills, strict=True):
            fill(self._estate, twin)  # type: ignore[operator]
            contents = suppressions(service, twin)
            for name, rule in SUPPRESSIONS[service].items():
                collection = f"{service} {name}"
                due = [key for key, record in contents[collection].items() if self._over(_made(record), rule)]
                yield rule, self._fate(collection, ((key, key[1]) for key in due))

    def _over(self, moment: datetime | None, rule: str) -> bool:
        return is_over(moment, rule, self._as_of)

    def _fate(self, collection: str, found: Iterator[tuple[Any, str]]) -> Fate:
        due = list(found)
        held = frozenset(identifier for identifier, subject in due if subject in self._held)
        return Fate(collection, frozenset(identifier for identifier, _ in due) - held, held)

    def _users(self, uids: Iterator[str]) -> Fate:
        return self._fate("firestore", ((f"users/{uid}", uid) for uid in uids))

    def _files(self) -> Fate:
        due = [o for o in self._estate.objects() if o.name.startswith("users/") and self._over(o.custom_time, "A3")]
        fate = self._fate("objects", (((o.name, o.time_created), o.name.split("/")[1]) for o in due))
        refused = frozenset((o.name, o.time_created) for o in due if o.temporary_hold)
        return Fate("objects", fate.goes - refused, fate.held | refused)

    def _cache(self, kind: str) -> Fate:
        entries = (e for e in self._estate.cache() if e.key.startswith(f"{kind}:"))
        due = (e for e in entries if e.ttl is None or e.ttl > DAY_SECONDS)
        return self._fate("cache", ((e.key, e.key.split(":")[1]) for e in due))


def _seeded(service: str, estate: Estate) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a service of the row got from the estate, read from behind."""
    twin = SERVICES[service].build(Faults(), Journal(), lambda: estate.as_of)
    SERVICES[service].fill(estate, twin)
    return twin.records()


def _devices(users: Collection[Mapping[str, Any]]) -> dict[Any, Any]:
    """Subscriptions that are devices, each with its user's id."""
    return {
        number: {**device, "external_id": user["external_id"]}
        for user in users
        for number, device in user["subscriptions"].items()
        if device["type"] not in ("Email", "SMS")
    }


def _by_password_alone(account: Account) -> bool:
    return [provider["providerId"] for provider in account.providers] == ["password"]


def _lineage(identifier: Any) -> Iterator[str]:
    """A document's path and those of the documents above it; nothing for the records of other stores."""
    parts = identifier.split("/") if isinstance(identifier, str) else []
    return ("/".join(parts[:length]) for length in range(2, len(parts) + 1, 2))


def _anonymous(record: Mapping[str, Any]) -> dict[str, Any]:
    """The anonymous form of a usage event: where it has more than these, nothing else is removed."""
    at = record["at"]
    month = at[:7] if isinstance(at, str) else f"{at:%Y-%m}"
    return {"feature": record["feature"], "country": record["country"], "at_month": month}


def _made(record: Mapping[str, Any]) -> datetime:
    """When an entry of a suppression list was made."""
    seconds = record.get("created")
    return record["created_at"] if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
