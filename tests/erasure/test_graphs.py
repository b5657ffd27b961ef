"""Whoever it is and whatever they left where: after the erasure nothing is left but what grounds and horizons name."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from include.erasure.approval import close
from include.erasure.status import OPEN, Stage
from include.policy.persons import IdentifierKind
from include.sandbox.estate import Estate
from include.subjects.identifiers import Identifier
from include.systems.mailgun import system as mailgun
from tests.erasure import claims, kit, truth
from tests.erasure.graphs import Graph, graphs, put
from tests.erasure.office import MAILERS, Office

EXAMPLES = int(os.environ.get("PRIVACY_GRAPHS", "12"))


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=3)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_of_a_person_is_left_and_nothing_of_anybody_else_is_touched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailgun, "_SETTLE", 0.001)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )
    @given(graphs())
    def holds(graph: Graph) -> None:
        _erased(office, graph)

    holds()


def _erased(office: Office, graph: Graph) -> None:
    office.sandbox.company.seed(office.estate)
    office.time.go_on(0)
    put(graph, office.sandbox, office.estate)
    asked, before = graph.asked(), office.look()
    ends = truth.ends(before, asked)
    kind, value = graph.request
    ref = kit.open_request(office.desk, Identifier(IdentifierKind(kind), value), type_=graph.type)
    try:
        note(f"{asked.known}")
        kit.approve(office.desk, [ref], kit.plan(office.desk, [ref], office.systems))
        office.push()
        now, status = office.look(), office.status(ref)
        assert truth.wrongs(before, now, ends, [asked], office.time()) == []
        if status.stage is Stage.NO_MATCH:
            assert ends == {}
            return
        assert truth.undone(now, ends, office.systems) == []
        assert claims.untrue(status, asked, before, now) == []
        assert not [row.system for row in status.rows if row.outcome in OPEN]
        for row in status.rows:
            assert row.outcome in claims.expected(row.system, asked, before), row.system
        assert len(office.mails(asked, ref)) == bool(asked.known.emails)
        assert claims.out_of_order(list(office.desk.ledger.entries(runs=[ref])), MAILERS) == []
    finally:
        close(office.desk, [ref], "complete")
