"""Which accounts of Firebase Authentication go, which stay, and what is told of them."""

from dataclasses import replace

import pytest

from include.errors import Refused
from include.systems.contract import ReadBack, Survey, Swept
from tests.google_twins import ago, only_batch
from tests.systems.firebase_auth.kit import account, ids, put, rule, sweep


def test_accounts_are_due_by_their_last_sign_in_or_their_creation(twin, system):
    put(twin, account("active", login=5), account("away", login=800), account("never", created=900))
    put(twin, account("new", created=3))
    assert system.survey(rule(), None) == Survey(4, 2, 0, ago(days=900), ago(days=800))
    assert sweep(system, rule()) == 2
    assert ids(twin) == ["active", "new"]
    assert system.read_back(rule(), None) == ReadBack(0, 0)


def test_the_creation_alone_can_count(twin, system):
    put(twin, account("old", created=800, login=1), account("young", created=1))
    assert sweep(system, rule("createdAt")) == 1
    assert ids(twin) == ["young"]


def test_a_refreshed_session_is_a_sign_of_life(twin, system):
    put(twin, account("app", login=800, refresh=2), account("gone", login=800, refresh=790), account("old", login=800))
    assert sweep(system, rule("lastRefreshAt")) == 2
    assert ids(twin) == ["app"]


def test_the_cutoff_itself_is_not_due(twin, system):
    put(twin, account("at", login=730), account("before", login=730 + 0.001 / 86_400))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["at"]


def test_an_imported_account_with_zero_never_signed_in(twin, system):
    made = (account("imported", created=900), account("fresh", created=9))
    put(twin, *(replace(one, last_login_at=0) for one in made))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["fresh"]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"emailVerified": "false"}, ["yes"]),
        ({"emailVerified": "true"}, ["no", "off"]),
        ({"disabled": "true"}, ["no", "yes"]),
        ({"emailVerified": "false", "disabled": "false"}, ["off", "yes"]),
        ({"emailVerified": "false", "disabled": "true"}, ["no", "yes"]),
    ],
)
def test_accounts_can_be_narrowed_down(twin, system, where, left):
    put(twin, account("no"), account("yes", email_verified=True), account("off", disabled=True))
    assert sweep(system, rule(where=where)) == 3 - len(left)
    assert ids(twin) == left


@pytest.mark.parametrize(("sign_in", "left"), [("password", ["both", "phone", "token"]), ("other", ["mail"])])
def test_account_without_password_is_not_taken_for_an_unfinished_sign_up(twin, system, sign_in, left):
    by = {"mail": ["password"], "both": ["password", "google.com"], "phone": ["phone"], "token": []}
    put(twin, *(account(name, providers=[{"providerId": one} for one in ids]) for name, ids in by.items()))
    assert sweep(system, rule(where={"signIn": sign_in})) == 4 - len(left)
    assert ids(twin) == left


def test_held_accounts_are_counted_and_left(twin, system):
    put(twin, account("a"), account("ab"), account("b"))

    def on_hold(subject):
        return subject == "ab"

    assert system.survey(rule(), on_hold) == Survey(3, 3, 1, ago(days=1000), ago(days=1000))
    assert sweep(system, rule(), on_hold) == 2
    assert system.read_back(rule(), on_hold) == ReadBack(0, 1)
    assert ids(twin) == ["ab"]


def test_enabled_accounts_are_deleted_in_one_forced_call(twin, system):
    put(twin, *(account(f"u{i}") for i in range(5)))
    assert sweep(system, rule()) == 5
    assert twin.calls(":batchDelete") == 1


def test_more_than_a_thousand_accounts_go_in_bounded_batches(twin, system):
    put(twin, *(account(f"u{i:04}") for i in range(2101)))
    batches = system.batches(rule(), None)
    first = next(batches)
    assert first.count == 1000
    assert twin.calls(":batchGet") == 1
    assert system.expire(rule(), first) == Swept(1000)
    assert [system.expire(rule(), batch).gone for batch in batches] == [1000, 101]
    assert (twin.calls(":batchGet"), twin.calls(":batchDelete"), twin.calls(":lookup")) == (3, 3, 44)
    assert ids(twin) == []


def test_due_accounts_among_others_fill_whole_batches(twin, system):
    put(twin, *(account(f"u{i:04}", login=800 if i % 3 else 1) for i in range(3000)))
    assert [batch.count for batch in system.batches(rule(), None)] == [1000, 1000]


def test_who_comes_back_after_the_selection_is_left(twin, system):
    put(twin, account("back", login=800), account("away", login=800), account("verified", login=800))
    selection = rule(where={"emailVerified": "false"})
    batch = only_batch(system, selection)
    put(twin, account("back", login=0), account("verified", login=800, email_verified=True))
    assert system.expire(selection, batch) == Swept(1, changed=2)
    assert ids(twin) == ["back", "verified"]


def test_what_is_gone_already_is_absent_and_nothing_is_sent(twin, system):
    put(twin, account("a"))
    batch = only_batch(system, rule())
    assert system.expire(rule(), batch) == Swept(1)
    assert system.expire(rule(), batch) == Swept(0, absent=1)
    assert twin.calls(":batchDelete") == 1


def test_a_tenant_is_swept_by_itself(twin, system):
    put(twin, account("a"), account("b", tenant="t1"))
    assert sweep(system, rule(location={"tenant": "t1"})) == 1
    assert (ids(twin), ids(twin, "t1")) == (["a"], [])


@pytest.mark.parametrize("local_id", ["a/b", "a b", "%2e", "ü", 'a"b', "x" * 128])
def test_a_strange_id_is_an_id(twin, system, local_id):
    put(twin, account(local_id), account("other", login=1))
    assert sweep(system, rule()) == 1
    assert ids(twin) == ["other"]


def test_there_is_no_expiry_to_set(system):
    assert system.expiry(rule()) == []
    with pytest.raises(Refused):
        system.set_expiry(rule())


def test_records_hide_ids(twin, system):
    put(twin, account("secret"))
    batch = only_batch(system, rule())
    assert "secret" not in repr(batch) + repr(batch.records)
