"""Parquet files of Spark with the number of each row, in the order of DATA."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import LogoddsError


ROW = "row\u0001"
"""The column of the numbers: DATA may have one that is named row."""


@dataclass(frozen=True)
class Part:
    """One file: its address, and the number of its first row."""

    path: str
    first_row: int
    rows: int


class Files:
    """The rows of files, in a frame with a column of their numbers from 0 (ROW), which every run gives the same rows."""

    def __init__(self, spark: Any, paths: Sequence[str]) -> None:
        from pyspark.sql import functions as F

        found = [one for path in paths for one in _expanded(path)]
        self.frame = spark.read.parquet(*found)
        place = F.col("_metadata.file_path")
        # the numbers of rows are in the files: no row is read for this
        counts = {row["path"]: row["count"] for row in self.frame.groupBy(place.alias("path")).count().collect()}
        self.parts: list[Part] = []
        rows = 0
        for path in sorted(counts, key=lambda path: (_order(path, found), path)):
            self.parts.append(Part(path, rows, counts[path]))
            rows += counts[path]
        self.rows = rows
        index = F.col("_metadata.row_index")
        if len(self.parts) > 1:
            starts = spark.createDataFrame([(part.path, part.first_row) for part in self.parts], "`path\u0001` string, `start\u0001` long")
            numbered = self.frame.select("*", index.alias("index\u0001"), place.alias("path\u0001"))
            joined = numbered.join(F.broadcast(starts), "path\u0001", "left")
            self.numbered = joined.withColumn(ROW, F.col("index\u0001") + F.col("start\u0001"))
        else:
            self.numbered = self.frame.select("*", index.alias(ROW))

    def place_of(self, row: int) -> str:
        """The file of a row, and its number there."""
        part = next((part for part in reversed(self.parts) if part.first_row <= row), None)
        return f"row {row} (from 0)" if part is None else f"{_name(part.path)}, row {row - part.first_row} (from 0)"


def _expanded(path: str) -> list[str]:
    """The files that a path stands for, sorted by name; an address of a store is left to Spark."""
    if "://" in path:
        return [path]
    if os.path.isdir(path):
        found = sorted(glob.glob(os.path.join(glob.escape(path), "**", "*.parquet"), recursive=True))
    else:
        found = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
    if not found:
        raise LogoddsError("ERR_DATA", f"{path}: expected Parquet files, got none of that name; check the path")
    other = next((one for one in found if not one.endswith(".parquet")), None)
    if other is not None:
        raise LogoddsError("ERR_DATA", f"{other}: expected a Parquet file for --spark, got another ending; convert it, or leave out --spark")
    empty = next((one for one in found if os.path.isfile(one) and os.path.getsize(one) == 0), None)
    if empty is not None:
        raise LogoddsError("ERR_DATA", f"{empty}: expected rows, got an empty file; check how it was made")
    return [os.path.abspath(one) for one in found]


def _order(path: str, found: Sequence[str]) -> int:
    """The place of the argument that a file came from."""
    name = _name(path)
    return next((i for i, one in enumerate(found) if name == one or path == one), len(found))


def _name(path: str) -> str:
    """A path without the sign of the local file system."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(path)
    return unquote(parts.path) if parts.scheme == "file" else path
