"""Whole numbers beyond 2**53 that are categories are their digits, in every table that has types."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from logodds.tables import table_of

LEVELS = [9007199254740993, 9007199254740992, -9007199254740993, 2**63 - 1, 2**63 - 2, 7]
GAPPED = [*LEVELS, None]

TABLES: dict[str, Callable[[], Any]] = {
    "numpy": lambda: {"id": np.asarray(LEVELS)},
    "pandas": lambda: pd.DataFrame({"id": LEVELS}),
    "pandas, its own type": lambda: pd.DataFrame({"id": pd.array(GAPPED, "Int64")}),
    "pandas, Arrow": lambda: pd.DataFrame({"id": pd.array(GAPPED, "int64[pyarrow]")}),
    "pandas, categories": lambda: pd.DataFrame({"id": pd.Categorical(LEVELS)}),
    "polars": lambda: pl.DataFrame({"id": GAPPED}),
    "Arrow": lambda: pa.table({"id": pa.array(GAPPED, pa.int64())}),
    "Arrow, decimals": lambda: pa.table({"id": pa.array([None if one is None else Decimal(one) for one in GAPPED], pa.decimal128(20, 0))}),
    "Arrow, dictionary": lambda: pa.table({"id": pa.array(GAPPED, pa.int64()).dictionary_encode()}),
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_digit_counts(kind: str) -> None:
    column = table_of(TABLES[kind](), ["id"]).columns(["id"])["id"]
    codes, labels = column.labels(0)
    assert [None if column.is_missing(row) else labels[codes[row]] for row in range(column.rows)] == [str(one) for one in LEVELS] + [None] * (column.rows - 6)
    # as numbers they are the nearest doubles
    assert column.numbers(0)[:6].tolist() == [float(one) for one in LEVELS]


def test_unsigned_numbers_have_all_digits() -> None:
    ids = [2**64 - 1, 2**64 - 2, 8]
    for given in (np.asarray(ids, np.uint64), pa.array(ids, pa.uint64()), pa.array(map(Decimal, ids), pa.decimal128(20, 0))):
        codes, labels = table_of({"id": given}, ["id"]).columns(["id"])["id"].labels(0)
        assert [labels[code] for code in codes] == [str(one) for one in ids]
