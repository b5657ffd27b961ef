"""What the erasure engine calls. Members go first, because a member's contact can't be deleted; contacts go last.

Submissions can't be searched by what was typed into them: all are read once for a whole batch of persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import same, sendable
from include.systems.assuring import Access
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.mentions import Mentions, addresses_in
from include.systems.wix import ERASING_CARD, HORIZON, KEY, SCOPES, contacts
from include.systems.wix.contacts import Contact, Deleted
from include.systems.wix.site import NOBODY, Member, Site, Submission

_IN_USE = (
    "Wix keeps {count} contact(s) of this person, because they are members under another address, contributors to the "
    "site or pay for a subscription: end that in the dashboard, then start the request again."
)


@dataclass(slots=True)
class Held:
    """What is held of one person."""

    members: dict[str, Member] = field(default_factory=dict, repr=False)
    contacts: dict[str, Contact] = field(default_factory=dict)
    submissions: dict[str, Submission] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, list[Mapping[str, Any]]]:
        """The records of each kind, as the vendor gives them."""
        return {
            "members": [member.content for member in self.members.values()],
            "contacts": [contact.content for contact in self.contacts.values()],
            "submissions": [submission.content for submission in self.submissions.values()],
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: len(records) for kind, records in self.content.items() if records}


class WixErasing:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        site: the calls.
        means: the engine's.
        inbox: whether visitors can write to the site's inbox.
    """

    card = ERASING_CARD

    def __init__(self, site: Site, means: Means, *, inbox: bool) -> None:
        self._site = site
        self._means = means
        self._inbox = inbox

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Members, contacts and submissions of each person."""
        return [
            Found(ref, held.counts, records=held, by_hand=self._by_hand(held))
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete exactly those. What is left for a person to do is said last."""
        held: list[Held] = [each.records for each in found]
        for number in dict.fromkeys(number for each in held for number in each.members):
            self._site.delete_member(number)
        for number in dict.fromkeys(number for each in held for number in each.submissions):
            self._site.delete_submission(number)
        done = contacts.delete(self._site, {number for each in held for number in each.contacts})
        return [self._receipt(each.ref, each.records, done) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again. The inbox can't be looked into: what is by hand is proved by a person."""
        given = {receipt.ref: receipt for receipt in receipts}
        running: Callable[[str], bool] = cache(lambda job: contacts.pending(self._site, job))
        looked = self._look(subjects)
        return [_seen(ref, sum(held.counts.values()), given.get(ref), running) for ref, held in looked.items()]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Each person's records as the vendor gives them."""
        for subject in subjects:
            yield Exported(subject.ref, self._look([subject])[subject.ref].content)

    def access(self) -> Access:
        """Ask for records that can't be there."""
        trials = (
            lambda: contacts.attempt(self._site),
            lambda: list(self._site.members([f"{NOBODY}@invalid.example"])),
            self._site.try_submissions,
        )
        missing = [scope for scope, trial in zip(SCOPES, trials, strict=True) if not _works(trial)]
        if len(missing) == len(SCOPES):
            raise Refused(KEY, "try its API key", "Check the key, 'site_id', and that the key may manage this site.")
        note = "The key's rights are not shown; whether it may delete shows with the first deletion."
        return Access(missing=tuple(missing), shown=False, note=note)

    def people(self) -> Iterator[Identifier]:
        """Addresses of all contacts and members, and those that were typed into forms."""
        for contact in contacts.everybody(self._site):
            yield from (Identifier(IdentifierKind.EMAIL, address) for address in sorted(contact.addresses))
        for member in self._site.members():
            yield from [Identifier(IdentifierKind.EMAIL, member.login)] if member.login else []
        for submission in self._site.submissions():
            yield from (Identifier(IdentifierKind.EMAIL, address) for address in addresses_in(submission.values))

    def close(self) -> None:
        """Release the sockets."""
        self._site.close()

    def _look(self, subjects: Sequence[Subject]) -> Mapping[str, Held]:
        held = {subject.ref: Held() for subject in subjects}
        owners: dict[str, list[str]] = {}
        for subject in subjects:
            for address in filter(sendable, subject.values(IdentifierKind.EMAIL)):
                owners.setdefault(same(address), []).append(subject.ref)
        if not owners:
            return held
        spelled = {v for s in subjects for v in s.values(IdentifierKind.EMAIL) if sendable(v)} | set(owners)
        of: dict[str, set[str]] = {}
        for contact in contacts.search(self._site, spelled):
            for ref in {ref for address in contact.addresses for ref in owners.get(address, ())}:
                held[ref].contacts[contact.id] = contact
                of.setdefault(contact.id, set()).add(ref)
        for member in self._site.members(spelled):
            for ref in owners.get(same(member.login), ()):
                held[ref].members[member.id] = member
                of.setdefault(member.id, set()).add(ref)
        self._look_into_forms(subjects, of, held)
        return held

    def _look_into_forms(
        self, subjects: Sequence[Subject], of: Mapping[str, set[str]], held: Mapping[str, Held]
    ) -> None:
        """A submission is about whom it names, and about the contact or the member whom Wix ties it to."""
        mentions = Mentions(subjects, (IdentifierKind.EMAIL,))
        for submission in self._site.submissions():
            tied = of.get(submission.contact, set()) | of.get(submission.member, set())
            for ref in mentions.refs(submission.values) | tied:
                held[ref].submissions[submission.id] = submission

    def _by_hand(self, held: Held) -> str | None:
        """Who had a contact may have written to the inbox; once the contact is gone nothing tells that any more."""
        return ERASING_CARD.instructions if self._inbox and (held.contacts or held.members) else None

    def _receipt(self, ref: str, held: Held, done: Deleted) -> Receipt:
        left = [number for number in held.contacts if number in done.refused]
        jobs = [done.waiting[number] for number in held.contacts if number in done.waiting]
        gone = sum(held.counts.values()) - len(left) - len(jobs)
        job, until = (jobs[0], self._means.clock() + HORIZON) if jobs else (None, None)
        if left:
            return Receipt(ref, Did.FAILED, gone, job, until, next_action=_IN_USE.format(count=len(left)))
        by_hand = self._by_hand(held)
        if by_hand is not None:
            return Receipt(ref, Did.MANUAL, gone, job, until, next_action=by_hand)
        if jobs:
            return Receipt(ref, Did.ACCEPTED, gone, job, until)
        return Receipt(ref, Did.GONE if gone else Did.ABSENT, gone)


def _works(trial: Callable[[], object]) -> bool:
    try:
        trial()
    except Refused:
        return False
    return True


def _seen(ref: str, count: int, receipt: Receipt | None, running: Callable[[str], bool]) -> Seen:
    proved = receipt is None or receipt.did is not Did.MANUAL
    if count and receipt is not None and receipt.job and running(receipt.job):
        return Seen(ref, 0, until=receipt.until, pending=True, proved=proved)
    return Seen(ref, count, proved=proved)
