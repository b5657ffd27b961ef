"""From the trigger form of the retention DAG to a night of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from include.errors import Refused
from include.retention.desk import Night
from include.retention.run import run_id

FORM = ("as_of", "dry_run", "rules", "systems")
"""Fields of the trigger form. Airflow lets unknown keys of ``conf`` through; this product does not."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one DAG run asks for: the night and its filters (empty = all)."""

    night: Night
    rules: frozenset[str]
    systems: frozenset[str]


def read_request(
    *, dag_id: str, airflow_run: str, scheduled_for: datetime, params: Mapping[str, object], conf: Mapping[str, object]
) -> Request:
    """Read and check the form.

    Args:
        dag_id: together with ``airflow_run`` it gives the opaque run id.
        airflow_run: Airflow's own run id; it is hashed, never stored.
        scheduled_for: the end of the data interval, or the moment a manual run was asked for.
        params: the validated form.
        conf: the raw configuration, to find keys that are not in the form.

    Raises:
        Refused: an unknown key, or a date that is none.
    """
    unknown = sorted(set(conf) - set(FORM))
    if unknown:
        raise Refused(
            "retention", f"read {len(unknown)} unknown field(s) of the trigger form", f"It knows {', '.join(FORM)}."
        )
    as_of = params.get("as_of")
    return Request(
        night=Night(
            run=run_id(dag_id, airflow_run),
            as_of=plain(scheduled_for) if as_of is None else _midnight(str(as_of)),
            dry_run=params.get("dry_run") is True,
        ),
        rules=_names(params.get("rules")),
        systems=_names(params.get("systems")),
    )


def _midnight(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused("retention", "read the date of the run", "Write it as 2026-11-22.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def plain(moment: datetime) -> datetime:
    """Airflow's dates are pendulum's, whose arithmetic breaks with the standard library's time deltas."""
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC)


def _names(value: object) -> frozenset[str]:
    return frozenset(str(item) for item in value) if isinstance(value, list | tuple) else frozenset()
