"""What the erasure engine calls: in each account, erase mail data, then contacts, then suppressions; and read back.

The vendor's erasure is asked for every address of a person, also where nothing was found: messages and their activity
can't be searched reliably (the log is an add-on and shorter than what is kept), so that only the job removes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import addresses, doubtful
from include.systems.assuring import Access
from include.systems.erasing import Did, Found, Means, Receipt, Seen, Stays
from include.systems.sendgrid import ERASING_CARD, contacts, erasejob, suppressions
from include.systems.sendgrid.client import SYSTEM, Account, Accounts
from include.systems.sendgrid.contacts import Contact
from include.systems.sendgrid.suppressions import Entry

_ERASE, _CONTACTS = "erase:", "contacts:"
"""What the parts of ``Receipt.job``, joined by ``+``, are."""
_LONGEST_JOB = 250
"""Characters of ``Receipt.job``; six of the vendor's ids or so."""
_REFUSED = "SendGrid refuses an address as invalid: ask its support to erase it, or correct the request."
_DOUBTFUL = "One address is in a form that is never sent: look for it by hand in SendGrid, or correct the request."


@dataclass(frozen=True, slots=True)
class _Held:
    """What is held of one person in one account."""

    contacts: tuple[Contact, ...] = ()
    going: tuple[Entry, ...] = ()
    staying: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Records:
    """What ``find`` hands to ``erase``: the person's addresses, and what is held by account."""

    addresses: tuple[str, ...]
    doubtful: bool
    held: Mapping[Account, _Held]


@dataclass(slots=True)
class _Work:
    """What an erase call has done so far, for the whole batch."""

    jobs: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    deletions: dict[tuple[Account, str], str] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)


class SendGrid:
    """``ErasingSystem`` for an account and its subusers."""

    def __init__(self, connection: Connection, means: Means) -> None:
        if unknown := means.keep_suppressions - set(suppressions.LISTS):
            step = (
                f"Correct {', '.join(sorted(unknown))} in the policy file to some of {', '.join(suppressions.LISTS)}."
            )
            raise Refused(SYSTEM, "read which suppressions to keep", step)
        self.card = ERASING_CARD
        self._means = means
        self._accounts = Accounts(connection)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Contacts and entries of suppression lists of each person, over the account and all subusers.

        Raises:
            Unavailable: a call failed; nothing is known of any of them.
            Refused: the key lacks a right.
        """
        held = self._look(subjects)
        return [self._found(subject, held) for subject in subjects]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Erase mail data of every address, delete the contacts found, remove the entries found.

        Raises:
            Unavailable: a call failed or its answer was lost; any part may be done.
            Throttled: likewise, and the vendor or the shared budget says how long to wait.
            Refused: the vendor does not allow it.
        """
        work = _Work()
        everyone = tuple(dict.fromkeys(address for each in found for address in each.records.addresses))
        for account in self._accounts.all() if everyone else ():
            self._erase_in(account, found, everyone, work)
        until = self._means.clock() + ERASING_CARD.horizon
        return [_receipt(each, work, until) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again for contacts and entries. ``pending`` while the deletion of contacts that are there still runs.

        Raises:
            Unavailable: a call failed.
        """
        held = self._look(subjects)
        given = {receipt.ref: receipt for receipt in receipts}
        pending = cache(contacts.pending)
        return [self._seen(subject, held, given.get(subject.ref), pending) for subject in subjects]

    def access(self) -> Access:
        """The rights of the key beside the needed ones, as the vendor lists them."""
        return self._accounts.access()

    def people(self) -> Iterator[Identifier]:
        """Every address on a list that does not survive an erasure. Contacts can't be listed page by page."""
        kept = self._means.keep_suppressions
        for account in self._accounts.all():
            for email in suppressions.everybody(account, [name for name in suppressions.LISTS if name not in kept]):
                yield Identifier(IdentifierKind.EMAIL, email)

    def close(self) -> None:
        """Release the sockets."""
        self._accounts.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[Account, dict[str, _Held]]:
        """By account and address (folded). A contact with several of the addresses is under each of them."""
        wanted = tuple(dict.fromkeys(address for subject in subjects for address in addresses(subject)))
        if not wanted:
            return {}
        return {account: self._look_in(account, wanted) for account in self._accounts.all()}

    def _look_in(self, account: Account, wanted: tuple[str, ...]) -> dict[str, _Held]:
        known = contacts.search(account, wanted)
        entries = suppressions.look(account, wanted)
        by_address: dict[str, tuple[list[Contact], list[Entry]]] = {}
        for contact in known:
            for address in contact.addresses:
                by_address.setdefault(address, ([], []))[0].append(contact)
        for entry in entries:
            by_address.setdefault(entry.address, ([], []))[1].append(entry)
        kept = self._means.keep_suppressions
        return {
            address: _Held(
                tuple(people),
                tuple(entry for entry in listed if entry.list not in kept),
                tuple(entry for entry in listed if entry.list in kept),
            )
            for address, (people, listed) in by_address.items()
        }

    def _found(self, subject: Subject, held: Mapping[Account, Mapping[str, _Held]]) -> Found:
        own = addresses(subject)
        of_person = {account: _together(by_address, own) for account, by_address in held.items()}
        stays = _count(entry.list for each in of_person.values() for entry in each.staying)
        return Found(
            subject.ref,
            counts=_counts(of_person.values()),
            stays=tuple(Stays(name, count, self._means.suppression_ground) for name, count in stays.items()),
            clean_at=self._means.clock() + ERASING_CARD.horizon if own else None,
            records=_Records(own, doubtful(subject), of_person),
        )

    def _erase_in(self, account: Account, found: Sequence[Found], everyone: tuple[str, ...], work: _Work) -> None:
        erased = erasejob.erase(account, everyone, self._means)
        work.refused |= erased.refused
        for address, job in erased.jobs.items():
            work.jobs.setdefault(address, []).append(job)
        held = [each.records.held.get(account, _Held()) for each in found]
        ids = sorted({contact.id for each in held for contact in each.contacts})
        started = contacts.delete(account, ids)
        work.deletions |= {(account, identifier): job for identifier, job in started.items()}
        work.unfinished |= contacts.unfinished(account, set(started.values()), self._accounts.pause)
        suppressions.remove(account, {entry for each in held for entry in each.going})

    def _seen(
        self,
        subject: Subject,
        held: Mapping[Account, Mapping[str, _Held]],
        receipt: Receipt | None,
        pending: Callable[[Account, str], bool],
    ) -> Seen:
        own = addresses(subject)
        of_person = {account: _together(by_address, own) for account, by_address in held.items()}
        until = receipt.until if receipt else None
        return Seen(
            subject.ref,
            remaining=sum(_counts(of_person.values()).values()),
            until=until if until and until > self._means.clock() else None,
            pending=any(
                pending(account, job)
                for account, each in of_person.items()
                if each.contacts
                for job in _deletions(receipt)
            ),
        )


def _together(by_address: Mapping[str, _Held], own: Sequence[str]) -> _Held:
    """What the addresses of one person hold, each record once."""
    held = [by_address[address] for address in own if address in by_address]
    return _Held(
        tuple(dict.fromkeys(contact for each in held for contact in each.contacts)),
        tuple(dict.fromkeys(entry for each in held for entry in each.going)),
        tuple(dict.fromkeys(entry for each in held for entry in each.staying)),
    )


def _counts(held: Iterable[_Held]) -> dict[str, int]:
    """Records that an erasure removes, by kind."""
    return _count(
        kind for each in held for kind in (*("contacts" for _ in each.contacts), *(entry.list for entry in each.going))
    )


def _count(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _receipt(found: Found, work: _Work, until: datetime) -> Receipt:
    records: _Records = found.records
    erased = [job for address in records.addresses for job in work.jobs.get(address, ())]
    mine = [work.deletions[account, contact.id] for account, held in records.held.items() for contact in held.contacts]
    gone = sum(len(held.going) for held in records.held.values())
    gone += sum(job not in work.unfinished for job in mine)
    parts = [_ERASE + each for each in erased]
    job = _joined([*parts[:1], *(_CONTACTS + each for each in mine), *parts[1:]])
    refused = any(_is_of(held, work.refused & {*records.addresses}) for held in records.held.values())
    if refused or records.doubtful:
        step = _REFUSED if refused else _DOUBTFUL
        return Receipt(found.ref, Did.FAILED, gone, job, until if job else None, next_action=step)
    if job is None and not gone:
        return Receipt(found.ref, Did.ABSENT)
    return Receipt(found.ref, Did.ACCEPTED, gone, job, until)


def _is_of(held: _Held, some: set[str]) -> bool:
    """Whether one of some addresses is why a record is held."""
    return any(contact.addresses & some for contact in held.contacts) or any(e.address in some for e in held.going)


def _joined(parts: Iterable[str]) -> str | None:
    """As many as fit: with many subusers those that nobody can ask about are left out."""
    job = ""
    for part in dict.fromkeys(parts):
        longer = f"{job}+{part}" if job else part
        job = longer if len(longer) <= _LONGEST_JOB else job
    return job or None


def _deletions(receipt: Receipt | None) -> list[str]:
    parts = (receipt.job or "").split("+") if receipt else []
    return [part.removeprefix(_CONTACTS) for part in parts if part.startswith(_CONTACTS)]
