"""Errors of executors, which come to the driver as a text among traces."""

from __future__ import annotations

import re

from ..errors import LogoddsError, Problem

_OWN = re.compile(r"LogoddsError: \[(ERR_[A-Z]+)\] (.*)")
#: what Spark says of files that it cannot read: pattern, code, sentence
_FILES = (
    (
        r"Parquet column cannot be converted\. .*?file:?\s*(?P<file>\S+?)\.?\s+Column: \[(?P<column>[^\]]*)\], Expected: (?P<want>[^,]+), Found: (?P<got>[^.\n]+)",
        "{file}, column {column}: expected {want} as in the other files, got {got}; give the files the same types",
    ),
    (
        r"Encountered error while reading file (?P<file>\S+?)\. Data type mismatches when reading Parquet column \[?`?(?P<column>[^\]`]*)`?\]?\. Expected Spark type (?P<want>\S+), actual Parquet type (?P<got>[^.\n]+)",
        "{file}, column {column}: expected {want} as in the other files, got {got}; give the files the same types",
    ),
    (r"(?P<file>\S+?\.parquet\S*) is not a Parquet file", "{file}: expected a whole Parquet file, got one that is cut short or another kind; write it again"),
    (r"Could not read footer for file:?\s*(?P<file>\S+)", "{file}: expected a whole Parquet file, got one that is cut short or another kind; write it again"),
    (
        r"Encountered error while reading file (?P<file>\S+?)\.?\s",
        "{file}: expected a file that Spark can read, got one that it cannot; write it again",
    ),
)


def located(error: LogoddsError, where: str) -> LogoddsError:
    """The error with the part of the data that it is of, and with its code, so that `failure_of` finds it in what Spark says."""
    problems: list[Problem] = list(error.problems)
    return LogoddsError(error.code, f"[{error.code}] {where}{error}", problems=problems, detail=f"[{error.code}] {where}{error.detail}")


def failure_of(error: BaseException) -> LogoddsError | None:
    """The error of logodds, or of a file that cannot be read, in an exception of Spark; None: it has neither.

    >>> failure_of(RuntimeError("…logodds.errors.LogoddsError: [ERR_RECORD] partition 3, row 7 …"))
    LogoddsError('partition 3, row 7 …')
    """
    if isinstance(error, LogoddsError):
        return error
    text = str(error)
    own = _OWN.search(text)
    if own:
        return LogoddsError(own[1], own[2].strip())
    for pattern, sentence in _FILES:
        found = re.search(pattern, text, re.DOTALL)
        if found:
            return LogoddsError("ERR_DATA", sentence.format(**found.groupdict()))
    return None
