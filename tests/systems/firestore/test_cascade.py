"""Deleting documents together with what lies below them."""

from dataclasses import replace

import pytest

from include.errors import Unavailable
from include.sandbox.faults import FaultKind
from include.systems.contract import Swept
from tests.systems.firestore.kit import NOW, RULE, Store, old

TREES = replace(RULE, location={"group": "users", "parent": "users", "cascade": "descendants"}, subject="id")


def test_without_cascade_only_the_document_goes(store: Store):
    store.put({"users/1": {"at": old()}, "users/1/notes/n": {"text": "x"}})
    assert store.sweep(replace(TREES, location={"group": "users"})).gone == 1
    assert set(store.look()) == {"users/1/notes/n"}


def test_a_cascade_leaves_nothing_below_and_touches_no_neighbour(store: Store):
    stay = {"users/2": {"at": NOW}, "users/2/notes/n": {}, "users/10/notes/n": {}, "usersx/1/notes/n": {}}
    tree = {
        "users/1": {"at": old()},
        "users/1/notes/n": {},
        "users/1/notes/missing/files/f": {},
        "users/1/notes/n/files/f/pages/p": {},
        "users/1/a-z/ü": {},
    }
    store.put(stay | tree)
    assert store.sweep(TREES) == Swept(gone=1)
    assert store.look() == stay


def test_a_hold_on_the_root_keeps_the_whole_tree(store: Store):
    tree = {"users/1": {"at": old()}, "users/1/notes/n": {"text": "x"}}
    store.put(tree)
    assert store.sweep(TREES, lambda person: person == "1") == Swept(gone=0)
    assert store.look() == tree


def test_a_root_that_changed_keeps_what_lies_below_it(store: Store):
    store.put({"users/1": {"at": old()}, "users/1/notes/n": {"text": "x"}})
    (batch,) = store.system.batches(TREES, None)
    store.put({"users/1": {"at": NOW}})
    assert store.system.expire(TREES, batch) == Swept(gone=0, changed=1)
    assert set(store.look()) == {"users/1", "users/1/notes/n"}


def test_a_large_tree_that_changed_keeps_all_of_it(store: Store):
    store.put({"users/1": {"at": old()}} | {f"users/1/notes/{n}": {} for n in range(600)})
    (batch,) = store.system.batches(TREES, None)
    store.put({"users/1": {"at": NOW}})
    assert store.system.expire(TREES, batch) == Swept(gone=0, changed=1)
    assert len(store.look()) == 601


def test_a_tree_larger_than_one_commit_goes_completely(store: Store):
    tree = {"users/1": {"at": old()}} | {f"users/1/notes/{n}": {} for n in range(1100)}
    store.put(tree | {f"users/1/notes/{n}/files/f": {} for n in range(0, 1100, 2)})
    assert store.sweep(TREES) == Swept(gone=1)
    assert store.look() == {}


def test_a_due_document_below_another_due_document_goes_once(store: Store):
    store.put({"users/1": {"at": old(2)}, "users/1/users/2": {"at": old(1)}})
    swept = store.sweep(replace(TREES, location={"group": "users", "cascade": "descendants"}))
    assert swept.gone + swept.absent == 2
    assert store.look() == {}


def test_a_cascade_that_loses_an_answer_is_finished_by_the_next_run(faulty: Store):
    tree = {f"users/{n}": {"at": old()} for n in range(3)}
    faulty.put(tree | {f"users/{n}/notes/{m}": {} for n in range(3) for m in range(600)})
    faulty.fail(FaultKind.LOST_ANSWER, "BatchWrite", times=2)
    faulty.fail(FaultKind.DROP, "Commit")
    with pytest.raises(Unavailable):
        faulty.sweep(TREES)
    roots = {path for path in faulty.look() if path.count("/") == 1}
    orphans = {path for path in faulty.look() if "/".join(path.split("/")[:2]) not in roots}
    assert not orphans
    faulty.server.faults.clear()
    faulty.sweep(TREES)
    assert faulty.look() == {}


def test_a_cascade_with_failed_writes_keeps_the_root(faulty: Store):
    faulty.put({"users/1": {"at": old()}} | {f"users/1/notes/{m}": {} for m in range(600)})
    faulty.fail(FaultKind.PARTIAL, "BatchWrite", status=10)
    with pytest.raises(Unavailable):
        faulty.sweep(TREES)
    assert "users/1" in faulty.look()
    assert faulty.sweep(TREES) == Swept(gone=1)
    assert faulty.look() == {}
