"""When Zapier's history lets go of a run.

"On the first Monday of each month, Zapier deletes old Zap content and Zap history. At that time, it only retains the
current and the previous month." A run of July is gone on the first Monday of September. In which zone the day begins is
not said; the day after is on the safe side.
Source: https://zapier.com/help/account/data-management/data-privacy-security-faqs
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
_MONDAY = 7


def end_of(run: datetime, days: int | None) -> datetime:
    """From when on a run must not be there any more.

    Args:
        run: when it was, UTC.
        days: the account's own retention; None for the usual one.
    """
    if days is not None:
        return run + (days + 1) * DAY
    month = run.month + 1
    first = datetime(run.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return first + ((_MONDAY - first.weekday()) % 7 + 1) * DAY
