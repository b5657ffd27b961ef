"""Find everything first: what each system holds of each person of a batch, before anybody decides anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from include.erasure.desk import Desk
from include.erasure.evidence import found_entry, not_connected_entry
from include.errors import Refused
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import ErasingSystem, Found

T = TypeVar("T")


def find(desk: Desk, refs: Sequence[str], system: ErasingSystem) -> dict[str, int]:
    """Look for the people of some requests in one system and write down the counts.

    Identifiers that were read there go into the vault. Safe to repeat: the newest look counts.

    Returns:
        how many records were found, by kind of data.

    Raises:
        Unavailable: the system did not answer; the requests can't be planned.
        Refused: the connection or the account does not allow it.
    """
    totals: dict[str, int] = {}
    for subjects in chunks(desk.vault.subjects(refs), system.card.batch_size):
        found = look(system, subjects)
        links: dict[str, tuple[Identifier, ...]] = {one.ref: one.links for one in found if one.links}
        desk.vault.add_all(links, origin=system.card.key)
        desk.ledger.append([found_entry(system.card, one) for one in found])
        for one in found:
            for what, count in one.counts.items():
                totals[what] = totals.get(what, 0) + count
    return totals


def leave_out(desk: Desk, refs: Sequence[str], key: str) -> None:
    """Write that nobody can look into a system because there is no connection to it. It keeps no request from going on.

    Raises:
        Refused: it says who a person is: without it nobody can be told apart.
    """
    if key in desk.identity_roots():
        raise Refused(
            key,
            "find out who a person is without it",
            f"Create the Airflow connection '{key}' (docs/connections.md), or take it out of 'requests.identity'.",
        )
    desk.ledger.append([not_connected_entry(ref, key) for ref in refs])


def look(system: ErasingSystem, subjects: Sequence[Subject]) -> list[Found]:
    """``find`` of a module, checked to answer for each person in the order given."""
    return in_order(subjects, system.find(subjects))


def in_order(subjects: Sequence[Subject], answers: list[T]) -> list[T]:
    """The answers of a module, which must be one for each person and in their order.

    Raises:
        AssertionError: the module breaks its contract.
    """
    if [subject.ref for subject in subjects] != [getattr(answer, "ref", None) for answer in answers]:
        raise AssertionError("a module must answer for each person, in the order given")
    return answers


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` in pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
