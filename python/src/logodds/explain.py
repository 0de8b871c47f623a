"""Contributions of the inputs to a logit, and reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elementary import Floats
from .encoder import Encoded, Encoder
from .errors import LogoddsError, cut, show
from .features import CROSS, Feature, field_of
from .labels import is_number, number_text
from .tables import Column
from .tokens import is_list


@dataclass(frozen=True)
class Source:
    """What a person calls one feature: all features of one column. A cross is a source of its own, and so is the offset."""

    name: str
    #: columns that make up its value
    columns: Sequence[str]
    features: Sequence[Feature]


def sources_of(encoder: Encoder) -> tuple[list[Source], list[int]]:
    """The sources in the order of their first features, the offset last; and the index of the source of each feature."""
    by_name = {feature["name"]: feature for feature in encoder.schema}
    found: dict[tuple[bool, str], int] = {}
    sources: list[Source] = []
    of_feature = []
    for feature in encoder.schema:
        parts = feature.get("of")
        name = CROSS.join(parts) if parts else field_of(feature)
        key = (bool(parts), name)
        if key not in found:
            found[key] = len(sources)
            sources.append(Source(name, [field_of(by_name[part]) for part in parts] if parts else [name], []))
        at = found[key]
        sources[at] = Source(sources[at].name, sources[at].columns, [*sources[at].features, feature])
        of_feature.append(at)
    if encoder.offset is not None:
        sources.append(Source(encoder.offset, [encoder.offset], []))
    return sources, of_feature


@dataclass(frozen=True)
class Contributions:
    """Why logits have their values: logit = base + the sum of the contributions of its row.

    It is linear SHAP against the training baseline: φ_f = Σ over slots j of f of wⱼ·(xⱼ - E xⱼ).
    """

    #: names of the sources: columns, crosses, the offset
    features: Sequence[str]
    #: logit of the training baseline; with more than two classes one for each class
    base: Floats
    #: [rows, features]; with more than two classes [rows, features, classes]
    values: Floats

    def top(self, k: int) -> list[list[tuple[str, float]]]:
        """The k greatest contributions (in size) of each row, with two classes.

        :raises LogoddsError: ERR_RANGE for k, and for more than two classes
        """
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise LogoddsError("ERR_RANGE", f"k: expected an integer >= 1, got {show(k)}; give one")
        if self.values.ndim > 2:
            raise LogoddsError("ERR_RANGE", f"top: expected two classes, got {self.values.shape[2]}; take `values`, which has the contributions to each class")
        order = np.argsort(-np.abs(self.values), axis=1, kind="stable")[:, :k]
        return [[(self.features[f], float(row[f])) for f in places] for row, places in zip(self.values, order)]


class Explainer:
    """Explains rows of one model."""

    def __init__(self, encoder: Encoder, weights: Floats, intercept: Floats, baseline: Floats | None) -> None:
        self.sources, of_feature = sources_of(encoder)
        self._encoder = encoder
        self._weights = weights.reshape(len(intercept), encoder.slots)
        means = _baseline_of(encoder) if baseline is None else baseline
        names = encoder.slot_names()
        self._source_of_column = [of_feature[names[slot][0]] for slot in encoder.first_slots]
        self._means = means
        self._own = np.zeros((len(intercept), len(encoder.widths)))
        self.base = intercept.copy()
        for k, own in enumerate(self._weights):
            for j, (first, width) in enumerate(zip(encoder.first_slots, encoder.widths)):
                total = 0.0
                for slot in range(first, first + (width or 1)):
                    total += float(own[slot]) * float(means[slot])
                self._own[k, j] = total
                self.base[k] += total

    def contributions(self, encoded: Encoded) -> Floats:
        """[classes, sources, rows] (two classes: one)"""
        phi = np.zeros((len(self.base), len(self.sources), encoded.rows))
        with np.errstate(invalid="ignore", over="ignore"):
            for k, weights in enumerate(self._weights):
                for j, (x, first, width) in enumerate(zip(encoded.columns, self._encoder.first_slots, self._encoder.widths)):
                    out = phi[k, self._source_of_column[j]]
                    out += weights[first + x] - self._own[k, j] if width else weights[first] * (x - self._means[first])
                if encoded.offsets is not None:
                    phi[k, -1] += encoded.offsets
        return phi


def _baseline_of(encoder: Encoder) -> Floats:
    """Mean of each slot in training by the schema, for models that do not have it."""
    out = np.zeros(encoder.slots)
    done: dict[int, int] = {}
    for slot, (i, meaning) in enumerate(encoder.slot_names()):
        index = done.get(i, 0)
        done[i] = index + 1
        out[slot] = _mean_of(encoder.schema[i], index, meaning.role)
    return out


def _mean_of(feature: Feature, index: int, role: str) -> float:
    if role == "number":
        if feature["kind"] == "numeric":
            return float(feature["mean"])
        means = feature.get("means", ())
        return float(means[index]) if index < len(means) else 0.0
    if role == "present":
        return 1.0
    if "counts" not in feature or "means" in feature:
        return 0.0
    total = 0.0
    for count in feature["counts"]:
        total += count
    return feature["counts"][index] / total if total > 0 and index < len(feature["counts"]) else 0.0


@dataclass(frozen=True)
class Reason:
    """One reason of a decision, in words."""

    #: column, or cross
    feature: str
    #: its value in the row
    value: Any
    #: how far it pushed towards the class, in log-odds; > 0
    push: float
    #: the feature's ``reason`` of the schema with the value filled in, else "feature is value"
    text: str


def reasons_of(
    manifest: Mapping[str, Any],
    sources: Sequence[Source],
    phi: Floats,
    columns: Mapping[str, Column],
    toward: NDArray[np.int64],
    k: int,
) -> list[list[Reason]]:
    """:param phi: [classes, sources, rows]; :param toward: of each row the index of the class that the reasons push towards"""
    classes, rows = manifest["classes"], np.arange(phi.shape[2])
    if manifest["positive"] is not None:
        pushes = np.where(toward == classes.index(manifest["positive"]), phi[0], -phi[0])
    else:
        others = np.zeros(phi.shape[1:])
        for j, plane in enumerate(phi):
            others = others + np.where(toward == j, 0.0, plane)
        pushes = phi[toward, :, rows].T - others / (len(phi) - 1)
    out = []
    for row in rows:
        order = np.argsort(-pushes[:, row], kind="stable")
        found = [f for f in order.tolist() if pushes[f, row] > 0][:k]
        out.append([_reason(sources[f], float(pushes[f, row]), columns, int(row)) for f in found])
    return out


def _reason(source: Source, push: float, columns: Mapping[str, Column], row: int) -> Reason:
    value, text = words_of(source, columns, row)
    return Reason(source.name, value, push, text)


def words_of(source: Source, columns: Mapping[str, Column], row: int) -> tuple[Any, str]:
    """The value of a source in a row, and the words of the schema with it."""
    cells = [columns[name].cell(row) for name in source.columns]
    value = cells[0] if len(cells) == 1 else CROSS.join("(missing)" if cell is None else _string(cell) for cell in cells)
    words = next((feature["reason"] for feature in source.features if feature.get("reason") is not None), None)
    said = _say(value)
    return value, f"{source.name} is {said}" if words is None else words.replace("{value}", said)


def _string(value: Any) -> str:
    """A value as ECMAScript's ``String`` gives it."""
    from .labels import text_of

    if is_list(value):
        return ",".join("" if one is None else _string(one) for one in value)
    return text_of(value) or str(value)


def _say(value: Any) -> str:
    """A value as a sentence has it: text without quotes, cut after 40 characters."""
    from .labels import iso_text, milliseconds_of

    if value is None:
        return "missing"
    if is_list(value):
        return ", ".join(map(_say, value))
    time = milliseconds_of(value)
    if time is not None:
        return iso_text(time)
    if is_number(value):
        return number_text(float(value))
    return cut(value) if isinstance(value, str) else show(value)
