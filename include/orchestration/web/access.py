"""Who may do what: rights on DAGs, as Airflow's auth manager knows them.

The helpers for that are internal ones of Airflow; this package is the only place that uses them.

    audit reports         read the DAG ``retention``
    requests, reading     read the DAG ``subject_request``
    requests, all else    start runs of the DAG ``subject_request``
"""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, HTTPException, Request

REPORTS_DAG = "retention"
REQUESTS_DAG = "subject_request"

_opening = requires_access_dag("POST", DagAccessEntity.RUN, REQUESTS_DAG)

READS_REPORTS = Depends(requires_access_dag("GET", param_dag_id=REPORTS_DAG))
READS_REQUESTS = Depends(requires_access_dag("GET", param_dag_id=REQUESTS_DAG))
OPENS_REQUESTS = Depends(_opening)

User = Annotated[BaseUser, Depends(get_user)]


def may_open(request: Request, user: User) -> bool:
    """Whether the reader has the right to open requests, to show them what they can do."""
    try:
        _opening(request, user)
    except HTTPException:
        return False
    return True


MayOpen = Annotated[bool, Depends(may_open)]


def bearer(request: Request) -> str | None:
    """The token in the header ``Authorization``, if there is one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def token_of(request: Request) -> str:
    """The caller's own token: the one that Airflow has just checked."""
    return bearer(request) or request.cookies.get(COOKIE_NAME_JWT_TOKEN, "")
