#!/usr/bin/env bash
# Databases and roles, once, when the volume is empty. Nobody but its own roles may connect to a database, and the role
# that tasks use can only insert into the ledger: its tables belong to another one.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv airflow AIRFLOW_DB_PASSWORD
\getenv owner LEDGER_OWNER_PASSWORD
\getenv writer LEDGER_WRITER_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow';
CREATE ROLE privacy_ledger_owner LOGIN PASSWORD :'owner';
CREATE ROLE privacy_ledger_writer LOGIN PASSWORD :'writer';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE privacy_ledger OWNER privacy_ledger_owner;
REVOKE ALL ON DATABASE airflow, privacy_ledger FROM PUBLIC;
GRANT CONNECT ON DATABASE privacy_ledger TO privacy_ledger_writer;
SQL
