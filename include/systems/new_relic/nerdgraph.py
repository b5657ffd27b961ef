"""The calls to NerdGraph, all of which only read one account.

Source: https://docs.newrelic.com/docs/apis/nerdgraph/get-started/introduction-new-relic-nerdgraph/ and the GraphQL
schema.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from include.errors import Inconsistent, PrivacyError, Refused, Throttled, Unavailable
from include.systems.http import Http
from include.systems.new_relic import KEY
from include.systems.new_relic.queries import MAX, OLDEST

NRQL = "query($a:Int!,$q:Nrql!){actor{account(id:$a){nrql(query:$q,timeout:60){results}}}}"
RETENTION = (
    "query($a:Int!){actor{account(id:$a){dataManagement{customizableRetention{eventNamespaces{namespace}}"
    "eventRetentionRules{namespace retentionInDays deletedAt}"
    "retentionAudit{namespace subscriptionRetentionInDays}}}}}"
)
ACCOUNT = "query($a:Int!){actor{account(id:$a){id}}}"

Row = Mapping[str, Any]


class NerdGraph:
    """The calls to one account.

    Args:
        http: the client.
        account: its number.
    """

    def __init__(self, http: Http, account: int) -> None:
        self._http = http
        self._account = account

    def open(self) -> None:
        """Ask for the account's own number.

        Raises:
            Refused: the key does not open it.
        """
        if self._ask("open the account", ACCOUNT).get("id") != self._account:
            raise Refused(KEY, "open the account", "Look at 'account_id' in the connection and the user's access.")

    def rows(self, search: str) -> Iterator[Row]:
        """All rows of a search, repeats included.

        The vendor gives the newest first; a full answer is continued before its oldest row.
        """
        tried, until, last = "search the events", "", 0
        while True:
            rows = self.query(tried, f"{search} {OLDEST}{until} LIMIT MAX")
            yield from rows
            if len(rows) < MAX:
                return
            oldest = min(int(row.get("timestamp") or 0) for row in rows)
            if oldest in (0, last):
                raise Inconsistent(KEY, tried, "The rows do not advance; report it to the vendor.")
            # The same instant is read again: it may have more rows than fitted into the answer.
            until, last = f" UNTIL {oldest + 1}", oldest

    def query(self, tried: str, nrql: str) -> list[Row]:
        """The results of a query."""
        results = (self._ask(tried, NRQL, q=nrql).get("nrql") or {}).get("results")
        if not isinstance(results, list):
            raise Inconsistent(KEY, tried, "It answered without results; look at the API.")
        return results

    def namespaces(self) -> dict[str, int]:
        """Days of each namespace of events: the account's own rule, else what the subscription gives.

        Empty where the user may not see it.
        """
        data = self._ask("read the retention", RETENTION).get("dataManagement") or {}
        known = _rows(data.get("customizableRetention") or {}, "eventNamespaces")
        given, ruled = _rows(data, "retentionAudit"), _rows(data, "eventRetentionRules")
        days = {str(each["namespace"]): 0 for each in known}
        days |= _days(given, "subscriptionRetentionInDays", days)
        days |= _days([each for each in ruled if not each.get("deletedAt")], "retentionInDays", days)
        return {name: each for name, each in days.items() if each}

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _ask(self, tried: str, query: str, **variables: Any) -> Mapping[str, Any]:
        """One call; safe to repeat, because it only reads. An error can come with status 200."""
        body = {"query": query, "variables": {"a": self._account, **variables}}
        answer = self._http.call("POST", "/graphql", tried=tried, body=body, repeatable=True).json
        if not isinstance(answer, dict):
            raise Inconsistent(KEY, tried, "It answered without JSON; look at the address of the connection.")
        if answer.get("errors"):
            raise _failure(tried, answer["errors"])
        account = ((answer.get("data") or {}).get("actor") or {}).get("account")
        if not isinstance(account, dict):
            raise Refused(KEY, tried, "Look at 'account_id' in the connection and the user's access.")
        return account


def _rows(data: Mapping[str, Any], name: str) -> list[Row]:
    return [each for each in data.get(name) or () if isinstance(each, dict)]


def _days(rows: Sequence[Row], name: str, known: Collection[str]) -> dict[str, int]:
    return {str(row["namespace"]): int(row.get(name) or 0) for row in rows if row["namespace"] in known}


def _failure(tried: str, errors: Any) -> PrivacyError:
    """What an error in the body means; none of its words is repeated, they can hold the query."""
    words = json.dumps(errors).upper()
    if "TOO_MANY" in words or "RATE_LIMIT" in words or "RATE LIMIT" in words:
        return Throttled(KEY, tried, "Run it again after a minute; it asked to slow down.", retry_after=60.0)
    if "TIMEOUT" in words or "SERVER_ERROR" in words or "TIMED OUT" in words:
        return Unavailable(KEY, tried, "Run it again; it failed inside of an accepted call.")
    return Refused(KEY, tried, "Look at the key, 'account_id' and the names in the connection; it refused the query.")
