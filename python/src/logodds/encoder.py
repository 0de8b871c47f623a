"""Turns tables into what the kernels read, as the schema of a model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .elementary import Floats
from .errors import LogoddsError, cell_error, joined
from .features import CODERS, Coder, CrossCoder, Feature, NumericCoder, Slot, Tally, field_of, is_cross
from .tables import Column, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np


@dataclass(frozen=True)
class Encoded:
    """The rows of a table as the kernels read them."""

    rows: int
    #: one array for each column: numbers in float64, codes of slots in int64
    columns: Sequence[NDArray[Any]]
    #: of each row; None: the model has no offset
    offsets: Floats | None
    #: share of the features of each row that took a default, and whose number is outside the range of training
    defaulted: Floats
    out_of_range: Floats


class Encoder:
    """The encoder of a schema, which is not checked here."""

    def __init__(self, schema: Sequence[Feature], offset: str | None = None) -> None:
        self.schema = schema
        self.offset = offset
        self.coders: list[Coder | CrossCoder] = [CrossCoder(feature, schema) if is_cross(feature) else CODERS[feature["kind"]](feature) for feature in schema]
        #: of each column of the kernels 0 for a number, else how many slots its codes have
        self.widths = [width for coder in self.coders for width in coder.widths]
        #: index of the first column of each feature
        self.first_columns = [*accumulate((len(coder.widths) for coder in self.coders), initial=0)][:-1]
        #: first slot of each column
        self.first_slots = [*accumulate((width or 1 for width in self.widths), initial=0)][:-1]
        self.slots = sum(width or 1 for width in self.widths)
        #: columns that it reads, in order, the offset last
        self.fields = list(dict.fromkeys(field_of(feature) for feature in schema if not is_cross(feature)))
        if offset is not None and offset not in self.fields:
            self.fields.append(offset)

    @cached_property
    def ranges(self) -> tuple[Floats, Floats] | None:
        """Of each column the least and the greatest number of training, where all are numbers as they are; None: some are not."""
        features = [coder.feature for coder in self.coders if isinstance(coder, NumericCoder) and not coder.feature["indicator"]]
        if not features or len(features) < len(self.coders) or len(self.fields) < len(features) or self.offset is not None:
            return None
        return np.asarray([one["min"] for one in features], np.float64), np.asarray([one["max"] for one in features], np.float64)

    def slot_names(self) -> list[tuple[int, Slot]]:
        """Of each slot the index of its feature, and its meaning."""
        return [(i, slot) for i, coder in enumerate(self.coders) for slot in coder.slots()]

    def encode(self, table: Table, start: int = 0, stop: int | None = None) -> Encoded:
        """The rows from start to stop. Raises ERR_SCHEMA for absent columns, ERR_RECORD naming the first wrong cell of every column."""
        columns = table.columns(self.fields)
        if start > 0 or (stop is not None and stop < table.rows):
            end = table.rows if stop is None else stop
            columns = {name: column.part(start, end) for name, column in columns.items()}
        rows = (table.rows if stop is None else stop) - start
        return self.encode_columns(columns, rows, start)

    def encode_columns(self, columns: dict[str, Column], rows: int, first_row: int) -> Encoded:
        tally = Tally(np.zeros(rows, np.int64), np.zeros(rows, np.int64))
        written: list[list[NDArray[Any]]] = [[] for _ in self.coders]
        errors: list[LogoddsError] = []
        for i, coder in enumerate(self.coders):
            if isinstance(coder, Coder):
                try:
                    written[i] = coder.write(columns[coder.field], first_row, tally)
                except LogoddsError as error:
                    errors.append(error)
        for i, coder in enumerate(self.coders):
            if isinstance(coder, CrossCoder) and not errors:
                try:
                    written[i] = [coder.write([written[part][0] for part in coder.parts], first_row)]
                except LogoddsError as error:
                    errors.append(error)
        offsets = None
        if self.offset is not None:
            try:
                offsets = _offsets_of(columns[self.offset], first_row)
            except LogoddsError as error:
                errors.append(error)
        if errors:
            raise joined(errors)
        sources = sum(isinstance(coder, Coder) for coder in self.coders) or 1
        arrays = [array for one in written for array in one]
        return Encoded(rows, arrays, offsets, tally.defaulted / sources, tally.outside / sources)


def _offsets_of(column: Column, first_row: int) -> Floats:
    values = column.numbers(first_row)
    if column.missing is not None:
        raise cell_error(first_row + int(np.argmax(column.missing)), column.name, "a finite number", None)
    return values
