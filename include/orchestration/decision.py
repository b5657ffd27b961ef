"""What the tasks that wait for a human have in common: the field for the reason, and who answered what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

from include.errors import Unavailable

APPROVE = "Approve plan "
"""What the option that approves begins with; the first characters of the plan's digest follow."""

DIGEST_SHOWN = 12
DECLINE = "Decline: delete nothing"
REASON = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:#/_-]{2,79}")
"""A ticket or a few words. No @, so that no address gets in; Airflow keeps what is typed here."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A human's answer.

    Args:
        choice: the option, as shown.
        user: Airflow's id of the person; only a pseudonym of it is ever written.
        reason: as typed, checked.
    """

    choice: str
    user: str
    reason: str

    @property
    def approved(self) -> str | None:
        """How the digest begins that was approved; None if it was declined."""
        return self.choice.removeprefix(APPROVE) if self.choice.startswith(APPROVE) else None


def reason_field() -> ParamsDict:
    """The form of a decision, to be set when the task parks: before that it would have to have a value."""
    field = Param(
        "",
        type="string",
        pattern=f"^{REASON.pattern}$",
        title="Reason",
        description="A ticket or a few words; no names, no addresses.",
    )
    return ParamsDict({"reason": field})


def read_answer(event: Mapping[str, Any]) -> Answered:
    """A human's answer from Airflow's event.

    Raises:
        Unavailable: the reason is not usable; the question is asked again by the next try.
    """
    reason = (event.get("params_input") or {}).get("reason")
    if not isinstance(reason, str) or not REASON.fullmatch(reason):
        raise Unavailable(
            "approval", "read the reason", "Give a ticket or 3 to 80 plain characters; the question is asked again."
        )
    (choice,) = event["chosen_options"]
    return Answered(choice, str(event["responded_by_user"]["id"]), reason)
