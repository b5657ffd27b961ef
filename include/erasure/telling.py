"""Each piece of evidence as a sentence for people. Pure; says what the entry says and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.erasure.evidence import HELD, Look, Match
from include.ledger.entry import Kind, Recorded
from include.ledger.instants import moment
from include.systems.erasing import Did

DIGEST_SHOWN = 12
"""Characters of a digest that a sentence names, as many as a decision does."""

TYPES = {"erasure": "Erasure", "account_deletion": "Account deletion"}
"""What was asked for, for people."""

_SOURCES = {
    "page": "on the page",
    "csv": "in a CSV file",
    "rest": "through another system",
    "returned": "because data of an erased person was found again",
}
_MATCHES = {Match.NONE.value: "No account is known for what was given", Match.ONE.value: "One person matches"}
_NOTICES = {
    "sent": "The person was told, through {sender}.",
    "not sent": "{sender} did not take the answer to the person.",
    "no address": "The person was not told: there is no address.",
    "not wanted": "The person is not told: no answer was wanted.",
}
_DID = {
    Did.GONE.value: "{system} acknowledged that {gone} were removed.",
    Did.ABSENT.value: "{system} held nothing to remove.",
    Did.ACCEPTED.value: "{system} took the order{until}.",
    Did.EXPIRING.value: "{system} can't delete; what is there ends by itself{until}.",
    Did.MANUAL.value: "In {system} a person has to do it.",
    Did.DEFERRED.value: "The limit of {system} is used up; its turn comes again{until}.",
    Did.BLOCKED.value: "{system} refuses to delete {blocked}{until}.",
    Did.FAILED.value: "Nothing was deleted in {system}.",
    HELD: "Nothing is deleted in {system}: it is held.",
}

Body = Mapping[str, Any]


def tell(recorded: Recorded, names: Mapping[str, str]) -> str:
    """One entry of a request in a sentence.

    Args:
        recorded: the entry.
        names: names of systems by key.
    """
    entry = recorded.entry
    system = names.get(entry.system or "", entry.system or "")
    teller = _TELLERS.get(entry.kind)
    return entry.kind.value.replace("_", " ") if teller is None else teller(entry.body, system)


def records(count: int) -> str:
    """A number of records in words."""
    return "1 record" if count == 1 else f"{count:,} records"


def kinds(numbers: Body) -> str:
    """Counts by kind in words, as in ``2 email, 1 user id``."""
    return ", ".join(f"{count} {str(kind).replace('_', ' ')}" for kind, count in numbers.items()) or "nothing"


def _opened(body: Body, _: str) -> str:
    way = _SOURCES.get(str(body.get("source")), "")
    what = TYPES.get(str(body["type"]), str(body["type"])).lower()
    given = f", with {kinds(body['identifiers'])}" if body.get("identifiers") else ""
    return (
        f"{body['by']} opened the request {way}".rstrip() + f": {what}, received on {_day(body['received_at'])}{given}."
    )


def _identity(body: Body, _: str) -> str:
    match = _MATCHES.get(str(body["match"]), f"{body['candidates']} people match: somebody has to say which one")
    return f"{match}. Known by {kinds(body['identifiers'])}."


def _found(body: Body, system: str) -> str:
    total = sum(body["counts"].values())
    kept = sum(stay["count"] for stay in body["stays"])
    found = f"{system} holds {records(total)} to remove" if total else f"{system} holds nothing to remove"
    return found + (f" and {records(kept)} that stay." if kept else ".")


def _plan(body: Body, _: str) -> str:
    if not body["to_do"]:
        return "The plan was made: nothing is known of this person anywhere."
    total = sum(sum(step["counts"].values()) for step in body["systems"])
    held = sum(1 for step in body["systems"] if sum(step["counts"].values()))
    where = f"in {held} of {len(body['systems'])} systems"
    return f"The plan was made: {records(total)} {where}. Digest {body['digest'][:DIGEST_SHOWN]}."


def _decision(body: Body, _: str) -> str:
    return f"{body['by']} {body['choice']} the plan {body['digest'][:DIGEST_SHOWN]}: {body['reason']}."


def _intent(body: Body, system: str) -> str:
    return f"About to remove {records(body['found'])} from {system}."


def _outcome(body: Body, system: str) -> str:
    text = _DID.get(str(body["did"]), "{system}: " + str(body["did"]) + ".").format(
        system=system,
        gone=records(body["gone"]),
        blocked=records(body["blocked"]),
        until=f" on {_day(body['until'])}"
        if body["did"] == Did.DEFERRED.value and body["until"]
        else _by(body["until"]),
    )
    job = f" The vendor's job is {body['job']}." if body["job"] else ""
    return text + job + (f" {body['next']}" if body["next"] else "")


def _verification(body: Body, system: str) -> str:
    again = "Looked into {} again" if body["look"] == Look.RECHECK.value else "Looked into {}"
    looked = again.format(system)
    if body["remaining"]:
        return f"{looked}: {records(body['remaining'])} left that should be gone."
    if body["blocked"]:
        return f"{looked}: {records(body['blocked'])} left that it refuses to delete."
    if body["pending"]:
        return f"{looked}: the vendor's job has not ended."
    if not body["proved"]:
        return f"{looked}: this look can prove nothing; it is promised to be true{_by(body['until'])}."
    hidden = f"; hidden copies are gone{_by(body['until'])}" if body["until"] else ""
    return f"{looked}: nothing is left{hidden}."


def _manual(body: Body, system: str) -> str:
    proof = f", proof {body['proof']}" if body.get("proof") else ""
    kept = f"; a file is attached (SHA-256 {body['attachment'][:DIGEST_SHOWN]})" if body.get("attachment") else ""
    return f"{body.get('by', 'Somebody')} did the work by hand in {system}{proof}{kept}."


def _notice(body: Body, system: str) -> str:
    return _NOTICES.get(str(body["sending"]), "The answer to the person: " + str(body["sending"]) + ".").format(
        sender=system or "the sender"
    )


def _action(body: Body, _: str) -> str:
    match body.get("what"):
        case "joined":
            if "request" in body:
                return f"Request {body['request']} turned out to be of the same person: it was joined to this one."
            return f"{body['by']} handed in the same person again: it was joined to this request."
        case "same person":
            return f"The person is that of request {body['request']}: this one was joined to it."
        case "identity":
            return f"{body['by']} said who is meant ({body['choice']}): {body['reason']}."
        case what:
            return f"{body.get('by', 'Somebody')}: {what}."


def _cancelled(body: Body, _: str) -> str:
    return f"{body.get('by', 'Somebody')} cancelled the request: {body.get('reason', 'no reason')}."


_TELLERS: dict[Kind, Callable[[Body, str], str]] = {
    Kind.REQUEST_OPENED: _opened,
    Kind.IDENTITY: _identity,
    Kind.FOUND: _found,
    Kind.PLAN: _plan,
    Kind.DECISION: _decision,
    Kind.INTENT: _intent,
    Kind.OUTCOME: _outcome,
    Kind.VERIFICATION: _verification,
    Kind.MANUAL_DONE: _manual,
    Kind.NOTICE_INTENT: lambda _, system: f"About to write to the person through {system}.",
    Kind.NOTICE: _notice,
    Kind.OPERATOR_ACTION: _action,
    Kind.CANCELLED: _cancelled,
    Kind.REQUEST_CLOSED: lambda body, _: f"The request was closed: {body['reason']}.",
    Kind.KEY_DESTROYED: lambda *_: "The key was destroyed: what was known of the person can't be read any more.",
}


def _day(text: object) -> str:
    return f"{moment(str(text)):%Y-%m-%d}"


def _by(until: object) -> str:
    return f" by {_day(until)}" if until else ""
