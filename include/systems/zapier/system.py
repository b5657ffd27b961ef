"""What the erasure engine calls: runs that name a person are counted and awaited until the history lets go of them.

Tables and Interfaces can't be looked into by any call. Where the account uses them, or nobody has said that it does
not, a person has to look, whatever the runs show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.policy.rules import Promise
from include.subjects.identifiers import Subject
from include.systems.assuring import Access
from include.systems.contract import Expiry
from include.systems.erasing import Did, Exported, Found, Means, Receipt, Seen
from include.systems.mentions import Mentions, is_word
from include.systems.rates import shared
from include.systems.zapier import ERASING_CARD, KEY
from include.systems.zapier.ends import end_of
from include.systems.zapier.runs import OLDEST, Runs

KINDS = (IdentifierKind.EMAIL, IdentifierKind.USER_ID)
_NOTHING = timedelta(days=1)
_OVERDUE = (
    "{count} run(s) that name this person are older than the history keeps them: send the prepared message to the "
    "vendor, and attach its answer here."
)
_TABLES = (
    "In Zapier: Tables, open each table, search for the person's addresses and ids, delete the rows; Interfaces, look "
    "through the submissions likewise; in each Zap that had a test with this person's data, load another sample. Write "
    "down how many, and attach the proof here."
)


@dataclass(frozen=True, slots=True)
class Held:
    """The runs that name one person.

    Args:
        count: all of them.
        overdue: those that the history should have let go of.
        until: when it lets go of the last of the others, None without any.
        known: whether the person has anything to look for.
    """

    count: int = 0
    overdue: int = 0
    until: datetime | None = None
    known: bool = True


class Zapier:
    """See :class:`include.systems.erasing.ErasingSystem`; gives out runs, tries its key, shows the retention too.

    Args:
        runs: the calls.
        means: the engine's.
        tables: whether the account may use Tables or Interfaces.
        days: the account's own retention of runs, None for the usual one.
    """

    card = ERASING_CARD

    def __init__(self, runs: Runs, means: Means, *, tables: bool, days: int | None) -> None:
        self._runs = runs
        self._means = means
        self._tables = tables
        self._days = days

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Count the runs. ``clean_at`` is when the history lets go of the last one."""
        return [
            Found(
                ref,
                {"runs": held.count} if held.count else {},
                clean_at=held.until,
                records=held,
            )
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Say until when the runs last, and what a person has to do; no call deletes anything."""
        return [self._receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Search again. Runs within their time are awaited, older ones remain; only an empty search proves."""
        return [
            Seen(
                ref,
                remaining=held.overdue,
                until=held.until,
                proved=not held.count and not (self._tables and held.known),
            )
            for ref, held in self._look(subjects).items()
        ]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """The runs that name a person, one person in memory at a time."""
        for subject in subjects:
            mentions, words = Mentions([subject], KINDS), _words([subject])
            runs = self._runs.naming(words, self._means.clock()) if words else ()
            yield Exported(subject.ref, {"runs": [dict(run) for run in runs if mentions.refs(_content(run))]})

    def access(self) -> Access:
        """Ask for the runs of a day before the vendor existed: none is read."""
        self._runs.count(OLDEST - _NOTHING, OLDEST)
        note = "The vendor gave out another refresh token: put it into the connection before this one ends."
        return Access(shown=False, note=note if self._runs.token.replaced else "The vendor does not show the scopes.")

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """No call shows the setting: what can be seen is whether runs are there that should not be."""
        now = self._means.clock()
        found = []
        for promise in promises:
            oldest = promise.period.cutoff(now) - _NOTHING
            late = self._runs.count(OLDEST, oldest)
            found.append(
                Expiry(
                    "history of runs",
                    f"{late} runs are older" if late else "no run is older",
                    f"at most {promise.period}",
                    agrees=not late,
                    note="The setting itself is in Settings, Data management; the vendor shows it by no call.",
                )
            )
        return found

    def close(self) -> None:
        """Release the sockets."""
        self._runs.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        now, mentions, words = self._means.clock(), Mentions(subjects, KINDS), _words(subjects)
        ends: dict[str, list[datetime]] = {subject.ref: [] for subject in subjects}
        for run in self._runs.naming(words, now) if words else ():
            end = end_of(_time(run, now), self._days)
            for ref in mentions.refs(_content(run)):
                ends[ref].append(end)
        return {subject.ref: _held(ends[subject.ref], now, known=bool(_words([subject]))) for subject in subjects}

    def _receipt(self, ref: str, held: Held) -> Receipt:
        steps = [_OVERDUE.format(count=held.overdue)] if held.overdue else []
        steps += [_TABLES] if self._tables and held.known else []
        if steps:
            return Receipt(ref, Did.MANUAL, until=held.until, next_action=" ".join(steps))
        if held.count:
            return Receipt(ref, Did.EXPIRING, until=held.until)
        return Receipt(ref, Did.ABSENT)


def connect(connection: Connection, means: Means) -> Zapier:
    """See :func:`include.systems.zapier.connect_erasing`."""
    days = connection.extra.get("retention_days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        raise Refused(KEY, "read 'retention_days' of its connection", "Give a whole number of days, or leave it out.")
    runs = Runs(connection, shared(connection, means.budgets, 1.0))
    return Zapier(runs, means, tables=connection.extra.get("tables") is not False, days=days)


def _words(subjects: Sequence[Subject]) -> set[str]:
    return {value for subject in subjects for value in subject.values(*KINDS) if is_word(value)}


def _content(run: Mapping[str, Any]) -> list[Any]:
    """Where a run can name somebody; its own ids can't."""
    return [run.get(name) for name in ("zap_title", "data_in", "data_out")]


def _time(run: Mapping[str, Any], now: datetime) -> datetime:
    """The later of start and end; a run that has neither is taken as new."""
    times = []
    for name in ("start_time", "end_time"):
        try:
            moment = datetime.fromisoformat(str(run.get(name)))
        except ValueError:
            continue
        times.append(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    return max(times, default=now)


def _held(ends: Sequence[datetime], now: datetime, *, known: bool) -> Held:
    ahead = [end for end in ends if end > now]
    return Held(len(ends), len(ends) - len(ahead), max(ahead, default=None), known)
