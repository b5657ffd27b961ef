"""Whether what the evidence claims is true of what is in the services: each outcome beside the independent look."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from include.erasure.status import CLEAN, DATED, OPEN, Outcome, RequestStatus, SystemRow
from include.ledger.entry import Kind, Recorded
from include.sandbox.company import Company
from tests.erasure.scan import Contents
from tests.erasure.truth import HIDDEN, Asked, End, Ends, Fate, account, ends, of_system

_FID = re.compile(r"[A-Za-z0-9_-]{22}")
_TOUCHED = {Fate.GOES, Fate.UNLINKED}
_JOBS = {("sendgrid", "contacts")}
"""What a vendor removes by a job of its own after it has accepted the deletion."""


def untrue(status: RequestStatus, asked: Asked, before: Contents, now: Contents) -> list[str]:
    """What the evidence says of a person and the services deny."""
    was, here = ends(before, asked), ends(now, asked)
    found = []
    for row in status.rows:
        left = of_system(here, row.system)
        gone = sum(end.fate in _TOUCHED and key not in left for key, end in of_system(was, row.system).items())
        if row.gone > gone:
            found.append(f"{row.system}: {row.gone} are said to be gone, {gone} are")
        if not _holds(row, left):
            found.append(f"{row.system}: {row.outcome} is not true")
    return found


def _holds(row: SystemRow, left: Mapping[tuple[tuple[str, str], str], End]) -> bool:
    due = [place for (place, _), end in left.items() if end.fate in _TOUCHED]
    late = [place for (place, _), end in left.items() if end.fate is Fate.LATER]
    if row.outcome in CLEAN - {Outcome.HELD, Outcome.MANUAL_DONE}:
        return not due and not late
    if row.outcome in DATED:
        return not [place for place in due if place not in _JOBS]
    return True


def expected(system: str, asked: Asked, before: Contents, *, held: bool = False) -> set[Outcome]:
    """The outcomes that are true of a person right after the deletion, from what was there before it."""
    if held:
        return {Outcome.HELD}
    own = of_system(ends(before, asked), system)
    fates = {end.fate for end in own.values()}
    # A contact and a member of the website may have conversations that no call shows.
    seen_by_hand = system == "wix" and {"contacts", "members"} & {place[1] for place, _ in own}
    if system not in _SAID and (Fate.BY_HAND in fates or seen_by_hand):
        return {Outcome.MANUAL_PENDING}
    if system in _SAID:
        return {_SAID[system](asked, fates)}
    if Fate.BLOCKED in fates or Fate.LATER in fates:
        return {Outcome.HELD if Fate.BLOCKED in fates else Outcome.EXPIRING}
    if _TOUCHED & fates:
        return {Outcome.EXPIRING if system == "cloud_storage" else Outcome.VERIFIED_GONE}
    return {Outcome.HELD if Fate.STAYS in fates else Outcome.ABSENT}


def _social(system: str, asked: Asked, fates: set[Fate]) -> Outcome:
    """Somebody whose account is known there may have messages that no call shows; hashes are sent of everybody."""
    blind = system in ("linkedin", "twitter") and account(system, asked.known)
    if blind or Fate.BY_HAND in fates:
        return Outcome.MANUAL_PENDING
    if system != "instagram" and asked.known.emails:
        return Outcome.ACCEPTED
    if Fate.GOES in fates:
        return Outcome.VERIFIED_GONE
    return Outcome.HELD if Fate.STAYS in fates else Outcome.ABSENT


def _unless_named(outcome: Outcome) -> Callable[[Asked, set[Fate]], Outcome]:
    """For services that should hold nothing: the outcome where they do."""
    return lambda asked, fates: outcome if fates else Outcome.NO_IDENTIFIER


_SAID: dict[str, Callable[[Asked, set[Fate]], Outcome]] = {
    "google_analytics": lambda asked, fates: Outcome.ACCEPTED if asked.known.uid else Outcome.ABSENT,
    "sendgrid": lambda asked, fates: Outcome.ACCEPTED if asked.known.emails else Outcome.ABSENT,
    **dict.fromkeys(("tawk_to", "tag_manager", "hotjar"), _unless_named(Outcome.MANUAL_PENDING)),
    "new_relic": _unless_named(Outcome.EXPIRING),
    "firebase_performance": lambda asked, fates: (
        Outcome.ACCEPTED if any(map(_FID.fullmatch, asked.known.ids)) else Outcome.NO_IDENTIFIER
    ),
    "looker_studio": lambda asked, fates: Outcome.DERIVED if asked.known.uid else Outcome.ABSENT,
    **{name: partial(_social, name) for name in ("facebook", "instagram", "linkedin", "twitter")},
}
"""Systems of which the outcome does not follow from what becomes of the records alone."""


def mails_to(company: Company, asked: Asked, ref: str) -> list[str]:
    """Which service gave which answer of a request to a person."""
    mine = {email.lower() for email in asked.known.emails}
    return [
        service
        for service in ("sendgrid", "mailgun")
        for mail in company.records(service, "sent")
        if str(mail["to"]).lower() in mine and ref in str(mail["subject"])
    ]


def unannounced(entries: Sequence[Recorded], ref: str, was: Ends, now: Contents, systems: Sequence[str]) -> list[str]:
    """Systems in which more of a person's records went than intents in the ledger had announced."""
    found = []
    for system in systems:
        announced = [
            int(str(r.entry.body["found"]))
            for r in entries
            if r.entry.kind is Kind.INTENT and r.entry.run == ref and r.entry.system == system
        ]
        gone = sum(
            end.fate in _TOUCHED and text not in now.get(place, frozenset())
            for (place, text), end in of_system(was, system).items()
        )
        if gone > max(announced, default=0):
            found.append(f"{system}: {gone} are gone, {announced} were announced")
    return found


def out_of_order(entries: Sequence[Recorded], mailers: Sequence[str]) -> list[str]:
    """What is wrong in the evidence of requests that are finished: intents without an end, mail after the mailers."""
    found = []
    intents: dict[tuple[str, str | None], list[int]] = {}
    answered = set()
    told: dict[str, int] = {}
    for recorded in entries:
        entry, key = recorded.entry, (recorded.entry.run, recorded.entry.system)
        if entry.kind is Kind.INTENT:
            intents.setdefault(key, []).append(recorded.index)
            if entry.system in mailers and entry.run not in told:
                found.append(f"{entry.system} was emptied before the person was told")
        elif entry.kind is Kind.OUTCOME and entry.body["intent"] is not None:
            answered.add(int(str(entry.body["intent"])))
            if int(str(entry.body["intent"])) not in intents.get(key, []):
                found.append(f"{entry.system}: an outcome without its intent")
        elif entry.kind is Kind.NOTICE and entry.body["sending"] != "not sent":
            told[entry.run] = recorded.index
    for (_, system), indices in intents.items():
        found += [f"{system}: the last intent has no outcome"] * (indices[-1] not in answered)
    return found


def settled(status: RequestStatus) -> bool:
    """Whether a push has nothing left to do."""
    return all(row.outcome not in OPEN for row in status.rows)


def hidden_of(now: Contents, asked: Asked) -> int:
    """How many hidden copies of a person's files there are."""
    return len(ends({HIDDEN: now.get(HIDDEN, frozenset())}, asked).get(HIDDEN, {}))
