"""The errors of the package: a stable code and one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict


class Problem(TypedDict, total=False):
    """One thing that is wrong, for programs. It never has the value."""

    field: str
    row: int
    rule: str


class LogoddsWarning(UserWarning):
    """What is left out, guessed or taken by default: said once, by name."""


class LogoddsError(ValueError):
    """An error with a stable ``code`` and one sentence: *what*: expected *rule*, got *value*; *next step*.

    The sentence never quotes values of the data, which may be personal; ``detail`` does.

    ``code`` is one of ERR_SHAPE, ERR_RANGE, ERR_MEMORY, ERR_ENGINE, ERR_SCHEMA, ERR_RECORD, ERR_TARGET, ERR_FORMAT, ERR_DATA.
    ``problems`` lists everything that is wrong with a record, or the first row of every column of a table.
    ``reason`` says why bytes are no model: other, damaged, newer, older, invalid.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        problems: Sequence[Problem] = (),
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.problems = list(problems)
        self.reason = reason
        self.detail = message if detail is None else detail

    def __reduce__(self) -> Any:
        # pickled by Spark and by processes that send their errors home
        return _restored, (self.code, str(self), self.problems, self.reason, self.detail)


def _restored(code: str, message: str, problems: list[Problem], reason: str | None, detail: str) -> LogoddsError:
    return LogoddsError(code, message, problems=problems, reason=reason, detail=detail)


def joined(errors: Sequence[LogoddsError]) -> LogoddsError:
    """One error of several that happened at once: the first one, with the problems of all."""
    first = errors[0]
    if len(errors) == 1:
        return first
    others = f" (and {len(errors) - 1} more)"
    problems = [problem for error in errors for problem in error.problems]
    return LogoddsError(first.code, str(first) + others, problems=problems, detail=first.detail + others)


def cut(text: str) -> str:
    """A text of at most 40 UTF-16 units, as the messages of every runtime show it."""
    units = text.encode("utf-16-le", "surrogatepass")
    return text if len(units) <= 80 else units[:80].decode("utf-16-le", "surrogatepass") + "…"


def show(value: object) -> str:
    """A value in a message: text in quotes, cut after 40 characters; the type of anything that is not a scalar."""
    from .labels import label_of

    if isinstance(value, str):
        return json.dumps(cut(value), ensure_ascii=False)
    if value is None:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    label = label_of(value)
    return f"a value of type {type(value).__name__}" if label is None else cut(label)


def names(values: Iterable[str]) -> str:
    """Quoted names for a message: at most ten, then the number of the others."""
    listed = [*values]
    shown = ", ".join(show(name) for name in listed[:10])
    return f"{shown} and {len(listed) - 10} more" if len(listed) > 10 else shown


MEND = "correct it, or mark it as missing"
"""The next step after a cell that cannot be used."""


def cell_error(row: int, column: str, rule: str, value: object, step: str = MEND) -> LogoddsError:
    """ERR_RECORD for one cell. Rows are counted from 0. Only ``detail`` quotes the value."""

    def say(got: str) -> str:
        return f"row {row} (from 0), column {show(column)}: expected {rule}, got {got}; {step}"

    problem: Problem = {"field": column, "row": row, "rule": rule}
    return LogoddsError("ERR_RECORD", say(_kind_of(value)), problems=[problem], detail=say(show(value)))


def _kind_of(value: object) -> str:
    """What a value is, without saying it."""
    from .labels import is_number, label_of

    if isinstance(value, str):
        return "text"
    return "another number" if is_number(value) and label_of(value) is not None else show(value)


def refuse_absent(where: str, absent: Iterable[str], found: Iterable[str]) -> None:
    """Raises ERR_SCHEMA, naming all absent columns and those that were found, unless nothing is absent."""
    missing = list(dict.fromkeys(absent))
    if not missing:
        return
    raise LogoddsError(
        "ERR_SCHEMA",
        f"{where}: expected {'columns' if len(missing) > 1 else 'column'} {names(missing)}, got {names(found) or 'no column'}; "
        "add what is absent under that name (None for a missing value)",
        problems=[{"field": name, "rule": "a field that is there"} for name in missing],
    )
