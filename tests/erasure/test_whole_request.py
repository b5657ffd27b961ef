"""One person, from the request to the last outcome, in every system; nobody else loses anything."""

from __future__ import annotations

from include.erasure.answer import OpenMailer
from include.erasure.desk import Desk
from include.erasure.status import OPEN, Stage
from include.policy.persons import RequestType
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.erasure import kit, scan


def test_a_person_is_erased_everywhere_and_nobody_else(
    desk: Desk, systems: kit.Systems, sandbox: Sandbox, estate: Estate, open_mailer: OpenMailer
) -> None:
    person = estate.people[3]
    known = scan.known(estate, person)
    before = scan.look(sandbox.company)
    ref = kit.open_request(desk, kit.email(person.email))
    digest = kit.plan(desk, [ref], systems)
    assert scan.changed(before, scan.look(sandbox.company)) == {}, "nothing is deleted before the approval"
    assert kit.status(desk, ref).stage is Stage.PLANNED
    assert kit.approve(desk, [ref], digest) == 1
    kit.carry_out(desk, systems, open_mailer)
    status = kit.status(desk, ref)
    for row in status.rows:
        print(row.system, row.outcome, row.planned, row.gone, row.until, row.next_action)
    print(scan.mentions(before, known.needles)); print(scan.mentions(scan.look(sandbox.company), known.needles))
    assert not [row for row in status.rows if row.outcome in OPEN]
