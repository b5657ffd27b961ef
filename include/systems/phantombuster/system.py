"""The connector for persons: their leads go, and the files that name them are left to a human."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.errors import Unavailable
from include.policy.persons import IdentifierKind
from include.policy.register import Claim, ClaimKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, Exported, Found, Receipt, Seen
from include.systems.mentions import shows_address
from include.systems.phantombuster import BATCH, ERASING_CARD, KEY
from include.systems.phantombuster.calls import Calls
from include.systems.phantombuster.matching import LINKEDIN, Matching

NAMED = 5
"""Agents that an instruction names."""
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(slots=True)
class Held:
    """What is held of one person: ids of leads, and of agents whose results name the person."""

    leads: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """By kind of data, without what is nothing."""
        return {kind: n for kind, n in (("leads", len(self.leads)), ("result_files", len(self.agents))) if n}


class PhantomBuster:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        calls: to the workspace.
    """

    card = ERASING_CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Read all leads and all results once for all persons."""
        return [Found(ref, held.counts, records=held) for ref, held in self._look(subjects).items()]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete the leads, each once; say which agents a person has to go through.

        Raises:
            Unavailable: some leads are still there.
        """
        ids = list(dict.fromkeys(number for each in found for number in each.records.leads))
        deleted = sum(self._calls.delete(some) for some in batched_ids(ids))
        if deleted != len(ids) and (left := self._left(ids)):
            raise Unavailable(KEY, f"delete {len(ids)} leads", f"Run it again; {left} are still there.")
        return [_receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Read all leads and all results again."""
        return [Seen(ref, remaining=sum(held.counts.values())) for ref, held in self._look(subjects).items()]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """Each person's leads, and the rows of results that name the person."""
        for subject in subjects:
            matching, leads, rows = Matching([subject]), list[Mapping[str, Any]](), list[Mapping[str, Any]]()
            if matching:
                leads += [lead.content for lead in self._calls.leads() if matching.of_lead(lead)]
                for _, row in self._rows():
                    if matching.of_result(row):
                        rows.append(row if isinstance(row, dict) else {"value": row})
            records = {"leads": leads, "results": rows}
            yield Exported(subject.ref, {kind: held for kind, held in records.items() if held})

    def people(self) -> Iterator[Identifier]:
        """Addresses and LinkedIn profiles of all leads."""
        for lead in self._calls.leads():
            for email in lead.emails:
                yield Identifier(IdentifierKind.EMAIL, email)
            if lead.slug:
                yield Identifier(IdentifierKind.EXTERNAL_ID, LINKEDIN + lead.slug)

    def access(self) -> Access:
        """Read the quotas of the workspace and the filter of the list of all leads."""
        self._calls.resources()
        lacks = ("a list of all leads without conditions",) if self._calls.conditions() else ()
        return Access(missing=lacks, shown=False, note="A key of PhantomBuster has all rights of its workspace.")

    def check(self, claim: Claim) -> Checked:
        """Count leads with an e-mail address, and lists with one in their name, description or filter."""
        if claim.kind not in (ClaimKind.NO_IDENTIFIERS, ClaimKind.ONLY_IDENTIFIERS):
            return Checked(claim.id, asked=False, note="Leads and lists say nothing of it.")
        looked = violations = 0
        for lead in self._calls.leads():
            looked, violations = looked + 1, violations + bool(lead.emails)
        lists = self._calls.lists()
        shown = sum(shows_address([each.get(name) for name in ("name", "description", "filter")]) for each in lists)
        note = "Leads by their lists of addresses, and lists by name, description and filter."
        return Checked(claim.id, looked + len(lists), violations + shown, note=note)

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        held = {subject.ref: Held() for subject in subjects}
        matching = Matching(subjects)
        if not matching:
            return held
        for lead in self._calls.leads():
            for ref in matching.of_lead(lead):
                held[ref].leads.append(lead.id)
        for agent, row in self._rows():
            for ref in matching.of_result(row):
                if agent not in held[ref].agents:
                    held[ref].agents.append(agent)
        return held

    def _rows(self) -> Iterator[tuple[str, Any]]:
        """What agents collected, row by row."""
        for agent in self._calls.agents():
            for result in self._calls.results(agent):
                for row in result if isinstance(result, list) else (result,):
                    yield agent, row

    def _left(self, ids: Sequence[str]) -> int:
        wanted = set(ids)
        return sum(lead.id in wanted for lead in self._calls.leads())


def batched_ids(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Pieces of at most ``BATCH``."""
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _receipt(ref: str, held: Held) -> Receipt:
    gone = len(held.leads)
    if held.agents:
        named = [agent for agent in held.agents if _OPAQUE.fullmatch(agent)][:NAMED]
        files = f"results of {len(held.agents)} Phantom(s) name this person (ids {', '.join(named)})"
        return Receipt(ref, Did.MANUAL, gone, next_action=f"To delete: {files}. {ERASING_CARD.instructions}")
    return Receipt(ref, Did.GONE if gone else Did.ABSENT, gone)
