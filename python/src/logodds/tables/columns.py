"""Columns: the cells of one input of a model."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..elementary import Floats
from ..errors import cell_error
from ..labels import LABEL_RULE, is_number, iso_text, number_text, text_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np

Bools: TypeAlias = "NDArray[np.bool_]"
Codes: TypeAlias = "NDArray[np.int64]"
Bounds: TypeAlias = tuple[float, float]


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
    """A column of numbers.

    :param missing: None also where NaN is the sign of a missing cell: then they are looked for
    """

    def __init__(self, name: str, values: NDArray[Any], missing: Bools | None, nan_is_missing: bool = False, bounds: Bounds | None = None) -> None:
        self.values = values
        #: the least and the greatest number, NaN where one is: most checks need no more
        self.bounds = bounds or ((float(values.min()), float(values.max())) if len(values) else (0.0, 0.0))
        if nan_is_missing and math.isnan(self.bounds[0]):
            missing = np.isnan(values)
        super().__init__(name, len(values), missing)

    def numbers(self, first_row: int) -> Floats:
        values = self.values.astype(np.float64, copy=False)
        low, high = self.bounds
        finite = math.isfinite(low) and math.isfinite(high)
        if not finite and (row := self.first(~np.isfinite(values))) is not None:
            raise cell_error(first_row + row, self.name, "a finite number", float(values[row]))
        return values

    def labels(self, first_row: int) -> tuple[Codes, Sequence[str]]:
        if self.values.dtype.kind in "iu" and max(-self.bounds[0], self.bounds[1]) >= 1 << 53:
            # all digits count, where a double would make several numbers one
            whole = self.values if self.missing is None else np.where(self.missing, self.values.dtype.type(0), self.values)
            numbers, codes = np.unique(whole, return_inverse=True)
            return codes.astype(np.int64, copy=False), [str(number) for number in numbers.tolist()]
        values = self.numbers(first_row)
        if self.missing is not None:
            values = np.where(self.missing, 0.0, values)
        distinct, codes = _ranked(values, self.values.dtype.kind in "iu")
        return codes, [number_text(value) for value in distinct.tolist()]

    def cell(self, row: int) -> Any:
        return None if self.is_missing(row) else float(self.values[row])

    def part(self, start: int, stop: int) -> Column:
        return Numbers(self.name, self.values[start:stop], _part(self.missing, start, stop))


def _ranked(values: Floats, whole: bool) -> tuple[Floats, Codes]:
    """The distinct numbers in order, and the place of each number among them. Whole numbers that are close together are counted, not sorted."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    close = high - low <= 4 * len(values) and abs(low) < 1 << 53 and abs(high) < 1 << 53 and low == math.floor(low)
    places = (values - low).astype(np.int64) if close else None
    if places is None or not (whole or bool((places == values - low).all())):
        distinct, codes = np.unique(values, return_inverse=True)
        return distinct, codes.astype(np.int64, copy=False)
    present = np.bincount(places) > 0
    distinct = np.flatnonzero(present).astype(np.float64) + np.float64(low)
    return distinct, (np.cumsum(present) - 1)[places]


BOOLEANS = ("false", "true")
"""Levels of a column of booleans"""


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
        if self.levels is BOOLEANS:
            row = int(present[0])
            raise cell_error(first_row + row, self.name, "a number", bool(self.codes[row]), "write booleans as 0 and 1")
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


def _part(missing: Bools | None, start: int, stop: int) -> Bools | None:
    return None if missing is None else missing[start:stop]


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


def decoded(values: Column, codes: NDArray[Any], missing: Bools | None) -> Column:
    """The column whose cells are codes of these values."""
    if isinstance(values, Coded):
        levels = [values.levels[code] for code in values.codes]
        return Coded(values.name, codes, levels, missing)
    if isinstance(values, (Numbers, Times)):
        cells: NDArray[Any] = values.values[codes] if values.rows else np.zeros(len(codes), np.int64)
        return type(values)(values.name, cells, missing)
    found = [values.cell(code) for code in codes.tolist()] if values.rows else [None] * len(codes)
    return Values(values.name, found if missing is None else [None if gap else cell for cell, gap in zip(found, missing)])
