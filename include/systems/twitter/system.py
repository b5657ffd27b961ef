"""The connector: what the engine asks, put together from audiences and direct messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.twitter import ACCESS_LEVEL, ERASING_CARD, KEY
from include.systems.twitter.audiences import OPERATIONS, Audiences, hashes_of
from include.systems.twitter.messages import Limits, Message, Messages, Removal
from include.systems.twitter.signing import OAuth1, Secrets

API = "https://api.x.com"
ADS = "https://ads-api.x.com"
_READ = "read its connection"
_DELETE = "delete direct messages"
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_EVENT = re.compile(r"[0-9]{1,32}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_UNSEEN = "Left by hand: messages older than 30 days, which the API does not show"


@dataclass(frozen=True, slots=True)
class Held:
    """What there is of one person.

    Args:
        hashes: by the name of their kind, to be taken out of the audiences.
        messages: ids of direct messages that can be seen.
        ours: those of them that the company sent.
        account: whether an account of the person is known, so that there may be older messages.
    """

    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    messages: tuple[str, ...] = ()
    ours: frozenset[str] = frozenset()
    account: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind are held. Hashes are no kind: whether one is in an audience is known to nobody."""
        held = {"accounts": int(self.account), "messages": len(self.messages)}
        return {kind: count for kind, count in held.items() if count}


class Twitter:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        messages: of the company's account.
        looks: whether that account has messages at all.
        audiences: of the ad account; None without one.
        own: id of the company's account.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, messages: Messages, looks: bool, audiences: Audiences | None, own: str, means: Means) -> None:
        self._messages = messages
        self._looks = looks
        self._audiences = audiences
        self._own = own
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """List the direct messages once for all persons, and hash what audiences know."""
        horizon = self._means.clock() + self.card.horizon
        return [
            Found(ref, held.counts, clean_at=horizon if held.hashes else None, records=held)
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Take hashes out of all audiences, then delete messages as far as the vendor's limits go today."""
        held: dict[str, Held] = {each.ref: each.records for each in found}
        if self._audiences is not None:
            self._audiences.remove([one.hashes for one in held.values()])
        removed, later = self._delete(list(dict.fromkeys(number for one in held.values() for number in one.messages)))
        if any(removed.get(number) is Removal.REFUSED for one in held.values() for number in one.ours):
            raise Refused(
                KEY, _DELETE, "Give the access token the right to direct messages: it may not delete our own."
            )
        until = self._means.clock() + self.card.horizon
        return [_receipt(ref, one, removed, until, later) for ref, one in held.items()]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """List again. Neither audiences nor messages older than 30 days can be seen: with either, nothing is proved."""
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(
                ref,
                remaining=len(held.messages),
                until=until.get(ref) if held.hashes else None,
                proved=not held.hashes and not held.account,
            )
            for ref, held in self._look(subjects).items()
        ]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """The direct messages of each person that can be seen."""
        messages = self._by_account(subjects)
        for subject in subjects:
            mine = [one.content for one in _of(messages, self._accounts(subject))]
            yield Exported(subject.ref, {"messages": mine} if mine else {})

    def people(self) -> Iterator[Identifier]:
        """The accounts of all who sent or received one of the messages that can be seen."""
        for message in self._messages.listed() if self._looks else ():
            for number in message.others(self._own):
                yield Identifier(IdentifierKind.EXTERNAL_ID, f"{KEY}:{number}")

    def access(self) -> Access:
        """Ask for the account that the token is of; a list of audiences shows the right to the ad account."""
        number, level = self._messages.account()
        if number != self._own:
            raise Inconsistent(KEY, "look at its account", "The access token is of another account: copy it again.")
        if self._audiences is not None:
            self._audiences.lists()
        missing = (ACCESS_LEVEL,) if self._looks and level and level != ACCESS_LEVEL else ()
        return Access(missing=missing, shown=bool(level), note="" if level else "X did not show the access level.")

    def close(self) -> None:
        """Release the sockets."""
        self._messages.close()
        if self._audiences is not None:
            self._audiences.close()

    def _delete(self, numbers: Sequence[str]) -> tuple[dict[str, Removal], datetime]:
        """What became of those that could be tried now, and from when on the others can be."""
        if not all(map(_EVENT.fullmatch, numbers)):
            raise Inconsistent(KEY, _DELETE, "An id is none of a message: look at the API.")
        granted, later = self._messages.allowed(len(numbers))
        return {number: self._messages.delete(number) for number in numbers[:granted]}, later

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        hashes = self._hashes(subjects)
        messages = self._by_account(subjects)
        found = {}
        for subject in subjects:
            known = self._accounts(subject)
            mine = _of(messages, known)
            ours = frozenset(one.id for one in mine if one.sender == self._own)
            found[subject.ref] = Held(hashes.get(subject.ref, {}), tuple(one.id for one in mine), ours, bool(known))
        return found

    def _hashes(self, subjects: Sequence[Subject]) -> dict[str, Mapping[str, tuple[str, ...]]]:
        """The hashes of each person; none where no audience was made from a list."""
        if self._audiences is None:
            return {}
        hashes = {subject.ref: hashes_of(subject) for subject in subjects}
        return hashes if any(hashes.values()) and self._audiences.lists() else {}

    def _by_account(self, subjects: Sequence[Subject]) -> dict[str, list[Message]]:
        """The messages that can be seen with each account of these persons; nothing is asked without an account."""
        found: dict[str, list[Message]] = {one: [] for subject in subjects for one in self._accounts(subject)}
        for message in self._messages.listed() if found else ():
            for other in message.others(self._own):
                if other in found:
                    found[other].append(message)
        return found

    def _accounts(self, subject: Subject) -> frozenset[str]:
        """The person's own accounts."""
        if not self._looks:
            return frozenset()
        named = (value.partition(":") for value in subject.values(IdentifierKind.EXTERNAL_ID))
        known = {number for service, _, number in named if service == KEY and _OPAQUE.fullmatch(number)}
        return frozenset(known - {self._own})


def _of(messages: Mapping[str, Sequence[Message]], accounts: Iterable[str]) -> list[Message]:
    """The messages with some accounts, each once."""
    return list({one.id: one for account in sorted(accounts) for one in messages[account]}.values())


def connect(connection: Connection, means: Means) -> Twitter:
    """See :func:`include.systems.twitter.connect_erasing`."""
    if not connection.login or not connection.password:
        raise Refused(connection.id, _READ, "Give the key of the app as login and its secret as password.")
    token = connection.text("access_token")
    own = token.partition("-")[0]
    if not _EVENT.fullmatch(own):
        raise Refused(connection.id, _READ, "Give 'access_token' as X shows it: it begins with the account's id.")
    known = Secrets(connection.login, connection.password, token, connection.text("access_token_secret"))
    auth = OAuth1(known, means.clock)
    limits = Limits(
        _whole(connection, "reads_per_window", 15),
        _whole(connection, "deletions_per_window", 300),
        _whole(connection, "deletions_per_day", 1500),
    )
    messages = Messages(Http(connection, API, auth=auth), connection.id, limits, means)
    looks = connection.extra.get("direct_messages", True) is not False
    return Twitter(messages, looks, _audiences(connection, auth, means), own, means)


def _audiences(connection: Connection, auth: OAuth1, means: Means) -> Audiences | None:
    if "ad_account_id" not in connection.extra:
        return None
    account = connection.text("ad_account_id")
    if not _ACCOUNT.fullmatch(account):
        raise Refused(connection.id, _READ, "'ad_account_id' in the connection's extra must be letters and digits.")
    pace = partial(means.budgets.pace, f"{connection.id}/audiences", _whole(connection, "calls_per_second", 25))
    return Audiences(Http(connection, ADS, auth=auth, pace=pace), connection.id, account, OPERATIONS)


def _whole(connection: Connection, name: str, default: int) -> int:
    value = connection.extra.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise Refused(connection.id, _READ, f"'{name}' in the connection's extra must be a whole number above 0.")
    return value


def _receipt(ref: str, held: Held, removed: Mapping[str, Removal], until: datetime, later: datetime) -> Receipt:
    mine = [removed.get(number) for number in held.messages]
    gone, refused = mine.count(Removal.GONE), mine.count(Removal.REFUSED)
    if None in mine:
        return Receipt(ref, Did.DEFERRED, gone, until=later)
    end = until if held.hashes else None
    if held.account:
        more = f", and {refused} of the last 30 days that X lets nobody but their sender delete" if refused else ""
        return Receipt(ref, Did.MANUAL, gone, until=end, next_action=f"{_UNSEEN}{more}. {ERASING_CARD.instructions}")
    return Receipt(ref, Did.ACCEPTED, gone, until=end) if held.hashes else Receipt(ref, Did.ABSENT)
