"""The manifest: how a release was made, what it costs, and the SHA-256 of each of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from include.analytics.accounting import cost, epsilon, month
from include.analytics.mechanism import Parameters
from include.analytics.outputs.publication import Publication
from include.ledger.instants import instant

FORMAT = 1

_ROOM = Path(__file__).parents[1]
_UNITS = {"daily": "user-day", "weekly": "user-week", "monthly": "user-month"}


def manifest(publication: Publication) -> dict[str, Any]:
    """The manifest of a release, still without its files."""
    table, specification = publication.table, publication.specification
    return {
        "format": FORMAT,
        "table": table.id,
        "title": table.title,
        "period": publication.period,
        "start": publication.start.isoformat(),
        "end": publication.end.isoformat(),
        "watermark": instant(publication.watermark),
        "internal": table.internal,
        "source": table.source,
        "specification": {
            "version": specification.version,
            "digest": specification.digest,
            "table_digest": publication.digest,
        },
        "code": code(),
        "privacy": _privacy(publication, publication.noise) if publication.noise else None,
        "minimum_count": table.minimum_count,
    }


def naming(made: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest with its files."""
    return {**made, "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}


def _privacy(publication: Publication, noise: Parameters) -> dict[str, Any]:
    """Every parameter; all of it was known before an event was read."""
    specification = publication.specification
    at = specification.budget.epsilon_delta
    price, all_tables = cost(publication.table), month(specification.tables)
    return {
        "model": "zero-concentrated differential privacy, one person added or removed",
        "mechanism": noise.mechanism,
        "unit": _UNITS[publication.table.period.value],
        "rho": _exact(price.rho),
        "delta": _exact(price.delta),
        "epsilon": _shown(epsilon(price.rho, at)),
        "epsilon_delta": _exact(at + price.delta),
        "user_month": {
            "rho": _exact(all_tables.rho),
            "delta": _exact(all_tables.delta),
            "epsilon": _shown(epsilon(all_tables.rho, at)),
            "epsilon_delta": _exact(at + all_tables.delta),
            "cap_rho": _exact(specification.budget.rho_month),
            "cap_delta": _exact(specification.budget.delta_month),
        },
        "max_groups": noise.max_groups,
        "threshold": noise.threshold,
        "noise": [
            {
                "measure": one.measure,
                "bound": one.bound,
                "rho": _exact(one.rho),
                "sigma": one.sigma,
                "margin": one.margin,
            }
            for one in noise.noise
        ],
    }


def _exact(value: Decimal) -> str:
    """All digits, without an exponent."""
    return f"{value.normalize():f}"


def _shown(value: float) -> str:
    """Two digits, rounded up: a promise must not look better than it is."""
    return str(Decimal(value).quantize(Decimal("0.01"), ROUND_CEILING))


@cache
def code() -> dict[str, str]:
    """What made the release: a digest of this room's source, and the libraries that draw the noise and group."""
    source = hashlib.sha256()
    for path in sorted(_ROOM.rglob("*.py")):
        source.update(path.relative_to(_ROOM).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {"source": source.hexdigest(), "opendp": version("opendp"), "polars": version("polars")}
