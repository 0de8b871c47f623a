"""Categories: by their level, by the mean outcome of it, by a hash, and crossed with one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..elementary import Floats
from ..errors import cell_error
from ..hashing import buckets
from ..tables import Column
from .coder import CROSS, NUMBER, Coder, Feature, Slot, Tally, default_code, level_slots

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np


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


class TargetCoder(Coder):
    """A category by the mean outcome of its training rows."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        self.widths = [0] * len(feature["values"])
        self._codes = {level: code for code, level in enumerate(feature["levels"])}

    @cached_property
    def _values(self) -> Floats:
        return np.asarray(self.feature["values"], np.float64)

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
