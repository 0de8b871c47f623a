"""What the rows of a partition say before anything is known of the others: levels with counts, means, spreads, missing cells."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...elementary import Floats
from ...errors import LogoddsError, cell_error, show
from ...tables import Column, table_of


@dataclass(frozen=True)
class Roles:
    """The columns in use."""

    target: str
    #: name and kind (numeric, categorical), in the order of the frame
    features: Sequence[tuple[str, str]]
    weight: str | None = None
    offset: str | None = None
    #: weights count rows
    counts: bool = False

    @property
    def names(self) -> list[str]:
        return [*dict.fromkeys([*(name for name, _ in self.features), self.target, *(name for name in (self.weight, self.offset) if name is not None)])]


def partition() -> int:
    """The partition that this process works on."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return 0 if context is None else int(context.partitionId())


def numbers_of(column: Column, first_row: int) -> Floats:
    """Finite numbers; 0 where a cell is missing. Raises ERR_RECORD."""
    values = np.asarray(column.numbers(first_row), np.float64)
    if column.missing is not None:
        values = np.where(column.missing, 0.0, values)
    if not np.isfinite(values).all():
        row = int(np.argmax(~np.isfinite(values)))
        raise cell_error(first_row + row, column.name, "a finite number", float(values[row]), "leave the row out, or use null for a missing value")
    return values


def labels_of(column: Column, first_row: int) -> tuple[NDArray[np.int64], Sequence[str]]:
    return column.labels(first_row)


@dataclass
class Moments:
    """Of a number: Σ s, how many cells, their mean and the square root of their variance, merged as `SchemaDraft` merges parts."""

    total: float = 0.0
    cells: int = 0
    mean: float = 0.0
    square: float = 0.0
    min: float = math.inf
    max: float = -math.inf
    gaps: bool = False

    def add(self, column: Column, s: Floats, first_row: int) -> None:
        values = numbers_of(column, first_row)
        keep = s > 0
        if column.missing is not None:
            self.gaps = self.gaps or bool((column.missing & keep).any())
            keep &= ~column.missing
        x = values
        if not keep.all():
            x, s = values[keep], s[keep]
        if len(x) == 0:
            return
        total = float(s.sum())
        base = float(x.min())
        self.min, self.max = min(self.min, base), max(self.max, float(x.max()))
        if not math.isfinite(self.max - self.min):
            raise LogoddsError("ERR_RANGE", f"column {show(column.name)}: expected a spread below 1.8e308, got {self.min} to {self.max}; rescale the column")
        distance = x - base
        # sums of products, not products of vectors: BLAS has threads of its own, which wait for cores that have the other partitions
        mean = base + float((s * distance).sum()) / total
        square = float((s * (x - mean) ** 2).sum())
        both = self.total + total
        apart = mean - self.mean
        self.square += square + (apart * apart * self.total * total / both if self.total else 0.0)
        self.mean = mean if self.total == 0 else self.mean + apart * (total / both)
        self.total, self.cells = both, self.cells + len(x)

    def told(self) -> dict[str, Any]:
        spread = 0.0 if self.total == 0 or self.min == self.max else math.sqrt(self.square / self.total)
        least, greatest, mean = (self.min, self.max, self.mean) if self.cells else (0.0, 0.0, 0.0)
        return {"kind": "numeric", "total": self.total, "cells": self.cells, "mean": mean, "spread": spread, "min": least, "max": greatest, "gaps": self.gaps}


@dataclass
class Counts:
    """Of a category: Σ s of each level that has weight, and of missing cells."""

    counts: dict[str, float] = field(default_factory=dict)
    gaps: float = 0.0

    def add(self, column: Column, s: Floats, first_row: int) -> None:
        codes, labels = labels_of(column, first_row)
        if column.missing is not None:
            self.gaps += float(s[column.missing].sum())
            codes, s = codes[~column.missing], s[~column.missing]
        sums = np.bincount(codes, s, len(labels)) if len(labels) else np.zeros(0)
        for label, weight in zip(labels, sums.tolist()):
            if weight > 0:
                self.counts[label] = self.counts.get(label, 0.0) + weight

    def told(self) -> dict[str, Any]:
        return {"kind": "categorical", "counts": [*self.counts.items()], "gaps": self.gaps}


FACTS = "part int, facts string, error string"


class Count:
    """The function of ``mapInArrow`` that answers one row for a partition: `PartStatistics` of src/train/remote as JSON, or an error."""

    def __init__(self, roles: Roles) -> None:
        self.roles = roles

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        part = partition()
        facts = error = None
        try:
            facts = json.dumps(self._count(batches))
        except LogoddsError as raised:
            for _ in batches:
                pass
            error = f"{raised.code} partition {part}: {raised}"
        arrays = [pyarrow.array([part], pyarrow.int32()), pyarrow.array([facts], pyarrow.string()), pyarrow.array([error], pyarrow.string())]
        yield pyarrow.RecordBatch.from_arrays(arrays, ["part", "facts", "error"])

    def _count(self, batches: Iterable[Any]) -> dict[str, Any]:
        roles = self.roles
        sums: dict[str, Moments | Counts] = {name: Moments() if kind == "numeric" else Counts() for name, kind in roles.features}
        target: dict[str, list[float]] = {}
        least, greatest = math.inf, -math.inf
        rows = 0
        for batch in batches:
            if batch.num_rows == 0:
                continue
            columns = table_of(batch, ()).columns(batch.schema.names)
            s = np.ones(batch.num_rows)
            if roles.weight is not None:
                s = weights_of(columns[roles.weight], rows, roles.counts)
                least, greatest = min(least, float(s.min())), max(greatest, float(s.max()))
            if roles.offset is not None:
                complete(columns[roles.offset], "offset", rows)
                numbers_of(columns[roles.offset], rows)
            codes, labels = columns[roles.target].labels(rows)
            for k, label in enumerate(labels):
                own = codes == k
                before = target.setdefault(label, [0, 0, 0.0])
                before[0] += int(own.sum())
                before[1] += int((own & (s > 0)).sum())
                before[2] += float(s[own].sum())
                if len(target) > 1000:
                    raise LogoddsError(
                        "ERR_TARGET", f"target {show(roles.target)}: expected at most 100 classes, got more; name a target with fewer values, or derive one"
                    )
            for name, one in sums.items():
                one.add(columns[name], s, rows)
            rows += batch.num_rows
        weights = {} if roles.weight is None or rows == 0 else {"weights": {"least": least, "greatest": greatest}}
        features = [[name, one.told()] for name, one in sums.items()]
        return {"rows": rows, "target": [[label, *counts] for label, counts in target.items() if counts[0]], "features": features, **weights}


def complete(column: Column, role: str, first_row: int) -> None:
    if column.missing is not None:
        row = first_row + int(np.argmax(column.missing))
        raise LogoddsError("ERR_RECORD", f"{role} {show(column.name)}: expected a number in every row, got none in row {row} (from 0); give every row one")


def weights_of(column: Column, first_row: int, counts: bool) -> Floats:
    """Sample weights: finite and at least 0, whole where they count rows. Raises ERR_RECORD and ERR_RANGE."""
    complete(column, "weight", first_row)
    values = numbers_of(column, first_row)
    wrong = values < 0
    rule = "a finite number >= 0"
    if counts and not wrong.any():
        wrong, rule = values != np.floor(values), "a whole number (weights count rows)"
    if wrong.any():
        row = int(np.argmax(wrong))
        raise LogoddsError("ERR_RANGE", f"weight {show(column.name)}, row {first_row + row} (from 0): expected {rule}, got {values[row]}; correct it")
    return values
