"""Columns of numpy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import LogoddsError, show
from ..labels import python_of
from .columns import BOOLEANS, Coded, Column, Numbers, Times, Values, decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np


def column_of_array(name: str, values: NDArray[Any]) -> Column:
    if values.ndim != 1:
        raise LogoddsError("ERR_SHAPE", f"column {show(name)}: expected one dimension, got {values.ndim}; give one value for each row")
    if isinstance(values, np.ma.MaskedArray):
        found = column_of_array(name, values.data)
        gaps = np.ma.getmaskarray(values)
        return decoded(found, np.arange(found.rows), gaps if found.missing is None else gaps | found.missing)
    kind = values.dtype.kind
    if kind in "iuf":
        # an array of numbers has no other sign for what is missing
        return Numbers(name, np.ascontiguousarray(values), None, nan_is_missing=kind == "f")
    if kind == "b":
        return Coded(name, values.astype(np.int64), BOOLEANS, None)
    if kind == "M":
        gaps = np.isnat(values)
        return Times(name, np.where(gaps, 0, values.astype("datetime64[ms]").astype(np.int64)), gaps)
    if kind in "UT":
        levels, codes = np.unique(values, return_inverse=True)
        return Coded(name, codes, [str(level) for level in levels], None)
    return Values(name, [_none_for_nan(python_of(value)) for value in values])


def _none_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
