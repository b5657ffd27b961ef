#!/usr/bin/env bash
# What has to be there before the first task: the databases at the current schema, the pools, one account. Repeatable.
set -euo pipefail
python -m include.policy lint
python -m include.analytics lint "${PRIVACY_RELEASES_FILE:-include/policy/releases.yaml}"
airflow db migrate
python -m include.ledger migrate
python -m include.subjects migrate
pools=$(mktemp --suffix=.json)
python -m include.orchestration.pools >"$pools"
airflow pools import "$pools"
rm "$pools"
# An account that exists is left as it is: its password is changed in the UI, not here.
airflow users create --username admin --role Admin --firstname Privacy --lastname Administrator \
    --email admin@privacy.invalid --password "$PRIVACY_ADMIN_PASSWORD"
