"""The cluster's own lifecycles against the rule."""

import pytest

from include.errors import Refused
from include.policy.actions import Action, Anonymisation

NINETY_DAYS = 90 * 86_400


@pytest.fixture
def stream(store):
    """A data stream of its own."""
    name = f"{store.index}-stream"
    store.client.indices.put_index_template(name=name, index_patterns=[name], data_stream={})
    store.client.indices.create_data_stream(name=name)
    yield store.selection(location={"index": name}, trigger_field="@timestamp")
    store.client.indices.delete_data_stream(name=name)
    store.client.indices.delete_index_template(name=name)


@pytest.fixture
def policy(store):
    """An index with an ILM policy of its own."""
    name = f"{store.index}-policy"
    phases = {"hot": {"actions": {}}, "delete": {"min_age": "365d", "actions": {"delete": {}}}}
    store.client.ilm.put_lifecycle(name=name, policy={"phases": phases})
    store.create(**{"index.lifecycle.name": name})
    yield name
    store.client.options(ignore_status=404).indices.delete(
        index=f"{store.index},{store.index}-2", ignore_unavailable=True
    )
    store.client.ilm.delete_lifecycle(name=name)


def test_a_plain_index_has_no_lifecycle_and_gets_none(store):
    store.create()
    (expiry,) = store.system.expiry(store.selection())
    assert (expiry.configured, expiry.wanted, expiry.agrees) == ("none", "90d", True)
    with pytest.raises(Refused, match="mixed ages"):
        store.system.set_expiry(store.selection())


@pytest.mark.parametrize(
    ("configured", "agrees", "words"), [("90d", True, "sweep"), ("30d", False, "earlier"), ("400d", False, "longer")]
)
def test_the_retention_of_a_data_stream_is_compared(store, stream, configured, agrees, words):
    store.client.indices.put_data_lifecycle(name=stream.location["index"], data_retention=configured)
    (expiry,) = store.system.expiry(stream)
    assert (expiry.configured, expiry.agrees) == (configured, agrees)
    assert words in expiry.note


def test_a_data_stream_gets_the_period_as_its_retention(store, stream):
    assert store.system.expiry(stream)[0].configured == "none"
    assert store.system.set_expiry(stream).agrees
    assert store.system.expiry(stream)[0].configured == "90d"


def test_a_data_stream_ages_by_its_timestamp_only(store, stream):
    other = store.selection(location=stream.location, trigger_field="at")
    with pytest.raises(Refused, match="trigger"):
        store.system.set_expiry(other)


def test_an_ilm_policy_is_compared_and_set(store, policy):
    (expiry,) = store.system.expiry(store.selection())
    assert (expiry.configured, expiry.agrees) == ("365d", False)
    assert store.system.set_expiry(store.selection()).configured == "90d"
    phases = store.client.ilm.get_lifecycle(name=policy)[policy]["policy"]["phases"]
    assert set(phases) == {"hot", "delete"}


def test_an_ilm_policy_that_others_use_is_refused(store, policy):
    store.client.indices.create(index=f"{store.index}-2", settings={"index.lifecycle.name": policy})
    with pytest.raises(Refused, match="other indices"):
        store.system.set_expiry(store.selection())


@pytest.mark.parametrize(
    "changes",
    [{"where": {"kind": "a"}}, {"action": Action.ANONYMISE, "anonymisation": Anonymisation(remove=("email",))}],
)
def test_a_rule_that_is_not_about_whole_indices_is_refused(store, policy, changes):
    with pytest.raises(Refused, match="whole indices"):
        store.system.set_expiry(store.selection(**changes))
