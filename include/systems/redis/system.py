"""The retention contract over Redis.

Redis does not know when a key was written. What it knows is when a key goes: a key is due when it has no time to live,
or one longer than the rule's period, because then it cannot be gone in time. Removing it costs the cache a miss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from include.connection import Connection
from include.errors import Refused
from include.policy.actions import Action
from include.systems.contract import Batch, Card, Expiry, Expunged, OnHold, Proof, ReadBack, Selection, Survey, Swept
from include.systems.redis.client import PAGE, Nodes, scan, speaking
from include.systems.redis.patterns import SYSTEM, Pattern

CARD = Card(
    key=SYSTEM,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys={"pattern": "the keys, as 'session:{subject}:*': * any bytes, ? one byte, {subject} the person's id"},
    subject_forms={"pattern": "the person's id stands in the key, at {subject}"},
    trigger_fields=frozenset({"write"}),
    batch_size=5_000,
    documentation="https://redis.io/docs/latest/commands/unlink/",
    horizon="The append-only file, snapshots and backups keep removed keys until they are rewritten or deleted.",
)

_NO_TTL, _NO_KEY = -1, -2

_REMOVE = """
local gone, absent, changed = {}, 0, 0
for _, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left == -2 then absent = absent + 1
  elseif left == -1 or left > tonumber(ARGV[1]) then gone[#gone + 1] = key
  else changed = changed + 1 end
end
local removed = 0
if #gone > 0 then removed = redis.call('UNLINK', unpack(gone)) end
return {removed, absent, changed}
"""
_LIVES = """
local lives = {}
for number, key in ipairs(KEYS) do lives[number] = redis.call('PTTL', key) end
return lives
"""
_LIMIT = """
local limited = 0
for _, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left == -1 or left > tonumber(ARGV[1]) then limited = limited + redis.call('PEXPIRE', key, ARGV[1]) end
end
return {limited}
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one server. Personal: they hold the subject's id."""

    node: Any
    keys: list[bytes]


@dataclass(slots=True)
class _Tally:
    total: int = 0
    due: int = 0
    held: int = 0
    endless: int = 0


class RedisSystem:
    """Removes keys by pattern and remaining time to live.

    SCAN may return a key twice while a table grows; counts of a survey can then be too high by those keys. What is
    removed is counted by the script that removes it.

    Args:
        connection: see :class:`include.systems.redis.client.Nodes`.
    """

    card = CARD

    def __init__(self, connection: Connection) -> None:
        self._nodes = Nodes(connection)

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count the keys of the pattern, those due and those held. Their age is not known to Redis."""
        tally = self._tally(selection, on_hold)
        return Survey(tally.total, tally.due, tally.held, None, None)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due keys in SCAN's order, server by server; holds at most one batch and one page in memory."""
        pattern, limit = _checked(selection)
        for node in self._nodes.all():
            waiting: dict[bytes, None] = {}
            for page in self._pages(node, pattern):
                due = (key for key, left in page if _is_due(left, limit) and not _is_held(pattern, key, on_hold))
                waiting.update(dict.fromkeys(due))
                while len(waiting) >= CARD.batch_size:
                    keys = list(waiting)
                    yield _batch(node, keys[: CARD.batch_size])
                    waiting = dict.fromkeys(keys[CARD.batch_size :])
            if waiting:
                yield _batch(node, list(waiting))

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Remove the keys that are still due, each judged and removed in one step by a script.

        Raises:
            Unavailable: no answer; any part of the batch may be gone.
            Refused: a missing right, or a replica.
        """
        _, limit = _checked(selection)
        records: Keys = batch.records
        gone, absent, changed = (sum(column) for column in zip(*self._run(_REMOVE, records, limit), strict=True))
        return Swept(gone=gone, absent=absent, changed=changed)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Scan again from the beginning."""
        tally = self._tally(selection, on_hold)
        return ReadBack(remaining=tally.due - tally.held, held=tally.held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """Keys without a time to live, and what the server's persistence keeps of removed ones."""
        return [self._ttl_expiry(selection), *(self._persistence(node) for node in self._nodes.all())]

    def set_expiry(self, selection: Selection) -> Expiry:
        """Give due keys the rule's period to live instead of removing them now.

        It knows nothing of legal holds: held keys go too when the period is over.
        """
        _, limit = _checked(selection)
        for batch in self.batches(selection, None):
            self._run(_LIMIT, batch.records, limit)
        return self._ttl_expiry(selection)

    def expunge(self, selection: Selection) -> Expunged:
        """Start the rewrite of the append-only file on every server, after which removed keys are in it no longer.

        https://redis.io/docs/latest/commands/bgrewriteaof/

        Raises:
            Refused: the service does not allow the command; its backups' retention is then the horizon.
            Unavailable: a rewrite cannot start now.
        """
        for node in self._nodes.all():
            with speaking("rewrite the append-only file"):
                # One that runs already leaves out what was removed before it and notes what is removed meanwhile.
                if not node.info("persistence")["aof_rewrite_in_progress"]:
                    node.bgrewriteaof()
        return Expunged("bgrewriteaof")

    def close(self) -> None:
        """Close the sockets."""
        self._nodes.close()

    def _pages(self, node: Any, pattern: Pattern) -> Iterator[list[tuple[bytes, int]]]:
        """Matching keys that exist, with their milliseconds to live, in pages of about ``PAGE``."""
        for found in scan(node, pattern.glob):
            keys = [key for key in found if pattern.exact.fullmatch(key)]
            if keys:
                lives = self._lives(node, keys)
                yield [(key, left) for key, left in zip(keys, lives, strict=True) if left != _NO_KEY]

    def _lives(self, node: Any, keys: list[bytes]) -> list[int]:
        """A script reads a page five times as fast as a pipeline, but cannot cross the slots of a cluster."""
        with speaking("read the time to live of keys"), node.pipeline(transaction=False) as pipeline:
            if not self._nodes.is_cluster:
                return list(node.eval(_LIVES, len(keys), *keys))
            for key in keys:
                pipeline.execute_command("PTTL", key)
            return list(pipeline.execute())

    def _tally(self, selection: Selection, on_hold: OnHold | None) -> _Tally:
        pattern, limit = _checked(selection)
        tally = _Tally()
        for node in self._nodes.all():
            for page in self._pages(node, pattern):
                due = [key for key, left in page if _is_due(left, limit)]
                tally.total += len(page)
                tally.due += len(due)
                tally.held += sum(_is_held(pattern, key, on_hold) for key in due)
                tally.endless += sum(left == _NO_TTL for _, left in page)
        return tally

    def _run(self, script: str, records: Keys, limit: int) -> list[list[int]]:
        """Run a script over all keys, in pieces that lie in one slot where the server is part of a cluster."""
        with speaking("remove keys"), records.node.pipeline(transaction=False) as pipeline:
            for piece in _pieces(records.keys, by_slot=self._nodes.is_cluster):
                pipeline.eval(script, len(piece), *piece, limit)
            return [list(counts) for counts in pipeline.execute()]

    def _ttl_expiry(self, selection: Selection) -> Expiry:
        tally = self._tally(selection, None)
        note = "Every writer must set a time to live; the nightly sweep removes keys that have none or too long a one."
        configured = f"{tally.endless} of {tally.total} keys without, {tally.due - tally.endless} with too long a one"
        wanted = f"at most {selection.period_seconds} s"
        return Expiry("time to live of the keys", configured, wanted, agrees=tally.due == 0, note=note)

    def _persistence(self, node: Any) -> Expiry:
        setting, wanted = "persistence of the server", "removed keys leave the disk"
        try:
            with speaking("read the configuration"):
                log, snapshots = (_setting(node.config_get(name)) for name in ("appendonly", "save"))
        except Refused:
            note = "The service does not show its configuration: its backup retention is the horizon of removed keys."
            return Expiry(setting, "unknown", wanted, agrees=True, note=note)
        configured = f"appendonly {log}, save '{snapshots}'"
        note = "Nothing is written to the disk."
        if snapshots:
            note = "Removed keys are in the snapshot until the next one is saved."
        if log == "yes":
            note = (
                "Removed keys stay in the append-only file until it is rewritten: the DAG expunge does that every week."
            )
        return Expiry(setting, configured, wanted, agrees=log != "yes", note=note)


def _checked(selection: Selection) -> tuple[Pattern, int]:
    """The pattern, and the period in milliseconds.

    Raises:
        Refused: the rule asks for what Redis cannot do.
    """
    if selection.action is not Action.DELETE:
        raise Refused(SYSTEM, "anonymise keys", "A cache key can only be removed: make it a rule that deletes.")
    if selection.trigger_field not in CARD.trigger_fields or selection.where:
        step = "Redis knows the trigger 'write' alone and no conditions on fields: correct the rule."
        raise Refused(SYSTEM, "select keys", step)
    if selection.subject not in {None, *CARD.subject_forms}:
        raise Refused(SYSTEM, "read the holding's subject", "Write it as 'pattern', or leave it out.")
    pattern = Pattern.parse(selection.location.get("pattern", ""), with_subject=selection.subject is not None)
    return pattern, selection.period_seconds * 1000


def _is_due(left: int, limit: int) -> bool:
    return left == _NO_TTL or left > limit


def _is_held(pattern: Pattern, key: bytes, on_hold: OnHold | None) -> bool:
    return on_hold is not None and any(on_hold(subject) for subject in pattern.subjects(key))


def _batch(node: Any, keys: list[bytes]) -> Batch:
    return Batch(len(keys), None, None, Keys(node, keys))


def _pieces(keys: list[bytes], *, by_slot: bool) -> list[list[bytes]]:
    if not by_slot:
        return [keys[start : start + PAGE] for start in range(0, len(keys), PAGE)]
    from redis.crc import key_slot

    slots: dict[int, list[bytes]] = {}
    for key in keys:
        slots.setdefault(key_slot(key), []).append(key)
    return list(slots.values())


def _setting(answer: dict[Any, Any]) -> str:
    (value,) = answer.values()
    return value.decode() if isinstance(value, bytes) else str(value)


def connect(connection: Connection) -> RedisSystem:
    """Build the system; no call is made and redis-py is not imported until it is used.

    Raises:
        Refused: the connection has no host.
    """
    return RedisSystem(connection)
