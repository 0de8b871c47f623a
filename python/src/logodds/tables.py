"""Tables of every kind as columns: pandas, polars, Arrow, lists of dicts, dicts of columns, arrays of numpy."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dates import DAY
from .elementary import Floats
from .errors import LogoddsError, cell_error, names, refuse_absent, show
from .labels import LABEL_RULE, is_number, iso_text, number_text, python_of, text_of
from .tokens import is_list

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


class Column(ABC):
    """The cells of one input of a model."""

    def __init__(self, name: str, rows: int, missing: Bools | None) -> None:
        self.name = name
        self.rows = rows
        self.missing = missing if missing is not None and missing.any() else None

    @abstractmethod
    def numbers(self, first_row: int) -> Floats:
        """Its numbers; of a missing cell anything. Raises ERR_RECORD for text and booleans."""

    @abstractmethod
    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        """The code of each cell, and the label of each code; of a missing cell any code. Raises ERR_RECORD for what is no label."""

    @abstractmethod
    def cell(self, row: int) -> Any:
        """The value of a cell, None if it is missing."""

    @abstractmethod
    def part(self, start: int, stop: int) -> Column:
        """Rows from start to stop, as views."""

    def is_missing(self, row: int) -> bool:
        return self.missing is not None and bool(self.missing[row])

    def first(self, wanted: Bools) -> int | None:
        """The first row that is wanted and not missing."""
        found = wanted if self.missing is None else wanted & ~self.missing
        return int(np.argmax(found)) if found.any() else None


class Numbers(Column):
    """A column of numbers."""

    def __init__(self, name: str, values: NDArray[Any], missing: Bools | None) -> None:
        super().__init__(name, len(values), missing)
        self.values = values

    def numbers(self, first_row: int) -> Floats:
        values = self.values.astype(np.float64, copy=False)
        # one pass finds what is not finite: inf - inf and NaN - NaN are NaN
        with np.errstate(invalid="ignore"):
            suspect = not math.isfinite(float(values.sum()))
        if suspect and (row := self.first(~np.isfinite(values))) is not None:
            raise cell_error(first_row + row, self.name, "a finite number", float(values[row]))
        return values

    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        values = self.numbers(first_row)
        if self.missing is not None:
            values = np.where(self.missing, 0.0, values)
        distinct, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.int64, copy=False), [number_text(value) for value in distinct.tolist()]

    def cell(self, row: int) -> Any:
        return None if self.is_missing(row) else float(self.values[row])

    def part(self, start: int, stop: int) -> Column:
        return Numbers(self.name, self.values[start:stop], _part(self.missing, start, stop))


class Coded(Column):
    """A column of texts: the code of each cell, and the text of each code."""

    def __init__(self, name: str, codes: NDArray[Any], levels: Sequence[str], missing: Bools | None) -> None:
        super().__init__(name, len(codes), missing)
        self.codes = codes
        self.levels = levels

    def numbers(self, first_row: int) -> Floats:
        present = np.flatnonzero(~self.missing) if self.missing is not None else np.arange(self.rows)
        if len(present) == 0:
            return np.zeros(self.rows)
        texts = [self.levels[code] for code in self.codes[present]]
        # the first that is no number, else the first
        at = next((i for i, text in enumerate(texts) if not _reads_as_number(text)), 0)
        raise cell_error(first_row + int(present[at]), self.name, "a number", texts[at])

    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        return self.codes.astype(np.int64, copy=False), self.levels

    def cell(self, row: int) -> Any:
        return None if self.is_missing(row) else self.levels[self.codes[row]]

    def part(self, start: int, stop: int) -> Column:
        return Coded(self.name, self.codes[start:stop], self.levels, _part(self.missing, start, stop))


class Times(Column):
    """A column of times in milliseconds since 1970."""

    def __init__(self, name: str, values: NDArray[np.int64], missing: Bools | None) -> None:
        super().__init__(name, len(values), missing)
        self.values = values

    def numbers(self, first_row: int) -> Floats:
        row = self.first(np.ones(self.rows, np.bool_))
        if row is None:
            return np.zeros(self.rows)
        raise cell_error(first_row + row, self.name, "a number", iso_text(int(self.values[row])))

    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        distinct, codes = np.unique(self.values, return_inverse=True)
        return codes.astype(np.int64, copy=False), [iso_text(value) for value in distinct.tolist()]

    def cell(self, row: int) -> Any:
        return None if self.is_missing(row) else iso_text(int(self.values[row]))

    def part(self, start: int, stop: int) -> Column:
        return Times(self.name, self.values[start:stop], _part(self.missing, start, stop))


class Values(Column):
    """A column of values of Python, of any kinds."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        super().__init__(name, len(values), np.fromiter((value is None for value in values), np.bool_, len(values)))
        self.values = values

    def numbers(self, first_row: int) -> Floats:
        out = np.zeros(self.rows)
        for row, value in enumerate(self.values):
            if value is None:
                continue
            number = _float_of(value) if is_number(value) else math.nan
            if not math.isfinite(number):
                raise cell_error(first_row + row, self.name, "a finite number", value, "use None for a missing value")
            out[row] = number
        return out

    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        codes = np.zeros(self.rows, np.int64)
        known: dict[str, int] = {}
        for row, value in enumerate(self.values):
            if value is None:
                continue
            label = text_of(value)
            if label is None:
                raise cell_error(first_row + row, self.name, LABEL_RULE, value, "use None for a missing value")
            codes[row] = known.setdefault(label, len(known))
        return codes, [*known]

    def cell(self, row: int) -> Any:
        return self.values[row]

    def part(self, start: int, stop: int) -> Column:
        return Values(self.name, self.values[start:stop])


class Table:
    """Columns of one length. A column is read when it is asked for, so those that a model does not have cost nothing."""

    def __init__(self, rows: int, found: Sequence[str], read: Any) -> None:
        self.rows = rows
        self.found = found
        self._read = read

    def columns(self, fields: Iterable[str]) -> dict[str, Column]:
        """The columns of these names. Raises ERR_SCHEMA when some are absent, or two have one name."""
        wanted = list(dict.fromkeys(fields))
        known = set(self.found)
        refuse_absent("table", [name for name in wanted if name not in known], self.found)
        if len(known) < len(self.found):
            twice = next((name for name in wanted if self.found.count(name) > 1), None)
            if twice is not None:
                raise LogoddsError("ERR_SCHEMA", f"table: expected distinct column names, got {show(twice)} twice; rename one")
        return {name: self._read(name) for name in wanted}


def table_of(data: Any, fields: Sequence[str]) -> Table:
    """Any table: a frame of pandas or polars, a table or batch of Arrow, a list of dicts, a dict of columns, or a two-dimensional array.

    :param fields: inputs of the model, in order: what the columns of an array without names are
    :raises LogoddsError: ERR_SHAPE for anything else
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return _table_of_mapping(data)
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return _table_of_pandas(data)
    if module == "polars":
        # text as codes, without a value of Python for each cell
        return _table_of_arrow(data.collect().to_arrow() if hasattr(data, "collect") else data.to_arrow())
    if module == "pyarrow":
        return _table_of_arrow(data)
    if isinstance(data, np.ndarray):
        return _table_of_array(data, fields)
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow

        return _table_of_arrow(pyarrow.table(data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _table_of_records(data, fields)
    raise LogoddsError(
        "ERR_SHAPE",
        f"table: expected a frame of pandas or polars, a table of Arrow, a list of dicts, a dict of columns, or an array, got {show(data)}; convert it",
    )


def _table_of_records(records: Sequence[Any], fields: Sequence[str]) -> Table:
    for row, record in enumerate(records):
        if isinstance(record, Mapping):
            continue
        problem: Any = {"row": row, "rule": "a dict"}
        raise LogoddsError("ERR_RECORD", f"record {row} (from 0): expected a dict, got {show(record)}; leave it out", problems=[problem])
    for row, record in enumerate(records):
        refuse_absent(f"record {row} (from 0)", [name for name in fields if name not in record], record)
    return Table(len(records), fields, lambda name: Values(name, [python_of(record[name]) for record in records]))


def _table_of_mapping(data: Mapping[str, Any]) -> Table:
    lengths = {name: _length(name, values) for name, values in data.items()}
    if len(set(lengths.values())) > 1:
        shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise LogoddsError(
            "ERR_SHAPE",
            f"table: expected columns of one length, got {lengths[longest]} in {show(longest)} "
            f"and {lengths[shortest]} in {show(shortest)}; give every row a cell",
        )
    return Table(next(iter(lengths.values()), 0), [*data], lambda name: _column_of(name, data[name]))


def _length(name: str, values: Any) -> int:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise LogoddsError("ERR_SHAPE", f"column {show(name)}: expected a list or an array, got {show(values)}; give one value for each row")
    return len(values)


def _column_of(name: str, values: Any) -> Column:
    module = type(values).__module__.partition(".")[0]
    if module == "pandas":
        return _column_of_pandas(name, values)
    if module == "polars":
        return _column_of_arrow(name, values.to_arrow())
    if module == "pyarrow":
        return _column_of_arrow(name, values)
    if isinstance(values, np.ndarray):
        return _column_of_array(name, values)
    return Values(name, [python_of(value) for value in values])


def _column_of_array(name: str, values: NDArray[Any]) -> Column:
    if values.ndim != 1:
        raise LogoddsError("ERR_SHAPE", f"column {show(name)}: expected one dimension, got {values.ndim}; give one value for each row")
    kind = values.dtype.kind
    if kind in "iuf":
        # an array of numbers has no other sign for what is missing
        return Numbers(name, values, np.isnan(values) if kind == "f" else None)
    if kind == "b":
        return Coded(name, values.astype(np.int64), ("false", "true"), None)
    if kind == "M":
        gaps = np.isnat(values)
        return Times(name, np.where(gaps, 0, values.astype("datetime64[ms]").astype(np.int64)), gaps)
    if kind in "UT":
        levels, codes = np.unique(values, return_inverse=True)
        return Coded(name, codes, [str(level) for level in levels], None)
    return Values(name, [_none_for_nan(python_of(value)) for value in values])


def _table_of_array(data: NDArray[Any], fields: Sequence[str]) -> Table:
    if data.dtype.names:
        return Table(len(data), data.dtype.names, lambda name: _column_of_array(name, data[name]))
    if data.ndim != 2 or data.shape[1] != len(fields):
        got = " × ".join(map(str, data.shape)) or "a scalar"
        raise LogoddsError(
            "ERR_SHAPE",
            f"array: expected {len(fields)} columns ({names(fields)}), got {got}; give the columns in this order, or a frame with names",
        )
    places = {name: j for j, name in enumerate(fields)}
    return Table(len(data), [*fields], lambda name: _column_of_array(name, data[:, places[name]]))


def _table_of_pandas(frame: Any) -> Table:
    if not hasattr(frame, "columns"):
        raise LogoddsError("ERR_SHAPE", "table: expected a frame of pandas, got a series; use series.to_frame()")
    found = [str(name) for name in frame.columns]
    # by place: one name may be there twice
    return Table(len(frame), found, lambda name: _column_of_pandas(name, frame.iloc[:, found.index(name)]))


def _column_of_pandas(name: str, series: Any) -> Column:
    import pandas

    dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        missing = codes < 0
        return _decoded(_column_of_pandas(name, series.cat.categories.to_series()), np.where(missing, 0, codes), missing)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return _column_of_array(name, series.to_numpy())
    missing = series.isna().to_numpy()
    if getattr(dtype, "kind", "O") in "iufb" and isinstance(dtype, np.dtype):
        return _column_of_array(name, series.to_numpy())
    if getattr(dtype, "kind", "O") == "M":
        return _column_of_array(name, series.to_numpy(dtype="datetime64[ms]"))
    if getattr(dtype, "kind", "O") in "iuf":
        # whole numbers and numbers of pandas' own, with NA
        return Numbers(name, series.to_numpy(dtype=np.float64, na_value=math.nan), missing)
    if getattr(dtype, "kind", "O") == "b":
        return Coded(name, series.fillna(False).to_numpy(dtype=np.int64), ("false", "true"), missing)
    if isinstance(dtype, pandas.StringDtype) or pandas.api.types.infer_dtype(series, skipna=True) == "string":
        codes, levels = pandas.factorize(series)
        return Coded(name, np.where(codes < 0, 0, codes), [str(level) for level in levels], codes < 0)
    values = series.to_list()
    return Values(name, [None if gap and not is_list(value) else python_of(value) for value, gap in zip(values, missing)])


def _decoded(values: Column, codes: NDArray[Any], missing: Bools | None) -> Column:
    """The column whose cells are codes of these values."""
    if isinstance(values, Coded):
        levels = [values.levels[code] for code in values.codes]
        return Coded(values.name, codes, levels, missing)
    if isinstance(values, (Numbers, Times)):
        cells: NDArray[Any] = values.values[codes] if values.rows else np.zeros(len(codes), np.int64)
        return type(values)(values.name, cells, missing)
    found = [values.cell(code) for code in codes.tolist()] if values.rows else [None] * len(codes)
    return Values(values.name, found if missing is None else [None if gap else cell for cell, gap in zip(found, missing)])


def _table_of_arrow(data: Any) -> Table:
    import pyarrow

    if isinstance(data, pyarrow.RecordBatch):
        data = pyarrow.Table.from_batches([data])
    if not isinstance(data, pyarrow.Table):
        raise LogoddsError("ERR_SHAPE", f"table: expected a table or batch of Arrow, got {show(data)}; use pyarrow.table")
    found = list(data.column_names)
    return Table(data.num_rows, found, lambda name: _column_of_arrow(name, data.column(found.index(name))))


def _column_of_arrow(name: str, column: Any) -> Column:
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
        return _decoded(_column_of_arrow(name, values), codes, missing)
    if types.is_integer(kind) or types.is_floating(kind):
        return Numbers(name, (one.fill_null(0) if missing is not None else one).to_numpy(zero_copy_only=False), missing)
    if types.is_decimal(kind):
        return Numbers(name, one.cast(pyarrow.float64()).fill_null(0.0).to_numpy(zero_copy_only=False), missing)
    if types.is_boolean(kind):
        return Coded(name, one.fill_null(False).to_numpy(zero_copy_only=False).astype(np.int64), ("false", "true"), missing)
    if types.is_timestamp(kind) or types.is_date64(kind):
        ticks = one.cast(pyarrow.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        unit = getattr(kind, "unit", "ms")
        return Times(name, ticks * 1000 if unit == "s" else ticks // {"ms": 1, "us": 1000, "ns": 1_000_000}[unit], missing)
    if types.is_date32(kind):
        return Times(name, one.cast(pyarrow.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64) * DAY, missing)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _column_of_arrow(name, (one.cast(pyarrow.large_string()) if types.is_string_view(kind) else one).dictionary_encode())
    if types.is_null(kind):
        return Values(name, [None] * len(one))
    return Values(name, one.to_pylist())


def _part(missing: Bools | None, start: int, stop: int) -> Bools | None:
    return None if missing is None else missing[start:stop]


def _none_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _float_of(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
