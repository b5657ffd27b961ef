"""Documents that are anonymised instead of deleted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import Refused
from include.policy.actions import Action, Anonymisation, Generalise
from include.sandbox.elasticsearch.painless import compile_script
from include.systems.contract import Swept
from include.systems.elasticsearch.anonymising import SOURCE, script
from tests.systems.elastic import NEW, OLD

RULE = Anonymisation(
    remove=("email", "profile.name"),
    generalise=(Generalise("at", "month"), Generalise("age", "band", 10), Generalise("zip", "prefix", 2)),
)


def anonymised(store, **changes):
    return store.selection(action=Action.ANONYMISE, anonymisation=RULE, **changes)


def run(source: dict, rule: Anonymisation) -> dict:
    ctx = {"_source": source, "op": "index"}
    compile_script(SOURCE)(ctx, script(rule)["params"])
    return ctx["_source"]


def test_fields_are_removed_and_generalised_and_the_rest_stays(store):
    store.create()
    doc = {"at": OLD, "email": "a@b", "profile": {"name": "Ann", "lang": "de"}, "age": 37, "zip": "10437", "kind": "x"}
    store.seed([doc, {**doc, "at": NEW}])
    assert store.system.survey(anonymised(store), None).due == 1
    assert store.sweep(anonymised(store)) == Swept(gone=1)
    after = store.sources()
    expected = {"at_month": "2024-12", "profile": {"lang": "de"}, "age_band": 30, "zip_prefix": "10", "kind": "x"}
    assert after == {"0": expected, "1": {**doc, "at": NEW}}
    back = store.system.read_back(anonymised(store), None)
    assert (back.remaining, back.residual_fields) == (0, 0)


def test_what_is_anonymised_once_is_not_due_again(store):
    rule = Anonymisation(remove=("email",))
    selection = store.selection(action=Action.ANONYMISE, anonymisation=rule)
    store.create()
    store.seed([{"at": OLD, "email": "a@b"}, {"at": OLD}])
    assert store.system.survey(selection, None).due == 1
    assert store.sweep(selection) == Swept(gone=1)
    assert store.sweep(selection) == Swept(gone=0)
    assert store.sources() == {"0": {"at": OLD}, "1": {"at": OLD}}


def test_held_subjects_are_not_anonymised(store):
    store.create()
    store.seed([{"at": OLD, "uid": "ann", "email": "a"}, {"at": OLD, "uid": "bob", "email": "b"}])
    assert store.sweep(anonymised(store), lambda subject: subject == "ann") == Swept(gone=1)
    assert "email" in store.sources()["0"]
    back = store.system.read_back(anonymised(store), lambda subject: subject == "ann")
    assert (back.remaining, back.held) == (0, 1)


def test_a_document_that_got_a_removed_field_back_is_residual(store):
    store.create()
    store.seed([{"at": OLD, "email": "a@b", "age": 12}])
    store.sweep(anonymised(store))
    store.client.update(index=store.index, id="0", doc={"email": "again"})
    assert store.system.read_back(anonymised(store), None).residual_fields == 1


def test_fields_in_arrays_of_objects_stay_remaining_and_are_reported(store):
    store.create()
    store.seed([{"at": OLD, "profile": [{"name": "Ann"}]}])
    rule = Anonymisation(remove=("profile.name",))
    selection = store.selection(action=Action.ANONYMISE, anonymisation=rule)
    store.sweep(selection)
    assert store.system.read_back(selection, None).remaining == 1


def test_a_strict_mapping_without_the_new_field_is_refused(store):
    store.create({"dynamic": "strict", "properties": {"at": {"type": "date"}, "uid": {"type": "keyword"}}})
    rule = Anonymisation(remove=(), generalise=(Generalise("at", "month"),))
    with pytest.raises(Refused, match="at_month"):
        store.system.survey(store.selection(action=Action.ANONYMISE, anonymisation=rule), None)


def test_a_rule_without_declared_fields_is_refused(store):
    store.create()
    with pytest.raises(Refused, match="Declare"):
        store.system.survey(store.selection(action=Action.ANONYMISE), None)


@pytest.mark.parametrize(
    ("value", "how", "size", "expected"),
    [
        ("2024-03-05T10:00:00Z", "month", 0, "2024-03"),
        ("2024-03-31T23:30:00-02:00", "month", 0, "2024-04"),
        ("2024-03-05", "year", 0, "2024"),
        ("2024", "year", 0, "2024"),
        (1709632800000, "month", 0, "2024-03"),
        ("1709632800000", "month", 0, None),
        ("2024/03/05", "month", 0, None),
        ("2024-03-05T10:00+0x", "month", 0, None),
        (["2024-03-05"], "month", 0, None),
        (37, "band", 10, 30),
        (-1, "band", 10, -10),
        (-20, "band", 10, -20),
        (0, "band", 7, 0),
        ("37", "band", 10, None),
        (True, "band", 10, None),
        ("10437", "prefix", 2, "10"),
        ("1", "prefix", 2, "1"),
        ("😀😀x", "prefix", 2, "😀😀"),
        (7, "prefix", 2, None),
    ],
)
def test_generalised_values(value, how, size, expected):
    rule = Anonymisation(remove=(), generalise=(Generalise("f", how, size),))
    assert run({"f": value, "g": 1}, rule) == {"g": 1, **({} if expected is None else {f"f_{how}": expected})}


def test_a_path_written_as_one_key_is_removed_too():
    assert run({"profile.name": "Ann", "profile": {"lang": "de"}}, RULE) == {"profile": {"lang": "de"}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "x"]), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["at", "email", "age", "zip", "profile", "kind"]), VALUES))
def test_no_declared_field_survives_and_no_other_changes(source):
    after = run({**source}, RULE)
    for name in ("at", "email", "age", "zip"):
        assert name not in after
    if isinstance(source.get("profile"), dict):
        assert "name" not in after["profile"]
    assert after.get("kind") == source.get("kind")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(age=st.integers(-1000, 1000), size=st.integers(1, 50))
def test_a_band_contains_its_value(age, size):
    band = run({"age": age}, Anonymisation((), (Generalise("age", "band", size),)))["age_band"]
    assert band <= age < band + size
    assert band % size == 0
