"""The tasks of a person's request that may wait for a human, without holding a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator

from include.errors import Unavailable
from include.orchestration.decision import APPROVE, DECLINE, DIGEST_SHOWN, read_answer, reason_field
from include.orchestration.erasing import open_erasing, open_erasure_desk, refs_of
from include.orchestration.recovery import shielded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk.definitions.context import Context

    from include.erasure.desk import Desk
    from include.erasure.identity import Identity
    from include.erasure.plan import BatchPlan

ALL = "All of them are this person"
STOP = "None: stop, delete nothing"


class IdentifyPerson(HITLOperator):
    """Collect everything the person is known by; where several people match, ask which one is meant.

    In a batch such requests are left out: run this DAG for each of them alone to be asked.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="Several people match a request", options=[STOP], **kwargs)

    def execute(self, context: Context) -> Any:
        """Resolve, write down what is known, and park where a human has to choose."""
        from include.erasure.duplicates import join
        from include.erasure.evidence import Match
        from include.erasure.identity import record

        with shielded("identification"), open_erasure_desk() as desk:
            identities = _resolve(desk, context)
            several = [identity for identity in identities if identity.match is Match.SEVERAL]
            record(desk, identities)
            joined = join(desk, [one.subject.ref for one in identities if one.match is Match.ONE])
            body = describe_people(desk, several[0]) if len(identities) == 1 and several else None
        if body is None:
            return {"requests": len(identities), "several_match": len(several), "joined": len(joined)}
        self.subject = f"Who is meant by request {several[0].subject.ref}?"
        self.body = body
        self.options = [*(f"Person {number}" for number, _ in enumerate(several[0].people, 1)), ALL, STOP]
        self.params = reason_field()
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record whom the human chose."""
        from include.erasure.approval import close
        from include.erasure.evidence import Match
        from include.erasure.identity import choice_entry, record

        if "error" in event:
            self.process_trigger_event_error(event)
        answer = read_answer(event)
        with shielded("choice of the person"), open_erasure_desk() as desk:
            (identity,) = _resolve(desk, context)
            by = desk.pseudonyms.staff(answer.user)
            desk.ledger.append([choice_entry(identity.subject.ref, answer.choice, by=by, reason=answer.reason)])
            if answer.choice == STOP:
                close(desk, [identity.subject.ref], "declined")
                return {"chosen": "none"}
            number = None if answer.choice == ALL else int(answer.choice.removeprefix("Person ")) - 1
            if identity.match is not Match.SEVERAL or (number is not None and number >= len(identity.people)):
                raise Unavailable("identity", "use the choice", "Other people match by now: it is asked about anew.")
            record(desk, [identity], {identity.subject.ref: number})
        return {"chosen": answer.choice}


class ApproveErasure(HITLOperator):
    """Make the plan from what was found, and park until a human has decided about exactly it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="An erasure needs a decision", options=[DECLINE], **kwargs)

    def execute(self, context: Context) -> Any:
        """Plan; parks unless nothing was found or the plan is decided already."""
        from include.erasure.approval import identified, plan_requests
        from include.erasure.status import Stage

        with shielded("plan of the erasure"), open_erasure_desk() as desk:
            refs = refs_of(desk, context, open_only=False)
            known = identified(desk, refs)
            together = plan_requests(desk, known)
            waiting = [s for s in desk.statuses(known, desk.clock()) if s.stage is Stage.PLANNED]
            body = describe_plan(desk, together, len(refs) - len(known))
        if not waiting:
            return {"requests": len(refs), "to_approve": 0, "digest": together.digest}
        self.subject = f"Erasure of {len(waiting)} request(s): {refs[0] if len(refs) == 1 else waiting[0].batch}"
        self.body = body
        self.options = [APPROVE + together.digest[:DIGEST_SHOWN], DECLINE]
        self.params = reason_field()
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the decision. One that can't be used is asked for again by the next try."""
        from include.erasure.approval import decide, identified

        if "error" in event:
            self.process_trigger_event_error(event)
        answer = read_answer(event)
        with shielded("decision on the erasure"), open_erasure_desk() as desk:
            refs = identified(desk, refs_of(desk, context, open_only=False))
            digest = answer.approved or str(next(iter(desk.statuses(refs, desk.clock()))).batch_digest)
            decided = decide(
                desk,
                refs,
                digest,
                approved=answer.approved is not None,
                by=desk.pseudonyms.staff(answer.user),
                reason=answer.reason,
            )
        return {"decided": decided, "approved": answer.approved is not None}


def _resolve(desk: Desk, context: Context) -> list[Identity]:
    from contextlib import ExitStack
    from typing import cast

    from include.erasure.identity import resolve
    from include.systems.erasing import IdentityRoot

    subjects = desk.vault.subjects(refs_of(desk, context))
    with ExitStack() as opened:
        roots = [cast(IdentityRoot, opened.enter_context(open_erasing(desk, key))) for key in desk.identity_roots()]
        return resolve(subjects, roots)


def describe_people(desk: Desk, identity: Identity) -> str:
    """What tells the people apart, in Markdown, without an identifier of any of them."""
    from include.policy.persons import IdentifierKind
    from include.subjects.identifiers import counts

    rows = []
    for number, profile in enumerate(identity.people, 1):
        user = next(i.value for i in profile if i.kind is IdentifierKind.USER_ID)
        spaces = ", ".join(i.value for i in profile if i.kind is IdentifierKind.WORKSPACE) or "none"
        known = ", ".join(f"{count} {kind}" for kind, count in counts(profile).items())
        rows.append(f"| Person {number} | `{desk.pseudonyms.subject(user)}` | {spaces} | {known} |")
    odd = ", ".join(f"{count} {kind}" for kind, count in counts(identity.strangers).items())
    why = (
        f"What was given does not fit together: {odd} is in no record of whom the rest names."
        if odd
        else "What was given fits several people, for example because one of them gave up an address that another uses."
    )
    return (
        f"**Nothing has been deleted.** {why}\n\n| | pseudonym | workspaces | known by |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\nWith one person chosen, what does not fit that person, or fits another one too, is left out."
    )


def describe_plan(desk: Desk, together: BatchPlan, left_out: int) -> str:
    """What the person who decides reads, in Markdown: counts, grounds, dates, the digest."""
    from include.systems import registry

    names = {key: system.name for key, system in desk.policy.systems.items()}
    lines = [
        f"| {number} | {names[row.system]} | {row.stage} | {row.people} | {row.records} | {row.kept} | "
        f"{(row.clean_at or 'at once')[:10]} | {registry.erasing_card(row.system).proof.value} |"
        for number, row in enumerate(together.totals(), 1)
    ]
    grounds = sorted(
        {(names[step.system], str(s["ground"])) for p in together.to_do for step in p.steps for s in step.stays}
    )
    types: Sequence[str] = sorted({plan.type for plan in together.to_do})
    unseen = [names[key] for key in together.not_connected]
    gaps = [*(f"{name} (not connected)" for name in unseen), *(system.name for system in desk.policy.uncovered())]
    aside = len(together.plans) - len(together.to_do)
    return (
        f"**Nothing has been deleted.** {len(together.to_do)} request(s): {', '.join(types)}."
        + (f" {aside} more found nothing and are not part of it." if aside else "")
        + (f" {left_out} more fit several people and are not part of it." if left_out else "")
        + "\n\n| | system | stage | people | records found | records kept | truly clean on | proof |\n"
        "|---|---|---|---|---|---|---|---|\n"
        + "\n".join(lines)
        + ("\n\nWhat stays, and why:\n\n" if grounds else "\n")
        + "\n".join(f"- {name}: {ground}" for name, ground in grounds)
        + (f"\n\n**Not looked into**, to be seen to by hand: {', '.join(gaps)}." if gaps else "")
        + f"\n\nDigest `{together.digest}`. Approval lets exactly this plan through; a system in which more is "
        "found by then stops and asks again."
    )
