"""Dates as numbers: ISO 8601, and numbers of milliseconds or seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .elementary import Floats

if TYPE_CHECKING:
    import numpy as np
else:
    from .later import np

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
_YEAR = 365.25 * DAY
LAST_DATE = 8.64e15
"""Milliseconds of the last day that ECMAScript has"""

_SHAPE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""A number in the notation of JSON, because cells of CSV are text"""


def parse_date(text: str) -> float | None:
    """Milliseconds since 1970-01-01 00:00 UTC of a date or time in ISO 8601; None for anything else.

    >>> parse_date("2024-05-03T12:30+02:00"), parse_date("2023-02-29")
    (1714732200000.0, None)
    """
    found = _SHAPE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, sign, zone_hour, zone_minute = found.group(7), found.group(8), int(found.group(9) or 0), int(found.group(10) or 0)
    if not 1 <= month <= 12 or day < 1 or hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59:
        return None
    start = int(_days_before(year, month))
    if day > int(_days_before(year, month + 1)) - start:
        return None
    ahead = (zone_hour * HOUR + zone_minute * MINUTE) * (-1 if sign == "-" else 1)
    milliseconds = second * 1000 + int((fraction or "")[:3].ljust(3, "0"))
    return float((start + day - 1) * DAY + hour * HOUR + minute * MINUTE + milliseconds - ahead)


def _days_before(year: Any, month: Any) -> Any:
    """Days from 1970-01-01 to the first of a month (1 to 13) of the Gregorian calendar.

    See Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    shifted = np.where(month > 2, year, year - 1)
    from_march = np.where(month > 2, month - 3, month + 9)
    leaps = shifted // 4 - shifted // 100 + shifted // 400
    return shifted * 365 + leaps + (153 * from_march + 2) // 5 - 719468


def _date_of(days: Floats) -> tuple[Floats, Floats, Floats]:
    """Year, month and day of a day since 1970-01-01; the inverse of `_days_before`."""
    shifted = days + 719468
    era = shifted // 146097
    day_of_era = shifted - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    month = np.where(from_march < 10, from_march + 3, from_march - 9)
    return year_of_era + era * 400 + np.where(month > 2, 0, 1), month, day_of_year - (153 * from_march + 2) // 5 + 1


_PARTS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "year": lambda days, _: _date_of(days)[0],
    "quarter": lambda days, _: np.ceil(_date_of(days)[1] / 3),
    "month": lambda days, _: _date_of(days)[1],
    "day": lambda days, _: _date_of(days)[2],
    "weekday": lambda days, _: (days + 3) % 7 + 1,
    "dayOfYear": lambda days, _: days - _days_before(_date_of(days)[0], np.float64(1)) + 1,
    "hour": lambda _, ms: np.floor(ms / HOUR),
    "minute": lambda _, ms: np.floor(ms / MINUTE) % 60,
    "epochDays": lambda days, _: days,
}
DATE_PARTS = tuple(_PARTS)


def part_of(milliseconds: Floats, part: str) -> Floats:
    """A part of times, in UTC: months and days from 1, weekdays from Monday 1 to Sunday 7, whole days since 1970-01-01."""
    days = np.floor(milliseconds / DAY)
    return _PARTS[part](days, milliseconds - days * DAY)


def times_of_numbers(source: Mapping[str, Any], values: Floats) -> Floats:
    """Milliseconds of numbers that are dates in the unit of a feature; NaN for any other number.

    A date lies 1 to 1000 years from 1970, and no more than 100 years outside the dates of training.
    """
    unit = source.get("unit")
    ms = values * 1000 if unit == "s" else values
    distance = np.abs(ms)
    dates: Sequence[float] | None = source.get("dates")
    first, last = (ms, ms) if dates is None else dates
    known = (unit is not None) & (distance < _YEAR) & (first < -_YEAR) & (last > _YEAR)
    plausible = (distance >= _YEAR) & (distance <= 1000 * _YEAR) & (ms >= first - 100 * _YEAR) & (ms <= last + 100 * _YEAR)
    return np.where(known | plausible, ms, np.nan)


def time_of_text(source: Mapping[str, Any], text: str) -> float:
    """Milliseconds of a date given as text, or as a number in text; NaN for anything else."""
    time = parse_date(text)
    if time is not None:
        return time
    return float(times_of_numbers(source, np.asarray(float(text)))) if NUMBER.fullmatch(text) else float("nan")


def date_rule(source: Mapping[str, Any], value: object) -> tuple[str, str]:
    """What is expected of a cell that is no date, and the next step."""
    if (isinstance(value, str) and not NUMBER.fullmatch(value)) or not isinstance(value, (str, int, float)):
        return 'an ISO 8601 date such as "2024-05-03" or "2024-05-03T12:30Z"', "correct it, or mark it as missing"
    within = " and within 100 years of the dates of training" if source.get("dates") is not None else ""
    unit = "" if source.get("unit") == "s" else "milli"
    return (
        f'an ISO 8601 date such as "2024-05-03", or a number of {unit}seconds 1 to 1000 years from 1970{within}',
        'convert it, or say its unit in the schema ("unit": "ms" or "s")',
    )
