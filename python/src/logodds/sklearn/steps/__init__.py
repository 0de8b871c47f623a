"""Every transformer of scikit-learn that a model file has words for: from terms to terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import preprocessing
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline

from ..terms import CannotSay, Features, Handler, Terms, affine
from .categories import bins, one_hot, ordinal, polynomial, target
from .numbers import function, imputer, indicator, min_max, power, scaler
from .words import hashed, hashed_words, words


def through(transformer: Any, terms: Terms, features: Features, name: str) -> Terms:
    """The terms after a fitted transformer. :raises CannotSay: for one that a model file has no words for"""
    if transformer == "passthrough" or transformer is None:
        return terms
    if transformer == "drop":
        return []
    step = f"{name} ({type(transformer).__name__})"
    for kind, handle in _STEPS:
        if isinstance(transformer, kind):
            return handle(transformer, terms, features, step)
    raise CannotSay(step, "a transformer that a model file has words for", "another one", f"use one of {', '.join(kind.__name__ for kind, _ in _STEPS)}")


def _pipeline(pipeline: Any, terms: Terms, features: Features, _: str) -> Terms:
    for name, transformer in pipeline.steps:
        terms = through(transformer, terms, features, name)
    return terms


def _union(union: Any, terms: Terms, features: Features, step: str) -> Terms:
    weights = union.transformer_weights or {}
    out: Terms = []
    for name, transformer in union.transformer_list:
        found = through(transformer, terms, features, name)
        out += [affine(term, float(weights.get(name, 1)), 0.0) for term in found]
    return out


def _columns(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    names = [*getattr(transformer, "feature_names_in_", ())]
    weights = transformer.transformer_weights or {}
    out: Terms = []
    for name, one, wanted in transformer.transformers_:
        places = _places(wanted, names, len(terms), step)
        found = through(one, [terms[place] for place in places], features, name) if places or not isinstance(one, str) else []
        out += [affine(term, float(weights.get(name, 1)), 0.0) for term in found]
    return out


def _places(wanted: Any, names: Sequence[str], count: int, step: str) -> list[int]:
    """The columns of a ColumnTransformer by number."""
    if isinstance(wanted, slice):
        if isinstance(wanted.start, str) or isinstance(wanted.stop, str):
            start = None if wanted.start is None else names.index(wanted.start)
            stop = None if wanted.stop is None else names.index(wanted.stop) + 1
            return [*range(count)][start:stop]
        return [*range(count)][wanted]
    listed = [wanted] if isinstance(wanted, (str, int, np.integer)) else [*wanted]
    if listed and all(isinstance(one, (bool, np.bool_)) for one in listed):
        return [place for place, taken in enumerate(listed) if taken]
    return [names.index(one) if isinstance(one, str) else int(one) % count for one in listed]


def _selector(transformer: Any, terms: Terms, _: Features, __: str) -> Terms:
    return [terms[j] for j in transformer.get_support(indices=True)]


_STEPS: list[tuple[type, Handler]] = [
    (Pipeline, _pipeline),
    (FeatureUnion, _union),
    (ColumnTransformer, _columns),
    (preprocessing.StandardScaler, scaler("mean_", "scale_", "with_mean")),
    (preprocessing.RobustScaler, scaler("center_", "scale_", "with_centering")),
    (preprocessing.MaxAbsScaler, scaler(None, "scale_")),
    (preprocessing.MinMaxScaler, min_max),
    (preprocessing.PowerTransformer, power),
    (preprocessing.FunctionTransformer, function),
    (SimpleImputer, imputer),
    (MissingIndicator, indicator),
    (preprocessing.OneHotEncoder, one_hot),
    (preprocessing.OrdinalEncoder, ordinal),
    (preprocessing.TargetEncoder, target),
    (preprocessing.KBinsDiscretizer, bins),
    (preprocessing.PolynomialFeatures, polynomial),
    (HashingVectorizer, hashed_words),
    (CountVectorizer, words),
    (FeatureHasher, hashed),
    (SelectorMixin, _selector),
]
