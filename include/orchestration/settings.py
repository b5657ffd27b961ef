"""The one place that reads the product's own settings from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.errors import Refused
from include.retention.guard import Mode

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the policy is, how strict to be, where reports go.

    Args:
        policy_file: ``PRIVACY_POLICY_FILE``; the policy this product ships with by default.
        mode: ``PRIVACY_MODE``, ``production`` (the default) or ``trial``: may unconfirmed defaults run?
        reports: ``PRIVACY_REPORTS``, a folder or any URL fsspec understands.
        releases_file: ``PRIVACY_RELEASES_FILE``, the specification of anonymised aggregates.
        aggregates: ``PRIVACY_AGGREGATES``, where they are published: a folder or any URL fsspec understands.
        spool: ``PRIVACY_SPOOL``, a local folder of this account alone for events on their way into an aggregate.
    """

    policy_file: Path
    mode: Mode
    reports: str
    releases_file: Path
    aggregates: str
    spool: Path

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment.

        Raises:
            Refused: a value is not one of the accepted ones.
        """
        mode = environ.get("PRIVACY_MODE", Mode.PRODUCTION.value)
        if mode not in {choice.value for choice in Mode}:
            raise Refused("settings", "read PRIVACY_MODE", "Set it to 'production' or 'trial'.")
        return cls(
            policy_file=Path(environ.get("PRIVACY_POLICY_FILE", str(ROOT / "include" / "policy" / "clique.yaml"))),
            mode=Mode(mode),
            reports=environ.get("PRIVACY_REPORTS", str(ROOT / ".local" / "reports")),
            releases_file=Path(
                environ.get("PRIVACY_RELEASES_FILE", str(ROOT / "include" / "policy" / "releases.yaml"))
            ),
            aggregates=environ.get("PRIVACY_AGGREGATES", str(ROOT / ".local" / "aggregates")),
            spool=Path(environ.get("PRIVACY_SPOOL", str(ROOT / ".local" / "spool"))),
        )
