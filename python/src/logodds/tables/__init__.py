"""Tables of every kind as columns: pandas, polars, Arrow, lists of dicts, dicts of columns, arrays of numpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from ..errors import LogoddsError, names, refuse_absent, show
from ..labels import python_of
from .arrays import column_of_array
from .arrow import column_of_arrow
from .columns import Coded, Column, Numbers, Times, Values
from .frames import column_of_pandas, column_of_polars

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np

__all__ = ["Coded", "Column", "Numbers", "Table", "Times", "Values", "table_of"]

_IN_CACHE = 1 << 20
"""Cells of an array that are copied at once"""


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
        with np.errstate(invalid="ignore"):
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
        return _table_of_polars(data)
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
    if isinstance(values, (str, bytes, Mapping, Set)) or not hasattr(values, "__len__"):
        raise LogoddsError("ERR_SHAPE", f"column {show(name)}: expected a list or an array, got {show(values)}; give one value for each row")
    return len(values)


def _column_of(name: str, values: Any) -> Column:
    module = type(values).__module__.partition(".")[0]
    if module == "pandas":
        return column_of_pandas(name, values)
    if module == "polars":
        return column_of_polars(name, values)
    if module == "pyarrow":
        return column_of_arrow(name, values)
    if isinstance(values, np.ndarray):
        return column_of_array(name, values)
    return Values(name, [python_of(value) for value in values])


def _table_of_array(data: NDArray[Any], fields: Sequence[str]) -> Table:
    if data.dtype.names:
        return Table(len(data), data.dtype.names, lambda name: column_of_array(name, data[name]))
    if data.ndim != 2 or data.shape[1] != len(fields):
        got = " × ".join(map(str, data.shape)) if data.ndim > 1 else "one row of them" if data.ndim else "a scalar"
        raise LogoddsError(
            "ERR_SHAPE",
            f"array: expected {len(fields)} columns ({names(fields)}), got {got}; give the columns in this order, or a frame with names",
        )
    places = {name: j for j, name in enumerate(fields)}
    if type(data) is np.ndarray and data.dtype == np.float64 and 0 < data.size <= _IN_CACHE:
        # all columns at once: a call of numpy costs as much as a thousand cells
        planes = np.ascontiguousarray(data.T)
        with np.errstate(invalid="ignore"):
            bounds = list(zip(planes.min(axis=1).tolist(), planes.max(axis=1).tolist()))
        return Table(len(data), [*fields], lambda name: Numbers(name, planes[places[name]], None, True, bounds[places[name]]))
    return Table(len(data), [*fields], lambda name: column_of_array(name, data[:, places[name]]))


def _table_of_pandas(frame: Any) -> Table:
    if not hasattr(frame, "columns"):
        raise LogoddsError("ERR_SHAPE", "table: expected a frame of pandas, got a series; use series.to_frame()")
    found = [str(name) for name in frame.columns]
    # by place: one name may be there twice
    return Table(len(frame), found, lambda name: column_of_pandas(name, frame.iloc[:, found.index(name)]))


def _table_of_polars(data: Any) -> Table:
    frame = data.collect() if hasattr(data, "collect") else data
    if not hasattr(frame, "columns"):
        raise LogoddsError("ERR_SHAPE", f"table: expected a frame of polars, got {show(frame)}; use series.to_frame()")
    return Table(len(frame), frame.columns, lambda name: column_of_polars(name, frame.get_column(name)))


def _table_of_arrow(data: Any) -> Table:
    import pyarrow

    if isinstance(data, pyarrow.RecordBatch):
        data = pyarrow.Table.from_batches([data])
    if not isinstance(data, pyarrow.Table):
        raise LogoddsError("ERR_SHAPE", f"table: expected a table or batch of Arrow, got {show(data)}; use pyarrow.table")
    found = list(data.column_names)
    return Table(data.num_rows, found, lambda name: column_of_arrow(name, data.column(found.index(name))))
