"""Random work on a vault beside a model of a few lines: what is known of whom, who joins whom, what is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.policy.persons import RequestType
from include.subjects.identifiers import Identifier
from include.subjects.joining import OpenRequests
from include.subjects.vault import Vault
from tests.subjects.kit import email, intake, user

KNOWN = st.sampled_from(
    [user("u1"), user("u2"), email("a@example.com"), email("b@example.com"), email("c@example.com")]
)
TYPES = st.sampled_from(list(RequestType))
STEPS = st.one_of(
    st.tuples(st.just("open"), TYPES, st.lists(KNOWN, min_size=1, max_size=3)),
    st.tuples(st.just("add"), st.integers(0, 9), st.lists(KNOWN, max_size=3)),
    st.tuples(st.just("destroy"), st.integers(0, 9), st.none()),
)


@dataclass
class Model:
    """Open requests in the order of their ids, as a vault of the same receipt time has them."""

    open: dict[str, tuple[RequestType, list[Identifier]]] = field(default_factory=dict)

    def covering(self, kind: RequestType, identifiers: list[Identifier]) -> str | None:
        for ref, (covered, known) in sorted(self.open.items()):
            if set(identifiers) <= set(known) and covered in {kind, RequestType.ERASURE}:
                return ref
        return None

    def others(self, ref: str) -> list[str]:
        own = set(self.open[ref][1])
        return sorted(other for other, (_, known) in self.open.items() if other != ref and own & set(known))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_a_vault_does_what_the_model_does(vault: Vault, steps: list[tuple[str, object, list[Identifier]]]) -> None:
    vault.destroy([request.id for request in vault.requests()])
    model = Model()
    for what, which, identifiers in steps:
        if what == "open":
            assert isinstance(which, RequestType)
            expected = model.covering(which, identifiers)
            [opened] = vault.open([intake(*identifiers, type=which)])
            assert opened.joined is (expected is not None)
            if expected is None:
                model.open[opened.id] = (which, list(dict.fromkeys(identifiers)))
            else:
                assert opened.id == expected
        elif model.open:
            assert isinstance(which, int)
            ref = sorted(model.open)[which % len(model.open)]
            if what == "destroy":
                assert vault.destroy([ref]) == 1
                del model.open[ref]
            else:
                known = model.open[ref][1]
                news = [one for one in dict.fromkeys(identifiers) if one not in known]
                assert vault.add(ref, identifiers, "firestore") == len(news)
                known += news
    refs = sorted(model.open)
    assert [request.id for request in vault.requests()] == refs
    assert [list(subject.identifiers) for subject in vault.subjects(refs)] == [model.open[ref][1] for ref in refs]
    assert [vault.same_person(ref) for ref in refs] == [model.others(ref) for ref in refs]


@given(st.lists(st.tuples(TYPES, st.sets(st.sampled_from([b"a", b"b", b"c"]), min_size=1))), TYPES)
def test_nobody_joins_a_request_that_lacks_something_of_them(
    before: list[tuple[RequestType, set[bytes]]], kind: RequestType
) -> None:
    known = OpenRequests()
    for number, (covered, values) in enumerate(before):
        known.add(str(number), covered, sorted(values))
    for wanted in ([], [b"a"], [b"a", b"b"], [b"c", b"a"]):
        fitting = [
            str(number)
            for number, (covered, values) in enumerate(before)
            if wanted and set(wanted) <= values and covered in {kind, RequestType.ERASURE}
        ]
        assert known.covering(wanted, kind, lambda ref: True) == (fitting[0] if fitting else None)
