"""What must become of each record of the company, worked out from the seeded records and the text of the policy.

Nothing here is shared with the policy's loader, the engine or the modules: it reads the contents of the services as
:func:`tests.erasure.scan.look` finds them, and knows by itself where a record names a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tests.erasure.scan import Contents, Known, Place

SERVICES = {
    "firebase_auth": ("identitytoolkit",),
    "google_sign_in": ("identitytoolkit",),
    "linkedin_sign_in": ("identitytoolkit", "linkedin_sign_in"),
    "cloud_storage": ("storage",),
}
"""Names of the sandbox's services that differ from the systems' keys."""
_LINKS = {"google_sign_in": "google.com", "linkedin_sign_in": "oidc.linkedin"}
"""What of an account two of the systems remove: the link to a provider."""
_GRANTS = {
    ("google_workspace", "grants"): "google:{token}",
    ("google_workspace", "channels"): "google:{id}/{resourceId}",
    ("microsoft_graph", "subscriptions"): "microsoft:{creator}",
    ("microsoft_graph", "refresh_tokens"): "microsoft:{token}",
    ("linkedin_sign_in", "tokens"): "linkedin:{token}",
}
"""As which id of a person the profile of a user has what a record names."""
_ENDING = {("microsoft_graph", "refresh_tokens"): 90, ("linkedin_sign_in", "tokens"): 60}
"""Days after which stored grants end by themselves."""
HIDDEN = ("storage", "clique-files (soft-deleted)")
_PASSING = {("sendgrid", "activity"): 37, ("mailgun", "events"): 30, ("loggly", "events"): 30}
"""Days after which records go by themselves."""
_UNLINKED = {"contacts": ("owner",), "posts": ("author", "author_name")}
_NEW = {("sendgrid", "activity"), ("sendgrid", "sent"), ("mailgun", "events"), ("mailgun", "sent")}
"""Where the answer to a person leaves traces."""
_OWN = {("firestore", "events"), ("elasticsearch", "activity"), ("elasticsearch", "app-logs")}


class Fate(StrEnum):
    """What must become of a record."""

    GOES = "goes"
    UNLINKED = "unlinked"
    LATER = "later"
    """It goes by itself, or by the vendor's work, until a date."""
    BY_HAND = "by hand"
    STAYS = "stays"
    """On a ground that the policy names."""
    BLOCKED = "blocked"
    """The store refuses to delete it."""


@dataclass(frozen=True)
class Asked:
    """A person, and what was asked for: everything, or the account only."""

    known: Known
    everything: bool = True


@dataclass(frozen=True)
class End:
    """What must become of one record, and how it looks then (None: it is gone)."""

    fate: Fate
    after: str | None


Ends = Mapping[Place, Mapping[str, End]]


def services_of(system: str) -> tuple[str, ...]:
    """The sandbox's names of a system."""
    return SERVICES.get(system, (system,))


def ends(contents: Contents, asked: Asked) -> Ends:
    """What must become of one person's records; all others have no end."""
    found: dict[Place, dict[str, End]] = {}
    gone_below = _contacts_that_go(contents, asked)
    for place, records in contents.items():
        for text in records:
            end = _end(place, text, json.loads(text), asked, gone_below)
            if end is not None:
                found.setdefault(place, {})[text] = end
    return found


def together(all_ends: Iterable[Ends]) -> Ends:
    """The ends of several people's records: what goes for one goes; what is unlinked from two is unlinked from both."""
    found: dict[Place, dict[str, End]] = {}
    for one in all_ends:
        for place, records in one.items():
            for text, end in records.items():
                here = found.setdefault(place, {})
                here[text] = _joined(here.get(text), end)
    return found


def without(own: Ends, others: Ends) -> Ends:
    """The ends of the records that only one person has an end for."""
    return {
        place: {text: end for text, end in records.items() if text not in others.get(place, {})}
        for place, records in own.items()
    }


def of_system(all_ends: Ends, system: str) -> dict[tuple[Place, str], End]:
    """The ends of one system's records."""
    return {
        (place, text): end
        for place, records in all_ends.items()
        for text, end in records.items()
        if _is_of(system, place, text)
    }


def _is_of(system: str, place: Place, text: str) -> bool:
    """Whether a record is a system's: an account is one thing, and each of its links is another system's."""
    if place[0] == "identitytoolkit":
        link = place[1] == "links"
        return link == (system in _LINKS) and (f'"{_LINKS[system]}"' in text if link else system == "firebase_auth")
    return place[0] in services_of(system)


def left(contents: Contents, all_ends: Ends, system: str, *fates: Fate) -> list[tuple[Place, str]]:
    """The records with one of some fates that have not met it."""
    return [
        (place, text)
        for (place, text), end in of_system(all_ends, system).items()
        if end.fate in fates and text in contents.get(place, frozenset())
    ]


def wrongs(before: Contents, now: Contents, all_ends: Ends, people: Sequence[Asked], at: datetime) -> list[str]:
    """What is not as it may be at any moment: a record changed that had to stay, or one appeared that nobody made."""
    found = []
    for place, records in before.items():
        for text in records - now.get(place, frozenset()):
            end = all_ends.get(place, {}).get(text)
            if (end is None or end.fate in (Fate.STAYS, Fate.BLOCKED)) and not _passed(place, json.loads(text), at):
                found.append(f"{place}: a record is gone or changed that had to stay")
    made = {place: {e.after for e in one.values() if e.fate is Fate.UNLINKED} for place, one in all_ends.items()}
    for place, records in now.items():
        for text in records - before.get(place, frozenset()):
            if text not in made.get(place, set()) and not _is_trace(place, json.loads(text), people):
                found.append(f"{place}: a record is there that nobody made")
    return found


def undone(now: Contents, all_ends: Ends, systems: Iterable[str]) -> list[str]:
    """What has not met its end yet in some systems, beside what goes by a date or by hand."""
    found = []
    for system in systems:
        for (place, text), end in of_system(all_ends, system).items():
            here = now.get(place, frozenset())
            if end.fate in (Fate.GOES, Fate.UNLINKED) and (text in here or (end.after and end.after not in here)):
                found.append(f"{place}: {end.fate}")
    return found


def names(text: str, value: str) -> bool:
    """Whether a text has a value as a whole word: no part of a longer address or id."""
    return re.search(rf"(?<![\w.+%-]){re.escape(value)}(?![\w-]|[.@]\w)", text, re.IGNORECASE) is not None


def _end(place: Place, text: str, record: Mapping[str, Any], asked: Asked, gone_below: Sequence[str]) -> End | None:
    service, collection = place
    if service == "firestore" and collection == "interactions":
        under = str(record["__name__"]).startswith(tuple(gone_below)) if gone_below else False
        return End(Fate.GOES, None) if under else None
    if collection == "contacts" and service in ("firestore", "elasticsearch"):
        return _contact(record, asked)
    if collection == "posts" and asked.known.uid and record.get("author") == asked.known.uid:
        return End(Fate.GOES, None) if asked.everything else _unlinked(collection, record)
    if service == "storage":
        return _file(collection, record, asked.known)
    fate = _fate(place, text, record, asked.known)
    return None if fate is None else End(fate, text if fate is Fate.STAYS else None)


def _fate(place: Place, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    service, collection = place
    own = _own(person, record)
    if service == "firestore" and collection in ("users", "files"):
        mine = f"{record['__name__']}/".startswith(f"users/{person.uid}/")
        return Fate.GOES if mine else None
    if place in _OWN:
        return Fate.GOES if person.uid and record.get("uid") == person.uid else None
    if service == "redis":
        mine = record["key"] == f"profile:{person.uid}" or str(record["key"]).startswith(f"session:{person.uid}:")
        return Fate.GOES if mine else None
    if service == "identitytoolkit":
        return Fate.GOES if record["local_id"] == person.uid else None
    if place in _GRANTS:
        mine = _GRANTS[place].format_map(record) in person.ids
        return (Fate.LATER if place == ("microsoft_graph", "refresh_tokens") else Fate.GOES) if mine else None
    if place in _PASSING:
        return Fate.LATER if any(names(text, needle) for needle in (person.uid, *person.emails) if needle) else None
    if service == "tawk_to":
        return Fate.BY_HAND if any(names(text, needle) for needle in person.emails) else None
    if not own or service not in ("sendgrid", "mailgun") or collection == "sent":
        return None
    return Fate.STAYS if collection in ("global_unsubscribes", "unsubscribes") else Fate.GOES


def _own(person: Known, record: Mapping[str, Any]) -> bool:
    """Whether a record of a mailer is about one of a person's addresses."""
    addresses = [record.get("email"), record.get("address"), *record.get("alternate_emails", ())]
    mine = {email.lower() for email in person.emails}
    return any(str(address).lower() in mine for address in addresses if address)


def _contact(record: Mapping[str, Any], asked: Asked) -> End | None:
    person, text = asked.known, json.dumps(record, sort_keys=True, default=str, ensure_ascii=False)
    # These stores compare letter by letter: an address finds what is written as it is known, or in small letters.
    about = record.get("email") in {form for email in person.emails for form in (email, email.lower())}
    if about and asked.everything and record.get("source") in ("event", "own_prospect"):
        return End(Fate.GOES, None)
    if person.uid and record.get("owner") == person.uid:
        return _unlinked("contacts", record)
    return End(Fate.STAYS, text) if about else None


def _contacts_that_go(contents: Contents, asked: Asked) -> list[str]:
    """The paths of the contacts that go, each with a slash at its end."""
    found = []
    for text in contents.get(("firestore", "contacts"), ()):
        record = json.loads(text)
        end = _contact(record, asked)
        if end is not None and end.fate is Fate.GOES:
            found.append(f"{record['__name__']}/")
    return found


def _file(collection: str, record: Mapping[str, Any], person: Known) -> End | None:
    if not person.uid or not str(record["name"]).startswith(f"users/{person.uid}/"):
        return None
    if (HIDDEN[0], collection) == HIDDEN:
        return End(Fate.LATER, None)
    if record["temporary_hold"] or record["event_based_hold"]:
        return End(Fate.BLOCKED, None)
    return End(Fate.GOES, None)


def _unlinked(collection: str, record: Mapping[str, Any]) -> End:
    rest = {name: value for name, value in record.items() if name not in _UNLINKED[collection]}
    return End(Fate.UNLINKED, json.dumps(rest, sort_keys=True, default=str, ensure_ascii=False))


def _joined(one: End | None, other: End) -> End:
    if one is None or other.fate is Fate.GOES:
        return other
    return one if one.fate in (Fate.GOES, Fate.UNLINKED) else other


def _passed(place: Place, record: Mapping[str, Any], at: datetime) -> bool:
    """Whether a record may have gone by itself."""
    days = _PASSING.get(place) or _ENDING.get(place)
    return days is not None and datetime.fromisoformat(str(record["at"])) <= at - timedelta(days=days)


def _is_trace(place: Place, record: Mapping[str, Any], people: Sequence[Asked]) -> bool:
    """Whether a record that is new comes from the deletion or from the answer."""
    if place == HIDDEN:
        return any(_file(HIDDEN[1], record, one.known) for one in people)
    if place == ("google_analytics", "deletions"):
        return any(record["value"] in (one.known.uid, *one.known.ids) for one in people)
    if place == ("google_workspace", "grants"):
        return any(f"google:{record['token']}" in one.known.ids for one in people)
    to = str(record.get("to") or record.get("to_email") or record.get("recipient") or "").lower()
    return place in _NEW and to in {email.lower() for one in people for email in one.known.emails}
