"""Rows of loans, and files of them."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow
import pyarrow.parquet

ROWS = 4000


def rows(count: int = ROWS) -> pyarrow.Table:
    return pyarrow.table(
        {
            "at": pyarrow.array(range(count)),
            "age": pyarrow.array([20 + i % 50 + (i % 7) / 10 for i in range(count)]),
            "income": pyarrow.array([None if i % 11 == 0 else 1000.0 + 37 * (i % 101) for i in range(count)]),
            "town": pyarrow.array([f"t{i % 9}" for i in range(count)]),
        }
    )


def write(folder: Path, *tables: pyarrow.Table) -> str:
    folder.mkdir()
    for i, table in enumerate(tables):
        pyarrow.parquet.write_table(table, folder / f"part-{i}.parquet")
    return str(folder)


def environment(**more: str) -> dict[str, str]:
    """The environment of a program that is started. Without the variables that a session of Connect leaves here, by which pyspark would start a server."""
    left = ("SPARK_CONNECT_MODE_ENABLED", "SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "SPARK_API_MODE")
    return {name: value for name, value in os.environ.items() if name not in left} | more
