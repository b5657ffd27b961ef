"""Anonymising documents in Firestore."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import Inconsistent
from include.policy.actions import Anonymisation, Generalise
from include.systems.contract import Swept
from tests.systems.firestore.kit import EVENTS, NOW, Store, old


def test_an_anonymised_document_carries_nothing_of_the_declared_list(store: Store):
    store.put(
        {
            "contacts/a": {
                "at": datetime(2023, 11, 5, 10, tzinfo=UTC),
                "uid": "u1",
                "mail": "a@example.org",
                "age": 47,
                "zip": "10115",
                "born": datetime(1976, 2, 1, tzinfo=UTC),
                "country": "DE",
                "nested": {"kept": [1]},
            }
        }
    )
    assert store.sweep(EVENTS) == Swept(gone=1)
    assert store.look() == {
        "contacts/a": {
            "at_month": "2023-11",
            "age_band": 40,
            "zip_prefix": "10",
            "born_year": "1976",
            "country": "DE",
            "nested": {"kept": [1]},
        }
    }
    found = store.system.read_back(EVENTS, None)
    assert (found.remaining, found.residual_fields) == (0, 0)
    assert store.system.survey(EVENTS, None).due == 0


def test_a_missing_field_stays_missing_and_one_of_another_type_is_only_removed(store: Store):
    store.put({"contacts/a": {"at": old(), "age": "unknown", "zip": 10115}})
    assert store.sweep(EVENTS).gone == 1
    assert store.look() == {"contacts/a": {"at_month": "2024-05"}}


def test_nested_fields_are_generalised_in_their_place(store: Store):
    store.put({"contacts/a": {"meta": {"at": old(), "uid": "u", "kept": 1}, "uid": "u"}})
    selection = replace(
        EVENTS,
        trigger_field="meta.at",
        subject="field:meta.uid",
        anonymisation=Anonymisation(remove=("meta.uid", "uid"), generalise=(Generalise("meta.at", "year"),)),
    )
    assert store.sweep(selection).gone == 1
    assert store.look() == {"contacts/a": {"meta": {"at_year": "2024", "kept": 1}}}


def test_documents_on_hold_are_not_anonymised_and_changed_ones_neither(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": n} for n in "abc"})
    (batch,) = store.system.batches(EVENTS, lambda person: person == "a")
    store.put({"contacts/b": {"at": NOW, "uid": "b"}})
    assert store.system.expire(EVENTS, batch) == Swept(gone=1, changed=1)
    assert store.look() == {
        "contacts/a": {"at": old(), "uid": "a"},
        "contacts/b": {"at": NOW, "uid": "b"},
        "contacts/c": {"at_month": "2024-05"},
    }


def test_a_field_that_came_back_is_found_by_the_read_back_once_per_document(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": n} for n in "abc"})
    store.sweep(EVENTS)
    store.put({"contacts/a": {"at_month": "2024-05", "uid": "a", "mail": "a@example.org"}})
    store.put({"contacts/b": {"at_month": "2024-05", "zip": "10115"}})
    assert store.system.read_back(EVENTS, None).residual_fields == 2


def test_many_are_anonymised_in_several_requests(store: Store):
    store.put({f"contacts/{n:04}": {"at": old(), "uid": f"u{n}", "mail": "x" * 200} for n in range(2100)})
    assert store.sweep(EVENTS) == Swept(gone=2100)
    assert all(fields == {"at_month": "2024-05"} for fields in store.look().values())


def test_large_generalised_values_are_sent_in_requests_that_servers_take(store: Store):
    store.put({f"contacts/{n}": {"at": old(), "uid": "u", "zip": "x" * 900_000} for n in range(24)})
    anonymisation = Anonymisation(
        remove=("uid",), generalise=(Generalise("at", "month"), Generalise("zip", "prefix", 800_000))
    )
    assert store.sweep(replace(EVENTS, anonymisation=anonymisation)).gone == 24


def test_a_store_that_lies_about_an_anonymisation_is_found_out(faulty: Store, monkeypatch):
    faulty.put({"contacts/a": {"at": old(), "uid": "u"}})
    (batch,) = faulty.system.batches(EVENTS, None)
    honest = faulty.system._gateway.batch_write

    def lying(writes, tried):
        writes = list(writes)
        for write in writes:
            write.update_mask.field_paths[:] = ["at"]
        return honest(writes, tried)

    monkeypatch.setattr(faulty.system._gateway, "batch_write", lying)
    with pytest.raises(Inconsistent):
        faulty.system.expire(EVENTS, batch)
