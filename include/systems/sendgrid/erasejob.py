"""The vendor's own erasure: names, addresses, subjects, categories and IP addresses of recipients, by a job.

It takes what it is given and says nothing more: there is no call for its state. Its rate is limited for the whole
deployment by a shared budget.

https://www.twilio.com/docs/sendgrid/api-reference/recipients-data-erasure/delete-recipients-email-data
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from include.errors import Refused, Throttled
from include.systems.addresses import same
from include.systems.erasing import Means
from include.systems.sendgrid.client import SYSTEM, Account

MOST = 5000
"""Addresses of one job."""
LARGEST = 250_000
"""Bytes of one body: below the vendor's 256 KB, whichever KB that is."""
PER_MINUTE = 100
_BUDGET = "sendgrid.erasejob"
_MINUTE = timedelta(minutes=1)
_NAMED = re.compile(r"Email_address (.+) is not valid", re.IGNORECASE | re.DOTALL)
_TRIED = "erase mail data of recipients"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an account answered: the job of each address it took, and the addresses it refused."""

    jobs: dict[str, str] = field(repr=False)
    refused: frozenset[str] = field(repr=False)


def erase(account: Account, addresses: Sequence[str], means: Means) -> Erased:
    """Ask for the erasure of all mail data of exact addresses (folded).

    Raises:
        Throttled: all tasks together have used up the minute.
        Unavailable: a call failed.
        Refused: the key may not do it, or the vendor refused without naming an address.
    """
    jobs: dict[str, str] = {}
    refused: set[str] = set()
    for some in _batches(addresses):
        left = list(some)
        while left:
            _take(means)
            body = {"email_addresses": left}
            # A second job for the same addresses does no harm.
            answer = account.calls.recipients.erasejob.post(
                request_body=body, tried=_TRIED, also=(400,), repeatable=True
            )
            if answer.status != 400:
                jobs |= dict.fromkeys(left, str(answer.json["job_id"]))
                break
            named = _named(answer.json, left)
            refused |= named
            left = [address for address in left if address not in named]
    return Erased(jobs, frozenset(refused))


def _named(body: Any, sent: Sequence[str]) -> set[str]:
    """The addresses that an error names, of those that were sent."""
    messages = [str(error.get("message", "")) for error in (body or {}).get("errors", [])]
    found = {same(match[1]) for message in messages if (match := _NAMED.search(message))} & set(sent)
    if not found:
        raise Refused(SYSTEM, _TRIED, "Look at the documentation; it answered 400 and named no address.")
    return found


def _batches(addresses: Sequence[str]) -> Iterator[list[str]]:
    batch, size = list[str](), 0
    for address in addresses:
        length = len(json.dumps(address)) + 2
        if batch and (len(batch) == MOST or size + length > LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(address)
        size += length
    if batch:
        yield batch


def _take(means: Means) -> None:
    if means.budgets.take(_BUDGET, 1, PER_MINUTE, _MINUTE):
        return
    wait = (_MINUTE - (means.clock() - datetime(1970, 1, 1, tzinfo=UTC)) % _MINUTE).total_seconds()
    raise Throttled(SYSTEM, _TRIED, "Run it again in the next minute; this one is used up.", retry_after=wait)
