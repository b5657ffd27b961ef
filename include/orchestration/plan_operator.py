"""The task that plans one rule and, where the guard asks, waits for a human without holding a worker."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

from include.orchestration.recovery import shielded

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from include.retention.planning import Planned

APPROVE = "Approve plan "
"""What the option that approves begins with; the first characters of the plan's digest follow."""

DIGEST_SHOWN = 12
DECLINE = "Decline: delete nothing"
REASON = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:#/_-]{2,79}")
"""A ticket or a few words. No @, so that no address gets in; Airflow keeps what is typed here."""


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
            # Only now: as a parameter of the task it would have to have a value before anybody was asked.
            self.params = ParamsDict({"reason": _reason_field()})
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
        reason = _usable((event.get("params_input") or {}).get("reason"))
        (choice,) = event["chosen_options"]
        approved = choice.removeprefix(APPROVE) if choice.startswith(APPROVE) else None
        user = str(event["responded_by_user"]["id"])
        with shielded(f"decision on rule {self.rule}"):
            digest = record_decision(self.rule, context, approved=approved, user=user, reason=reason)
        return {"rule": self.rule, "verdict": "declined" if approved is None else "approved", "digest": digest}


def _reason_field() -> Param:
    return Param(
        "",
        type="string",
        pattern=f"^{REASON.pattern}$",
        title="Reason",
        description="A ticket or a few words; no names, no addresses.",
    )


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


def _usable(reason: object) -> str:
    if not isinstance(reason, str) or not REASON.fullmatch(reason):
        from include.errors import Unavailable

        raise Unavailable(
            "approval", "read the reason", "Give a ticket or 3 to 80 plain characters; the question is asked again."
        )
    return reason


def _is_dry(context: Context) -> bool:
    return context["params"].get("dry_run") is True
