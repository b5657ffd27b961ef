"""What lies below a due document can keep the whole of it: a person on hold, or records that the policy protects."""

from dataclasses import replace

import pytest

from include.systems.contract import ReadBack, Survey, Swept
from tests.systems.firestore.kit import NOW, RULE, Store, old

TREES = replace(RULE, location={"group": "spaces", "parent": "spaces", "cascade": "descendants"}, subject="id")
PROTECTED = replace(TREES, protected=({"group": "consents"},))


def on_hold(person: str) -> bool:
    return person == "held"


@pytest.mark.parametrize(
    "path", ["spaces/1/people/held", "spaces/1/people/held/notes/n", "spaces/1/people/missing/files/held"]
)
def test_hold_on_a_person_below_keeps_the_whole_tree(store: Store, path: str):
    tree = {"spaces/1": {"at": old()}, "spaces/1/people/p": {}, path: {}}
    store.put({**tree, "spaces/2": {"at": old()}, "spaces/2/people/q": {}})

    survey = store.system.survey(TREES, on_hold)
    swept = store.sweep(TREES, on_hold)

    assert survey == Survey(total=2, due=2, held=1, oldest=old(), newest=old())
    assert swept == Swept(gone=1)
    assert set(store.look()) == set(tree)
    assert store.system.read_back(TREES, on_hold) == ReadBack(remaining=0, held=1)


def test_protected_collection_below_keeps_the_whole_tree_and_is_reported_as_blocked(store: Store):
    tree = {"spaces/1": {"at": old()}, "spaces/1/people/p/consents/c": {}, "spaces/1/people/p": {}}
    store.put({**tree, "spaces/2": {"at": old()}, "spaces/2/people/consents": {}})

    assert store.sweep(PROTECTED) == Swept(gone=1)
    assert set(store.look()) == set(tree)
    assert store.system.read_back(PROTECTED, None) == ReadBack(remaining=0, held=0, blocked=1)


def test_one_protected_document_behind_many_others_is_found(store: Store):
    tree = {"spaces/1": {"at": old()}, **{f"spaces/1/people/{n:04}": {} for n in range(1500)}}
    tree["spaces/1/people/9999/consents/c"] = {}
    store.put(tree)

    assert store.sweep(PROTECTED) == Swept(gone=0)
    assert len(store.look()) == len(tree)


def test_protected_records_elsewhere_keep_nothing(store: Store):
    store.put({"spaces/1": {"at": old()}, "spaces/2": {"at": NOW}, "spaces/2/consents/c": {}})

    assert store.sweep(PROTECTED) == Swept(gone=1)
