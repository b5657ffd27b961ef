"""Where a system is and how to authenticate there: the one form in which secrets and hosts enter the product."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from include.errors import Refused


@dataclass(frozen=True, slots=True)
class Connection:
    """An Airflow connection without Airflow: same names, same JSON, secrets never in ``repr``.

    The connection id is the system's key in the policy file. ``host`` is a host name or a base URL and overrides the
    vendor's address: that is how the sandbox and tests are plugged in.
    """

    id: str
    host: str | None = None
    port: int | None = None
    login: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def from_env(cls, connection_id: str, environ: Mapping[str, str] = os.environ) -> Connection:
        """Read ``AIRFLOW_CONN_<ID>`` in Airflow's JSON form, for use outside of a task.

        Raises:
            Refused: the variable is missing or not a JSON object.
        """
        name = f"AIRFLOW_CONN_{connection_id.upper()}"
        raw = environ.get(name)
        if not raw:
            raise Refused(connection_id, "find its connection", f"Set {name} to Airflow's JSON form of a connection.")
        try:
            fields = json.loads(raw)
            extra = fields.get("extra") or {}
            extra = json.loads(extra) if isinstance(extra, str) else extra
            port = fields.get("port")
            return cls(
                id=connection_id,
                host=fields.get("host"),
                port=int(port) if port else None,
                login=fields.get("login"),
                password=fields.get("password"),
                schema=fields.get("schema"),
                extra=MappingProxyType(dict(extra)),
            )
        except (ValueError, AttributeError, TypeError):
            raise Refused(
                connection_id, "read its connection", f"{name} must be a JSON object in Airflow's form."
            ) from None

    def text(self, key: str, default: str | None = None) -> str:
        """A string from ``extra``.

        Raises:
            Refused: it is missing and has no default.
        """
        value = self.extra.get(key, default)
        if not isinstance(value, str) or not value:
            raise Refused(self.id, f"read '{key}' of its connection", f"Add '{key}' to the connection's extra.")
        return value

    def positive(self, key: str, default: float) -> float:
        """A number above 0 from ``extra``.

        Raises:
            Refused: it is none.
        """
        value = self.extra.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            step = f"Make '{key}' in the connection's extra a number above 0."
            raise Refused(self.id, "read its connection", step)
        return value
