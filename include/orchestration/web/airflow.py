"""Airflow's REST API, as the caller and with the caller's own token: it decides itself what the caller may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from airflow.configuration import conf
from fastapi import Depends, Request

from include.errors import PrivacyError, Refused, Unavailable
from include.orchestration.erasing import REQUEST_ID
from include.orchestration.web.access import REQUESTS_DAG, token_of
from include.orchestration.web.answers import root_of
from include.reports.request_pages import Run, Started

_TIMEOUT = (3.05, 15)
_RUN = re.compile(r"request__((?:req|bat)_[a-z2-7]{16})__([0-9]{1,6})", re.ASCII)
_DAG_PATH = f"/api/v2/dags/{REQUESTS_DAG}"
_SHOWN = 5
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Airflow:
    """The runs of the DAG ``subject_request``.

    Args:
        base: address of the API server, without a slash at its end.
        token: the caller's.
        ui: path under which the UI is, for links.
    """

    base: str
    token: str = field(repr=False)
    ui: str = ""

    def start(self, ref: str) -> None:
        """Start the work on a request or a batch that was just opened; if it was started before, that is as good.

        Raises:
            Refused: the caller may not, or the DAG is not there.
            Unavailable: Airflow did not answer; starting again is safe.
        """
        self._start(ref, 1)

    def start_again(self, ref: str) -> None:
        """Start a further run, if none is under way.

        Raises:
            Refused: a run is under way, the caller may not, or the DAG is not there.
            Unavailable: Airflow did not answer; starting again is safe.
        """
        runs = self._runs(ref)
        if Started(runs=tuple(runs)).active:
            raise Refused("airflow", "start the request", "A run of it is under way already.")
        numbers = [int(found[2]) for run in runs if (found := _RUN.fullmatch(run.id))]
        self._start(ref, max(numbers, default=0) + 1)

    def of(self, *refs: str) -> Started:
        """What Airflow says of the work on a request and its batch. Not knowing is an answer here, not an error."""
        try:
            runs = [run for ref in refs for run in self._runs(ref)]
            return Started(runs=tuple(runs), paused=self._call("GET", _DAG_PATH).get("is_paused") is True)
        except PrivacyError:
            return Started(known=False)

    def ref_of(self, run: str) -> str | None:
        """The request or batch that a run is for; None if it names none.

        Raises:
            Refused: there is no such run, or the caller may not see it.
            Unavailable: Airflow did not answer.
        """
        named = _RUN.fullmatch(run)
        if named:
            return named[1]
        given = (self._call("GET", f"{_DAG_PATH}/dagRuns/{_quoted(run)}").get("conf") or {}).get("request_id")
        return given if isinstance(given, str) and re.fullmatch(REQUEST_ID, given) else None

    def _runs(self, ref: str) -> list[Run]:
        query = {"run_id_prefix_pattern": f"request__{ref}", "order_by": "-run_after", "limit": str(_SHOWN)}
        found = self._call("GET", f"{_DAG_PATH}/dagRuns", params=query).get("dag_runs") or []
        ids = [(str(run["dag_run_id"]), str(run["state"])) for run in found]
        return [
            Run(name, state, f"{self.ui}/dags/{REQUESTS_DAG}/runs/{_quoted(name)}")
            for name, state in ids
            if (named := _RUN.fullmatch(name)) and named[1] == ref
        ]

    def _start(self, ref: str, number: int) -> None:
        run = {"dag_run_id": f"request__{ref}__{number}", "logical_date": None, "conf": {"request_id": ref}}
        self._call("POST", f"{_DAG_PATH}/dagRuns", body=run, also=_CONFLICT)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        also: int | None = None,
    ) -> dict[str, Any]:
        import requests

        tried = f"ask for {path.removeprefix('/api/v2').split('/dagRuns/')[0]}"
        with requests.Session() as session:
            # A proxy of the environment must not see the token.
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.token}"
            try:
                answer = session.request(
                    method, self.base + path, params=params, json=body, timeout=_TIMEOUT, allow_redirects=False
                )
                found = answer.json() if answer.ok else {}
            except (requests.RequestException, ValueError):
                found, answer = {}, None
        if answer is not None and (answer.ok or answer.status_code == also):
            return found if isinstance(found, dict) else {}
        if answer is None or answer.status_code >= 500 or answer.is_redirect:
            raise Unavailable("airflow", tried, "Its REST API did not answer: look at the address of the API server.")
        raise Refused("airflow", tried, f"Its REST API answered {answer.status_code}.")


def of_caller(request: Request) -> Airflow:
    """The API of the server that this runs in.

    The address is the one by which the deployment's own processes reach it: the address that the browser uses may be a
    proxy's that can't be reached from inside.
    """
    inside = conf.get("core", "execution_api_server_url", fallback="").rstrip("/").removesuffix("/execution")
    base = inside or conf.get("api", "base_url", fallback="") or "http://localhost:8080"
    return Airflow(base.rstrip("/"), token_of(request), root_of(request).removesuffix("/privacy"))


Caller = Annotated[Airflow, Depends(of_caller)]


def _quoted(run: str) -> str:
    from urllib.parse import quote

    return quote(run, safe="")
