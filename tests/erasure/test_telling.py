"""Every kind of evidence has its sentence, and no outcome is left without words."""

from __future__ import annotations

import pytest

from include.erasure import standing
from include.erasure.status import Outcome, Stage
from include.erasure.telling import tell
from include.ledger.entry import Entry, Json, Kind, Recorded
from include.systems.erasing import Did
from tests.erasure.story import REF, START, Story, approved

NAMES = {"redis": "Redis"}
KINDS_OF_REQUESTS = {
    Kind.REQUEST_OPENED, Kind.IDENTITY, Kind.FOUND, Kind.PLAN, Kind.DECISION, Kind.INTENT, Kind.OUTCOME,
    Kind.VERIFICATION, Kind.MANUAL_DONE, Kind.NOTICE_INTENT, Kind.NOTICE, Kind.OPERATOR_ACTION, Kind.CANCELLED,
    Kind.REQUEST_CLOSED, Kind.KEY_DESTROYED,
}  # fmt: skip


def said(kind: Kind, system: str | None = None, **body: Json) -> str:
    return tell(Recorded(0, START, Entry(kind, REF, system=system, body=body), b""), NAMES)


def sentences(story: Story) -> list[str]:
    return [tell(recorded, NAMES) for recorded in story.entries]


def test_a_whole_request_is_told_in_whole_sentences() -> None:
    story = approved().erased().seen()
    story.other(Kind.NOTICE, sending="sent").other(Kind.REQUEST_CLOSED, reason="complete").other(Kind.KEY_DESTROYED)
    assert sentences(story) == [
        "staff_x opened the request: erasure, received on 2026-03-01.",
        "One person matches. Known by nothing.",
        "Redis holds 3 records to remove.",
        "The plan was made: 3 records in 1 of 1 systems. Digest dddddddddddd.",
        "staff_y approved the plan d: ok.",
        "About to remove 3 records from Redis.",
        "Redis acknowledged that 3 records were removed. look",
        "Looked into Redis: nothing is left.",
        "The person was told, through the sender.",
        "The request was closed: complete.",
        "The key was destroyed: what was known of the person can't be read any more.",
    ]


@pytest.mark.parametrize("did", list(Did))
def test_each_answer_of_a_system_has_its_own_words(did: Did) -> None:
    [*_, text] = sentences(approved().erased(did))
    assert "Redis" in text
    assert did.value != text.split(": ")[-1].rstrip(".")
    others = {sentences(approved().erased(other))[-1] for other in Did if other is not did}
    assert text not in others


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (Kind.REQUEST_OPENED, {"type": "account_deletion", "by": "staff_x", "source": "csv", "batch": None,
                               "received_at": "2026-02-03T00:00:00Z", "identifiers": {"email": 2, "user_id": 1}},
         "staff_x opened the request in a CSV file: account deletion, received on 2026-02-03, with 2 email, 1 "
         "user id."),
        (Kind.IDENTITY, {"match": "several", "candidates": 3, "identifiers": {"email": 1}, "chosen": None}, "3 people"),
        (Kind.IDENTITY, {"match": "none", "candidates": 0, "identifiers": {"email": 1}, "chosen": None}, "No account"),
        (Kind.PLAN, {"to_do": False}, "nothing is known of this person anywhere"),
        (Kind.OPERATOR_ACTION, {"what": "joined", "by": "staff_x", "source": "page"}, "joined to this request"),
        (Kind.OPERATOR_ACTION, {"what": "identity", "by": "x", "choice": "Person 1", "reason": "DSR-7"}, "Person 1"),
        (Kind.OPERATOR_ACTION, {"what": "something else"}, "something else"),
        (Kind.CANCELLED, {"by": "staff_x", "reason": "DSR-7"}, "staff_x cancelled the request: DSR-7."),
    ],
)  # fmt: skip
def test_what_people_did_is_told_with_their_pseudonym(kind: Kind, body: dict[str, Json], says: str) -> None:
    assert says in said(kind, **body)


def test_work_by_hand_names_its_proof() -> None:
    body: dict[str, Json] = {"by": "staff_x", "proof": "OPS-1", "attachment": "f" * 64, "file": "redis-1.png"}
    assert said(Kind.MANUAL_DONE, "redis", **body) == (
        "staff_x did the work by hand in Redis, proof OPS-1; a file is attached (SHA-256 ffffffffffff)."
    )
    assert said(Kind.MANUAL_DONE, "redis") == "Somebody did the work by hand in Redis."


@pytest.mark.parametrize(
    ("look", "says"),
    [
        ({"remaining": 2}, "2 records left that should be gone"),
        ({"blocked": 1}, "1 record left that it refuses to delete"),
        ({"pending": True}, "has not ended"),
        ({"proved": False}, "can prove nothing"),
        ({"until": START}, "hidden copies are gone by 2026-03-01"),
    ],
)
def test_a_look_says_what_it_saw(look: dict[str, object], says: str) -> None:
    story = approved().erased().seen(**look)  # type: ignore[arg-type]
    assert says in sentences(story)[-1]


def test_a_system_that_the_policy_does_not_know_any_more_keeps_its_key() -> None:
    assert said(Kind.INTENT, "old_one", found=1) == "About to remove 1 record from old_one."


def test_each_kind_of_a_requests_evidence_has_a_sentence_of_its_own() -> None:
    from include.erasure.telling import _TELLERS

    assert set(_TELLERS) == KINDS_OF_REQUESTS


def test_each_stage_and_each_outcome_has_words() -> None:
    assert set(standing._STAGES) == set(Stage) - {Stage.CLOSED}
    assert set(standing._MEANINGS) == set(Outcome)
