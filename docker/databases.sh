#!/usr/bin/env bash
# Databases and roles, once, when the volume is empty. Nobody but its own roles may connect to a database, and the roles
# that tasks use own no table: they can only insert into the ledger, and not alter what the vault's register says.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv airflow AIRFLOW_DB_PASSWORD
\getenv owner LEDGER_OWNER_PASSWORD
\getenv writer LEDGER_WRITER_PASSWORD
\getenv vault_owner VAULT_OWNER_PASSWORD
\getenv vault_writer VAULT_WRITER_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow';
CREATE ROLE privacy_ledger_owner LOGIN PASSWORD :'owner';
CREATE ROLE privacy_ledger_writer LOGIN PASSWORD :'writer';
CREATE ROLE privacy_vault_owner LOGIN PASSWORD :'vault_owner';
CREATE ROLE privacy_vault_writer LOGIN PASSWORD :'vault_writer';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE privacy_ledger OWNER privacy_ledger_owner;
CREATE DATABASE privacy_vault OWNER privacy_vault_owner;
REVOKE ALL ON DATABASE airflow, privacy_ledger, privacy_vault FROM PUBLIC;
GRANT CONNECT ON DATABASE privacy_ledger TO privacy_ledger_writer;
GRANT CONNECT ON DATABASE privacy_vault TO privacy_vault_writer;
SQL
