"""The only room that knows Airflow: connections, run context, operators."""
