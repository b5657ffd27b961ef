"""The product's pages in Airflow's user interface. Every Airflow process loads this file: it stays light."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class PrivacyPlugin(AirflowPlugin):
    """*Privacy* in the navigation has the audit reports and the requests of persons; *Evidence* on a run its own."""

    name = "privacy"
    external_views = [  # noqa: RUF012 - Airflow reads a plain list
        {
            "name": "Privacy",
            "href": "privacy/",
            "destination": "nav",
            "url_route": "privacy",
            "nav_top_level": True,
        },
        {
            "name": "Evidence",
            "href": "privacy/runs/{DAG_ID}/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "evidence",
        },
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The web application; a property, so that only the web server pays for its import."""
        from include.orchestration.web import app

        return [{"app": app, "url_prefix": "/privacy", "name": "Privacy"}]
