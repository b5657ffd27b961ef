"""Rules and connections that are refused, and which names a prefix means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused
from include.policy.actions import Action, Anonymisation
from include.systems import cloud_storage
from include.systems.cloud_storage_prefix import Prefix
from tests.google_twins import refuses
from tests.systems.cloud_storage.kit import BUCKET, rule


@pytest.mark.parametrize("prefix", ["", "/", "//", "{subject}/", "users/{subject}", "users/{subject}x/", "u/{uid}/"])
def test_a_prefix_that_could_mean_everything_or_nobody_is_refused(twin, system, prefix):
    with pytest.raises(Refused):
        system.survey(rule(prefix), None)
    assert twin.journal.as_json() == []


@pytest.mark.parametrize(
    "change",
    [
        {"location": {"bucket": BUCKET}},
        {"location": {"prefix": "users/"}},
        {"location": {"bucket": "", "prefix": "users/"}},
        {"location": {"bucket": BUCKET, "prefix": "users/", "versions": "false"}},
        {"trigger": "timeDeleted"},
        {"where": {"contentType": "text/plain"}},
        {"subject": "uid"},
        {"prefix": "exports/", "subject": "prefix"},
        {"action": Action.ANONYMISE, "anonymisation": Anonymisation(("a",))},
    ],
)
def test_a_rule_that_is_not_understood_is_refused_before_any_call(twin, system, change):
    refuses(system, rule(**change))
    with pytest.raises(Refused):
        system.set_expiry(rule(**change))
    assert twin.journal.as_json() == []


def test_a_connection_without_a_project_is_refused():
    with pytest.raises(Refused, match="project"):
        cloud_storage.connect(Connection("cloud_storage", host="http://127.0.0.1:1"))


def test_a_key_that_is_none_is_refused_without_showing_it():
    broken = Connection("cloud_storage", extra={"project": "p", "keyfile_dict": {"private_key": "hidden"}})
    with pytest.raises(Refused, match="keyfile_dict") as caught:
        cloud_storage.connect(broken).survey(rule(), None)
    assert "hidden" not in str(caught.value)


segments = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(segments, segments, st.text(max_size=8))
def test_a_name_belongs_to_exactly_one_subject(subject, other, rest):
    prefix = Prefix.parse("users/{subject}/")
    name = f"users/{subject}/{rest}"
    assert prefix.subject(name) == subject
    assert (prefix.subject(f"users/{other}/{rest}") == subject) == (other == subject)


@given(segments, st.text(max_size=20))
def test_a_tail_is_part_of_the_match(subject, rest):
    prefix = Prefix.parse("users/{subject}/files/")
    assert prefix.subject(f"users/{subject}/files/{rest}") == subject
    assert prefix.subject(f"users/{subject}/filesx") is None
    assert prefix.matches(f"users/{subject}") is False


@given(st.text(max_size=30))
def test_only_names_under_the_prefix_match(name):
    assert Prefix.parse("exports/").matches(name) == name.startswith("exports/")
    assert not Prefix.parse("users/{subject}/").matches(name) or name.startswith("users/")
