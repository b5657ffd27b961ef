"""The product's pages inside Airflow's own web server, and its REST endpoint. Loaded by that server alone.

    access.py    who may do what: Airflow's own checks
    forms.py     what comes in: size limits, forms in memory, protection against other sites
    answers.py   what goes out: headers, and errors that show nothing they should not
    airflow.py   Airflow's REST API, as the caller
    reports.py   audit reports                      requests.py  list, request, batch, summary
    intake.py    new requests, one or many          actions.py   start, cancel, work by hand
    api.py       for other systems                  tab.py       Evidence on a run

Airflow does not authenticate the web applications of plugins, so this one does: each request needs a user of Airflow,
and each route a right on a DAG, else it ends in 401 or 403. No path, query or header of it ever carries an identifier
of a person, because servers and proxies log them.
"""

from __future__ import annotations

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI

from include.orchestration.web import actions, answers, api, intake, reports, requests, tab

app = FastAPI(title="Privacy", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
answers.install(app)
for room in (reports, intake, api, actions, requests, tab):
    app.include_router(room.router)
