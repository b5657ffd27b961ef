"""The keys of persons in Redis: found by the pattern of a holding, recognised exactly, removed by name.

A key names its person and nothing else, so that it goes whatever it holds. Where a key can be read in two ways, as
``session:a:b:1`` with ``session:{subject}:*``, it belongs to the longest subject, ``a:b``. For the shorter one it is
shown as staying: nobody's keys go because somebody else's id is the beginning of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import Disposal, IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Place, Receipt, Seen
from include.systems.places import Tally, check, goes, known_by
from include.systems.redis.client import Nodes, scan, speaking
from include.systems.redis.patterns import SYSTEM, Pattern

FEW = 4
"""Up to so many persons the server picks out the keys of each; for more, one scan of a pattern serves them all."""
AMBIGUOUS = "The key can be read as another person's, whose id begins with this one."

ERASING_CARD = ErasingCard(
    key=SYSTEM,
    version="1",
    identifiers=frozenset(IdentifierKind),
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(days=7),
    horizon_note="A removed key is gone from memory at once; an append-only file keeps its bytes until it is "
    "rewritten, which the DAG expunge does every week. Snapshots and backups of a service end by their own retention.",
    documentation=(
        "https://redis.io/docs/latest/commands/scan/",
        "https://redis.io/docs/latest/commands/unlink/",
        "https://redis.io/docs/latest/commands/bgrewriteaof/",
    ),
    scopes=("+scan +pttl +unlink +eval +exists +ping on the keys of the policy",),
)


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """The keys of one person that are to be removed."""

    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(slots=True)
class _Kept:
    """What one person has: the sums, and each key with whether it goes."""

    tally: Tally = field(default_factory=Tally)
    goes: dict[bytes, bool] = field(default_factory=dict)


class RedisErasing:
    """Removes the keys of persons.

    Args:
        connection: see :class:`include.systems.redis.client.Nodes`.
        means: see :class:`include.systems.erasing.Means`.
    """

    card = ERASING_CARD

    def __init__(self, connection: Connection, means: Means) -> None:
        self._places = [(place, _pattern(place)) for place in means.places]
        self._nodes = Nodes(connection)

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Ask for the key where a pattern means one, else scan."""
        return [
            one.tally.found(subject.ref, PersonKeys(tuple(key for key, goes in one.goes.items() if goes)))
            for subject, one in zip(subjects, self._look(subjects), strict=True)
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Remove each key by its name; the server answers for each whether it was there.

        Raises:
            Unavailable: no answer; any part may be gone.
            Refused: a missing right, or a replica.
        """
        keys = dict.fromkeys(key for one in found for key in one.records.keys)
        gone = self._each("UNLINK", "remove the keys of persons", keys)
        counts = [sum(key in gone for key in one.records.keys) for one in found]
        return [
            Receipt(one.ref, Did.GONE if count else Did.ABSENT, gone=count)
            for one, count in zip(found, counts, strict=True)
        ]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look again from the beginning."""
        again = self._look(subjects)
        return [Seen(subject.ref, one.tally.total) for subject, one in zip(subjects, again, strict=True)]

    def access(self) -> Access:
        """Ask each server whether it is there. Who one is says whether it is the user that may do everything."""
        names = set()
        for node in self._nodes.all():
            with speaking("reach the server"):
                node.ping()
            names.add(self._nodes.user(node))
        everything = ("all commands of the default user",) if "default" in names else ()
        return Access(excess=everything, shown=False, note="It answers; rights show when a key is looked at.")

    def people(self) -> Iterator[Identifier]:
        """Everybody who has a key that an erasure removes, by the longest id that the key can be read as."""
        for place, pattern in self._places:
            if not goes(place):
                continue
            for node in self._nodes.all():
                for page in scan(node, pattern.glob):
                    owners = (pattern.owners(key) for key in page)
                    yield from (Identifier(place.person.identifier, found[0]) for found in owners if found)

    def close(self) -> None:
        """Close the sockets."""
        self._nodes.close()

    def _look(self, subjects: Sequence[Subject]) -> list[_Kept]:
        kept = [_Kept() for _ in subjects]
        for place, pattern in self._places:
            index = known_by(subjects, place.person.identifier)
            for key in self._candidates(pattern, list(index)):
                owner, *others = pattern.owners(key)
                for position in index.get(owner, ()):
                    _add(kept[position], place, place.disposal(subjects[position].request), key)
                for position in {position for other in others for position in index.get(other, ())}:
                    if key not in kept[position].goes:
                        kept[position].goes[key] = False
                        kept[position].tally.keep(place.holding, 1, AMBIGUOUS)
        return kept

    def _candidates(self, pattern: Pattern, values: Sequence[str]) -> Iterable[bytes]:
        """Keys among which those of the values are, each once."""
        keys = [pattern.key_of(value) for value in values]
        exact = [key for key in keys if key is not None]
        if exact or not values:
            return self._each("EXISTS", "look for the keys of persons", exact)
        return dict.fromkeys(self._scanned(pattern, values))

    def _scanned(self, pattern: Pattern, values: Sequence[str]) -> Iterator[bytes]:
        globs = [pattern.glob_of(value) for value in values] if len(values) <= FEW else [pattern.glob]
        wanted = set(values)
        for node in self._nodes.all():
            for glob in globs:
                for page in scan(node, glob):
                    yield from (key for key in page if not wanted.isdisjoint(pattern.owners(key)))

    def _each(self, command: str, tried: str, keys: Iterable[bytes]) -> dict[bytes, None]:
        """The keys to which the server answers one command with yes."""
        yes: dict[bytes, None] = {}
        for server, held in self._nodes.holding(keys):
            with speaking(tried), server.pipeline(transaction=False) as pipeline:
                for key in held:
                    pipeline.execute_command(command, key)
                yes.update((key, None) for key, there in zip(held, pipeline.execute(), strict=True) if there)
        return yes


def connect_erasing(connection: Connection, means: Means) -> RedisErasing:
    """Build the system; no call is made and redis-py is not imported until it is used.

    Args:
        connection: as for :func:`include.systems.redis.connect`.
        means: a place names persons by ``pattern``, where its location's pattern has ``{subject}``.

    Raises:
        Refused: the connection has no host, or a place cannot be treated as it asks.
    """
    return RedisErasing(connection, means)


def _add(kept: _Kept, place: Place, disposal: Disposal, key: bytes) -> None:
    """Count a key once, however many places speak of it."""
    if key not in kept.goes:
        kept.goes[key] = disposal is Disposal.DELETE
        kept.tally.add(place, disposal)


def _pattern(place: Place) -> Pattern:
    check(SYSTEM, place, {Disposal.DELETE, Disposal.KEEP, Disposal.ROUTE})
    if place.person.match != "pattern" or place.person.where or place.location.keys() != {"pattern"}:
        step = "Use 'pattern' as its 'match', a 'pattern' alone as its location, and no 'where'."
        raise Refused(SYSTEM, f"read the persons of '{place.holding}'", step)
    return Pattern.parse(place.location["pattern"], with_subject=True)
