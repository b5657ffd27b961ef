"""Legal holds are read again before each batch."""

from __future__ import annotations

import pytest

from include.retention.desk import Desk
from include.retention.status import State
from include.retention.sweep import sweep
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.retention import kit
from tests.retention.sweep.boundary import RULE, RUN, Boundary, contact_of, talks
from tests.retention.truth import Truth, look


class TestHolds:
    """Read again before each batch."""

    def test_a_hold_set_after_a_batch_is_honoured_by_the_next(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
    ) -> None:
        documents = look(company_sandbox)["firestore"]
        newest = max(talks(small), key=lambda path: documents[path]["at"])
        mine = {path for path in talks(small) if contact_of(path) == contact_of(newest)}

        def object_now(number: int) -> None:
            if number == 1:
                kept.update(mine & look(company_sandbox)["firestore"].keys())
                kit.hold(desk, contact_of(newest))

        kept: set[str] = set()
        kit.plan_and_allow(desk, RUN, RULE, stores)
        seen = sweep(desk, RUN, desk.rule(RULE), Boundary(stores["firestore"], expired=object_now))
        assert newest in kept
        assert set(talks(small)) & look(company_sandbox)["firestore"].keys() == kept
        assert seen.held == len(kept)
        status = kit.status_of(desk, RUN, RULE)
        assert (status.state, status.held, status.gone) == (State.HELD, len(kept), len(talks(small)) - len(kept))

    def test_a_hold_set_while_a_batch_is_handed_out_stops_this_batch(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
    ) -> None:
        documents = look(company_sandbox)["firestore"]
        oldest = min(talks(small), key=lambda path: documents[path]["at"])
        boundary = Boundary(
            stores["firestore"], handed_out=lambda n: [] if n > 1 else kit.hold(desk, contact_of(oldest))
        )
        kit.plan_and_allow(desk, RUN, RULE, stores)
        sweep(desk, RUN, desk.rule(RULE), boundary)
        assert oldest in look(company_sandbox)["firestore"]

    @pytest.mark.parametrize("scope", [{"rule": RULE}, {"system": "firestore"}, {"rule": RULE, "system": "firestore"}])
    def test_a_hold_on_the_whole_stops_in_the_middle(
        self,
        scope: dict[str, str],
        desk: Desk,
        small: Estate,
        company_sandbox: Sandbox,
        stores: kit.Stores,
        small_batches: int,
    ) -> None:
        boundary = Boundary(stores["firestore"], expired=lambda n: [] if n > 1 else kit.hold(desk, **scope))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        seen = sweep(desk, RUN, desk.rule(RULE), boundary)
        left = set(talks(small)) & look(company_sandbox)["firestore"].keys()
        assert len(left) == len(talks(small)) - small_batches
        assert (seen.remaining, seen.held) == (0, len(left))
        assert kit.status_of(desk, RUN, RULE).state is State.HELD

    def test_a_hold_of_another_rule_or_system_stops_nothing(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        kit.hold(desk, rule="U1")
        kit.hold(desk, system="redis")
        kit.hold(desk, contact_of(talks(small)[0]), rule="M1")
        kit.plan_and_allow(desk, RUN, RULE, stores)
        kit.carry_out(desk, RUN, RULE, stores)
        assert not set(talks(small)) & look(company_sandbox)["firestore"].keys()

    def test_a_released_hold_lets_the_next_night_finish(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        hold = kit.hold(desk, contact_of(talks(small)[0]))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        kept = kit.carry_out(desk, RUN, RULE, stores).held
        assert kept
        desk.holds.release(hold.id, kit.STAFF, "settled")
        kit.plan_and_allow(desk, kit.night(2), RULE, stores)
        kit.carry_out(desk, kit.night(2), RULE, stores)
        assert kit.status_of(desk, kit.night(2), RULE).gone == kept
        assert not set(talks(small)) & look(company_sandbox)["firestore"].keys()

    def test_a_contact_on_hold_stays_when_its_workspace_goes(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        (workspace,) = Truth(small).rules["C1"].goes
        contact = next(c for c in small.contacts() if c.path.startswith(f"{workspace}/"))
        kit.hold(desk, contact.id)
        kit.plan_and_allow(desk, RUN, "C1", stores)
        kit.carry_out(desk, RUN, "C1", stores)
        assert contact.path in look(company_sandbox)["firestore"]
