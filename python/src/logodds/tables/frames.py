"""Frames of pandas and polars as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import LogoddsError, show
from ..labels import python_of
from ..tokens import is_list
from .arrays import column_of_array
from .arrow import column_of_arrow
from .columns import BOOLEANS, Coded, Column, Numbers, Values, decoded

if TYPE_CHECKING:
    import numpy as np
else:
    from ..later import np


def column_of_pandas(name: str, series: Any) -> Column:
    import pandas

    dtype = series.dtype
    if isinstance(dtype, pandas.SparseDtype):
        return column_of_pandas(name, series.sparse.to_dense())
    if isinstance(dtype, pandas.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        missing = codes < 0
        return decoded(column_of_pandas(name, series.cat.categories.to_series()), np.where(missing, 0, codes), missing)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return column_of_array(name, series.to_numpy())
    missing = series.isna().to_numpy()
    if getattr(dtype, "kind", "O") in "iufb" and isinstance(dtype, np.dtype):
        return column_of_array(name, series.to_numpy())
    if getattr(dtype, "kind", "O") == "M":
        return column_of_array(name, series.to_numpy(dtype="datetime64[ms]"))
    if getattr(dtype, "kind", "O") in "iu":
        # whole numbers of pandas' own, with NA
        return Numbers(name, series.to_numpy(dtype=dtype.numpy_dtype, na_value=0), missing)
    if getattr(dtype, "kind", "O") == "f":
        return Numbers(name, series.to_numpy(dtype=np.float64, na_value=math.nan), missing)
    if getattr(dtype, "kind", "O") == "b":
        return Coded(name, series.fillna(False).to_numpy(dtype=np.int64), BOOLEANS, missing)
    if isinstance(dtype, pandas.StringDtype) or pandas.api.types.infer_dtype(series, skipna=True) == "string":
        codes, levels = pandas.factorize(series)
        return Coded(name, np.where(codes < 0, 0, codes), [str(level) for level in levels], codes < 0)
    values = series.to_list()
    return Values(name, [None if gap and not is_list(value) else python_of(value) for value, gap in zip(values, missing)])


def column_of_polars(name: str, series: Any) -> Column:
    """By way of Arrow: text as codes, without a value of Python for each cell."""
    import pyarrow

    try:
        column = series.to_arrow()
    except pyarrow.ArrowException as error:
        sentence = f"column {show(name)}: expected a type that Arrow has, got {series.dtype}; cast it to another type"
        raise LogoddsError("ERR_SCHEMA", sentence, problems=[{"field": name, "rule": "a type that Arrow has"}]) from error
    return column_of_arrow(name, column)
