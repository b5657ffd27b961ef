"""The identity graph: from what a person gave to everything the person is known by, before anything is deleted.

The identity roots are asked again with what they answered, until nothing new comes. Records that share a user id are
one person; records with different user ids are several people, and a human has to choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from include.erasure.desk import Desk
from include.erasure.evidence import Match, identity_entry
from include.errors import Refused
from include.ledger.entry import Entry, Kind
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.subjects.normalise import canonical
from include.systems.erasing import IdentityRoot

ROUNDS = 12
"""Most times the roots are asked; a chain of that many changed addresses is a fault in the data."""

_TYING = frozenset({IdentifierKind.USER_ID, IdentifierKind.EMAIL, IdentifierKind.FEDERATED_ID, IdentifierKind.PHONE})
"""Kinds that name one person; a workspace or a device is shared."""

Profile = tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of the person of one request.

    Args:
        subject: as it came in.
        people: one set of identifiers per user id that matched, in the order of the ids.
        loose: identifiers of matching records that have no user id.
        strangers: what was given and is in no record of these people: a typing mistake, or another person's.
    """

    subject: Subject
    people: tuple[Profile, ...] = field(repr=False)
    loose: Profile = field(default=(), repr=False)
    strangers: Profile = field(default=(), repr=False)

    @property
    def match(self) -> Match:
        """How many people match; with something that does not fit the one who does, a human has to say."""
        if not self.people:
            return Match.NONE
        return Match.ONE if len(self.people) == 1 and not self.strangers else Match.SEVERAL

    def chosen(self, number: int | None) -> tuple[Profile, Profile]:
        """What belongs to the person that a human chose (None: all of it does), and what does not and must go.

        An address that is also in a record of somebody else stays out: erasing by it would take that person's data.
        """
        if number is None:
            return tuple(i for profile in (self.loose, *self.people) for i in profile), ()
        others = (profile for place, profile in enumerate(self.people) if place != number)
        foreign = {key for profile in (*others, self.loose, self.strangers) for key in _keys(profile)}
        mine = tuple(i for i in self.people[number] if _key(i) not in foreign)
        return mine, tuple(i for i in self.subject.identifiers if _key(i) in foreign)


def resolve(subjects: Sequence[Subject], roots: Sequence[IdentityRoot]) -> list[Identity]:
    """Ask the roots until nothing new comes; one call per root and round for all subjects together.

    Raises:
        Unavailable: a root did not answer.
        Refused: the chain of identifiers does not end.
    """
    records = _Records()
    asked: set[Identifier] = set()
    news = {identifier for subject in subjects for identifier in subject.identifiers if identifier.kind in _TYING}
    rounds = 0
    while news:
        if (rounds := rounds + 1) > ROUNDS:
            step = "They lead on without end: look at the identity roots."
            raise Refused("identity", "follow a person's identifiers", step)
        asked |= news
        read = [profile for root in roots for profile in root.profiles(sorted(news))]
        records.add(read)
        news = {identifier for profile in read for identifier in profile if identifier.kind in _TYING} - asked
    return [_identity(subject, records.reach(subject)) for subject in subjects]


def record(desk: Desk, identities: Sequence[Identity], choices: Mapping[str, int | None] | None = None) -> None:
    """Collect what is known into the vault and write to the ledger how sure it is.

    Args:
        desk: the means.
        identities: as resolved.
        choices: for requests that several people match, the number of the one a human chose (None: all of them).
    """
    decided = choices or {}
    extended: dict[str, Profile] = {}
    foreign: dict[str, Profile] = {}
    entries = []
    for identity in identities:
        ref, match = identity.subject.ref, identity.match
        if match is Match.SEVERAL and ref not in decided:
            entries.append(identity_entry(identity.subject, match, len(identity.people)))
            continue
        number = decided.get(ref)
        extended[ref], foreign[ref] = identity.chosen(number)
        given = (known for known in identity.subject.identifiers if known not in foreign[ref])
        together = replace(identity.subject, identifiers=tuple(dict.fromkeys((*given, *extended[ref]))))
        sure = Match.ONE if match is Match.SEVERAL else match
        entries.append(identity_entry(together, sure, len(identity.people), number))
    desk.vault.add_all(extended, origin="identity_roots")
    for ref, somebody_elses in foreign.items():
        if somebody_elses:
            desk.vault.forget(ref, somebody_elses)
    desk.ledger.append(entries)


def choice_entry(ref: str, choice: str, *, by: str, reason: str) -> Entry:
    """Whom a human chose among several people."""
    return Entry(Kind.OPERATOR_ACTION, ref, body={"what": "identity", "choice": choice, "by": by, "reason": reason})


class _Records:
    """Records of the identity roots, each reachable by what names its person."""

    def __init__(self) -> None:
        self._known: set[Profile] = set()
        self._by_key: dict[tuple[IdentifierKind, str], list[Profile]] = {}

    def add(self, profiles: Iterable[Profile]) -> None:
        for profile in set(profiles) - self._known:
            self._known.add(profile)
            for key in _keys(profile):
                self._by_key.setdefault(key, []).append(profile)

    def reach(self, subject: Subject) -> list[Profile]:
        """The records that hang together with the subject's identifiers, in a stable order."""
        reached: set[Profile] = set()
        seen: set[tuple[IdentifierKind, str]] = set()
        ahead = _keys(subject.identifiers)
        while ahead:
            seen |= ahead
            fresh = {profile for key in ahead for profile in self._by_key.get(key, ())} - reached
            reached |= fresh
            ahead = {key for profile in fresh for key in _keys(profile)} - seen
        return sorted(reached)


def _identity(subject: Subject, profiles: Iterable[Profile]) -> Identity:
    people: dict[str, dict[Identifier, None]] = {}
    loose: dict[Identifier, None] = {}
    for profile in profiles:
        ids = [identifier.value for identifier in profile if identifier.kind is IdentifierKind.USER_ID]
        target = people.setdefault(ids[0], {}) if ids else loose
        target.update(dict.fromkeys(profile))
    theirs = {key for known in (loose, *people.values()) for key in _keys(known)}
    strangers = tuple(i for i in subject.identifiers if people and i.kind in _TYING and _key(i) not in theirs)
    return Identity(subject, tuple(tuple(people[uid]) for uid in sorted(people)), tuple(loose), strangers)


def _key(identifier: Identifier) -> tuple[IdentifierKind, str]:
    return identifier.kind, canonical(identifier.kind, identifier.value)


def _keys(identifiers: Iterable[Identifier]) -> set[tuple[IdentifierKind, str]]:
    return {_key(identifier) for identifier in identifiers if identifier.kind in _TYING}
