"""tawk.to: conversations that only a person can delete, in the dashboard; the API lists and reads them.

The chat is meant to be anonymous, yet whoever writes can type an address. Where the account has REST access (the
vendor grants it on request), all chats and tickets are read once for a whole batch of persons and matched exactly in
code, with the contacts that they belong to. Without it nothing can be looked at: it is by hand from the start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.policy.register import Claim, ClaimKind
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.mentions import Mentions, shows_address
from include.systems.tawk_to_calls import KINDS, Calls

KEY = "tawk_to"
IDENTIFIERS = (IdentifierKind.EMAIL, IdentifierKind.USER_ID)
BACKUPS = timedelta(days=90)
NAMED = 5
"""Ids of conversations that an instruction names; a person finds the rest by searching."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(IDENTIFIERS),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=BACKUPS,
    horizon_note=(
        "There is no call that deletes. What is deleted by hand stays in the vendor's backups for 90 days. A contact "
        "without any chat or ticket can't be found by the API, because contacts can't be listed. Source: how tawk.to "
        "stores data."
    ),
    documentation=(
        "https://help.tawk.to/article/rest-api",
        "https://docs.tawk.to/",
        "https://www.tawk.to/how-we-store-your-data/",
    ),
    instructions=(
        "In the dashboard of tawk.to: Inbox, search for the person's addresses, delete each chat and ticket, empty the "
        "trash; Contacts, search likewise, delete each contact. Write down how many, and attach the proof here."
    ),
)

_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_CONTACTS = "contacts"


@dataclass(frozen=True, slots=True)
class Held:
    """Ids of what is about one person, by kind. They are the vendor's own and name nobody."""

    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    looked: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: len(ids) for kind, ids in self.ids.items() if ids}


class TawkTo:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        calls: reads conversations; None where the account has no REST access.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, calls: Calls | None, means: Means) -> None:
        self._calls = calls
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read all conversations once for all persons. Without REST access nothing is looked at and nothing counted."""
        by_hand = self._means.clock() + BACKUPS
        return [
            Found(ref, held.counts, clean_at=by_hand if held.counts or not held.looked else None, records=held)
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say what a person has to do; nothing else can be done."""
        return [_receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read all conversations again.

        ``until`` is the end of the backups of what was found once and is gone now: the receipt's date where the ledger
        has one (from when it was done by hand), else counted from this look.
        """
        of = {receipt.ref: receipt for receipt in receipts}
        ended = self._means.clock() + BACKUPS
        return [_seen(ref, held, of.get(ref), ended) for ref, held in self._look(subjects).items()]

    def access(self) -> Access:
        """Ask for the sites that the key sees. Without REST access there is no key to try."""
        if self._calls is None:
            return Access(missing=("REST access, which the vendor grants",), note="Each request is looked at by hand.")
        lacks = () if self._calls.sees_property() else ("the site of 'property_id'",)
        return Access(missing=lacks, note="A key of tawk.to has all rights of its user.")

    def check(self, claim: Claim) -> Checked:
        """Count chats and tickets in which an e-mail address is written, or whose contact has one."""
        if self._calls is None or claim.kind is not ClaimKind.NO_IDENTIFIERS:
            return Checked(claim.id, asked=False, note="Nothing can be looked at without REST access.")
        looked, violations, contacts = 0, 0, dict[str, bool]()
        for kind in KINDS:
            for conversation in self._calls.conversations(kind):
                contact = conversation.contact
                if contact and contact not in contacts:
                    contacts[contact] = shows_address(self._calls.contact(contact))
                looked += 1
                violations += contacts.get(contact, False) or shows_address(conversation.content)
        return Checked(
            claim.id, looked, violations, note="Chats and tickets, those in the trash too, with their contacts."
        )

    def close(self) -> None:
        """Release the sockets."""
        if self._calls is not None:
            self._calls.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        if self._calls is None:
            return {subject.ref: Held(looked=False) for subject in subjects}
        found = {subject.ref: {kind: set[str]() for kind in (*KINDS, _CONTACTS)} for subject in subjects}
        mentions = Mentions(subjects, IDENTIFIERS)
        contacts: dict[str, set[str]] = {}
        for kind in KINDS if mentions else ():
            for conversation in self._calls.conversations(kind):
                contact = conversation.contact
                if contact and contact not in contacts:
                    contacts[contact] = mentions.refs(self._calls.contact(contact))
                for ref in mentions.refs(conversation.content) | contacts.get(contact, set()):
                    found[ref][kind].add(conversation.id)
        for contact, refs in contacts.items():
            for ref in refs:
                found[ref][_CONTACTS].add(contact)
        return {ref: Held({kind: tuple(sorted(ids)) for kind, ids in held.items()}) for ref, held in found.items()}


def connect_erasing(connection: Connection, means: Means) -> TawkTo:
    """Build the client; no call is made.

    ``login`` is the REST API key. ``extra`` of the connection:

    - ``property_id``: id of the site. Required with REST access.
    - ``rest_access``: whether the vendor granted it (true or false). Without it the outcome is by hand.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    if connection.extra.get("rest_access") is not True:
        return TawkTo(None, means)
    if not connection.login:
        raise Refused(KEY, "read its connection", "Give the REST API key as login.")
    property_id = connection.text("property_id")
    from requests.auth import HTTPBasicAuth

    http = Http(connection, "https://api.tawk.to", auth=HTTPBasicAuth(connection.login, ""))
    return TawkTo(Calls(http, property_id), means)


def _receipt(ref: str, held: Held) -> Receipt:
    if not held.looked:
        return Receipt(ref, Did.MANUAL, next_action=f"Nothing could be looked at. {ERASING_CARD.instructions}")
    if not held.counts:
        return Receipt(ref, Did.ABSENT)
    parts = [f"{len(ids)} {kind}{_some(ids)}" for kind, ids in held.ids.items() if ids]
    return Receipt(ref, Did.MANUAL, next_action=f"To delete: {', '.join(parts)}. {ERASING_CARD.instructions}")


def _some(ids: tuple[str, ...]) -> str:
    """Some of the ids, to find them by: only what is surely the vendor's own form of one."""
    named = [number for number in ids if _OPAQUE.fullmatch(number)][:NAMED]
    return f" ({', '.join(named)})" if named else ""


def _seen(ref: str, held: Held, receipt: Receipt | None, ended: datetime) -> Seen:
    remaining = sum(held.counts.values())
    if not held.looked or receipt is None or receipt.did is not Did.MANUAL or remaining:
        return Seen(ref, remaining, proved=held.looked)
    return Seen(ref, 0, until=receipt.until or ended)
