"""One profile of the company at Meta, as a system from which persons are erased.

What people wrote below the company's content is deleted by its id, their hashes leave all audiences, and conversations
are left to a person with exact steps: the API has no call for them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, Exported, Found, Means, Receipt, Seen, Stays
from include.systems.meta.audiences import Audiences, keys_of
from include.systems.meta.contributions import Contribution, Shape, contributions, of_authors
from include.systems.meta.graph import Graph, Part, relative
from include.systems.meta.inbox import Inbox

AUDIENCES = timedelta(hours=24)
"""How long a change of an audience takes at most, as the vendor says."""
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_OBJECT = re.compile(r"[0-9]{1,32}(_[0-9]{1,32})?", re.ASCII)
_DELETE = "delete what people wrote"
_KEPT = "Public activity from before the deletion of an account stays stored and public (§6.2)."


@dataclass(frozen=True, slots=True)
class Held:
    """What there is of one person, as the vendor's ids and as hashes.

    Args:
        keys: hashes by schema, to be taken out of the audiences.
        written: ids that can be deleted alone.
        answered: how many texts have answers of others below them.
        threads: ids of conversations.
        public: how many texts stay because only an account is deleted.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    written: tuple[str, ...] = ()
    answered: int = 0
    threads: tuple[str, ...] = field(default=(), repr=False)
    public: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind are held. Hashes are no kind: whether one is in an audience is known to nobody."""
        held = {
            "comments": len(self.written),
            "answered_comments": self.answered,
            "conversations": len(self.threads),
        }
        return {kind: count for kind, count in held.items() if count}


class Profile:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        card: of the system; its key stands before the ids of its people, as in ``facebook:…``.
        graph: calls with the connection's token.
        page: calls with the token of the page.
        number: id of the profile.
        shape: how its content is listed.
        inbox: its conversations.
        audiences: of the ad account; None without one.
        means: the engine's.
    """

    def __init__(
        self,
        card: ErasingCard,
        graph: Graph,
        page: Graph,
        number: str,
        shape: Shape,
        inbox: Inbox,
        audiences: Audiences | None,
        means: Means,
    ) -> None:
        self.card = card
        self._graph = graph
        self._page = page
        self._number = number
        self._shape = shape
        self._inbox = inbox
        self._audiences = audiences
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """List all content once for all persons, look for each one's conversation, hash what audiences know."""
        horizon = self._means.clock() + AUDIENCES
        return [
            Found(
                ref,
                held.counts,
                (Stays("comments", held.public, _KEPT),) if held.public else (),
                clean_at=horizon if held.keys else None,
                records=held,
            )
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete texts in batches, take hashes out of all audiences, say what is left for a person."""
        held: dict[str, Held] = {each.ref: each.records for each in found}
        parts = self._delete([number for one in held.values() for number in one.written])
        if self._audiences is not None:
            self._audiences.remove(_together(one.keys for one in held.values()))
        until = self._means.clock() + AUDIENCES
        return [self._receipt(ref, one, parts, until) for ref, one in held.items()]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """List and look again. Who is in an audience can't be read: with a hash sent, the look proves nothing."""
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(
                ref,
                remaining=len(held.written) + held.answered + len(held.threads),
                until=until.get(ref) if held.keys else None,
                proved=not held.keys,
            )
            for ref, held in self._look(subjects).items()
        ]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """What each person wrote in public, and the messages of their conversations."""
        ids = {subject.ref: self._ids(subject) for subject in subjects}
        threads = self._threads(ids)
        written = self._written({one for known in ids.values() for one in known})
        for subject in subjects:
            wrote = [text for group in written for text in group if text.author in ids[subject.ref]]
            said = [message for thread in threads[subject.ref] for message in self._inbox.messages(thread)]
            records = {"comments": [text.content for text in wrote], "messages": said}
            yield Exported(subject.ref, {kind: found for kind, found in records.items() if found})

    def people(self) -> Iterator[Identifier]:
        """The authors of all texts and the participants of all conversations."""
        authors = (one.author for one in contributions(self._page, self.card.key, self._number, self._shape))
        for source in (authors, self._inbox.everybody()):
            for number in source:
                if number and number != self._number and _OPAQUE.fullmatch(number):
                    yield Identifier(IdentifierKind.EXTERNAL_ID, f"{self.card.key}:{number}")

    def access(self) -> Access:
        """Ask Meta about the token itself; the page's token and the audiences show that both are assigned."""
        tried = "look at its token"
        body = self._graph.about_token(tried)
        told = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(told, Mapping) or not isinstance(told.get("scopes"), list):
            raise Inconsistent(self.card.key, tried, "It answered without rights; look at the version of the API.")
        if told.get("is_valid") is not True:
            raise Refused(self.card.key, tried, "Give the connection a new token: this one is no longer valid.")
        self._page.get("/{}", self._number, tried="read the profile", params={"fields": "id"})
        scopes = frozenset(map(str, told["scopes"]))
        if self._audiences is not None and "ads_management" in scopes:
            self._audiences.used()
        needed = frozenset(self.card.scopes) - (frozenset() if self._audiences else {"ads_management"})
        ends = [told.get(name) for name in ("expires_at", "data_access_expires_at")]
        dates = [datetime.fromtimestamp(end, UTC) for end in ends if isinstance(end, int) and end > 0]
        return Access(
            missing=tuple(sorted(needed - scopes)),
            excess=tuple(sorted(scopes - needed - _IMPLIED)),
            expires_at=min(dates, default=None),
        )

    def close(self) -> None:
        """Release the sockets."""
        self._graph.close()
        self._page.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        ids = {subject.ref: self._ids(subject) for subject in subjects}
        keys = self._keys(subjects)
        threads = self._threads(ids)
        alone, answered = self._written({one for known in ids.values() for one in known})
        found = {}
        for subject in subjects:
            mine = [text.id for text in alone if text.author in ids[subject.ref]]
            under = sum(text.author in ids[subject.ref] for text in answered)
            hashes, ours = keys.get(subject.ref, {}), tuple(threads[subject.ref])
            if subject.request is RequestType.ERASURE:
                found[subject.ref] = Held(hashes, tuple(mine), under, ours)
            else:
                found[subject.ref] = Held(hashes, threads=ours, public=len(mine) + under)
        return found

    def _keys(self, subjects: Sequence[Subject]) -> dict[str, Mapping[str, tuple[str, ...]]]:
        """Hashes of each person; none where no audience was made from a list."""
        if self._audiences is None:
            return {}
        keys = {subject.ref: keys_of(subject) for subject in subjects}
        return keys if any(keys.values()) and self._audiences.used() else {}

    def _threads(self, ids: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        found = self._inbox.threads(sorted({one for known in ids.values() for one in known}))
        return {ref: [thread for one in known for thread in found[one]] for ref, known in ids.items()}

    def _written(self, authors: Collection[str]) -> tuple[list[Contribution], list[Contribution]]:
        if not authors:
            return [], []
        listed = contributions(self._page, self.card.key, self._number, self._shape)
        return of_authors(listed, self._number, authors)

    def _ids(self, subject: Subject) -> tuple[str, ...]:
        """The person's ids as the profile knows them."""
        accounts = (value.partition(":") for value in subject.values(IdentifierKind.EXTERNAL_ID))
        known = {number for service, _, number in accounts if service == self.card.key and _OPAQUE.fullmatch(number)}
        return tuple(sorted(known - {self._number}))

    def _delete(self, numbers: Sequence[str]) -> dict[str, Part]:
        """Delete each by its id.

        Raises:
            Unavailable: one of them failed for the moment; any of the others may be gone.
            Inconsistent: an id is none of an object: nothing was sent.
        """
        if not all(map(_OBJECT.fullmatch, numbers)):
            raise Inconsistent(self.card.key, _DELETE, "An id is none of an object: look at the version of the API.")
        parts = self._page.batch([("DELETE", relative("{}", number)) for number in numbers], _DELETE)
        for part in parts:
            if not part.good and not part.absent and not part.refused:
                raise self._page.failure(part, _DELETE)
        return dict(zip(numbers, parts, strict=True))

    def _receipt(self, ref: str, held: Held, parts: Mapping[str, Part], until: datetime) -> Receipt:
        mine = [parts[number] for number in held.written]
        gone, refused = sum(part.good for part in mine), sum(part.refused for part in mine)
        end = until if held.keys else None
        left = _steps(refused, held.answered, len(held.threads))
        if left:
            return Receipt(ref, Did.MANUAL, gone, until=end, next_action=f"{left} {self.card.instructions}")
        if held.keys:
            return Receipt(ref, Did.ACCEPTED, gone, until=end)
        return Receipt(ref, Did.GONE, gone) if gone else Receipt(ref, Did.ABSENT)


_IMPLIED = frozenset({"public_profile", "pages_show_list", "business_management"})
"""Rights that a token of a system user has anyway."""


def _together(some: Iterator[Mapping[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """The hashes of many persons, each once."""
    found: dict[str, dict[str, None]] = {}
    for keys in some:
        for schema, hashes in keys.items():
            found.setdefault(schema, {}).update(dict.fromkeys(hashes))
    return {schema: list(hashes) for schema, hashes in found.items()}


def _steps(refused: int, answered: int, threads: int) -> str:
    """What is left for a person, as counts; "" if nothing is."""
    parts = [
        f"{threads} conversation(s)" if threads else "",
        f"{answered} comment(s) below which others have written" if answered else "",
        f"{refused} comment(s) that the vendor does not let the page delete" if refused else "",
    ]
    return f"Left by hand: {', '.join(filter(None, parts))}." if any(parts) else ""
