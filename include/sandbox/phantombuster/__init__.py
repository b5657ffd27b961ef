"""PhantomBuster on loopback: leads, lists that filter them, agents, and what their runs collected.

    phantombuster
    ├── traces   what an estate leaves there
    ├── api      the calls
    ├── filters  which leads a list has
    └── model    leads, lists, runs

Held against the vendor's OpenAPI description (version 2.0.0); filters, which it leaves out, are those of
https://hub.phantombuster.com/docs/creating-and-updating-leads-lists-using-filters.
"""

from __future__ import annotations

from include.sandbox.phantombuster.api import PhantomBusterSandbox, Settings
from include.sandbox.phantombuster.model import ALL, Edition, Lead, LeadList, Run
from include.sandbox.phantombuster.traces import connections, fill, leads
from include.sandbox.service import Service

__all__ = ["ALL", "Edition", "Lead", "LeadList", "PhantomBusterSandbox", "Run", "Settings", "leads"]

SERVICE = Service(PhantomBusterSandbox, fill, connections)
