"""Autopilot, the product before Ortto: contacts found by address, deleted one by one by their id, read back.

The list of contacts is read page by page as long as that takes no more calls than asking for each address; else each
address is asked for. Its first page is always read: that it answers shows that a 404 for an address speaks of the
address. Whether an address is found whatever its letters is stated nowhere: each known spelling is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import addresses, doubtful, same, sendable
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.rates import shared

KEY = "autopilot"
BASE = "https://api2.autopilothq.com"
CALLS_PER_SECOND = 10.0
"""The vendor publishes no limit. Clients speak of 20 in a second; half of it leaves room for the product itself."""
_LOOK = "look for a contact"
_LIST = "list the contacts"
_REMOVE = "delete a contact"

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL}),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(0),
    horizon_note=(
        "A deleted contact is gone at once; the vendor says nothing about its backups. A contact that the product, "
        "Zapier or an import sends again is a new one without the old opt-out: stop what feeds it first."
    ),
    documentation=(
        "https://autopilot.docs.apiary.io/",
        "https://help.ortto.com/user/latest/getting-started/welcome-guide.html",
    ),
    scopes=("the account's only kind of API key",),
)

_REFUSED = (
    "Autopilot refuses to delete a contact of this person: open it there (People, search, delete), and look whether a "
    "connected CRM holds it."
)
_DOUBTFUL = "One address is in a form that is never sent: look for it by hand in Autopilot, or correct the request."


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact: the vendor's id, which names nobody, and its address, folded."""

    id: str
    email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Records:
    """What ``find`` hands to ``erase``."""

    contacts: tuple[Contact, ...]
    doubtful: bool


class Autopilot:
    """See :class:`include.systems.erasing.ErasingSystem`; gives out, lists people and tries its key too."""

    card = ERASING_CARD

    def __init__(self, http: Http) -> None:
        self._http = http

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """The contacts that have exactly one of a person's addresses."""
        held = self._look(subjects)
        return [
            Found(
                subject.ref,
                {"contacts": len(held[subject.ref])} if held[subject.ref] else {},
                records=_Records(held[subject.ref], doubtful(subject)),
            )
            for subject in subjects
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete each contact by its id. One that is absent meanwhile is not counted."""
        statuses: dict[Contact, int] = {}
        for each in found:
            records: _Records = each.records
            for contact in records.contacts:
                if contact not in statuses:
                    statuses[contact] = self._delete(contact)
        return [_receipt(each, statuses) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look for the addresses again."""
        held = self._look(subjects)
        return [Seen(subject.ref, remaining=len(held[subject.ref])) for subject in subjects]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Each contact as the vendor gives it."""
        held = self._look(subjects)
        for subject in subjects:
            answers = (self._contact(contact.id) for contact in held[subject.ref])
            yield Exported(subject.ref, {"contacts": [answer for answer in answers if answer]})

    def people(self) -> Iterator[Identifier]:
        """The address of each contact."""
        for page, _ in self._pages():
            yield from (Identifier(IdentifierKind.EMAIL, contact.email) for contact in page if contact.email)

    def access(self) -> Access:
        """Read the account, which holds no contact. A key has all rights; the vendor knows no smaller ones."""
        self._http.call("GET", "/v1/account", tried="read the account")
        return Access(shown=False, note="A key of Autopilot may do everything; the vendor knows no smaller rights.")

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, tuple[Contact, ...]]:
        spellings = {
            spelling
            for subject in subjects
            for value in subject.values(IdentifierKind.EMAIL)
            if sendable(value)
            for spelling in (value, same(value))
        }
        found: dict[str, list[Contact]] = {}
        for contact in self._contacts(spellings) if spellings else ():
            found.setdefault(contact.email, []).append(contact)
        return {
            subject.ref: tuple(dict.fromkeys(c for address in addresses(subject) for c in found.get(address, ())))
            for subject in subjects
        }

    def _contacts(self, spellings: Collection[str]) -> Iterator[Contact]:
        """All contacts, or those of the spellings, whichever takes fewer calls; the caller matches exactly."""
        for number, (page, more) in enumerate(self._pages(), 1):
            yield from page
            if number == 1 and more > len(spellings):
                break
        else:
            return
        for spelling in sorted(spellings):
            answer = self._contact(spelling)
            if answer:
                yield _contact(answer)

    def _pages(self) -> Iterator[tuple[list[Contact], int]]:
        """Each page of the list, and how many there may be after the first one, as far as it says."""
        answer = self._http.call("GET", "/v1/contacts", tried=_LIST).json
        bookmarks: set[str] = set()
        while True:
            entries = answer.get("contacts") if isinstance(answer, dict) else None
            if not isinstance(entries, list):
                raise Inconsistent(KEY, _LIST, "It answered without a list of contacts; look at the address.")
            total, bookmark = answer.get("total_contacts"), answer.get("bookmark")
            yield [_contact(entry) for entry in entries], _pages_after(total, len(entries)) if bookmark else 0
            if not bookmark:
                return
            if bookmark in bookmarks:
                raise Inconsistent(KEY, _LIST, "The list does not advance; report it to the vendor.")
            bookmarks.add(str(bookmark))
            answer = self._http.call("GET", "/v1/contacts/{}", str(bookmark), tried=_LIST).json

    def _contact(self, key: str) -> Mapping[str, Any] | None:
        """A contact by id or address; None where there is none."""
        answer = self._http.call("GET", "/v1/contact/{}", key, tried=_LOOK, also=(404,))
        return None if answer.status == 404 else answer.json

    def _delete(self, contact: Contact) -> int:
        """The status: 2xx deleted, 404 not there, 403 refused."""
        return self._http.call("DELETE", "/v1/contact/{}", contact.id, tried=_REMOVE, also=(403, 404)).status


def connect_erasing(connection: Connection, means: Means) -> Autopilot:
    """Build the client; no call is made.

    ``password`` is an API key of the account (Settings, Autopilot API). ``extra``: ``calls_per_second`` (10).

    Raises:
        Refused: the key is missing, or the pace is none.
    """
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give an API key as password.")
    pace = shared(connection, means.budgets, CALLS_PER_SECOND)
    return Autopilot(Http(connection, BASE, headers={"autopilotapikey": connection.password}, pace=pace))


def _pages_after(total: object, size: int) -> int:
    """Pages that follow one of ``size`` entries; 0 where no total is told, which means: read on."""
    return max(0, -(-total // size) - 1) if isinstance(total, int) and size else 0


def _contact(entry: Mapping[str, Any]) -> Contact:
    number = entry.get("contact_id")
    if not isinstance(number, str) or not number or "@" in number:
        raise Inconsistent(KEY, _LOOK, "A contact came without its id; look at the API.")
    return Contact(number, same(str(entry.get("Email") or "")))


def _receipt(found: Found, statuses: Mapping[Contact, int]) -> Receipt:
    records: _Records = found.records
    answers = [statuses[contact] for contact in records.contacts]
    gone = sum(status // 100 == 2 for status in answers)
    if records.doubtful or 403 in answers:
        return Receipt(found.ref, Did.FAILED, gone, next_action=_DOUBTFUL if records.doubtful else _REFUSED)
    return Receipt(found.ref, Did.GONE if gone else Did.ABSENT, gone)
