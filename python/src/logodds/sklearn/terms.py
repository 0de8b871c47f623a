"""Columns of a pipeline on their way: numbers that are read, and sums over the slots of features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from ..elementary import Floats
from ..errors import LogoddsError
from ..features import CODERS, CROSS, is_cross
from ..labels import label_of, python_of, whole_label_of

GREATEST = 1.7976931348623157e308


class CannotSay(LogoddsError):
    """ERR_SCHEMA for a step that a model file, or scikit-learn, has no words for; the sentence names it."""

    def __init__(self, step: str, expected: str, got: str, instead: str) -> None:
        super().__init__("ERR_SCHEMA", f"{step}: expected {expected}, got {got}; {instead}")


@dataclass(frozen=True, eq=False)
class Base:
    """A feature of the model to be."""

    feature: dict[str, Any]
    #: further values of a missing cell behind those of the slots: None and NaN are two categories of scikit-learn, which must weigh the same
    ghosts: int = 0

    @property
    def length(self) -> int:
        return self.slots + self.ghosts

    @property
    def slots(self) -> int:
        if is_cross(self.feature):
            return len(self.feature["levels"]) + 2
        return sum(width or 1 for width in CODERS[self.feature["kind"]](self.feature).widths)


@dataclass(frozen=True)
class Raw:
    """factor·g(x) + shift of a number x of the input; of a column of categories nothing is computed yet."""

    column: str
    #: a missing cell is this, before g; None: a missing cell is refused
    fill: Any = None
    #: g, as the schema has it
    transform: Mapping[str, Any] | None = None
    factor: float = 1.0
    shift: float = 0.0

    @property
    def is_plain(self) -> bool:
        return self.transform is None and self.factor == 1 and self.shift == 0


@dataclass(frozen=True)
class Linear:
    """constant + Σ values[base][slot]·x[slot]. NaN is the value of a slot that nothing filled: scikit-learn would refuse it later."""

    values: Mapping[Base, Floats] = field(default_factory=dict)
    constant: float = 0.0


Term = Raw | Linear


def affine(term: Term, factor: float, shift: float) -> Term:
    """factor·term + shift"""
    if isinstance(term, Raw):
        return replace(term, factor=factor * term.factor, shift=factor * term.shift + shift)
    return Linear({base: factor * one for base, one in term.values.items()}, factor * term.constant + shift)


class Features:
    """The features of the model to be, in order, with distinct names."""

    def __init__(self) -> None:
        self.bases: list[Base] = []
        self._numbers: dict[Any, Base] = {}
        self._names: set[str] = set()

    def add(self, name: str, feature: dict[str, Any], ghosts: int = 0) -> Base:
        """A feature of this name, or of the name and a number if there is one already."""
        own, count = name, 1
        while own in self._names:
            count += 1
            own = f"{name} {count}"
        self._names.add(own)
        if feature.get("column") == own:
            del feature["column"]
        base = Base({"name": own, **feature}, ghosts)
        self.bases.append(base)
        return base

    def number(self, raw: Raw, indicator: bool = False) -> Base:
        """The feature of a number, before factor and shift."""
        key = (raw.column, raw.fill, None if raw.transform is None else tuple(raw.transform.items()), indicator)
        if key not in self._numbers:
            self._numbers[key] = self.add(raw.column, _number_feature(raw, indicator))
        return self._numbers[key]

    def linear(self, term: Term) -> Linear:
        """The term as a sum over slots."""
        if isinstance(term, Linear):
            return term
        base = self.number(term)
        values = np.zeros(base.slots)
        values[0] = term.factor
        return Linear({base: values}, term.shift)

    def levels(self, column: str, levels: Sequence[str], missing: str, unseen: str, fill: str | None = None, ghosts: int = 0) -> Base:
        """A category; with `fill` a missing cell is that level."""
        counts = [int(level == fill) if fill is not None else 1 for level in levels]
        policies = {"missing": "mode" if fill is not None else missing, "unseen": unseen}
        return self.add(column, {"kind": "categorical", "column": column, "levels": [*levels], "counts": [*counts, 0], **_ONEHOT, **policies}, ghosts)

    def bins(self, raw: Raw, edges: Sequence[float]) -> Base:
        """A number by its bin; numbers outside are in the nearest one."""
        # a column of one value has one bin, without ends
        edges = np.clip(np.asarray(edges, np.float64), -GREATEST, GREATEST).tolist()
        texts = [f"{_text(low)} … {_text(high)}" for low, high in pairwise(edges)]
        counts = [1] * len(texts)
        if raw.fill is not None:
            at = int(np.clip(np.searchsorted(edges, raw.fill, side="right") - 1, 0, len(texts) - 1))
            counts = [int(i == at) for i in range(len(texts))]
        missing = "error" if raw.fill is None else "mode"
        ends = {"edges": [float(edge) for edge in edges], "range": "clip"}
        feature = {"kind": "binned", "column": raw.column, "levels": texts, "counts": [*counts, 0], **_ONEHOT, "missing": missing, "unseen": "slot", **ends}
        return self.add(raw.column, feature)

    def tokens(self, column: str, split: Any, tokens: Any, width: int) -> Base:
        """Words of a text, or entries of a list."""
        policies = {"missing": "error", "unseen": "baseline"}
        moments = {"means": [0] * width, "scales": [1] * width}
        return self.add(column, {"kind": "tokens", "column": column, "split": split, "tokens": tokens, **policies, **moments})

    def cross(self, one: Base, other: Base) -> Base:
        """A level for each pair of levels."""
        parts = one.feature, other.feature
        levels = [CROSS.join((a, b)) for a in parts[0]["levels"] for b in parts[1]["levels"]]
        names = [part["name"] for part in parts]
        feature = {"kind": "cross", "of": names, "levels": levels, "counts": [1] * len(levels) + [0], **_ONEHOT, "missing": "slot", "unseen": "slot"}
        return self.add(CROSS.join(names), feature)


_ONEHOT = {"coding": "onehot", "reference": None}


def _number_feature(raw: Raw, indicator: bool) -> dict[str, Any]:
    ends = {"min": -GREATEST, "max": GREATEST}
    if raw.transform is None and raw.fill is not None:
        return {"kind": "numeric", "column": raw.column, "mean": float(raw.fill), "scale": 1, **ends, "indicator": indicator}
    policies = {"range": "error", "missing": "error" if raw.fill is None else "slot" if indicator else "baseline"}
    fill = (0.0 if raw.transform is None else 0.5) if raw.fill is None else float(raw.fill)
    moments = {"means": [0], "scales": [1], "units": [1]}
    transform = None if raw.transform is None else dict(raw.transform)
    return {
        "kind": "curve",
        "column": raw.column,
        "transform": transform,
        "knots": None,
        "low": None,
        "high": None,
        **policies,
        "fill": fill,
        **ends,
        **moments,
    }


def _text(edge: float) -> str:
    return label_of(float(edge)) or str(edge)


def is_gap(value: object) -> bool:
    """Whether a value of pandas, numpy or Python says that there is none."""
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")


def labels_of(step: str, categories: Any) -> tuple[list[str], list[int], list[int]]:
    """Labels of categories with their places, and the places of missing ones (None and NaN are two).

    :raises CannotSay: for two that are one label, and for what is no label
    """
    labels: list[str] = []
    places: list[int] = []
    gaps: list[int] = []
    for place, value in enumerate(categories):
        one = python_of(value)
        if is_gap(one):
            gaps.append(place)
            continue
        label = whole_label_of(one)
        if label is None:
            raise CannotSay(step, "categories that are texts, numbers or booleans", type(one).__name__, "write them as texts before the fit")
        if label in labels:
            raise CannotSay(step, "distinct labels", f'"{label}" twice (1 and "1" are one label)', "write them as texts before the fit")
        labels.append(label)
        places.append(place)
    return labels, places, gaps


Terms: TypeAlias = list[Term]
Handler: TypeAlias = Callable[[Any, Terms, Features, str], Terms]


def unit(length: int, at: int) -> Floats:
    out = np.zeros(length)
    out[at] = 1
    return out


def plain(term: Term, step: str) -> Raw:
    if isinstance(term, Raw) and term.is_plain:
        return term
    raise CannotSay(step, "columns of the input", "columns that were scaled or encoded before", "put it first")
