"""Drafts whose bytes differ each time, as noise does."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import date, timedelta
from decimal import Decimal

from include.analytics.accounting import Cost
from include.analytics.releases import MANIFEST, Draft, Place
from include.analytics.spec import BudgetCaps

DAY = date(2026, 11, 20)
MONTH = date(2026, 11, 1)
CAPS = BudgetCaps(rho_month="0.5", delta_month="1e-5", epsilon_delta="1e-6")
PRICE = Cost(Decimal("0.02"), Decimal("1e-7"))


def place(table: str = "daily_total", day: date = DAY, digest: str = "a" * 64) -> Place:
    return Place(table, day, day + timedelta(days=1), digest)


def draft(where: Place | None = None, price: Cost = PRICE) -> Draft:
    """A fresh draft: never twice the same bytes."""
    where = where or place()
    data = os.urandom(2000)
    content = {"table": where.table, "internal": False, "files": {"data.parquet": hashlib.sha256(data).hexdigest()}}
    files = {"data.parquet": data, MANIFEST: json.dumps(content).encode()}
    return Draft(where, {where.start.replace(day=1): price}, files)
