"""What a request's stage and a system's outcome mean to people, and what comes next. Pure."""

from __future__ import annotations

from include.erasure.evidence import HELD
from include.erasure.status import Outcome, RequestStatus, Stage, SystemRow

_STAGES = {
    Stage.RECEIVED: "The search for the person's data has not begun.",
    Stage.AMBIGUOUS: "Several people match what was given: a person says under Required Actions which one is meant. "
    "A request of a batch is started again, alone, to be asked about.",
    Stage.SEARCHING: "Every system is searched; then there is a plan to approve.",
    Stage.NO_MATCH: "Nothing is known of this person anywhere: it is closed, nothing is deleted and nobody is "
    "written to.",
    Stage.PLANNED: "The plan waits for a person under Required Actions: approve or decline it.",
    Stage.DECLINED: "Nothing is deleted; it is closed and its key destroyed in the coming night at the latest.",
    Stage.APPROVED: "The DAG Deletion push starts by itself.",
    Stage.EXECUTING: "The DAG Deletion push works off what is open, stage by stage.",
    Stage.WAITING: "Each night the open rows are looked at again; work by hand waits for a person.",
    Stage.DONE: "Every system is looked at again on the days of the policy; then the request is closed and its key "
    "destroyed.",
    Stage.CANCELLED: "No task begins anything new; what was done stays done. It is closed and its key destroyed in the "
    "coming night.",
}

_MEANINGS = {
    Outcome.TO_DO: "Nothing was done yet.",
    Outcome.UNDER_WAY: "A deletion was begun and its end is not known yet.",
    Outcome.VERIFIED_GONE: "Removed, and a look afterwards found nothing.",
    Outcome.ABSENT: "Looked: nothing is held there.",
    Outcome.NO_IDENTIFIER: "Nothing that identifies a person is sent there, and the look agreed.",
    Outcome.DERIVED: "It shows what another system holds and keeps nothing itself: it is clean with its source.",
    Outcome.NOT_CONNECTED: "There is no connection to it: nobody has looked, and nothing is known.",
    Outcome.ACCEPTED: "The vendor took the order; that is a receipt, not yet a deletion.",
    Outcome.EXPIRING: "What is left can't be deleted by us and ends by itself.",
    Outcome.MANUAL_PENDING: "A person has to do it.",
    Outcome.MANUAL_DONE: "Done by hand, with a reference to the proof.",
    Outcome.HELD: "Kept on a ground: a legal hold, a lock of the store, or another one that is named.",
    Outcome.DEFERRED: "A limit of the vendor is used up.",
    Outcome.FAILED: "Not deleted, or a look found what should be gone.",
    Outcome.RESIDUAL_FOUND: "A later look found data again.",
}

_AFTER_PUSH = {
    Outcome.NOT_CONNECTED: "Somebody has to see to it by hand, or connect it and open a request again.",
    Outcome.UNDER_WAY: "The next push looks again and goes on from what the system holds.",
    Outcome.FAILED: "The next push tries again.",
    Outcome.RESIDUAL_FOUND: "The next push erases it again.",
    Outcome.MANUAL_PENDING: "Do it, then record it here.",
    Outcome.MANUAL_DONE: "It is looked at again where the system can be read.",
}


def next_of(status: RequestStatus) -> str:
    """What comes next for a request."""
    if status.stage is Stage.CLOSED:
        key = "Its key is destroyed: what was known of the person can't be read any more."
        return key if status.key_destroyed else "Its key is destroyed in the coming night."
    return _STAGES[status.stage]


def words(row: SystemRow) -> str:
    """What an outcome means."""
    return _MEANINGS[row.outcome]


def next_for(status: RequestStatus, row: SystemRow) -> str:
    """What comes next in one system, or what a person does now; "" where nothing does."""
    if status.closed is not None or status.cancelled:
        return ""
    if row.next_action:
        return row.next_action
    if row.outcome is Outcome.TO_DO:
        return "The push comes to it in its turn." if status.approved else "Nothing is deleted before an approval."
    if row.outcome in {Outcome.ACCEPTED, Outcome.EXPIRING}:
        return _dated(row)
    if row.outcome is Outcome.DEFERRED:
        return f"Its turn comes on {row.until:%Y-%m-%d}." if row.until else "Its turn comes with the next push."
    if row.outcome is Outcome.HELD and row.did == HELD:
        return "Each push looks whether the hold is released."
    return _AFTER_PUSH.get(row.outcome, "")


def _dated(row: SystemRow) -> str:
    if row.until is None:
        return "It is looked at again every night until the vendor's job has ended."
    if not row.proved and row.outcome is Outcome.ACCEPTED:
        return f"The vendor offers nothing to read back: the promise ends on {row.until:%Y-%m-%d}."
    return f"It is looked at again on {row.until:%Y-%m-%d}."
