#!/usr/bin/env bash
# The role and the user of the worker (docs/connections.md). Repeatable; a changed password in .env is set again.
set -euo pipefail
: "${ELASTIC_PASSWORD:?set it in .env}" "${ELASTICSEARCH_PASSWORD:?set it in .env}"

put() {
    # The password comes by a file descriptor: what is on the command line can be read by every process.
    curl --fail --silent --show-error --output /dev/null --cacert /certs/ca.crt \
        --config <(printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD") --header 'Content-Type: application/json' \
        --request PUT "https://elasticsearch:9200/_security/$1" --data-binary @-
}

put role/privacy <<'JSON'
{
  "cluster": ["monitor", "read_ilm"],
  "indices": [
    {
      "names": ["contacts*", "activity*", "app-logs*"],
      "privileges": ["read", "write", "maintenance", "view_index_metadata", "monitor"]
    }
  ]
}
JSON
put user/privacy <<JSON
{"password": "$ELASTICSEARCH_PASSWORD", "roles": ["privacy"]}
JSON
