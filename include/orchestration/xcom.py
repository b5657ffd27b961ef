"""The XCom backend that refuses personal data: Airflow's database keeps ids, counts and digests only."""

from __future__ import annotations

import json
import re
from typing import Any

from airflow.sdk.bases.xcom import BaseXCom

from include.errors import Refused

_ADDRESS = re.compile(r"[^\s@\"]+@[^\s@\"]+\.[^\s@\"]+")


class GuardedXCom(BaseXCom):
    """Airflow's XCom, except that a value with an e-mail address in it fails the task instead of being stored.

    The masker of Airflow is no boundary: it hides values in one log file, not in the database.
    """

    @staticmethod
    def serialize_value(value: Any, **kwargs: Any) -> Any:
        """Serialize as Airflow does.

        Raises:
            Refused: something in the value looks like an e-mail address.
        """
        if _ADDRESS.search(json.dumps(value, default=str, ensure_ascii=False)):
            raise Refused(
                f"task {kwargs.get('dag_id')}.{kwargs.get('task_id')}",
                "hand over its result",
                "It contains an e-mail address: hand over an opaque id, and read the identifier from the vault.",
            )
        return BaseXCom.serialize_value(value, **kwargs)
