"""The text of a category: the same on every runtime."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
else:
    from .later import np


LABEL_RULE = "a string, finite number or boolean"


def is_number(value: object) -> bool:
    """Whether a value is a number; booleans are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, (bool, np.bool_))


def number_text(value: float) -> str:
    """A finite number as ECMAScript writes it: the shortest digits that read back as the same double.

    >>> number_text(2.0), number_text(-0.0), number_text(1e21), number_text(1e-7)
    ('2', '0', '1e+21', '1e-7')
    """
    if value == 0:
        return "0"
    digits, _, exponent = repr(float(value)).removesuffix(".0").partition("e")
    if not exponent:
        return digits
    sign, digits = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
    whole, _, rest = digits.partition(".")
    power = int(exponent)
    if 0 <= power < 21:
        return sign + (whole + rest).ljust(power + 1, "0")
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{whole}{rest}"
    return f"{sign}{digits}e{'+' if power > 0 else '-'}{abs(power)}"


def label_of(value: object) -> str | None:
    """The text of a category; None for what cannot be one. Whole numbers beyond 2**53 are rounded, as in JSON.

    >>> label_of(2), label_of(True), label_of("a"), label_of(float("nan"))
    ('2', 'true', 'a', None)
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if is_number(value):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            return None
        return number_text(number) if math.isfinite(number) else None
    return None


def whole_label_of(value: object) -> str | None:
    """`label_of` where all digits of a whole number count, as in columns that have a type."""
    return str(value) if type(value) is int else label_of(value)


def text_of(value: object) -> str | None:
    """`label_of`; of a date or time its text in ISO 8601, in UTC to the millisecond."""
    milliseconds = milliseconds_of(value)
    return label_of(value) if milliseconds is None else iso_text(milliseconds)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MILLISECOND = datetime.timedelta(milliseconds=1)


def milliseconds_of(value: object) -> int | None:
    """Milliseconds since 1970-01-01 00:00 UTC of a date, time or numpy.datetime64; a time without zone is UTC. None for anything else."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype("datetime64[ms]").astype(np.int64))
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return (aware - _EPOCH) // _MILLISECOND
    if isinstance(value, datetime.date):
        return (value.toordinal() - 719163) * 86_400_000
    return None


def iso_text(milliseconds: int) -> str:
    """A time as ECMAScript's ``toISOString`` writes it.

    >>> iso_text(951827696789)
    '2000-02-29T12:34:56.789Z'
    """
    time = np.datetime_as_string(np.datetime64(int(milliseconds), "ms"), unit="ms")
    year, rest = time[:-19], time[-19:]
    # beyond four digits years have a sign and six
    return f"{year if len(year) == 4 else f'{year[0] if year[0] == chr(45) else chr(43)}{year.lstrip(chr(45)).zfill(6)}'}{rest}Z"


_PLAIN = frozenset({str, int, float, bool, type(None)})
_GAPS = frozenset({"NAType", "NaTType"})


def python_of(value: Any) -> Any:
    """A scalar of numpy, Arrow, pandas or decimal as Python has it: NA and NaT are None, a decimal is a number as in Arrow."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, np.generic):
        return value if isinstance(value, np.datetime64) else value.item()
    if isinstance(value, decimal.Decimal):
        # all digits of a whole number count where it is a category
        return int(value) if value.is_finite() and value.as_tuple().exponent == 0 else float(value)
    if kind.__name__ in _GAPS and kind.__module__.startswith("pandas."):
        return None
    return python_of(value.as_py()) if kind.__module__.startswith("pyarrow.") and hasattr(value, "as_py") else value


#: of each type of label what makes one of its text
_READ: dict[str, Callable[[str], Any]] = {"boolean": {"false": False, "true": True}.__getitem__, "integer": int, "number": float}


def label_type_of(labels: Sequence[Any]) -> str | None:
    """The type of labels of Python, as a model file has it: boolean, integer or number; None for texts, and for several types."""
    kinds = {type(label) for label in labels}
    if kinds == {bool}:
        return "boolean"
    return "integer" if kinds == {int} else "number" if kinds and kinds <= {int, float} else None


def typed_labels(labels: Sequence[str], label_type: object) -> list[Any] | None:
    """Texts of labels in their type; as they are for texts and types of later versions. None: one of them is not of this type."""
    read = _READ.get(label_type, str) if isinstance(label_type, str) else str
    try:
        return [read(label) for label in labels]
    except (KeyError, ValueError):
        return None
