"""Scalers, imputers and transforms of scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...labels import python_of
from ..cells import label_cells
from ..terms import CannotSay, Features, Handler, Linear, Raw, Term, Terms, affine, is_gap, unit


def scaler(shift: str | None, scale: str, centres: str = "") -> Handler:
    """:param centres: the option that says whether the shift is taken"""

    def handle(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
        shifts = getattr(transformer, shift) if shift and getattr(transformer, centres) else None
        scales = getattr(transformer, scale)
        out = []
        for j, term in enumerate(terms):
            by = 1.0 if scales is None else float(scales[j])
            out.append(affine(term, 1 / by, 0.0 if shifts is None else -float(shifts[j]) / by))
        return out

    return handle


def min_max(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
    if transformer.clip:
        raise CannotSay(step, "clip=False", "clip=True", "clip before, with KBinsDiscretizer, or fit without")
    return [affine(term, float(transformer.scale_[j]), float(transformer.min_[j])) for j, term in enumerate(terms)]


def imputer(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    if not is_gap(transformer.missing_values):
        raise CannotSay(step, "missing_values that are NaN or None", repr(transformer.missing_values), "mark missing cells as NaN before the fit")
    flagged = [] if transformer.indicator_ is None else transformer.indicator_.features_.tolist()
    out: Terms = []
    flags: Terms = []
    for j, term in enumerate(terms):
        value = python_of(transformer.statistics_[j])
        if isinstance(term, Linear):
            out.append(_without_gaps(term, float(value)))
            if j in flagged:
                flags.append(Linear({base: np.isnan(one).astype(np.float64) for base, one in term.values.items()}))
            continue
        if is_gap(value):
            if transformer.keep_empty_features:
                value = 0 if transformer.strategy != "constant" else transformer.fill_value
            else:
                continue
        if term.fill is not None:
            out.append(term)
            continue
        if isinstance(value, str):
            out.append(replace(term, fill=value))
            if j in flagged:
                raise CannotSay(step, "add_indicator=False for texts", "True", "let OneHotEncoder have a category for missing cells")
            continue
        if term.transform is not None:
            raise CannotSay(step, "an imputer before the transform", "one after it", "exchange the two steps")
        filled = replace(term, fill=(float(value) - term.shift) / term.factor)
        if j not in flagged:
            out.append(filled)
            continue
        base = features.number(filled, indicator=True)
        values = np.zeros(base.slots)
        values[0] = filled.factor
        out.append(Linear({base: values}, filled.shift))
        flags.append(Linear({base: unit(base.slots, 2)}))
    return out + flags


def _without_gaps(term: Linear, value: float) -> Linear:
    """A term of one feature in which what is missing has a value."""
    return Linear({base: np.where(np.isnan(one), value - term.constant, one) for base, one in term.values.items()}, term.constant)


def indicator(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    out: Terms = []
    for j in transformer.features_.tolist():
        term = terms[j]
        if not isinstance(term, Raw):
            raise CannotSay(step, "columns of the input", "columns that were encoded", "put it first, in a FeatureUnion")
        base = features.number(Raw(term.column, fill=0.0), indicator=True)
        out.append(Linear({base: unit(base.slots, 2)}))
    return out


def function(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
    func = transformer.func
    if func is None or func is label_cells:
        return terms
    names = {np.log: "log", np.log1p: "log1p", np.sqrt: "sqrt"}
    if func not in names or transformer.kw_args:
        raise CannotSay(step, "numpy.log, numpy.log1p or numpy.sqrt", getattr(func, "__name__", repr(func)), "compute it before, as a column of its own")
    return [_transformed(term, {"name": names[func]}, step) for term in terms]


def power(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
    out: Terms = []
    for j, term in enumerate(terms):
        one: Term = _transformed(term, {"name": transformer.method, "lambda": float(transformer.lambdas_[j])}, step)
        if transformer.standardize:
            mean, scale = float(transformer._scaler.mean_[j]), float(transformer._scaler.scale_[j])
            one = affine(one, 1 / scale, -mean / scale)
        out.append(one)
    return out


def _transformed(term: Term, transform: dict[str, Any], step: str) -> Raw:
    if not isinstance(term, Raw) or not term.is_plain:
        raise CannotSay(step, "numbers of the input", "numbers that were scaled or encoded before", "put it before the other steps")
    return replace(term, transform=transform)
