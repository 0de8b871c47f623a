"""Features of every kind: how the cells of a table become the columns of the kernels."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dates import LAST_DATE, date_rule, part_of, time_of_text, times_of_numbers
from .elementary import Floats, exp, expm1, ln, ln1p
from .errors import LogoddsError, cell_error
from .hashing import buckets
from .tables import Column, Numbers, Times, Values
from .tokens import MOST_TEXT, is_too_long, tokens_of

Feature = Mapping[str, Any]
CROSS = " × "
"""Joins the names of a cross's parts, and their levels."""


@dataclass(frozen=True)
class Slot:
    """The meaning of one weight within its feature."""

    role: str
    level: str | None


@dataclass
class Tally:
    """Of each row the features that took a default, and the numbers outside the range of training. It is added to."""

    defaulted: NDArray[np.int64]
    outside: NDArray[np.int64]


class Coder(ABC):
    """A feature made ready."""

    #: of each column that it writes: 0 for a number, else how many slots its codes have
    widths: Sequence[int]

    def __init__(self, feature: Feature) -> None:
        self.feature = feature
        self.field = field_of(feature)

    @abstractmethod
    def slots(self) -> list[Slot]: ...

    @abstractmethod
    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        """The columns of the kernels: numbers in float64, codes in int64."""

    def missing_error(self, row: int) -> LogoddsError:
        return cell_error(row, self.field, "a value", None, "give one")

    def level_error(self, row: int, value: object, levels: Sequence[str]) -> LogoddsError:
        rule = f"one of the {len(levels)} levels seen in training"
        return cell_error(row, self.field, rule, value, "correct it, or train with a slot for it")


def field_of(feature: Feature) -> str:
    """The column that a feature reads."""
    return str(feature.get("column", feature["name"]))


NUMBER = Slot("number", None)
INDICATOR = [Slot("present", "(present)"), Slot("missing", "(missing)")]


def level_slots(feature: Feature) -> list[Slot]:
    """Slots of a feature of levels."""
    levels = [Slot("reference" if code == feature.get("reference") else "level", level) for code, level in enumerate(feature["levels"])]
    return [*levels, Slot("missing", "(missing)"), Slot("unseen", "(other)" if "rare" in feature else "(unseen)")]


def default_code(feature: Feature, of: str, slots: int | None = None) -> int:
    """The code that a missing cell or an unseen value takes; -1: an error."""
    count = len(feature["levels"]) if slots is None else slots
    policy = feature[of]
    if policy == "error":
        return -1
    if policy == "slot":
        return count + (of == "unseen")
    if policy == "baseline" and feature.get("reference") is not None:
        return int(feature["reference"])
    return int(np.argmax(np.asarray(feature["counts"][:count], np.float64)))


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
        outside = (values < self.feature["min"]) | (values > self.feature["max"])
        if missing is not None:
            outside &= ~missing
            values = np.where(missing, float(self.feature["mean"]), values)
            tally.defaulted += missing
        tally.outside += outside
        if not self.feature["indicator"]:
            return [values]
        return [values, np.zeros(column.rows, np.int64) if missing is None else missing.astype(np.int64)]


class LevelCoder(Coder):
    """A category by its level."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        levels = feature["levels"]
        self.widths = [len(levels) + 2]
        self._codes = {level: code for code, level in enumerate(levels)} | dict.fromkeys(feature.get("rare", ()), len(levels) + 1)
        self._gap = default_code(feature, "missing")
        self._unseen = default_code(feature, "unseen")

    def slots(self) -> list[Slot]:
        return level_slots(self.feature)

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        codes, levels = column.labels(first_row)
        known = np.fromiter((self._codes.get(level, -1) for level in levels), np.int64, len(levels))
        out = known[codes] if len(levels) else np.zeros(column.rows, np.int64)
        missing = column.missing
        strange = out < 0 if missing is None else (out < 0) & ~missing
        if strange.any():
            if self._unseen < 0:
                row = int(np.argmax(strange))
                if missing is None or self._gap >= 0 or row < int(np.argmax(missing)):
                    raise self.level_error(first_row + row, column.cell(row), self.feature["levels"])
            else:
                out[strange] = self._unseen
                tally.defaulted += strange
        if missing is not None:
            if self._gap < 0:
                raise self.missing_error(first_row + int(np.argmax(missing)))
            out[missing] = self._gap
            tally.defaulted += missing
        return [out]


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
    from .labels import is_number, milliseconds_of

    if isinstance(value, str):
        return time_of_text(feature, value)
    if is_number(value):
        return float(times_of_numbers(feature, np.asarray(float(value))))  # type: ignore[arg-type]
    milliseconds = milliseconds_of(value)
    return math.nan if milliseconds is None else float(milliseconds)


def transformed(transform: Mapping[str, Any] | None, x: Floats) -> Floats:
    """Numbers through a transform; NaN outside its domain.

    log x, log(1 + x), √x, log(x/(1 - x)); box-cox (x^λ - 1)/λ, log x for λ = 0; yeo-johnson box-cox of 1 + x for x >= 0, else
    -(box-cox with 2 - λ of 1 - x). See Box, Cox, 1964; Yeo, Johnson, 2000.
    """
    if transform is None:
        return x
    name, power = transform["name"], float(transform.get("lambda", 0))
    with np.errstate(all="ignore"):
        if name == "log":
            return np.where(x > 0, ln(x), np.nan)
        if name == "log1p":
            return np.where(x > -1, ln1p(x), np.nan)
        if name == "logit":
            return np.where((x > 0) & (x < 1), ln(x / (1 - x)), np.nan)
        if name == "sqrt":
            return np.where(x >= 0, np.sqrt(x), np.nan)
        if name == "box-cox":
            return np.where(x > 0, _grown(power, ln(x)), np.nan)
        return np.where(x < 0, -_grown(2 - power, ln1p(-x)), _grown(power, ln1p(x)))


def _grown(power: float, u: Floats) -> Floats:
    """(e^(λu) - 1)/λ, u for λ = 0"""
    if abs(power) < 1e-19:
        return u
    t = power * u
    # the exponential overflows before the quotient does
    return np.where(t > 709, math.copysign(1, power) * exp(t - ln(abs(power))), expm1(t) / power)


class Spline:
    """A restricted (natural) cubic spline: x itself, then for j = 1 … K - 2

    [ (x - t_j)³₊ - (x - t_(K-1))³₊·(t_K - t_j)/(t_K - t_(K-1)) + (x - t_K)³₊·(t_(K-1) - t_j)/(t_K - t_(K-1)) ] / (t_K - t_1)²

    See Harrell, Regression Modeling Strategies, 2.4.5.
    """

    def __init__(self, knots: Sequence[float]) -> None:
        self.knots = [float(knot) for knot in knots]
        before, last = self.knots[-2:]
        self.unit = 1 / ((last - self.knots[0]) * (last - self.knots[0]))
        inner = self.knots[:-2]
        self.ratio = [(last - knot) / (last - before) for knot in inner]
        self.value = [(last - knot) * (before - knot) * (last - knot + (last - before)) * self.unit for knot in inner]
        self.slope = [3 * (last - knot) * (before - knot) * self.unit for knot in inner]

    def __call__(self, x: Floats) -> list[Floats]:
        before, last = self.knots[-2:]
        with np.errstate(all="ignore"):
            bent = _cube_above(x - before)
            above = x >= last
            return [x] + [
                np.where(above, value + slope * (x - last), (_cube_above(x - knot) - bent * ratio) * self.unit)
                for knot, ratio, value, slope in zip(self.knots, self.ratio, self.value, self.slope)
            ]


def _cube_above(d: Floats) -> Floats:
    return np.where(d > 0, d * d * d, 0.0)


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
            values = np.where(below, low, np.where(beyond, high, values)) if beyond.any() else values
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
    from .labels import number_text

    return infinite if value is None else number_text(float(value))


class NumberCodeCoder(NumberSource):
    """A number by its bin, or a part of a date by its value."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [len(feature["levels"]) + 2]
        self._gap = default_code(feature, "missing")
        self._unseen = default_code(feature, "unseen")
        self._edges = np.asarray(feature["edges"], np.float64) if feature["kind"] == "binned" else None

    def slots(self) -> list[Slot]:
        return level_slots(self.feature)

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


class TargetCoder(Coder):
    """A category by the mean outcome of its training rows."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [0] * len(feature["values"])
        self._codes = {level: code for code, level in enumerate(feature["levels"])}
        self._values = np.asarray(feature["values"], np.float64)

    def slots(self) -> list[Slot]:
        return [NUMBER for _ in self.widths]

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        feature = self.feature
        count = len(feature["levels"])
        codes, levels = column.labels(first_row)
        known = np.fromiter((self._codes.get(level, count + 1) for level in levels), np.int64, len(levels))
        places = known[codes] if len(levels) else np.full(column.rows, count)
        missing = column.missing
        strange = places > count if missing is None else (places > count) & ~missing
        if strange.any() and feature["unseen"] == "error":
            row = int(np.argmax(strange))
            raise self.level_error(first_row + row, column.cell(row), feature["levels"])
        if missing is not None:
            if feature["missing"] == "error":
                raise self.missing_error(first_row + int(np.argmax(missing)))
            places = np.where(missing, count if feature["missing"] == "slot" else count + 1, places)
        tally.defaulted += places >= count
        return [values[places] for values in self._values]


def hashed_slots(feature: Feature) -> list[Slot]:
    count = feature["buckets"]
    levels = [Slot("level", f"#{sign}{bucket}") for sign in ("", "-") for bucket in range(count)]
    return [*levels, Slot("missing", "(missing)"), Slot("unseen", "(unseen)")]


def hashed_places(feature: Feature, labels: Sequence[str]) -> NDArray[np.int64]:
    index, sign = buckets(labels, feature["buckets"])
    return np.where(sign < 0, feature["buckets"] + index, index)


class HashedCoder(Coder):
    """A category by the bucket of its hash, two slots a bucket."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [2 * feature["buckets"] + 2]
        self._gap = default_code({**feature, "unseen": "slot", "reference": None}, "missing", 2 * feature["buckets"])

    def slots(self) -> list[Slot]:
        return hashed_slots(self.feature)

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        codes, levels = column.labels(first_row)
        places = hashed_places(self.feature, levels)
        out = places[codes] if len(levels) else np.zeros(column.rows, np.int64)
        if column.missing is not None:
            if self._gap < 0:
                raise self.missing_error(first_row + int(np.argmax(column.missing)))
            out[column.missing] = self._gap
            tally.defaulted += column.missing
        return [out]


class TokensCoder(Coder):
    """Words of a text, or tags of a list, counted."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        tokens = feature["tokens"]
        self.widths = [0] * len(feature["means"])
        self._buckets: int | None = tokens["buckets"] if isinstance(tokens, Mapping) else None
        self._codes = {} if self._buckets else {token: code for code, token in enumerate(tokens)}
        self._most = feature.get("maxText", MOST_TEXT)

    def slots(self) -> list[Slot]:
        tokens = self.feature["tokens"]
        return [Slot("number", f"#{j}" if self._buckets else tokens[j]) for j in range(len(self.widths))]

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        feature = self.feature
        if column.missing is not None and feature["missing"] == "error":
            raise self.missing_error(first_row + int(np.argmax(column.missing)))
        values: Sequence[Any]
        if isinstance(column, Values):
            rows = [row for row, value in enumerate(column.values) if value is not None]
            values, of_value = [column.values[row] for row in rows], [*range(len(rows))]
        else:
            codes, values = column.labels(first_row)
            rows = [*range(column.rows)] if column.missing is None else np.flatnonzero(~column.missing).tolist()
            of_value = codes[rows].tolist()
        lists = self._lists(values, of_value, rows, column, first_row)
        at = np.repeat(np.asarray(rows, np.int64), [len(lists[i]) for i in of_value])
        tokens = [token for i in of_value for token in lists[i]]
        out = np.zeros((len(self.widths), column.rows))
        strange = np.zeros(column.rows, np.bool_)
        if self._buckets:
            distinct = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
            index, sign = buckets([*distinct], self._buckets)
            place = np.fromiter((distinct[token] for token in tokens), np.int64, len(tokens))
            if len(tokens):
                np.add.at(out, (index[place], at), sign[place].astype(np.float64))
        else:
            place = np.fromiter((self._codes.get(token, -1) for token in tokens), np.int64, len(tokens))
            unknown = place < 0
            if unknown.any() and feature["unseen"] == "error":
                i = int(np.argmax(unknown))
                raise self.level_error(first_row + int(at[i]), tokens[i], feature["tokens"])
            strange[at[unknown]] = True
            np.add.at(out, (place[~unknown], at[~unknown]), 1.0)
        tally.defaulted += strange if column.missing is None else strange | column.missing
        return [*out]

    def _lists(self, values: Sequence[Any], of_value: Sequence[int], rows: Sequence[int], column: Column, first_row: int) -> list[list[str]]:
        """The tokens of each value. Raises ERR_RECORD for one that is too long, or neither text nor list."""
        used = set(of_value)
        out: list[list[str]] = []
        for i, value in enumerate(values):
            if i not in used:
                out.append([])
                continue
            row = rows[of_value.index(i)] if is_too_long(self._most, value) else -1
            if row >= 0:
                rule = f"at most {self._most} characters, separators of a list counted"
                step = 'shorten it, or train with a greater "maxText" in the schema'
                raise cell_error(first_row + row, column.name, rule, value, step)
            tokens = tokens_of(self.feature, value)
            if tokens is None:
                from .labels import LABEL_RULE

                raise cell_error(first_row + rows[of_value.index(i)], column.name, LABEL_RULE, value, "use None for a missing value")
            out.append(tokens)
        return out


class CrossCoder:
    """Codes of other features, as one code."""

    def __init__(self, feature: Feature, schema: Sequence[Feature]) -> None:
        self.feature = feature
        by_name = {one["name"]: i for i, one in enumerate(schema)}
        self.parts = [by_name[name] for name in feature["of"]]
        self._levels = [schema[part]["levels"] for part in self.parts]
        self._codes: dict[str, int] | None = None
        if feature["kind"] == "hashed":
            count = 2 * feature["buckets"]
            self.widths = [count + 2]
            self._gap = default_code({**feature, "unseen": "slot", "reference": None}, "missing", count)
            self._unseen = count + 1
        else:
            self.widths = [len(feature["levels"]) + 2]
            self._codes = {level: code for code, level in enumerate(feature["levels"])}
            self._gap = default_code(feature, "missing")
            self._unseen = default_code(feature, "unseen")

    def slots(self) -> list[Slot]:
        return level_slots(self.feature) if self._codes is not None else hashed_slots(self.feature)

    def write(self, parts: Sequence[NDArray[np.int64]], first_row: int) -> NDArray[np.int64]:
        """:param parts: codes of the parts, in order"""
        cells, places = np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)
        named = [CROSS.join(levels[code] if code < len(levels) else "nothing" for code, levels in zip(cell, self._levels)) for cell in cells.tolist()]
        past = cells - np.asarray([len(levels) for levels in self._levels])
        # a missing part takes precedence over an unseen one
        slots = np.where((past == 0).any(axis=1), self._gap, np.where((past > 0).any(axis=1), self._unseen, -2))
        whole = np.flatnonzero(slots == -2)
        if self._codes is None:
            slots[whole] = hashed_places(self.feature, [named[i] for i in whole])
        else:
            slots[whole] = [self._codes.get(named[i], self._unseen) for i in whole]
        out = slots[places.reshape(-1)]
        if (out < 0).any():
            row = int(np.argmax(out < 0))
            raise cell_error(first_row + row, self.feature["name"], "a combination seen in training", named[int(places.reshape(-1)[row])])
        return out


CODERS: Mapping[str, Callable[[Feature], Coder]] = {
    "numeric": NumericCoder,
    "categorical": LevelCoder,
    "curve": CurveCoder,
    "binned": NumberCodeCoder,
    "date": NumberCodeCoder,
    "target": TargetCoder,
    "hashed": HashedCoder,
    "tokens": TokensCoder,
}


def is_cross(feature: Feature) -> bool:
    return feature.get("of") is not None
