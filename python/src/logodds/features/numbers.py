"""Numbers, and parts of dates: as they are, on a curve, or by bins."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..dates import LAST_DATE, date_rule, part_of, time_of_text, times_of_numbers
from ..elementary import Floats
from ..errors import cell_error
from ..labels import is_number, milliseconds_of, number_text
from ..tables import Column, Numbers, Times, Values
from .coder import INDICATOR, NUMBER, Coder, Feature, Slot, Tally, default_code, level_slots
from .curves import Spline, transformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np


class NumericCoder(Coder):
    """A number; a missing cell takes the mean, and its slot where there is one."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [0, 2] if feature["indicator"] else [0]

    def slots(self) -> list[Slot]:
        return [NUMBER, *(INDICATOR if self.feature["indicator"] else [])]

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        values = column.numbers(first_row)
        missing = column.missing
        low, high = self.feature["min"], self.feature["max"]
        if missing is None and isinstance(column, Numbers) and low <= column.bounds[0] and column.bounds[1] <= high:
            return [values] if not self.feature["indicator"] else [values, np.zeros(column.rows, np.int64)]
        outside = (values < low) | (values > high)
        if missing is not None:
            outside &= ~missing
            values = np.where(missing, float(self.feature["mean"]), values)
            tally.defaulted += missing
        tally.outside += outside
        if not self.feature["indicator"]:
            return [values]
        return [values, np.zeros(column.rows, np.int64) if missing is None else missing.astype(np.int64)]


class NumberSource(Coder):
    """A coder of numbers, or of parts of dates."""

    def read(self, column: Column, first_row: int) -> Floats:
        part = self.feature.get("part")
        if part is None:
            return column.numbers(first_row)
        times = times_of(self.feature, column, first_row)
        return part_of(times, part)


def times_of(feature: Feature, column: Column, first_row: int) -> Floats:
    """Milliseconds of the cells of a column; of a missing cell 0. Raises ERR_RECORD for a cell that is no date."""
    if isinstance(column, Numbers):
        times = times_of_numbers(feature, column.values.astype(np.float64))
    elif isinstance(column, Times):
        times = column.values.astype(np.float64)
    elif isinstance(column, Values):
        times = np.fromiter((_time_of_value(feature, value) for value in column.values), np.float64, column.rows)
    else:
        codes, levels = column.labels(first_row)
        read = np.fromiter((time_of_text(feature, level) for level in levels), np.float64, len(levels))
        times = read[codes] if len(levels) else np.zeros(column.rows)
    wrong = column.first(~(np.abs(times) <= LAST_DATE))
    if wrong is not None:
        value = column.cell(wrong)
        raise cell_error(first_row + wrong, column.name, *_rule(feature, value))
    return times if column.missing is None else np.where(column.missing, 0.0, times)


def _rule(feature: Feature, value: object) -> tuple[str, object, str]:
    rule, step = date_rule(feature, value)
    return rule, value, step


def _time_of_value(feature: Feature, value: object) -> float:
    if isinstance(value, str):
        return time_of_text(feature, value)
    if is_number(value):
        return float(times_of_numbers(feature, np.asarray(float(value))))  # type: ignore[arg-type]
    milliseconds = milliseconds_of(value)
    return math.nan if milliseconds is None else float(milliseconds)


class CurveCoder(NumberSource):
    """A number that is clipped, transformed, and put on a spline."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        knots = feature["knots"]
        self._spline = Spline(knots) if knots is not None else None
        self._width = 1 if knots is None else len(knots) - 1
        self._indicator = feature["missing"] == "slot" or feature["range"] == "slot"
        self.widths = [0] * self._width + ([2] if self._indicator else [])

    def slots(self) -> list[Slot]:
        numbers = [Slot("number", f"spline {j}" if j else None) for j in range(self._width)]
        return [*numbers, *(INDICATOR if self._indicator else [])]

    def curve(self, x: Floats) -> list[Floats]:
        """number → transform → spline"""
        t = transformed(self.feature["transform"], x)
        return [t] if self._spline is None else self._spline(t)

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        feature = self.feature
        low, high, policy = feature["low"], feature["high"], feature["range"]
        values = self.read(column, first_row)
        none = np.zeros(column.rows, np.bool_)
        missing = none if column.missing is None else column.missing
        transform = feature["transform"]
        if transform and transform["name"] == "logit" and (row := column.first(~((values >= 0) & (values <= 1)))) is not None:
            raise cell_error(first_row + row, self.field, "a probability from 0 to 1", float(values[row]))
        below = none if low is None else (values < low) & ~missing
        beyond = below if high is None else below | ((values > high) & ~missing)
        gap = missing
        if policy == "clip":
            if low is not None:
                values = np.where(below, float(low), values)
            if high is not None:
                values = np.where(beyond & ~below, float(high), values)
        elif policy == "error" and beyond.any():
            row = int(np.argmax(beyond))
            rule = f"a number from {_end(low, '-Infinity')} to {_end(high, 'Infinity')}"
            raise cell_error(first_row + row, self.field, rule, float(values[row]))
        else:
            gap = missing | beyond
        if feature["missing"] == "error" and missing.any():
            raise self.missing_error(first_row + int(np.argmax(missing)))
        if gap.any():
            values = np.where(gap, float(feature["fill"]), values)
        out: list[NDArray[Any]] = [*self.curve(values)]
        lost = ~np.isfinite(out[0])
        for one in out[1:]:
            lost |= ~np.isfinite(one)
        if lost.any():
            row = int(np.argmax(lost))
            taker = transform["name"] if transform else "the spline" if self._spline else "the schema"
            raise cell_error(
                first_row + row, self.field, f"a number that {taker} takes", float(values[row]), 'correct it, or set "low" and "high" in the schema'
            )
        default = missing | beyond
        tally.defaulted += default
        tally.outside += ((values < feature["min"]) | (values > feature["max"])) & ~default
        if self._indicator:
            slots = (missing if feature["missing"] == "slot" else none) | (beyond if policy == "slot" else none)
            out.append(slots.astype(np.int64))
        return out


def _end(value: float | None, infinite: str) -> str:
    return infinite if value is None else number_text(float(value))


class NumberCodeCoder(NumberSource):
    """A number by its bin, or a part of a date by its value."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [len(feature["levels"]) + 2]
        self._gap = default_code(feature, "missing")
        self._unseen = default_code(feature, "unseen")

    def slots(self) -> list[Slot]:
        return level_slots(self.feature)

    @cached_property
    def _edges(self) -> Floats | None:
        return np.asarray(self.feature["edges"], np.float64) if self.feature["kind"] == "binned" else None

    def _codes_of(self, values: Floats) -> NDArray[np.int64]:
        """-1 below the edges and for what is no level, -2 above."""
        levels = self.feature["levels"]
        if self._edges is not None:
            edges = self._edges
            bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(levels) - 1)
            return np.where(values < edges[0], -1, np.where(values > edges[-1], -2, bins))
        numbers = np.asarray([float(level) for level in levels])
        order = np.argsort(numbers)
        at = np.clip(np.searchsorted(numbers[order], values), 0, len(levels) - 1)
        return np.where(numbers[order][at] == values, order[at], -1)

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        feature = self.feature
        values = self.read(column, first_row)
        codes = self._codes_of(values)
        missing = column.missing
        outside = codes < 0 if missing is None else (codes < 0) & ~missing
        if outside.any():
            if self._edges is not None and feature["range"] == "clip":
                codes = np.where(codes == -1, 0, np.where(codes == -2, len(feature["levels"]) - 1, codes))
            elif self._unseen >= 0:
                codes[outside] = self._unseen
            else:
                row = int(np.argmax(outside))
                if self._edges is None:
                    raise self.level_error(first_row + row, float(values[row]), feature["levels"])
                rule = f"a number from {_end(self._edges[0], '')} to {_end(self._edges[-1], '')}"
                raise cell_error(first_row + row, self.field, rule, float(values[row]))
            tally.defaulted += outside
        if missing is not None:
            if self._gap < 0:
                raise self.missing_error(first_row + int(np.argmax(missing)))
            codes[missing] = self._gap
            tally.defaulted += missing
        return [codes]
