"""What the erasure engine calls: answers to surveys are read once for a whole batch of persons, and matched in code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.policy.register import Claim
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import same
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.hotjar import ERASING_CARD, HORIZON, KEY
from include.systems.hotjar.calls import HOST, Calls, Response
from include.systems.http import Http
from include.systems.mentions import Mentions, addresses_in, is_word
from include.systems.rates import shared

_KIND = "survey_answers"
_NAMED = 5
"""Ids that an instruction names; a person finds the rest by searching."""
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NOT_ASKED = (
    "Recordings, heatmaps and attributes of users can't be asked about: the vendor's look-up e-mails the person. They "
    "end 365 days after they were made."
)
_TYPED = {"answers", "comment", "tags"}
"""What a person typed or chose; the rest is what the site or Hotjar added."""
_OWN = {"id", "site_id", "survey_id", "created_time", "hotjar_user_id"}
"""The vendor's own ids and dates."""


@dataclass(slots=True)
class Held:
    """The answers about one person, and the identifiers in them: those that Hotjar has shown to know.

    Args:
        looked: whether anything could be looked at.
    """

    responses: list[Response] = field(default_factory=list, repr=False)
    emails: set[str] = field(default_factory=set, repr=False)
    users: set[tuple[str, str]] = field(default_factory=set, repr=False)
    looked: bool = True


class Hotjar:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        calls: for the key.
        means: the engine's.
        sites: ids of the sites whose surveys are read; empty where the plan does not let them be.
        organization: for the deletion of hits; "" for none.
        key_ends: when the key ends, if the connection says so.
    """

    card = ERASING_CARD

    def __init__(
        self, calls: Calls, means: Means, sites: Sequence[str], organization: str, key_ends: datetime | None
    ) -> None:
        self._calls = calls
        self._means = means
        self._sites = sites
        self._organization = organization
        self._key_ends = key_ends

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read all answers to surveys once. Never asks Hotjar about a person."""
        ends = self._means.clock() + HORIZON
        return [
            Found(
                ref,
                {_KIND: len(held.responses)} if held.responses else {},
                clean_at=ends if held.responses or not held.looked else None,
                records=held,
            )
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Have hits deleted of those whom Hotjar has shown to know; say what a person has to do."""
        for each in found if self._organization else ():
            held: Held = each.records
            for email in sorted(held.emails):
                self._calls.delete_hits(self._organization, email=email)
            for user in sorted(held.users):
                self._calls.delete_hits(self._organization, user=user)
        return [_receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read all answers again.

        ``until`` is the vendor's longest time for what was deleted: the receipt's date where the ledger has one (from
        when it was done by hand), else counted from this look.
        """
        of = {receipt.ref: receipt for receipt in receipts}
        ends = self._means.clock() + HORIZON
        return [_seen(ref, held, of.get(ref), ends) for ref, held in self._look(subjects).items()]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Each person's answers to surveys as the vendor gives them. Recordings can't be asked for."""
        for subject in subjects:
            held = self._look([subject])[subject.ref]
            yield Exported(subject.ref, {_KIND: [{"survey_id": r.survey, **r.content} for r in held.responses]})

    def access(self) -> Access:
        """Get a token and list surveys, which names nobody. The deletion of hits is not tried."""
        self._calls.sign_in()
        missing = [] if all(self._may_read(site) for site in self._sites) else [ERASING_CARD.scopes[1]]
        note = "A key has all rights of the organization; a right to delete can't be tried without deleting."
        return Access(missing=tuple(missing), expires_at=self._key_ends, shown=False, note=note)

    def check(self, claim: Claim) -> Checked:
        """Count answers in which an address or a user id is found. Only they can be asked for."""
        if not self._sites:
            return Checked(claim.id, asked=False, note=f"The plan does not let surveys be read. {_NOT_ASKED}")
        looked = violations = 0
        for response in self._responses():
            looked += 1
            violations += any(True for _ in addresses_in(response.content)) or bool(_attributes(response.content))
        return Checked(claim.id, looked, violations, note=f"All answers to surveys were read. {_NOT_ASKED}")

    def people(self) -> Iterator[Identifier]:
        """Addresses in answers to surveys, and user ids that the site sent along with them."""
        for response in self._responses():
            yield from (Identifier(IdentifierKind.EMAIL, address) for address in addresses_in(response.content))
            yield from (Identifier(IdentifierKind.USER_ID, value) for value in sorted(_attributes(response.content)))

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _may_read(self, site: str) -> bool:
        try:
            next(self._calls.surveys(site), None)
        except Refused:
            return False
        return True

    def _responses(self) -> Iterator[Response]:
        for site in self._sites:
            yield from self._calls.responses(site)

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        held = {subject.ref: Held(looked=bool(self._sites)) for subject in subjects}
        mentions = Mentions(subjects, (IdentifierKind.EMAIL,))
        owners: dict[str, set[str]] = {}
        for subject in subjects:
            for value in filter(is_word, subject.values(IdentifierKind.USER_ID)):
                owners.setdefault(value, set()).add(subject.ref)
        own = {s.ref: {same(v) for v in s.values(IdentifierKind.EMAIL)} for s in subjects}
        for response in self._responses() if mentions or owners else ():
            named = mentions.refs(_without_own(response.content))
            users = {value: owners[value] for value in _attributes(response.content) & owners.keys()}
            for ref in named.union(*users.values()):
                held[ref].responses.append(response)
                held[ref].emails |= {a for a in addresses_in(response.content) if same(a) in own[ref]}
                held[ref].users |= {(response.site, value) for value, refs in users.items() if ref in refs}
        return held


def connect(connection: Connection, means: Means) -> Hotjar:
    """Build the client; see :func:`include.systems.hotjar.connect_erasing`.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    if not connection.login or not connection.password:
        raise Refused(KEY, "read its connection", "Give client id and secret of an API key as login and password.")
    sites = connection.extra.get("sites", [])
    readable = connection.extra.get("survey_export") is not False
    if not isinstance(sites, list) or not all(str(site).isdecimal() for site in sites) or (readable and not sites):
        raise Refused(KEY, "read 'sites' of its connection", "Give a list of ids of sites, or 'survey_export': false.")
    http = Http(connection, HOST, pace=shared(connection, means.budgets, 50.0))
    calls = Calls(http, connection.login, connection.password, means.clock)
    organization = str(connection.extra.get("organization_id") or "")
    return Hotjar(calls, means, [str(site) for site in sites] if readable else [], organization, _day(connection))


def _day(connection: Connection) -> datetime | None:
    value = connection.extra.get("key_expires_on")
    try:
        return None if value is None else datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Refused(KEY, "read 'key_expires_on' of its connection", "Give a day as 2027-03-01.")


def _without_own(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in _OWN}


def _attributes(content: Mapping[str, Any]) -> set[str]:
    """Whole values that the site sent along as the id of a user."""
    added = {name: value for name, value in content.items() if name not in _TYPED | _OWN}
    return {value for value in _user_ids(added) if is_word(value)}


def _user_ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        known = value.get("user_id")
        yield from [str(known)] if isinstance(known, str | int) and not isinstance(known, bool) else []
        for inner in value.values():
            yield from _user_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _user_ids(inner)


def _receipt(ref: str, held: Held) -> Receipt:
    if not held.looked:
        return Receipt(ref, Did.MANUAL, next_action=f"Nothing could be looked at. {ERASING_CARD.instructions}")
    if not held.responses:
        return Receipt(ref, Did.ABSENT)
    named = [each.id for each in held.responses if _OPAQUE.fullmatch(each.id)][:_NAMED]
    some = f" ({', '.join(named)})" if named else ""
    step = f"To delete: {len(held.responses)} survey answers{some}. {ERASING_CARD.instructions}"
    return Receipt(ref, Did.MANUAL, next_action=step)


def _seen(ref: str, held: Held, receipt: Receipt | None, ends: datetime) -> Seen:
    remaining = len(held.responses)
    if not held.looked or receipt is None or receipt.did is not Did.MANUAL or remaining:
        return Seen(ref, remaining, proved=held.looked)
    return Seen(ref, 0, until=receipt.until or ends)
