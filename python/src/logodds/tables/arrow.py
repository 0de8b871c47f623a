"""Columns of Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dates import DAY
from ..elementary import Floats
from .columns import BOOLEANS, Coded, Column, Numbers, Times, Values, decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np


def column_of_arrow(name: str, column: Any) -> Column:
    import pyarrow
    import pyarrow.types as types

    one = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
    if isinstance(one, pyarrow.ChunkedArray):
        one = pyarrow.concat_arrays(one.chunks) if one.num_chunks else pyarrow.array([], one.type)
    kind = one.type
    missing = one.is_null().to_numpy(zero_copy_only=False) if one.null_count else None
    if types.is_dictionary(kind):
        codes = one.indices.fill_null(0).to_numpy(zero_copy_only=False)
        values = one.dictionary
        if types.is_string(values.type) or types.is_large_string(values.type):
            return Coded(name, codes, values.to_pylist(), missing)
        return decoded(column_of_arrow(name, values), codes, missing)
    if types.is_integer(kind) or types.is_floating(kind):
        return Numbers(name, (one.fill_null(0) if missing is not None else one).to_numpy(zero_copy_only=False), missing)
    if types.is_decimal(kind):
        whole = _whole(one) if kind.scale == 0 else None
        return Numbers(name, _doubles(one) if whole is None else whole, missing)
    if types.is_boolean(kind):
        return Coded(name, one.fill_null(False).to_numpy(zero_copy_only=False).astype(np.int64), BOOLEANS, missing)
    if types.is_timestamp(kind) or types.is_date64(kind):
        ticks = one.cast(pyarrow.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        unit = getattr(kind, "unit", "ms")
        return Times(name, ticks * 1000 if unit == "s" else ticks // {"ms": 1, "us": 1000, "ns": 1_000_000}[unit], missing)
    if types.is_date32(kind):
        return Times(name, one.cast(pyarrow.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64) * DAY, missing)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return column_of_arrow(name, (one.cast(pyarrow.large_string()) if types.is_string_view(kind) else one).dictionary_encode())
    if types.is_null(kind):
        return Values(name, [None] * len(one))
    return Values(name, one.to_pylist())


def _whole(decimals: Any) -> NDArray[Any] | None:
    """Decimals without a fraction, all of whose digits count where they are categories; of null 0. None: one has more than 64 bits."""
    import pyarrow

    for integer in (pyarrow.int64(), pyarrow.uint64()):
        try:
            numbers: NDArray[Any] = decimals.cast(integer).fill_null(0).to_numpy(zero_copy_only=False)
            return numbers
        except pyarrow.ArrowInvalid:
            pass
    return None


def _doubles(decimals: Any) -> Floats:
    """The nearest double of each decimal, which a cast of Arrow is not always; of null 0."""
    kind = decimals.type
    if kind.bit_width == 128 and kind.precision <= 15 and kind.scale >= 0:
        # whole numbers of 53 bits over a power of ten that is exact: one division, rounded once
        words = np.frombuffer(decimals.buffers()[1], np.int64).reshape(-1, 2)[decimals.offset : decimals.offset + len(decimals), 0]
        whole: Floats = words / 10.0**kind.scale
        return whole if decimals.null_count == 0 else np.where(decimals.is_null().to_numpy(zero_copy_only=False), 0.0, whole)
    return np.fromiter((0.0 if value is None else float(value) for value in decimals.to_pylist()), np.float64, len(decimals))
