"""A backup is restored weeks after an erasure: who was erased is found there, goes the usual way, and is gone again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.assurance import returned
from include.assurance.evidence import Night
from include.erasure.status import OPEN, Outcome, Stage
from include.policy.persons import IdentifierKind
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects import tombstones
from include.subjects.identifiers import Identifier
from tests.erasure import kit, truth
from tests.erasure.office import Office


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=12)


class Everybody:
    """All accounts of the company, read from behind."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def people(self) -> Iterator[Identifier]:
        for account in self._sandbox.company.records("identitytoolkit", "accounts"):
            yield kit.user_id(str(account["local_id"]))
            if account["email"]:
                yield Identifier(IdentifierKind.EMAIL, str(account["email"]))


def night(office: Office, mark: str) -> returned.Back:
    now = Night("run_" + mark * 16, office.time())
    return returned.look(office.desk, now, "firebase_auth", Everybody(office.sandbox))


def test_who_is_in_a_restored_backup_is_found_and_erased_again(office: Office) -> None:
    before = office.look()
    person = next(one for one in office.estate.people if _goes_by_itself(office, before, one))
    ref = office.approved(kit.email(person.email))
    office.push()
    for days in (1, 30, 35, 30, 90):
        office.time.go_on(days)
        office.night()
    assert office.status(ref).stage is Stage.CLOSED
    assert night(office, "a").people == 0

    office.sandbox.company.seed(office.estate)
    office.time.go_on(1)
    back = night(office, "b")
    assert (back.people, back.opened) == (1, 1)
    assert back.looked > len(office.estate.people)
    assert (night(office, "c").people, night(office, "c").opened) == (1, 0)

    [request] = office.desk.vault.requests(batch="bat_" + "b" * 16)
    office.plan_and_approve(request.id)
    office.push()
    status = office.status(request.id)
    assert not [row for row in status.rows if row.outcome in OPEN]
    assert status.row("firestore").outcome is Outcome.VERIFIED_GONE
    assert status.notice == "not wanted"
    assert night(office, "d").people == 0
    assert tombstones.erased(office.desk.vault, [kit.email(person.email), kit.user_id(person.uid)]) == [True, True]


def _goes_by_itself(office: Office, before: object, person: object) -> bool:
    """Whether nothing of a person has to be done by hand, so that time alone ends the request."""
    ends = truth.ends(before, office.asked(person))  # type: ignore[arg-type]
    return not {end.fate for one in ends.values() for end in one.values()} & {truth.Fate.BY_HAND, truth.Fate.BLOCKED}
