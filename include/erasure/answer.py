"""The answer to the person: exactly one message, before the address leaves the systems that could send it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path

import jinja2

from include.erasure.desk import Desk
from include.erasure.evidence import notice_entry, notice_intent_entry
from include.erasure.finding import chunks
from include.erasure.status import OPEN, Outcome, RequestStatus, SystemRow
from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind, RequestType
from include.systems.mailing import Mail, Mailer, Sending

NO_ADDRESS = "no address"
NOT_WANTED = "not wanted"
_PART = 50
"""Messages between two looks at who still has to be told."""

OpenMailer = Callable[[str], AbstractContextManager[Mailer]]
"""Builds the client of a sender by its key."""


def tell(desk: Desk, open_mailer: OpenMailer) -> dict[str, int]:
    """Tell everybody whose turn has come. Returns how many requests came to which end.

    Raises:
        Unavailable: some could not be told, or it is not known yet whether they were; run again.
    """
    with desk.ledger.exclusive("answer", 300) as still_alone:
        refs = [status.ref for status in desk.statuses(desk.open_requests(), desk.clock()) if is_due(desk, status)]
        ends: Counter[str] = Counter()
        for part in chunks(refs, _PART):
            still_alone()
            for status in desk.statuses(part, desk.clock()):
                ends[_tell_one(desk, status, open_mailer)] += 1
    if ends["waiting"]:
        raise Unavailable(
            "answer", f"tell {ends['waiting']} people", "No sender took it, or none can say yet: run again."
        )
    return dict(ends)


def is_due(desk: Desk, status: RequestStatus) -> bool:
    """Approved, not told, and everything before the stage that waits for the answer is settled."""
    if not status.approved or status.cancelled or status.closed is not None or status.answered:
        return False
    for stage in desk.requests.stages:
        if stage.name == desk.requests.answer.before:
            return True
        if any(status.row(system).outcome in OPEN for system in stage.systems):
            return False
    return False


def _tell_one(desk: Desk, status: RequestStatus, open_mailer: OpenMailer) -> str:
    subject = desk.vault.subjects([status.ref])[0]
    addresses = subject.values(IdentifierKind.EMAIL)
    if not status.wants_answer or not addresses:
        end = NOT_WANTED if addresses else NO_ADDRESS
        desk.ledger.append([notice_entry(status.ref, None, end)])
        return end
    mail = compose(desk, status, addresses[0])
    if status.notice_open is not None:
        sent = _was_sent(status, mail, open_mailer)
        if sent is None:
            return "waiting"
        end = Sending.SENT if sent else Sending.NOT_SENT
        desk.ledger.append([notice_entry(status.ref, status.notice_open, end.value)])
        if sent:
            return end.value
    senders = desk.requests.answer.senders
    # Once all have refused it, the first one is asked again.
    for sender in [one for one in senders if one not in status.tried_senders] or senders:
        sending = _send(desk, status.ref, sender, mail, open_mailer)
        if sending is not Sending.NOT_SENT:
            return "waiting" if sending is Sending.UNKNOWN else sending.value
    return "waiting"


def _send(desk: Desk, ref: str, sender: str, mail: Mail, open_mailer: OpenMailer) -> Sending:
    """One try with one sender. An unknown end stays open in the ledger until the sender's own log tells."""
    try:
        with open_mailer(sender) as mailer:
            desk.ledger.append([notice_intent_entry(ref, sender)])
            sending = mailer.send(mail)
    except Refused:
        sending = Sending.NOT_SENT
    if sending is not Sending.UNKNOWN:
        desk.ledger.append([notice_entry(ref, sender, sending.value)])
    return sending


def _was_sent(status: RequestStatus, mail: Mail, open_mailer: OpenMailer) -> bool | None:
    if status.notice_open is None or status.notice_opened_at is None:
        return None
    with open_mailer(status.notice_open) as mailer:
        return mailer.was_sent(mail, status.notice_opened_at)


def compose(desk: Desk, status: RequestStatus, address: str) -> Mail:
    """The message: what was done, what follows, what stays and why. It names no identifier but its own address."""
    company = desk.policy.company
    names = {key: system.name for key, system in desk.policy.systems.items()}
    unseen = [row for row in status.rows if row.outcome is Outcome.NOT_CONNECTED]
    kept = {(names[row.system], stay.ground): stay for row in status.rows for stay in row.stays}
    text = _template().render(
        company=company.name,
        contact=company.contact,
        request=status.ref,
        received=f"{status.received_at:%d %B %Y}",
        account=status.type == RequestType.ACCOUNT_DELETION.value,
        rows=[{"name": names[row.system], "sentence": sentence(row)} for row in status.rows if row not in unseen],
        others=", ".join([names[row.system] for row in unseen] + [one.name for one in desk.policy.uncovered()]),
        kept=[{"name": name, "ground": ground} for name, ground in sorted(kept)],
    )
    return Mail(
        key=f"answer-{status.ref}",
        to=address,
        sender=desk.requests.answer.sender,
        subject=f"Your request {status.ref}",
        text=text,
    )


def sentence(row: SystemRow) -> str:
    """The outcome of a system in words for the person."""
    by = f" by {row.until:%d %B %Y}" if row.until else ""
    return {
        Outcome.VERIFIED_GONE: "erased, and we have looked again: nothing is left.",
        Outcome.ABSENT: "nothing was kept there.",
        Outcome.NO_IDENTIFIER: "nothing that identifies you was sent there.",
        Outcome.DERIVED: "it shows what another system holds, and keeps nothing itself.",
        Outcome.ACCEPTED: f"the deletion was ordered and takes effect{by}.",
        Outcome.EXPIRING: f"what is left cannot be read by us any more or ends by itself{by}.",
        Outcome.MANUAL_PENDING: "a member of our staff deletes what is there.",
        Outcome.MANUAL_DONE: "deleted by a member of our staff.",
        Outcome.HELD: "kept for now on a legal ground (see below or ask us).",
        Outcome.DEFERRED: f"the deletion is queued at the provider{by}.",
    }.get(row.outcome, "is being erased now.")


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    # Plain text: nothing in it is a mark-up, and nothing from outside is put into it.
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    return environment.get_template("answer.txt.j2")
