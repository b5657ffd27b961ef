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
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

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
_PASSING = {
    ("sendgrid", "activity"): 37,
    ("mailgun", "events"): 30,
    ("loggly", "events"): 30,
    ("new_relic", "events"): 30,
    ("zapier", "runs"): 29,
}
"""Days after which records go by themselves."""
_UNLINKED = {"contacts": ("owner",), "posts": ("author", "author_name")}
_NEW = {("sendgrid", "activity"), ("sendgrid", "sent"), ("mailgun", "events"), ("mailgun", "sent")}
"""Where the answer to a person leaves traces."""
_ACCOUNTS = {"facebook": r"\d{16}", "instagram": r"\d{17}", "linkedin": r"[a-z]{12}", "twitter": r"\d{18}"}
"""How the ids of people look at each social network."""
_SEEN_BY_X = "2026-02-19"
"""Direct messages before it are on the account and not in the list that X gives: 30 days, and some to spare."""
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


_FORMS: Mapping[str, Mapping[str, Fate]] = {
    "typeform": {"answers": Fate.GOES},
    "wix": {
        **dict.fromkeys(("contacts", "members", "submissions"), Fate.GOES),
        "conversations": Fate.BY_HAND,
    },
    "hotjar": {"responses": Fate.BY_HAND, "recordings": Fate.LATER},
}
"""What becomes of a person's records in services that take in forms, by collection."""


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
        social = place[0] in _ACCOUNTS
        below = _answered(records) if social else frozenset()
        for text in records:
            record = json.loads(text)
            end = _social(place, text, record, asked, below) if social else _end(place, text, record, asked, gone_below)
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
        shown = unquote(text)
        return Fate.LATER if any(names(shown, needle) for needle in (person.uid, *person.emails) if needle) else None
    if service in _BY_SERVICE:
        return _BY_SERVICE[service](collection, text, record, person)
    return _form(place, text, record, person) if service in _FORMS else None


def _written(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    """What people typed, or somebody set up, with an address in it."""
    return Fate.BY_HAND if any(names(text, needle) for needle in person.emails) else None


def _mailed(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    """What mailers hold by address; the proof of an opt-out stays."""
    if collection == "sent" or not _own(person, record):
        return None
    return Fate.STAYS if collection in ("global_unsubscribes", "unsubscribes") else Fate.GOES


def _collected(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    """Leads by address or by the name of the profile; what runs collected, by any of both in a row."""
    if collection == "results":
        urls = (f"linkedin.com/in/{profile}/" for profile in person.at_services)
        mine = any(url in text for url in urls) or any(names(text, email) for email in person.emails)
        return Fate.BY_HAND if mine else None
    addresses = {
        str(one).lower() for one in (*record.get("professional_emails", ()), *record.get("personal_emails", ()))
    }
    mine = record.get("slug") in person.at_services or bool(addresses & {email.lower() for email in person.emails})
    return Fate.GOES if mine else None


def _installed(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    return Fate.GOES if record["fid"] in person.ids else None


def _owned(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    return Fate.BY_HAND if str(record["owner"]).lower() in {email.lower() for email in person.emails} else None


def _read(collection: str, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    """People to whom a service writes."""
    return Fate.GOES if _is_reader(person, record) else None


_BY_SERVICE = {
    "firebase_performance": _installed,
    "looker_studio": _owned,
    "phantombuster": _collected,
    **dict.fromkeys(("autopilot", "ortto", "onesignal"), _read),
    **dict.fromkeys(("tawk_to", "tag_manager"), _written),
    **dict.fromkeys(("sendgrid", "mailgun"), _mailed),
}


def account(service: str, person: Known) -> set[str]:
    """The ids of a person at a social network."""
    bare = {one.removeprefix(f"{service}:") for one in person.ids}
    return {one for one in bare if re.fullmatch(_ACCOUNTS[service], one)}


def _social(place: Place, text: str, record: Mapping[str, Any], asked: Asked, answered: frozenset[str]) -> End | None:
    """Hashes leave the audiences by the vendor's work, comments go unless others answered, the rest is by hand."""
    service, collection = place
    mine = account(service, asked.known)
    if collection == "audience_members":
        return End(Fate.LATER, None) if record["hash"] in _hashes(service, asked.known, mine) else None
    if service == "twitter":
        with_own = mine & {str(record["sender"]), *str(record["conversation"]).split("-")}
        recent = str(record["at"]) > _SEEN_BY_X
        return End(Fate.GOES if recent else Fate.BY_HAND, None) if with_own else None
    if collection in ("comments", "posts"):
        if record["author"] not in mine:
            return None
        if not asked.everything:
            return End(Fate.STAYS, text)
        return End(Fate.BY_HAND if record["id"] in answered else Fate.GOES, None)
    who = record["member"] if service == "linkedin" else record["person"]
    return End(Fate.BY_HAND, None) if who in mine else None


def _hashes(service: str, person: Known, accounts: set[str]) -> set[str]:
    """By what a person can be in an audience: addresses, at Facebook the phone number, at X the id of the account."""
    values = {email.lower() for email in person.emails}
    if service == "facebook":
        values |= {one.removeprefix("+") for one in person.ids if re.fullmatch(r"\+\d+", one)}
    return {sha256(value.encode()).hexdigest() for value in values | (accounts if service == "twitter" else set())}


def _answered(records: Iterable[str]) -> frozenset[str]:
    """Ids of the texts below which somebody other than their author has written."""
    texts = {text["id"]: text for text in map(json.loads, records) if "author" in text}
    return frozenset(
        text["parent"]
        for text in texts.values()
        if text["parent"] in texts and texts[text["parent"]]["author"] != text["author"]
    )


def _form(place: Place, text: str, record: Mapping[str, Any], person: Known) -> Fate | None:
    """Services that take in forms: what names the person goes, but for what only people can delete."""
    named = any(names(text, needle) for needle in person.emails)
    tagged = person.uid != "" and person.uid in (record.get("hidden") or {}).values()
    return _FORMS[place[0]].get(place[1]) if named or tagged else None


def _own(person: Known, record: Mapping[str, Any]) -> bool:
    """Whether a record of a mailer is about one of a person's addresses."""
    addresses = [record.get("email"), record.get("address"), *record.get("alternate_emails", ())]
    mine = {email.lower() for email in person.emails}
    return any(str(address).lower() in mine for address in addresses if address)


def _is_reader(person: Known, record: Mapping[str, Any]) -> bool:
    """Whether a person of a service that writes to people is this one: by address, by user id, by a free device."""
    if record.get("external_id"):
        return record["external_id"] == person.uid
    if "subscriptions" in record:
        return any(device in person.ids for device in record["subscriptions"])
    return str(record["email"]).lower() in {email.lower() for email in person.emails}


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
    if place == ("identitytoolkit", "accounts"):
        return any(record["local_id"] == one.known.uid for one in people)
    if place == ("ortto", "archive"):
        return any(_is_reader(one.known, record) for one in people)
    if place == ("google_workspace", "grants"):
        return any(f"google:{record['token']}" in one.known.ids for one in people)
    to = str(record.get("to") or record.get("to_email") or record.get("recipient") or "").lower()
    return place in _NEW and to in {email.lower() for one in people for email in one.known.emails}
