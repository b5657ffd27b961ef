"""The whole product on one machine: embedded PostgreSQL, sandbox company and Airflow."""
