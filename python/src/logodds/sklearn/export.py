"""A model as a fitted pipeline of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from ..elementary import Floats
from ..model import Model
from .terms import CannotSay


def to_sklearn(model: Model) -> Pipeline:
    """A fitted pipeline of scikit-learn that gives the probabilities of a model, for frames of pandas.

    Numbers become SimpleImputer, categories OneHotEncoder, the weights LogisticRegression. Other kinds of features, calibration, offsets and decisions
    are refused by name. Cells of categories are texts in the pipeline.

    :raises ValueError: for what scikit-learn has no words for
    """
    manifest = model.manifest
    said = {
        "calibration": manifest.get("calibration"),
        "an offset": manifest["offset"],
        **{name: manifest["decision"].get(name) for name in ("costs", "abstain")},
    }
    for name, value in said.items():
        if value:
            raise CannotSay("model", f"none with {name}", "one with it", "score it with logodds")
    if manifest["positive"] is not None and manifest["decision"]["threshold"] != 0.5:
        raise CannotSay("model", "the threshold 0.5", str(manifest["decision"]["threshold"]), "score it with logodds, or set the threshold to 0.5")
    if manifest.get("multiclass") == "ovr":
        raise CannotSay("model", "two classes or a multinomial model", "one-vs-rest", "score it with logodds")
    steps: list[tuple[str, Any, list[str]]] = []
    coefficients: list[Floats] = []
    vectors = len(model.intercept)
    weights = model.weights.reshape(vectors, -1)
    intercept = model.intercept.copy()
    rows: dict[str, list[Any]] = {}
    at = 0
    for feature in manifest["schema"]["features"]:
        name, column = feature["name"], feature.get("column", feature["name"])
        if feature["kind"] == "numeric":
            count = 3 if feature["indicator"] else 1
            steps.append((name, SimpleImputer(strategy="constant", fill_value=float(feature["mean"]), add_indicator=feature["indicator"]), [column]))
            own = weights[:, at : at + count]
            # the indicator is 1 for a missing cell: its weight is that of missing against present
            coefficients.append(own if count == 1 else np.column_stack([own[:, 0], own[:, 2] - own[:, 1]]))
            intercept += 0 if count == 1 else own[:, 1]
            rows[column] = [float(feature["mean"]), float("nan")]
        elif feature["kind"] == "categorical":
            levels = feature["levels"]
            count = len(levels) + 2
            own = weights[:, at : at + count]
            gaps = _categories(feature, own)
            steps.append((name, OneHotEncoder(categories=[np.array([*gaps], dtype=object)], handle_unknown="ignore", sparse_output=False), [column]))
            # what is unseen has no column
            unseen = own[:, -1] if feature["unseen"] == "slot" else np.zeros(vectors)
            coefficients.append(np.column_stack([*gaps.values()]) - unseen[:, None])
            intercept += unseen
            rows[column] = [*gaps]
        else:
            raise CannotSay(f"feature {name}", "numbers and categories", feature["kind"], "score it with logodds")
        at += count
    import pandas

    longest = max((len(values) for values in rows.values()), default=0)
    frame = pandas.DataFrame({column: pandas.Series([values[i % len(values)] for i in range(longest)]) for column, values in rows.items()})
    columns = ColumnTransformer(steps, verbose_feature_names_out=True)
    classes = np.asarray(manifest["classes"], dtype=object)
    encoded = columns.fit_transform(frame)
    regression = Peer(C=np.inf, max_iter=1)
    regression.classes_, regression.coef_, regression.intercept_ = classes, np.hstack(coefficients), intercept
    if manifest["positive"] == manifest["classes"][0]:
        regression.coef_, regression.intercept_ = -regression.coef_, -regression.intercept_
    regression.n_features_in_ = encoded.shape[1]
    regression.n_iter_ = np.asarray([manifest["fit"]["iterations"]], np.int32)
    return Pipeline([("columns", columns), ("regression", regression)])


def _categories(feature: Any, own: Floats) -> dict[Any, Floats]:
    """The weight of each category of the encoder: levels, those that are rare, and a missing cell."""
    levels, rare = feature["levels"], feature.get("rare", ())
    found: dict[Any, Floats] = {level: own[:, code] for code, level in enumerate(levels)}
    found |= {level: own[:, len(levels) + 1] for level in rare}
    missing = feature["missing"]
    if missing == "error" or feature["unseen"] == "error":
        raise CannotSay(f"feature {feature['name']}", "a weight for missing and unseen cells", "a refusal", "score it with logodds")
    if feature["unseen"] == "baseline":
        raise CannotSay(f"feature {feature['name']}", 'unseen="slot"', '"baseline"', "score it with logodds")
    code = len(levels) if missing == "slot" else _default(feature, missing)
    # pandas writes a missing cell as either
    return found | {None: own[:, code], float("nan"): own[:, code]}


def _default(feature: Any, missing: str) -> int:
    if missing == "baseline" and feature["reference"] is not None:
        return int(feature["reference"])
    return int(np.argmax(feature["counts"][: len(feature["levels"])]))
