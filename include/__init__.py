"""The product, importable as ``include.…``. Only ``include.orchestration`` knows Airflow."""
