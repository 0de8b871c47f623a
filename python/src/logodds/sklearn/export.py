"""A model as a fitted pipeline of scikit-learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import scipy.special
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, PowerTransformer

from ..elementary import Floats
from ..encoder import Encoder
from ..errors import show
from ..features import Feature, field_of, is_cross
from ..features.coder import default_code
from ..model import Model
from .cells import UNSEEN, crossed_cells, label_cells
from .terms import CannotSay

#: sets what a fit to a few rows could not find
Finish: TypeAlias = Callable[[Any], None]

ELSEWHERE = "score it with logodds"


@dataclass(frozen=True)
class Step:
    """A transformer of some columns, and the weights of what it gives."""

    transformer: Any
    columns: Sequence[str]
    #: [vectors, width]
    weights: Floats
    #: whether it takes one column as it is, and not a table of it
    is_text: bool = False
    finish: Finish = field(default=lambda _: None)


@dataclass(frozen=True)
class Said:
    """A feature in the words of scikit-learn."""

    steps: Sequence[Step]
    #: [vectors], what every row has
    constant: Floats
    #: cells of its columns that its transformers can be fitted to
    cells: Sequence[Any] = (0.25, 0.5, 0.75)


def to_sklearn(model: Model) -> Pipeline:
    """A fitted pipeline of scikit-learn with the logits of a model (to 1e-12), for frames of pandas and for arrays in the order of `feature_names_in_`.

    Numbers become SimpleImputer with FunctionTransformer or PowerTransformer, bins KBinsDiscretizer, words CountVectorizer or HashingVectorizer, tags
    FeatureHasher, categories OneHotEncoder, the weights LogisticRegression. Encoders of categories that `from_sklearn` read come back as OneHotEncoder,
    scaled numbers as they are: their scale is in the weights. Before OneHotEncoder is a FunctionTransformer of this package, for which 1, 1.0 and "1" are
    one category as they are for the model, so a pickle of the pipeline needs logodds. Calibration, offsets, decisions, models of one class against the rest,
    and other kinds of features are refused by name.

    :raises LogoddsError: ERR_SCHEMA for what scikit-learn has no words for
    """
    if not isinstance(model, Model):
        raise CannotSay("to_sklearn", "a logodds.Model", show(model), "give what logodds.load or from_sklearn returns")
    manifest = model.manifest
    _refuse_decisions(manifest)
    schema = manifest["schema"]["features"]
    by_name = {feature["name"]: feature for feature in schema}
    vectors = len(model.intercept)
    weights = model.weights.reshape(vectors, -1)
    intercept = model.intercept.copy()
    steps: dict[str, Step] = {}
    cells: dict[str, Sequence[Any]] = {}
    at = 0
    for feature, width in zip(schema, _slots_of(schema)):
        own = weights[:, at : at + width]
        at += width
        said = _said_cross(feature, by_name, own) if is_cross(feature) else _said(feature, own)
        intercept += said.constant
        for step in said.steps:
            steps[_name_of(feature["name"], steps)] = step
            # a number is a category as well, and the other way round it is not
            cells |= {column: said.cells for column in step.columns if isinstance(said.cells[0], float) or column not in cells}
    fields = [str(name) for name in model.feature_names_in_]
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"to_sklearn: expected pandas, whose frames the pipeline reads, got {error}; pip install pandas") from error
    frame = pandas.DataFrame({name: pandas.Series([*cells[name]]) for name in fields})
    places = {name: j for j, name in enumerate(fields)}
    # by place, which scikit-learn takes as names of a frame
    columns = ColumnTransformer(
        [(name, step.transformer, places[step.columns[0]] if step.is_text else [places[one] for one in step.columns]) for name, step in steps.items()]
    ).fit(frame)
    for name, step in steps.items():
        step.finish(columns.named_transformers_[name])
    regression = Peer(C=np.inf, max_iter=1)
    coefficients = np.hstack([step.weights for step in steps.values()])
    sign = -1.0 if manifest["positive"] == manifest["classes"][0] else 1.0
    regression.classes_, regression.coef_, regression.intercept_ = model.classes_.copy(), sign * coefficients, sign * intercept
    regression.n_features_in_ = coefficients.shape[1]
    regression.n_iter_ = np.asarray([manifest["fit"]["iterations"]], np.int32)
    return Pipeline([("columns", columns), ("regression", regression)])


def _slots_of(schema: Sequence[Feature]) -> list[int]:
    """How many slots each feature has."""
    counts = Counter(i for i, _ in Encoder(schema).slot_names())
    return [counts[i] for i in range(len(schema))]


def _refuse_decisions(manifest: Mapping[str, Any]) -> None:
    said = {
        "calibration": manifest.get("calibration"),
        "an offset": manifest["offset"],
        **{name: manifest["decision"].get(name) for name in ("costs", "abstain")},
    }
    for name, value in said.items():
        if value:
            raise CannotSay("model", f"none with {name}", "one with it", ELSEWHERE)
    if manifest["positive"] is not None and manifest["decision"]["threshold"] != 0.5:
        raise CannotSay("model", "the threshold 0.5", str(manifest["decision"]["threshold"]), f"{ELSEWHERE}, or set the threshold to 0.5")
    if manifest.get("multiclass") == "ovr":
        raise CannotSay("model", "two classes or a multinomial model", "one-vs-rest", ELSEWHERE)
    if not manifest["schema"]["features"]:
        raise CannotSay("model", "one with a feature", "none", ELSEWHERE)


def _name_of(name: str, taken: Mapping[str, Step]) -> str:
    """A name of a step that scikit-learn takes."""
    own = name.replace("__", "_")
    while own in taken or own in ColumnTransformer([]).get_params(deep=False):
        own += "'"
    return own


def _said(feature: Feature, own: Floats) -> Said:
    kind = feature["kind"]
    if kind not in _KINDS or feature.get("part") is not None:
        raise _cannot(feature, "numbers, bins, categories and words", "a part of a date" if feature.get("part") else kind)
    return _KINDS[kind](feature, own)


def _cannot(feature: Feature, expected: str, got: str) -> CannotSay:
    return CannotSay(f"feature {show(feature['name'])}", expected, got, ELSEWHERE)


def _number(feature: Feature, own: Floats) -> Said:
    """A number as it is; the missing ones take the mean."""
    column, fill = [field_of(feature)], float(feature["mean"])
    imputer = SimpleImputer(add_indicator=feature["indicator"])
    if not feature["indicator"]:
        return Said([Step(imputer, column, own, finish=lambda fitted: _set_fill(fitted, fill))], np.zeros(len(own)))

    def set_both(fitted: Any) -> None:
        _set_fill(fitted, fill)
        # of the first column, which had no missing cell in the rows of the fit
        fitted.indicator_.features_ = np.array([0])

    # the indicator is 1 for a missing cell: its weight is that of missing against present
    return Said([Step(imputer, column, np.column_stack([own[:, 0], own[:, 2] - own[:, 1]]), finish=set_both)], own[:, 1])


def _set_fill(imputer: Any, fill: float) -> None:
    """An imputer of a mean takes columns of whole numbers as well, which one of a constant refuses."""
    imputer.statistics_ = np.array([fill])


def _curve(feature: Feature, own: Floats) -> Said:
    """A number through a transform."""
    if feature["knots"] is not None:
        raise _cannot(feature, "a number without knots", "a restricted cubic spline")
    if feature["low"] is not None or feature["high"] is not None:
        raise _cannot(feature, "a number without low and high", "one with them")
    indicator = feature["missing"] == "slot" or feature["range"] == "slot"
    transform, finish = _transform_of(feature)
    fill = None if feature["missing"] == "error" else float(feature["fill"])
    return _imputed(feature, fill, transform, finish, own[:, :1], own[:, 1:] if indicator else None)


def _imputed(feature: Feature, fill: float | None, transform: Any, finish: Finish, weights: Floats, gaps: Floats | None) -> Said:
    """A transform of a number whose missing cells are `fill` (None: they are refused); `gaps` are the weights of present and missing."""
    column = [field_of(feature)]
    if fill is None:
        # what is missing goes on as NaN, which the regression refuses
        return Said([Step(transform, column, weights, finish=finish)], np.zeros(len(weights)) if gaps is None else gaps[:, 0])
    imputer = SimpleImputer()
    whole = imputer if transform == "passthrough" else make_pipeline(imputer, transform)

    def set_all(fitted: Any) -> None:
        _set_fill(fitted if transform == "passthrough" else fitted[0], fill)
        if transform != "passthrough":
            finish(fitted[-1])

    steps = [Step(whole, column, weights, finish=set_all)]
    if gaps is None:
        return Said(steps, np.zeros(len(weights)))
    return Said([*steps, Step(MissingIndicator(features="all"), column, gaps[:, 1:] - gaps[:, :1])], gaps[:, 0])


def _transform_of(feature: Feature) -> tuple[Any, Finish]:
    transform = feature["transform"]
    if transform is None:
        return "passthrough", lambda _: None
    name = transform["name"]
    functions = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "logit": scipy.special.logit}
    if name in functions:
        return FunctionTransformer(functions[name]), lambda _: None

    def set_power(fitted: Any) -> None:
        fitted.lambdas_ = np.array([float(transform["lambda"])])

    return PowerTransformer(name, standardize=False), set_power


def _binned(feature: Feature, own: Floats) -> Said:
    """A number by its bin."""
    if feature["range"] != "clip":
        raise _cannot(feature, 'bins with range="clip"', f'"{feature["range"]}"')
    edges, count = np.asarray(feature["edges"], np.float64), len(feature["levels"])
    code = default_code(feature, "missing")
    bins = own[:, :count]
    # a missing cell is in the bin that it takes, or in the first one, with a flag
    fill = None if code < 0 else float(edges[code if code < count else 0])
    gaps = np.column_stack([np.zeros(len(own)), own[:, count] - bins[:, 0]]) if code == count else None
    if count == 1:
        # one bin says whether a number is there
        said = _imputed(feature, fill, "passthrough", lambda _: None, np.zeros_like(bins), gaps)
        return replace(said, constant=said.constant + bins[:, 0])

    def set_edges(fitted: Any) -> None:
        fitted.bin_edges_ = np.array([edges], dtype=object)

    return _imputed(feature, fill, KBinsDiscretizer(count, encode="onehot-dense", strategy="uniform"), set_edges, bins, gaps)


def _category(feature: Feature, own: Floats) -> Said:
    """A category by its level."""
    return _levels(feature, own, FunctionTransformer(label_cells), [field_of(feature)])


def _levels(feature: Feature, own: Floats, labels: Any, columns: Sequence[str]) -> Said:
    levels = feature["levels"]
    unseen, missing = default_code(feature, "unseen"), default_code(feature, "missing")
    if missing < 0 <= unseen:
        raise _cannot(feature, "missing cells that have a weight where unseen ones have one", "a refusal")
    rest = own[:, unseen] if unseen >= 0 else np.zeros(len(own))
    found: dict[Any, Floats] = {level: own[:, code] for code, level in enumerate(levels)}
    found |= {level: own[:, len(levels) + 1] for level in feature.get("rare", ())}
    if missing >= 0:
        found[None] = own[:, missing]
    # what is unseen has no column: the others have the difference
    weights = np.column_stack([*found.values()]) - rest[:, None]
    encoder = OneHotEncoder(categories=[np.array([*found], dtype=object)], handle_unknown="ignore", sparse_output=False)

    def refuse_unseen(pipeline: Any) -> None:
        if unseen < 0:
            pipeline[-1].handle_unknown = "error"

    return Said([Step(make_pipeline(labels, encoder), columns, weights, finish=refuse_unseen)], rest, ("a", "b", "c"))


def _said_cross(feature: Feature, by_name: Mapping[str, Feature], own: Floats) -> Said:
    """A combination of categories."""
    parts = [by_name[name] for name in feature["of"]]
    if feature["kind"] != "cross" or any(part["kind"] != "categorical" for part in parts):
        raise _cannot(feature, "a product of categories", "hashes, or bins")
    if any(default_code(feature, of) < 0 for of in ("missing", "unseen")):
        raise _cannot(feature, "weights for missing and unseen combinations", "a refusal")
    labels = FunctionTransformer(crossed_cells, kw_args={"parts": [_part_of(part) for part in parts]})
    return _levels(feature, own, labels, [field_of(part) for part in parts])


def _part_of(feature: Feature) -> dict[str, Any]:
    levels = feature["levels"]

    def label(of: str, otherwise: Any) -> Any:
        code = default_code(feature, of)
        return levels[code] if 0 <= code < len(levels) else otherwise

    known = dict(zip(levels, levels)) | dict.fromkeys(feature.get("rare", ()), UNSEEN)
    return {"known": known, "missing": label("missing", None), "unseen": label("unseen", UNSEEN)}


def _tokens(feature: Feature, own: Floats) -> Said:
    """Words of a text, or tags of a list."""
    split, tokens = feature["split"], feature["tokens"]
    if feature["missing"] != "error" or feature["unseen"] != "baseline":
        raise _cannot(feature, 'words with missing="error" and unseen="baseline"', f'"{feature["missing"]}" and "{feature["unseen"]}"')
    hashed = isinstance(tokens, Mapping)
    if split == "words":
        transformer = HashingVectorizer(n_features=tokens["buckets"], norm=None) if hashed else CountVectorizer(vocabulary=tokens)
        return Said([Step(transformer, [field_of(feature)], own, is_text=True)], np.zeros(len(own)), ("aa", "bb", "cc"))
    if not hashed:
        raise _cannot(feature, "words, or hashes of tags", "a list of tags")
    transformer = FeatureHasher(tokens["buckets"], input_type="string")
    return Said([Step(transformer, [field_of(feature)], own, is_text=True)], np.zeros(len(own)), (["a"], ["b"], ["c"]))


_KINDS: Mapping[str, Callable[[Feature, Floats], Said]] = {
    "numeric": _number,
    "curve": _curve,
    "binned": _binned,
    "categorical": _category,
    "tokens": _tokens,
}
