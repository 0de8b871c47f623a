"""Encoders of categories of scikit-learn, bins, and products of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import preprocessing

from ...elementary import Floats
from ...labels import label_of, python_of
from ..terms import CannotSay, Features, Linear, Raw, Term, Terms, affine, labels_of, plain, unit


def one_hot(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    return _by_category(encoder, terms, features, step, lambda f: _width_of(encoder, f))


def _width_of(encoder: Any, f: int) -> int:
    rare = encoder.infrequent_categories_[f] if encoder._infrequent_enabled else None
    dropped = encoder.drop_idx_ is not None and encoder.drop_idx_[f] is not None
    return len(encoder.categories_[f]) - (0 if rare is None else len(rare) - 1) - int(dropped)


def ordinal(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    return _by_category(encoder, terms, features, step, lambda _: 1)


def target(encoder: Any, terms: Terms, features: Features, step: str) -> Terms:
    several = encoder.target_type_ == "multiclass"
    return _by_category(encoder, terms, features, step, lambda _: len(encoder.classes_) if several else 1)


def _by_category(encoder: Any, terms: Terms, features: Features, step: str, width_of: Callable[[int], int]) -> Terms:
    """Terms of an encoder of categories: what it makes of each category, asked of the encoder itself."""
    first = [values[0] for values in encoder.categories_]
    out: Terms = []
    begin = 0
    unknown = _takes_unknown(encoder)
    for f, (term, categories) in enumerate(zip(terms, encoder.categories_)):
        raw = plain(term, step)
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
        if fill is not None and gaps:
            # an imputer of NaN leaves None as it is: what is missing then has two weights
            missing, ghosts = values[labels.index(fill)], [missing, *ghosts]
        base = features.levels(raw.column, labels, "slot" if gaps or unknown else "error", "slot" if unknown else "error", fill, len(ghosts))
        out += [Linear({base: np.array([*values[:, j], missing[j], strange[j], *(ghost[j] for ghost in ghosts)])}) for j in range(width)]
        begin += width
    return out


def _takes_unknown(encoder: Any) -> bool:
    return isinstance(encoder, preprocessing.TargetEncoder) or encoder.handle_unknown != "error"


def _strange(categories: Any) -> Any:
    """A value that is no category, of their type."""
    kind = np.asarray(categories).dtype.kind
    if kind in "iu":
        known = {int(one) for one in categories}
        return next(one for one in range(len(known) + 1) if one not in known)
    if kind in "fb":
        numbers = np.asarray(categories, np.float64)
        return float(np.nanmax(numbers, initial=0.0)) + 1
    texts = [one for one in categories if isinstance(one, str)]
    return max(texts, default="") + "\x00?"


#: of each kind of categories the type in which they are asked; whole numbers beyond 2**53 are no doubles
_DTYPES: dict[str, Any] = {"i": np.int64, "u": np.uint64, "f": np.float64}


def _asked(encoder: Any, row: Sequence[Any]) -> Floats:
    """What an encoder makes of one row."""
    names = getattr(encoder, "feature_names_in_", None)
    dtypes = [_DTYPES.get(np.asarray(values).dtype.kind, object) for values in encoder.categories_]
    data: Any
    if names is not None:
        import pandas

        data = pandas.DataFrame({name: pandas.Series([value], dtype=dtype) for name, value, dtype in zip(names, row, dtypes)})
    else:
        data = np.array([row], dtype=object if object in dtypes else np.result_type(*dtypes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = encoder.transform(data)
    dense = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    return np.asarray(dense[0], np.float64)


def bins(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    out: Terms = []
    for j, term in enumerate(terms):
        raw = plain(term, step)
        base = features.bins(raw, transformer.bin_edges_[j])
        count = int(transformer.n_bins_[j])
        if transformer.encode == "ordinal":
            out.append(Linear({base: np.array([*range(count), 0, 0], np.float64)}))
        else:
            out += [Linear({base: unit(count + 2, i)}) for i in range(count)]
    return out


def polynomial(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
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
