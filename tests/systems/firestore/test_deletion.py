"""Counting, deleting and reading back in Firestore."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.systems.contract import OnHold, Swept
from tests.systems.firestore.kit import NOW, RULE, Store, old


def test_a_survey_counts_all_due_and_held_documents_and_their_ages(store: Store):
    store.put(
        {
            "w/1/contacts/a": {"at": old(3), "uid": "u1"},
            "w/2/contacts/b": {"at": old(2), "uid": "u2"},
            "contacts/c": {"at": NOW, "uid": "u1"},
            "contacts/d": {"uid": "u1"},
            "contacts/e": {"at": "2020-01-01", "uid": "u1"},
            "others/f": {"at": old(9), "uid": "u1"},
        }
    )
    found = store.system.survey(RULE, lambda subject: subject == "u1")
    assert (found.total, found.due, found.held) == (5, 2, 1)
    assert (found.oldest, found.newest) == (old(3), old(2))
    assert store.system.survey(RULE, None).held == 0


def test_an_empty_collection_has_nothing_to_do(store: Store):
    found = store.system.survey(RULE, lambda _: True)
    assert (found.total, found.due, found.held, found.oldest, found.newest) == (0, 0, 0, None, None)
    assert list(store.system.batches(RULE, None)) == []
    assert store.system.read_back(RULE, None).remaining == 0


def test_a_condition_narrows_what_is_due_but_not_the_total(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": "u", "kind": kind} for n, kind in enumerate("aab")})
    selection = replace(RULE, where={"kind": "a"})
    found = store.system.survey(selection, None)
    assert (found.total, found.due) == (3, 2)
    assert store.sweep(selection).gone == 2
    assert [fields["kind"] for fields in store.look().values()] == ["b"]


# --- deleting


def test_due_documents_go_and_all_others_stay(store: Store):
    stay = {
        "contacts/new": {"at": NOW, "uid": "u"},
        "contacts/none": {"uid": "u"},
        "contacts/text": {"at": "1999", "uid": "u"},
        "contacts/number": {"at": 0, "uid": "u"},
        "others/old": {"at": old(), "uid": "u"},
    }
    store.put(stay | {"contacts/old": {"at": old(), "uid": "u"}, "w/1/contacts/deep": {"at": old(), "uid": "u"}})
    assert store.sweep(RULE) == Swept(gone=2)
    assert store.look() == stay


def test_the_cutoff_is_exclusive_to_the_microsecond(store: Store):
    tick = timedelta(microseconds=1)
    store.put({"contacts/on": {"at": NOW}, "contacts/before": {"at": NOW - tick}, "contacts/after": {"at": NOW + tick}})
    assert store.sweep(RULE).gone == 1
    assert set(store.look()) == {"contacts/on", "contacts/after"}


def test_one_collection_can_be_meant_instead_of_the_group(store: Store):
    store.put({path: {"at": old()} for path in ("contacts/a", "w/1/contacts/b", "w/2/contacts/c")})
    assert store.sweep(replace(RULE, location={"group": "contacts", "parent": "w/1/contacts"})).gone == 1
    assert set(store.look()) == {"contacts/a", "w/2/contacts/c"}
    assert store.sweep(replace(RULE, location={"group": "contacts", "parent": "contacts"})).gone == 1
    assert set(store.look()) == {"w/2/contacts/c"}


def test_thousands_go_in_bounded_batches_oldest_first_around_those_on_hold(store: Store):
    store.put({f"contacts/{n:04}": {"at": old(3000 - n), "uid": f"u{n % 10}"} for n in range(3000)})
    batches = []
    for batch in store.system.batches(RULE, lambda subject: subject == "u7"):
        assert store.system.expire(RULE, batch) == Swept(gone=batch.count)
        batches.append(batch)
    assert [batch.count for batch in batches] == [1800, 900]
    assert batches[0].oldest == old(3000)
    assert batches[0].newest < batches[1].oldest
    assert all(fields["uid"] == "u7" for fields in store.look().values())
    assert store.system.read_back(RULE, lambda subject: subject == "u7").held == 300


def test_documents_of_the_same_instant_are_each_listed_once(store: Store):
    store.put({f"contacts/{n:04}": {"at": old(), "uid": "u"} for n in range(2500)})
    batches = list(store.system.batches(RULE, None))
    assert [batch.count for batch in batches] == [2000, 500]
    assert len({document.name for batch in batches for document in batch.records}) == 2500


def test_a_page_that_is_wholly_on_hold_does_not_stop_the_sweep(store: Store):
    held = {f"contacts/a{n:04}": {"at": old(9), "uid": "held"} for n in range(2000)}
    store.put(held | {"contacts/z": {"at": old(), "uid": "free"}})
    on_hold: OnHold = lambda subject: subject == "held"  # noqa: E731
    assert store.sweep(RULE, on_hold) == Swept(gone=1)
    found = store.system.read_back(RULE, on_hold)
    assert (found.remaining, found.held) == (0, 2000)


@pytest.mark.parametrize(
    ("subject", "fields", "path"),
    [
        ("field:uid", {"uid": "p1"}, "contacts/x"),
        ("field:uid", {"uid": ["p0", "p1"]}, "contacts/x"),
        ("field:owner.id", {"owner": {"id": "p1"}}, "contacts/x"),
        ("field:`odd.name`", {"odd.name": "p1"}, "contacts/x"),
        ("id", {}, "contacts/p1"),
        ("parent", {}, "users/p1/contacts/x"),
    ],
)
def test_a_hold_is_seen_wherever_the_subject_stands(store: Store, subject, fields, path):
    store.put({path: {"at": old(), **fields}, "users/p2/contacts/p2": {"at": old(), "uid": "p2"}})
    selection = replace(RULE, subject=subject)
    on_hold: OnHold = lambda person: person == "p1"  # noqa: E731
    assert store.system.survey(selection, on_hold).held == 1
    assert store.sweep(selection, on_hold) == Swept(gone=1)
    assert set(store.look()) == {path}


def test_a_number_identifies_a_subject_as_its_digits(store: Store):
    store.put({"contacts/x": {"at": old(), "uid": 4711}})
    assert store.system.survey(RULE, lambda person: person == "4711").held == 1


def test_a_document_that_changed_after_it_was_listed_is_left_alone(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": "u"} for n in "abc"})
    (batch,) = store.system.batches(RULE, None)
    store.put({"contacts/b": {"at": NOW, "uid": "u"}})
    assert store.system.expire(RULE, batch) == Swept(gone=2, changed=1)
    assert set(store.look()) == {"contacts/b"}


def test_a_document_that_vanished_after_it_was_listed_is_absent(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": "u"} for n in "ab"})
    (batch,) = store.system.batches(RULE, None)
    assert store.system.expire(RULE, batch) == Swept(gone=2)
    assert store.system.expire(RULE, batch) == Swept(gone=0, absent=2)


HOSTILE = [
    "ü ñ",
    "\U0001f600",
    "a.b",
    "*",
    "..x",
    "__id7__",
    "%2F",
    "'; drop",
    "{x}",
    "`",
    "\\",
    "a\nb",
    "Z" * 300,
    "_",
    "-",
]


def test_odd_ids_go_like_any_other(store: Store):
    store.put({f"w/{name}/contacts/{name}": {"at": old(), "uid": name} for name in HOSTILE})
    assert store.sweep(replace(RULE, subject="id"), lambda subject: subject == "*") == Swept(gone=len(HOSTILE) - 1)
    assert set(store.look()) == {"w/*/contacts/*"}


def test_odd_field_and_group_names_are_quoted(store: Store):
    store.put({"my-group/a": {"last.seen at": old(), "ünï": "yes"}, "my-group/b": {"last.seen at": old(), "ünï": "no"}})
    selection = replace(
        RULE, location={"group": "my-group"}, trigger_field="`last.seen at`", where={"ünï": "yes"}, subject=None
    )
    assert store.sweep(selection) == Swept(gone=1)
    assert set(store.look()) == {"my-group/b"}


# --- reading back


def test_the_read_back_counts_what_is_left_and_what_is_held(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": f"u{n}"} for n in range(5)})
    on_hold: OnHold = lambda person: person in {"u1", "u2"}  # noqa: E731
    before = store.system.read_back(RULE, on_hold)
    assert (before.remaining, before.held) == (3, 2)
    store.sweep(RULE, on_hold)
    after = store.system.read_back(RULE, on_hold)
    assert (after.remaining, after.held, after.blocked) == (0, 2, 0)
    assert store.system.read_back(RULE, None).remaining == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.dictionaries(
        st.tuples(st.sampled_from(["contacts", "w/1/contacts", "others"]), st.sampled_from("abcdefgh")),
        st.fixed_dictionaries(
            {}, optional={"at": st.sampled_from([old(), NOW, old(-1), None, "x"]), "uid": st.sampled_from("pqr")}
        ),
    ),
    held=st.sets(st.sampled_from("pqr")),
)
def test_exactly_the_due_documents_without_a_hold_go(faulty: Store, documents, held):
    faulty.server.sandbox.reset()
    paths = {f"{collection}/{name}": fields for (collection, name), fields in documents.items()}
    faulty.put(paths)
    due = {p for p, fields in paths.items() if not p.startswith("others") and fields.get("at") == old()}
    kept = {p for p in due if paths[p].get("uid") in held}
    survey = faulty.system.survey(RULE, held.__contains__)
    assert (survey.due, survey.held) == (len(due), len(kept))
    assert faulty.sweep(RULE, held.__contains__).gone == len(due - kept)
    assert set(faulty.look()) == set(paths) - (due - kept)
