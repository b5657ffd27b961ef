"""Every kind of fault at every kind of call: clear failures, honest evidence, and a rerun that ends where it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.ledger.entry import Kind
from include.local.databases import Databases
from include.retention.desk import Desk, Night
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from tests.retention import kit
from tests.retention.personal import dump, found, planted
from tests.retention.truth import Contents, Truth, look

PEOPLE = 20
SERVICES = {
    "A1": "identitytoolkit",
    "A3": "storage",
    "C3": "firestore",
    "M1": "firestore",
    "U1": "firestore",
    "M1-search": "elasticsearch",
    "U1-search": "elasticsearch",
}
READS = ("A1", "A3", "U1", "U1-search")
"""One rule for each store whose other calls are disturbed too."""
KNOWN: dict[str, dict[str, list[str]]] = {}
DESTRUCTIVE = ("batchDelete", "POST /batch", "BatchWrite", "Commit", "_by_query")


@dataclass(frozen=True)
class Trouble:
    """A fault and what must come of it at a destructive call; ``on_reads``: tried at other calls too."""

    kind: FaultKind
    error: type[PrivacyError] | None
    status: int = 503
    retry_after: int = 0
    on_reads: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.status}" if self.kind is FaultKind.STATUS else str(self.kind)

    def at(self, service: str, position: int) -> Fault:
        """The fault that hits the call at a position, counted from now."""
        return Fault(service, self.kind, status=self.status, seconds=0.05, retry_after=self.retry_after, skip=position)


TROUBLES = [
    Trouble(FaultKind.STATUS, Unavailable, 500),
    Trouble(FaultKind.STATUS, Unavailable, 503, on_reads=True),
    Trouble(FaultKind.STATUS, Throttled, 429, retry_after=7),
    Trouble(FaultKind.STATUS, Refused, 403, on_reads=True),
    Trouble(FaultKind.LATENCY, None),
    Trouble(FaultKind.DROP, Unavailable, on_reads=True),
    Trouble(FaultKind.LOST_ANSWER, Unavailable),
    Trouble(FaultKind.PARTIAL, Unavailable),
]
Step = Callable[[Desk, Night, str, kit.Stores], object]
STEPS: Mapping[str, Step] = {"plan": kit.plan_and_allow, "sweep": kit.carry_out}


@dataclass
class Place:
    """A desk, a freshly seeded company, and one rule."""

    desk: Desk
    stores: kit.Stores
    sandbox: Sandbox
    estate: Estate
    rule: str
    number: int = 0

    def __post_init__(self) -> None:
        self.truth = Truth(self.estate)
        self.secrets = planted(self.estate)
        self.before: Contents = {}

    def fresh(self) -> Night:
        """Seed again and begin another run."""
        self.sandbox.company.faults.clear()
        self.sandbox.company.seed(self.estate)
        self.before = self.before or look(self.sandbox)
        self.number += 1
        return kit.night(self.number)

    def calls(self, step: str, run: Night) -> list[str]:
        """Do a step that nothing disturbs; the store's calls in their order."""
        self.sandbox.company.journal.clear()
        STEPS[step](self.desk, run, self.rule, self.stores)
        journal = self.sandbox.company.journal.as_json()
        return [str(call["operation"]) for call in journal if call["service"] == SERVICES[self.rule]]


@pytest.fixture
def place(request: pytest.FixtureRequest, desk: Desk, company_sandbox: Sandbox, stores: kit.Stores) -> Place:
    return Place(desk, stores, company_sandbox, kit.estate(PEOPLE), request.param)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("place", SERVICES, indirect=True)
def test_a_fault_is_told_clearly_never_hidden_and_mended_by_a_rerun(
    place: Place, trouble: Trouble, postgres: Databases
) -> None:
    calls = _calls(place)
    assert any(_is_destructive(call) for call in calls["sweep"])
    for step, position, destructive in _positions(calls, reads=trouble.on_reads and place.rule in READS):
        failure = _disturbed(place, trouble, step, position)
        if destructive:
            _check_class(failure, trouble, calls[step][position])
        if failure is not None:
            assert failure.system == place.stores[place.desk.system_of(place.desk.rule(place.rule))].card.key
            assert failure.next_step
            assert not found(place.secrets, f"{failure} {failure.args}")
            _check_evidence(place)
        _mended(place)
    assert not found(place.secrets, dump(postgres, place.desk.ledger))
    kit.assert_evidence_in_order(place.desk.ledger.entries())


def _calls(place: Place) -> Mapping[str, list[str]]:
    """The store's calls in a plan and a sweep that nothing disturbs; they are the same every time."""
    if place.rule not in KNOWN:
        run = place.fresh()
        KNOWN[place.rule] = {step: place.calls(step, run) for step in STEPS}
    return KNOWN[place.rule]


def _is_destructive(call: str) -> bool:
    return any(name in call for name in DESTRUCTIVE)


def _positions(calls: Mapping[str, list[str]], *, reads: bool) -> Iterator[tuple[str, int, bool]]:
    """The first destructive call; and of the others the first of each kind and the last, which is the read-back."""
    first = next(position for position, call in enumerate(calls["sweep"]) if _is_destructive(call))
    yield "sweep", first, True
    if not reads:
        return
    for step, made in calls.items():
        kinds = {call.split("/o/")[0]: at for at, call in reversed(list(enumerate(made))) if not _is_destructive(call)}
        for position in sorted({*kinds.values(), len(made) - 1}):
            if not _is_destructive(made[position]):
                yield step, position, False


def _disturbed(place: Place, trouble: Trouble, step: str, position: int) -> PrivacyError | None:
    """Plan and sweep with a fault in one of the two. Only the product's own errors may come out."""
    run = place.fresh()
    for name, do in STEPS.items():
        if name == step:
            place.sandbox.company.faults.add(trouble.at(SERVICES[place.rule], position))
        try:
            do(place.desk, run, place.rule, place.stores)
        except PrivacyError as error:
            return error
    return None


def _check_class(failure: PrivacyError | None, trouble: Trouble, call: str) -> None:
    # A commit is all or nothing: there is no half of it.
    if trouble.error is None or (trouble.kind is FaultKind.PARTIAL and call == "Commit"):
        assert failure is None
        return
    assert isinstance(failure, trouble.error), (call, failure)
    assert isinstance(failure, Throttled) or trouble.status != 429
    if trouble.retry_after and call not in {"BatchWrite", "Commit"}:
        assert isinstance(failure, Throttled)
        assert failure.retry_after == trouble.retry_after


def _check_evidence(place: Place) -> None:
    """What is claimed is true, and nothing happened that no intent announced."""
    fate, now = place.truth.rules[place.rule], look(place.sandbox)
    old = place.before[fate.collection]
    gone = {identifier for identifier in fate.goes if now[fate.collection].get(identifier) != old[identifier]}
    run = kit.night(place.number)
    intents = [r.entry.body["count"] for r in place.desk.ledger.entries(run=run.run, kinds=[Kind.INTENT])]
    assert len(gone) <= sum(count for count in intents if isinstance(count, int))
    for status in kit.run_statuses(place.desk, run.run, at=run.as_of):
        assert status.gone <= len(gone)
        assert not (status.verified and fate.goes - gone)
    after = place.truth.after(place.before, place.rule)
    for collection, records in after.items():
        for identifier, record in records.items():
            assert now[collection].get(identifier) in (record, place.before[collection][identifier])


def _mended(place: Place) -> None:
    """The same run again, without the fault."""
    run = kit.night(place.number)
    place.sandbox.company.faults.clear()
    if not any(place.desk.ledger.entries(run=run.run, kinds=[Kind.PLAN])):
        kit.plan_and_allow(place.desk, run, place.rule, place.stores)
    kit.carry_out(place.desk, run, place.rule, place.stores)
    assert look(place.sandbox) == place.truth.after(place.before, place.rule)
    status = kit.status_of(place.desk, run, place.rule)
    fate = place.truth.rules[place.rule]
    assert status.verified
    assert (status.due, status.held, status.remaining) == (fate.due, len(fate.held), 0)
    assert status.gone + status.held + status.elsewhere == fate.due
    # Nobody else deletes here: whatever answer was lost, the evidence knows that it was this run.
    assert status.gone == len(fate.goes)
