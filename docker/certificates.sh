#!/usr/bin/env bash
# A certificate authority for this installation and a certificate for Elasticsearch's HTTP interface, made once.
set -euo pipefail
cd /certs
[ ! -f elasticsearch.crt ] || exit 0
tool=/usr/share/elasticsearch/bin/elasticsearch-certutil
work=$(mktemp -d)
"$tool" ca --silent --pem --out "$work/ca.zip"
unzip -q "$work/ca.zip" -d "$work"
"$tool" cert --silent --pem --name elasticsearch --dns elasticsearch,localhost --ip 127.0.0.1 \
    --ca-cert "$work/ca/ca.crt" --ca-key "$work/ca/ca.key" --out "$work/cert.zip"
unzip -q "$work/cert.zip" -d "$work"
# The authority's key is thrown away: nothing else is to be signed with it.
install -m 644 "$work/ca/ca.crt" ca.crt
install -m 640 -g 0 "$work/elasticsearch/elasticsearch.key" elasticsearch.key
install -m 644 "$work/elasticsearch/elasticsearch.crt" elasticsearch.crt
rm -r "$work"
