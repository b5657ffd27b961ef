"""What planning costs beside the stores: a policy of a thousand rules, surveys answered from memory, CPU seconds.

The policy is the shipped one with holdings and rules added; it passes the lint like any other. Measured are the
reading and checking of the file and, for all rules together, selection, plan with digest, and the guard's verdict.

    python -m benchmarks.bench_planning 1000
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import yaml

from benchmarks.table import Row, show
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.policy.model import Policy
from include.retention.guard import Circumstances, Judgement, Mode, judge
from include.retention.plan import Plan
from include.retention.selection import select
from include.systems.contract import Survey

AS_OF = datetime(2026, 11, 22, 2, tzinfo=UTC)
SURVEY = Survey(total=10_000, due=120, held=3, oldest=AS_OF - timedelta(days=900), newest=AS_OF - timedelta(days=800))
HISTORY = Circumstances(Mode.TRIAL, now=AS_OF, last_as_of=AS_OF - timedelta(days=1), past_due=(110,) * 14)

Made = TypeVar("Made")


def run(sizes: list[int] | None = None) -> list[Row]:
    """A row for each step and number of rules: CPU seconds in all and milliseconds for each rule."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes or [1000]:
            path = Path(folder) / f"{size}.yaml"
            path.write_text(_policy_file(size))
            policy, loading = _cpu(lambda path=path: load(path))
            plans, planning = _cpu(lambda policy=policy: _plan(policy))
            judgements, judging = _cpu(lambda policy=policy, plans=plans: _judge(policy, plans))
            if any(judgement.breaches for judgement in judgements):
                raise RuntimeError("every plan of this benchmark is an ordinary one")
            steps = {"read and check the file": loading, "select, plan, digest": planning, "guard": judging}
            steps["all"] = sum(steps.values())
            rows += [_row(step, len(policy.rules), seconds) for step, seconds in steps.items()]
    return rows


def _policy_file(size: int) -> str:
    """The shipped policy with as many rules as asked for, each over a holding of its own."""
    document = yaml.safe_load(Settings.read().policy_file.read_text())
    holding, rule = document["holdings"]["firestore.interactions"], _rule(document, "C3")
    for number in range(size - len(document["rules"])):
        name = f"firestore.bench{number}"
        document["holdings"][name] = {**holding, "location": {"group": f"bench{number}"}}
        document["rules"].append({**rule, "id": f"B{number}", "name": f"Bench {number}", "holding": name})
    # Through JSON, so that nothing is written as an alias, which a policy file may not have.
    return str(yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False))


def _rule(document: dict[str, list[dict[str, object]]], wanted: str) -> dict[str, object]:
    return next(rule for rule in document["rules"] if rule["id"] == wanted)


def _plan(policy: Policy) -> list[Plan]:
    plans = []
    for rule in policy.rules:
        cutoff = rule.period.cutoff(AS_OF)
        select(policy, rule, cutoff)
        plan = Plan.of(
            rule=rule.id,
            system=policy.holding(rule.holding).system,
            scope=rule.scope_digest(policy),
            action=rule.action.value,
            as_of=AS_OF,
            cutoff=cutoff,
            survey=SURVEY,
            whole_hold=None,
            connector="bench/1",
        )
        if len(plan.digest) != 64:
            raise RuntimeError("a digest is 32 bytes")
        plans.append(plan)
    return plans


def _judge(policy: Policy, plans: list[Plan]) -> list[Judgement]:
    return [judge(plan, policy, rule, HISTORY) for plan, rule in zip(plans, policy.rules, strict=True)]


def _cpu(work: Callable[[], Made]) -> tuple[Made, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


def _row(step: str, rules: int, seconds: float) -> Row:
    return {
        "step": step,
        "rules": rules,
        "CPU seconds": round(seconds, 3),
        "ms per rule": round(seconds / rules * 1000, 3),
    }


if __name__ == "__main__":
    show(run([int(size) for size in sys.argv[1:]]))
