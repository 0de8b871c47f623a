"""Every transformer of scikit-learn that a model file has words for: from terms to terms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import preprocessing
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline

from ..elementary import Floats
from ..labels import label_of, python_of
from .terms import CannotSay, Features, Linear, Raw, Term, affine, is_gap, labels_of

Terms = list[Term]
Handler = Callable[[Any, Terms, Features, str], Terms]
MOST_TOKENS = 4096


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


def _scaler(shift: str | None, scale: str, centres: str = "") -> Handler:
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


def _min_max(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
    if transformer.clip:
        raise CannotSay(step, "clip=False", "clip=True", "clip before, with KBinsDiscretizer, or fit without")
    return [affine(term, float(transformer.scale_[j]), float(transformer.min_[j])) for j, term in enumerate(terms)]


def _imputer(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
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
        flags.append(Linear({base: _unit(base.slots, 2)}))
    return out + flags


def _unit(length: int, at: int) -> Floats:
    out = np.zeros(length)
    out[at] = 1
    return out


def _without_gaps(term: Linear, value: float) -> Linear:
    """A term of one feature in which what is missing has a value."""
    return Linear({base: np.where(np.isnan(one), value - term.constant, one) for base, one in term.values.items()}, term.constant)


def _indicator(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    out: Terms = []
    for j in transformer.features_.tolist():
        term = terms[j]
        if not isinstance(term, Raw):
            raise CannotSay(step, "columns of the input", "columns that were encoded", "put it first, in a FeatureUnion")
        base = features.number(Raw(term.column, fill=0.0), indicator=True)
        out.append(Linear({base: _unit(base.slots, 2)}))
    return out


def _function(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
    func = transformer.func
    if func is None:
        return terms
    names = {np.log: "log", np.log1p: "log1p", np.sqrt: "sqrt"}
    if func not in names or transformer.kw_args:
        raise CannotSay(step, "numpy.log, numpy.log1p or numpy.sqrt", getattr(func, "__name__", repr(func)), "compute it before, as a column of its own")
    return [_transformed(term, {"name": names[func]}, step) for term in terms]


def _power(transformer: Any, terms: Terms, _: Features, step: str) -> Terms:
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


def _plain(term: Term, step: str) -> Raw:
    if isinstance(term, Raw) and term.is_plain:
        return term
    raise CannotSay(step, "columns of the input", "columns that were scaled or encoded before", "put it first")


def _one_hot(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    return _by_category(encoder, terms, features, step, lambda f: _width_of(encoder, f))


def _width_of(encoder: Any, f: int) -> int:
    rare = encoder.infrequent_categories_[f] if encoder._infrequent_enabled else None
    dropped = encoder.drop_idx_ is not None and encoder.drop_idx_[f] is not None
    return len(encoder.categories_[f]) - (0 if rare is None else len(rare) - 1) - int(dropped)


def _ordinal(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    return _by_category(encoder, terms, features, step, lambda _: 1)


def _target(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    several = encoder.target_type_ == "multiclass"
    return _by_category(encoder, terms, features, step, lambda _: len(encoder.classes_) if several else 1)


def _by_category(encoder: Any, terms: Terms, features: Features, step: str, width_of: Callable[[int], int]) -> Terms:
    """Terms of an encoder of categories: what it makes of each category, asked of the encoder itself."""
    first = [values[0] for values in encoder.categories_]
    out: Terms = []
    begin = 0
    unknown = _takes_unknown(encoder)
    for f, (term, categories) in enumerate(zip(terms, encoder.categories_)):
        raw = _plain(term, step)
        labels, places, gaps = labels_of(step, categories)
        width = width_of(f)

        def ask(value: Any, f: int = f, begin: int = begin, width: int = width) -> Floats:
            return _asked(encoder, [*first[:f], value, *first[f + 1 :]])[begin : begin + width]

        values = np.stack([ask(categories[place]) for place in places]) if places else np.zeros((0, width))
        strange = ask(_strange(categories)) if unknown else np.zeros(width)
        fill = None if raw.fill is None else label_of(python_of(raw.fill))
        if fill is not None and fill not in labels:
            raise CannotSay(step, "an imputer whose value is a category", repr(raw.fill), "impute with a category of the fit")
        missing, *ghosts = [ask(categories[gap]) for gap in gaps] or [strange]
        base = features.levels(raw.column, labels, "slot" if gaps or unknown else "error", "slot" if unknown else "error", fill, len(ghosts))
        out += [Linear({base: np.array([*values[:, j], missing[j], strange[j], *(ghost[j] for ghost in ghosts)])}) for j in range(width)]
        begin += width
    return out


def _takes_unknown(encoder: Any) -> bool:
    return isinstance(encoder, preprocessing.TargetEncoder) or encoder.handle_unknown != "error"


def _strange(categories: Any) -> Any:
    """A value that is no category, of their type."""
    if np.asarray(categories).dtype.kind in "iufb":
        numbers = np.asarray(categories, np.float64)
        return float(np.nanmax(numbers, initial=0.0)) + 1
    texts = [one for one in categories if isinstance(one, str)]
    return max(texts, default="") + "\x00?"


def _asked(encoder: Any, row: Sequence[Any]) -> Floats:
    """What an encoder makes of one row."""
    names = getattr(encoder, "feature_names_in_", None)
    kinds = {np.asarray(values).dtype.kind for values in encoder.categories_}
    array = np.asarray([row], np.float64) if kinds <= set("iuf") else np.array([row], dtype=object)
    data: Any = array
    if names is not None:
        import pandas

        kind = {} if array.dtype.kind == "f" else {"dtype": object}
        data = pandas.DataFrame({name: [value] for name, value in zip(names, array[0])}, **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = encoder.transform(data)
    dense = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    return np.asarray(dense[0], np.float64)


def _bins(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    out: Terms = []
    for j, term in enumerate(terms):
        raw = _plain(term, step)
        base = features.bins(raw, transformer.bin_edges_[j])
        count = int(transformer.n_bins_[j])
        if transformer.encode == "ordinal":
            out.append(Linear({base: np.array([*range(count), 0, 0], np.float64)}))
        else:
            out += [Linear({base: _unit(count + 2, i)}) for i in range(count)]
    return out


def _polynomial(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    out: Terms = []
    for powers in transformer.powers_:
        product: Term = Linear(constant=1.0)
        for j in np.repeat(np.arange(len(powers)), powers):
            product = _product(product, terms[int(j)], features, step)
        out.append(product)
    return out


def _product(one: Term, other: Term, features: Features, step: str) -> Term:
    for constant, term in ((one, other), (other, one)):
        if isinstance(constant, Linear) and not constant.values:
            return affine(term, constant.constant, 0.0)
    if isinstance(one, Raw) or isinstance(other, Raw):
        raise CannotSay(step, "products of categories", "a product with a number", "bin the number, or compute the product before, as a column of its own")
    values: dict[Any, Floats] = {}

    def add(base: Any, found: Floats) -> None:
        values[base] = values.get(base, 0) + found

    for base, a in one.values.items():
        add(base, other.constant * a)
        for base2, b in other.values.items():
            if base is base2:
                add(base, a * b)
                continue
            if any("levels" not in part.feature or part.feature["kind"] == "cross" for part in (base, base2)):
                raise CannotSay(step, "products of two categories", "another product", "compute it before, as a column of its own")
            count, count2 = len(base.feature["levels"]), len(base2.feature["levels"])
            if a[count:].any() or b[count2:].any():
                raise CannotSay(step, "categories whose missing and unseen cells are 0", "others", "give OneHotEncoder handle_unknown='ignore'")
            add(_cross_of(features, base, base2), np.append(np.outer(a[:count], b[:count2]).reshape(-1), [0, 0]))
    for base2, b in other.values.items():
        add(base2, one.constant * b)
    return Linear(values, one.constant * other.constant)


def _cross_of(features: Features, one: Any, other: Any) -> Any:
    names = [one.feature["name"], other.feature["name"]]
    known = next((base for base in features.bases if base.feature.get("of") == names), None)
    return known or features.cross(one, other)


def _words(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    """Counts of words, with the factors of idf."""
    _check_words(transformer, step)
    column = _plain(terms[0], step).column
    vocabulary = transformer.vocabulary_
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if len(tokens) > MOST_TOKENS:
        raise CannotSay(step, f"at most {MOST_TOKENS} words", str(len(tokens)), "set max_features or min_df")
    factors = np.ones(len(tokens))
    if isinstance(transformer, TfidfVectorizer):
        if transformer.norm is not None or transformer.sublinear_tf:
            got = f"norm={transformer.norm!r}, sublinear_tf={transformer.sublinear_tf}"
            raise CannotSay(step, "norm=None and sublinear_tf=False", got, "a length of the text is in no model file: fit with norm=None")
        factors = transformer.idf_ if transformer.use_idf else factors
    base = features.tokens(column, "words", tokens, len(tokens))
    return [Linear({base: _unit(len(tokens), j) * float(factor)}) for j, factor in enumerate(factors)]


def _check_words(transformer: Any, step: str) -> None:
    expected = {
        "analyzer": "word",
        "ngram_range": (1, 1),
        "token_pattern": r"(?u)\b\w\w+\b",
        "lowercase": True,
        "strip_accents": None,
        "preprocessor": None,
        "tokenizer": None,
        "binary": False,
    }
    for name, value in expected.items():
        found = getattr(transformer, name)
        if found != value:
            raise CannotSay(step, f"{name}={value!r}", repr(found), "fit with that")


def _hashed_words(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    _check_words(transformer, step)
    if transformer.norm is not None:
        raise CannotSay(step, "norm=None", repr(transformer.norm), "a length of the text is in no model file: fit with norm=None")
    if transformer.stop_words is not None:
        raise CannotSay(step, "stop_words=None", repr(transformer.stop_words), "fit without")
    return _buckets(transformer, terms, features, step, "words")


def _hashed(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    if transformer.input_type != "string":
        raise CannotSay(step, "input_type='string'", repr(transformer.input_type), "give lists of tokens")
    return _buckets(transformer, terms, features, step, {"separator": ","})


def _buckets(transformer: Any, terms: Terms, features: Features, step: str, split: Any) -> Terms:
    count = int(transformer.n_features)
    if not transformer.alternate_sign:
        raise CannotSay(step, "alternate_sign=True", "False", "fit with signs")
    if count > MOST_TOKENS:
        raise CannotSay(step, f"at most {MOST_TOKENS} buckets", str(count), "fit with fewer (n_features)")
    if len(terms) != 1:
        raise CannotSay(step, "one column", f"{len(terms)}", "give each column a step of its own")
    base = features.tokens(_plain(terms[0], step).column, split, {"buckets": count}, count)
    return [Linear({base: _unit(count, j)}) for j in range(count)]


def _selector(transformer: Any, terms: Terms, _: Features, __: str) -> Terms:
    return [terms[j] for j in transformer.get_support(indices=True)]


_STEPS: list[tuple[type, Handler]] = [
    (Pipeline, _pipeline),
    (FeatureUnion, _union),
    (ColumnTransformer, _columns),
    (preprocessing.StandardScaler, _scaler("mean_", "scale_", "with_mean")),
    (preprocessing.RobustScaler, _scaler("center_", "scale_", "with_centering")),
    (preprocessing.MaxAbsScaler, _scaler(None, "scale_")),
    (preprocessing.MinMaxScaler, _min_max),
    (preprocessing.PowerTransformer, _power),
    (preprocessing.FunctionTransformer, _function),
    (SimpleImputer, _imputer),
    (MissingIndicator, _indicator),
    (preprocessing.OneHotEncoder, _one_hot),
    (preprocessing.OrdinalEncoder, _ordinal),
    (preprocessing.TargetEncoder, _target),
    (preprocessing.KBinsDiscretizer, _bins),
    (preprocessing.PolynomialFeatures, _polynomial),
    (HashingVectorizer, _hashed_words),
    (CountVectorizer, _words),
    (FeatureHasher, _hashed),
    (SelectorMixin, _selector),
]
