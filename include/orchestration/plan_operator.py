"""The task that plans one rule and, where the guard asks, waits for a human without holding a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator

from include.orchestration.decision import APPROVE, DECLINE, DIGEST_SHOWN, read_answer, reason_field
from include.orchestration.recovery import shielded

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from include.retention.planning import Planned


class PlanRule(HITLOperator):
    """Plan ``rule``; when the guard asks, park under Required Actions and record who decided what about which digest.

    The subject and the body that a human sees are counts, dates and the plan's digest.
    """

    template_fields: Sequence[str] = ("rule",)

    def __init__(self, *, rule: str, **kwargs: Any) -> None:
        super().__init__(subject="A retention plan needs a decision", options=[DECLINE], **kwargs)
        self.rule = rule

    def execute(self, context: Context) -> Any:
        """Plan and judge. Returns the digest and counts, or parks the task until a human answered."""
        from include.orchestration.retention import plan_in_context
        from include.retention.guard import Verdict

        with shielded(f"plan of rule {self.rule}"):
            planned = plan_in_context(self.rule, context)
        if planned is None:
            return {"rule": self.rule, "verdict": "not in this run"}
        if planned.judgement.verdict is Verdict.ASK and not _is_dry(context):
            self.subject = (
                f"Rule {self.rule} on {planned.plan.system}: {planned.plan.to_do} records wait for a decision"
            )
            self.body = describe(planned)
            self.options = [APPROVE + planned.plan.digest[:DIGEST_SHOWN], DECLINE]
            self.params = reason_field()
            return super().execute(context)
        return {
            "rule": self.rule,
            "verdict": planned.judgement.verdict.value,
            "due": planned.plan.due,
            "held": planned.plan.held,
            "digest": planned.plan.digest,
        }

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the decision. An answer without a usable reason is asked for again by the next try."""
        from include.orchestration.retention import record_decision

        if "error" in event:
            self.process_trigger_event_error(event)
        answer = read_answer(event)
        approved = answer.approved
        with shielded(f"decision on rule {self.rule}"):
            digest = record_decision(self.rule, context, approved=approved, user=answer.user, reason=answer.reason)
        return {"rule": self.rule, "verdict": "declined" if approved is None else "approved", "digest": digest}


def describe(planned: Planned) -> str:
    """What the person who decides reads, in Markdown."""
    plan = planned.plan
    reasons = "\n".join(f"- {breach.text}" for breach in planned.judgement.breaches)
    return (
        f"**Nothing has been deleted.** The guard stopped this plan because:\n\n{reasons}\n\n"
        "| | |\n|---|---|\n"
        f"| rule | {plan.rule} |\n| system | {plan.system} |\n| action | {plan.action} |\n"
        f"| due | {plan.due} of {plan.total} |\n| kept by legal holds | {plan.held} |\n"
        f"| oldest | {plan.oldest or 'none'} |\n| newest | {plan.newest or 'none'} |\n"
        f"| everything before | {plan.cutoff} |\n| digest | `{plan.digest}` |\n\n"
        "Approval lets exactly this plan through: if more is due when the sweep starts, it stops and asks again."
    )


def _is_dry(context: Context) -> bool:
    return context["params"].get("dry_run") is True
