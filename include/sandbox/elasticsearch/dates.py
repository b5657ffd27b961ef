"""Dates the way Elasticsearch reads them: formats, date math and calendar intervals, as milliseconds since 1970 in UTC.

https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-date-format
https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

from include.sandbox.elasticsearch.errors import illegal

DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)
_FULL_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}(?:\d{3})?)?(?:Z|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"-?\d+")
_STEP = re.compile(r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[yMwdhHms])|/(?P<round>[yMwdhHms])")
_UNITS = {"y": "years", "M": "months", "w": "weeks", "d": "days", "h": "hours", "H": "hours"}
_UNITS |= {"m": "minutes", "s": "seconds"}
_PATTERNS = {"yyyy-MM-dd": "%Y-%m-%d", "yyyy/MM/dd": "%Y/%m/%d", "yyyy-MM": "%Y-%m", "yyyy": "%Y"}
_PATTERNS |= {"yyyy/MM/dd HH:mm:ss": "%Y/%m/%d %H:%M:%S", "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S"}
_ISO_NAMES = frozenset({"strict_date_optional_time", "date_optional_time", "strict_date_time", "strict_date"})
_INTERVALS = {"1m": "m", "minute": "m", "1h": "h", "hour": "h", "1d": "d", "day": "d", "1w": "w", "week": "w"}
_INTERVALS |= {"1M": "M", "month": "M", "1y": "y", "year": "y"}
_FIXED = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def check_format(names: str) -> None:
    """Refuse a mapping's ``format`` that is not known here.

    Raises:
        EsError: 400.
    """
    for name in names.split("||"):
        if name not in _ISO_NAMES and name not in _PATTERNS and name not in {"epoch_millis", "epoch_second"}:
            raise illegal(f"Invalid format: [{names}]: unknown pattern [{name}]")


def parse_date(value: object, names: str = DEFAULT_FORMAT, *, round_up: bool = False) -> int:
    """Milliseconds since 1970 of a value in one of the named formats.

    Args:
        value: text or a number.
        names: formats, separated by ``||``.
        round_up: fill missing parts with their greatest value instead of their least.

    Raises:
        EsError: 400 if no format fits.
    """
    text = value if isinstance(value, str) else f"{value:d}" if type(value) is int else ""
    for name in names.split("||"):
        found = _parse_as(name, text, round_up)
        if found is not None:
            return found
    raise illegal(f"failed to parse date field [{value}] with format [{names}]")


def _parse_as(name: str, text: str, round_up: bool) -> int | None:
    try:
        if name in _ISO_NAMES:
            return _parse_iso(text, round_up)
        if name in _PATTERNS:
            return millis(datetime.strptime(text, _PATTERNS[name]).replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) * (1000 if name == "epoch_second" else 1)


def _parse_iso(text: str, round_up: bool) -> int | None:
    if _FULL_ISO.fullmatch(text):
        return millis(datetime.fromisoformat(text))
    match = _ISO.fullmatch(text)
    if not match:
        return None
    given = {key: int(match[key]) for key in ("year", "month", "day", "hour", "minute", "second") if match[key]}
    start = datetime(**({"month": 1, "day": 1} | given), tzinfo=_zone(match["zone"]))  # type: ignore[arg-type]
    fraction = match["fraction"]
    start_millis = millis(start) + (int(fraction.ljust(9, "0")) // 1_000_000 if fraction else 0)
    if not round_up or fraction:
        return start_millis
    finest = list(given)[-1]
    return millis(start + relativedelta(**{f"{finest}s": 1})) - 1  # type: ignore[arg-type]


def _zone(text: str | None) -> object:
    return datetime.strptime(text, "%z").tzinfo if text and text != "Z" and len(text) > 3 else _short_zone(text)


def _short_zone(text: str | None) -> object:
    return datetime.strptime(f"{text}00", "%z").tzinfo if text and text != "Z" else UTC


def parse_math(value: object, names: str, now: datetime, *, round_up: bool) -> int:
    """Milliseconds since 1970 of a date-math expression, as in ``now-30d/d`` or ``2024-01-01||+1M``.

    Raises:
        EsError: 400 if it is not one.
    """
    if not isinstance(value, str):
        return parse_date(value, names, round_up=round_up)
    if value.startswith("now"):
        moment, steps = now, value[3:]
    else:
        anchor, _, steps = value.partition("||")
        if not steps:
            return parse_date(anchor, names, round_up=round_up)
        moment = from_millis(parse_date(anchor, names))
    position = 0
    while position < len(steps):
        step = _STEP.match(steps, position)
        if not step:
            raise illegal(f"failed to parse date field [{value}] with format [{names}]")
        moment = _take_step(moment, step, round_up)
        position = step.end()
    return millis(moment)


def _take_step(moment: datetime, step: re.Match[str], round_up: bool) -> datetime:
    if step["round"]:
        start = floor(moment, step["round"])
        one = relativedelta(**{_UNITS[step["round"]]: 1})  # type: ignore[arg-type]
        return start + one - _MILLISECOND if round_up else start
    length = relativedelta(**{_UNITS[step["unit"]]: int(step["count"] or 1)})  # type: ignore[arg-type]
    return moment + length if step["sign"] == "+" else moment - length


def floor(moment: datetime, unit: str) -> datetime:
    """The start of the calendar unit (``y M w d h m s``) in which the moment lies; weeks start on Monday."""
    moment = moment.replace(microsecond=0)
    if unit == "w":
        moment -= timedelta(days=moment.weekday())
    order = ["s", "m", "h", "d", "M", "y"]
    coarse = order.index({"w": "d", "H": "h"}.get(unit, unit))
    least = {"s": ("second", 0), "m": ("minute", 0), "h": ("hour", 0), "d": ("day", 1), "M": ("month", 1)}
    return moment.replace(**dict(least[part] for part in order[:coarse]))  # type: ignore[arg-type]


def bucket_start(value: int, calendar: str | None, fixed: str | None) -> int:
    """The key of the date histogram bucket of a value in milliseconds.

    Raises:
        EsError: 400 for an interval that is not known.
    """
    if calendar is not None:
        if calendar not in _INTERVALS:
            raise illegal(f"The supplied interval [{calendar}] could not be parsed as a calendar interval.")
        return millis(floor(from_millis(value), _INTERVALS[calendar]))
    length = duration(fixed or "")
    return value // length * length


def duration(text: str) -> int:
    """Milliseconds of a time value such as ``30s`` or ``1m``.

    Raises:
        EsError: 400 if it is not one.
    """
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text)
    if not match or not int(match[1]):
        raise illegal(f"failed to parse setting [{text}] as a time value: unit is missing or unrecognized")
    return int(match[1]) * _FIXED[match[2]]


def millis(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(value: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def iso(value: int) -> str:
    """``2024-01-31T00:00:00.000Z``."""
    return from_millis(value).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value % 1000:03d}Z"
