"""A fitted pipeline of scikit-learn as a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.linear_model import LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..elementary import Floats, sigmoid
from ..encoder import Encoder
from ..errors import show
from ..features import field_of, is_cross
from ..labels import label_type_of, python_of, whole_label_of
from ..model import Model
from .estimator import LogisticRegression
from .steps import through
from .terms import Base, CannotSay, Features, Linear, Raw, Term

PRODUCER = "logodds 0.1.0 (Python)"


def from_sklearn(estimator: Any, columns: Sequence[str] | None = None, *, target: str = "target") -> Model:
    """The model of a fitted pipeline, whose logits differ from those of scikit-learn by rounding alone (about 1e-12).

    It reads pipelines, unions and column transformers of StandardScaler, RobustScaler, MinMaxScaler, MaxAbsScaler, PowerTransformer, FunctionTransformer
    (log, log1p, sqrt), SimpleImputer, MissingIndicator, OneHotEncoder, OrdinalEncoder, TargetEncoder, KBinsDiscretizer, PolynomialFeatures (of
    categories), CountVectorizer, TfidfVectorizer and HashingVectorizer (with ``norm=None``), FeatureHasher, and selections of features; at their end
    LogisticRegression, LogisticRegressionCV, SGDClassifier (log loss) or OneVsRestClassifier of them; around it CalibratedClassifierCV
    (``ensemble=False``), TunedThresholdClassifierCV, FixedThresholdClassifier, GridSearchCV and RandomizedSearchCV. Anything else is refused by name. The
    labels of the model have the type of the classes: numbers, booleans or texts. Tokens of FeatureHasher lose the blanks around them, and empty ones are
    left out, which scikit-learn keeps.

    :param columns: names of the inputs, where the estimator was fitted without names; default x0, x1, …
    :param target: name of the target, for reports
    :raises ValueError: for a step that a model file has no words for (it is named), and for what was not fitted

    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> from_sklearn(fitted, columns=["hours"]).predict([{"hours": 2.5}]).tolist()
    [1]
    """
    if not hasattr(estimator, "fit") or isinstance(estimator, type):
        raise CannotSay("estimator", "a fitted estimator of scikit-learn", show(estimator), "fit a pipeline, and give that")
    check_is_fitted(estimator)
    names = _names_of(estimator, columns)
    features = Features()
    found = _fitted(estimator, [Raw(name) for name in names], features, "estimator")
    for base in features.bases:
        _settle(base, found)
    # arrays have the order of the fit
    features.bases.sort(key=lambda base: (is_cross(base.feature), 0 if is_cross(base.feature) else names.index(field_of(base.feature))))
    schema = [base.feature for base in features.bases]
    encoder = Encoder(schema)
    vectors = len(found["intercept"])
    weights = np.zeros((vectors, encoder.slots))
    begin = dict(zip(features.bases, np.cumsum([0, *(base.slots for base in features.bases)])[:-1].tolist()))
    for k, own in enumerate(found["weights"]):
        for base, values in own.items():
            weights[k, begin[base] : begin[base] + base.slots] = values[: base.slots]
    classes = [_label(one) for one in found["classes"]]
    if len(set(classes)) < len(classes):
        raise CannotSay("classes", "distinct labels", f"{classes} (1 and '1' are one label)", "write them as texts before the fit")
    label_type = label_type_of([python_of(one) for one in found["classes"]])
    manifest = {
        "format": 1,
        "producer": PRODUCER,
        "classes": classes,
        **({} if label_type is None else {"labelType": label_type}),
        "positive": classes[1] if vectors == 1 else None,
        "multiclass": None if vectors == 1 else found["multiclass"],
        "reference": None,
        "target": target,
        "schema": {"features": schema},
        "objective": {"lambda": 0, "l1Ratio": 0, "C": found["C"], "standardize": False},
        "decision": {"threshold": found.get("threshold", 0.5)},
        "calibration": found.get("calibration"),
        "offset": None,
        "weight": None,
        "fit": {
            "solver": found["solver"],
            "choice": f"fitted by {found['by']} of scikit-learn, which does not keep how it went",
            "converged": True,
            "reason": "converged",
            "iterations": found["iterations"],
            "gradNorm": None,
            "objective": None,
            "logLik": None,
            "nullLogLik": None,
            "rows": 0,
            "totalWeight": None,
        },
        "aliased": [],
        "warnings": [],
    }
    return Model.of(manifest, weights.reshape(-1), np.asarray(found["intercept"], np.float64))


def _names_of(estimator: Any, columns: Sequence[str] | None) -> list[str]:
    if columns is not None and (isinstance(columns, str) or not hasattr(columns, "__len__") or not all(isinstance(name, str) for name in columns)):
        raise CannotSay("columns", "a list of names", show(columns), "name every column of the fit")
    own = getattr(estimator, "feature_names_in_", None)
    if own is not None:
        own = [str(name) for name in own]
        if columns is not None and [*columns] != own:
            raise CannotSay("columns", f"those of the fit ({', '.join(own)})", ", ".join(map(str, columns)), "leave them out")
        return own
    count = getattr(estimator, "n_features_in_", None)
    if columns is None:
        # a text vectoriser reads one column, and says nothing of it
        return [f"x{j}" for j in range(1 if count is None else int(count))]
    if count is not None and len(columns) != count:
        raise CannotSay("columns", f"{count} names", str(len(columns)), "name every column of the fit")
    return [*columns]


def _label(value: Any) -> str:
    label = whole_label_of(python_of(value))
    if label is None:
        raise CannotSay("classes", "texts, numbers or booleans", type(value).__name__, "write them as texts before the fit")
    return label


def _fitted(estimator: Any, terms: list[Term], features: Features, name: str) -> dict[str, Any]:
    """Weights by feature, classes, calibration and threshold of a classifier on these terms."""
    step = f"{name} ({type(estimator).__name__})"
    if type(estimator).__name__ == "FrozenEstimator":
        return _fitted(estimator.estimator, terms, features, name)
    if isinstance(estimator, BaseSearchCV):
        check_is_fitted(estimator, "best_estimator_")
        return _fitted(estimator.best_estimator_, terms, features, "estimator")
    if isinstance(estimator, Pipeline):
        for before, transformer in estimator.steps[:-1]:
            terms = through(transformer, terms, features, before)
        return _fitted(estimator.steps[-1][1], terms, features, estimator.steps[-1][0])
    if isinstance(estimator, CalibratedClassifierCV):
        return _calibrated(estimator, terms, features, step)
    if isinstance(estimator, (TunedThresholdClassifierCV, FixedThresholdClassifier)):
        return _thresholded(estimator, terms, features, step)
    if isinstance(estimator, OneVsRestClassifier):
        return _one_vs_rest(estimator, terms, features, step)
    if isinstance(estimator, (Peer, LogisticRegressionCV, SGDClassifier, LogisticRegression)):
        return _linear(estimator, terms, features, step)
    raise CannotSay(step, "a logistic regression", "another estimator", "end the pipeline with LogisticRegression or SGDClassifier(loss='log_loss')")


def _linear(estimator: Any, terms: list[Term], features: Features, step: str) -> dict[str, Any]:
    is_sgd = isinstance(estimator, SGDClassifier)
    if is_sgd and estimator.loss != "log_loss":
        raise CannotSay(step, "loss='log_loss'", repr(estimator.loss), "fit with that")
    classes = estimator.classes_
    if len(classes) == 2 and getattr(estimator, "multi_class", None) == "multinomial":
        raise CannotSay(step, "two classes without multi_class='multinomial'", "with it", "fit without")
    separate = is_sgd or getattr(estimator, "multi_class", None) == "ovr" or getattr(estimator, "solver", None) == "liblinear"
    coefficients, intercepts = np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)
    if coefficients.shape[1] != len(terms):
        raise CannotSay(step, f"{coefficients.shape[1]} columns", str(len(terms)), "report this pipeline: a step was read wrongly")
    if len(intercepts) < len(coefficients):
        intercepts = np.full(len(coefficients), float(intercepts[0]))
    linear = [features.linear(term) for term in terms]
    weights, constants = [], []
    for own, intercept in zip(coefficients, intercepts):
        sums, constant = _weighted(linear, own)
        weights.append(sums)
        constants.append(float(intercept) + constant)
    strength = getattr(estimator, "C_", getattr(estimator, "C", None))
    return {
        "by": type(estimator).__name__,
        "solver": "online" if is_sgd else getattr(estimator, "solver", "lbfgs"),
        "iterations": int(np.max(estimator.n_iter_)),
        "C": float(np.ravel(strength)[0]) if strength is not None and np.isfinite(np.ravel(strength)[0]) else None,
        "classes": classes,
        "weights": weights,
        "intercept": constants,
        "multiclass": "ovr" if separate else "multinomial",
    }


def _weighted(linear: Sequence[Linear], own: Floats) -> tuple[dict[Base, Floats], float]:
    """Σ wⱼ·termⱼ as weights of slots and a constant."""
    sums: dict[Base, Floats] = {}
    constant = 0.0
    for term, weight in zip(linear, own):
        constant += float(weight) * term.constant
        for base, values in term.values.items():
            sums[base] = sums.get(base, np.zeros(base.length)) + float(weight) * values
    return sums, constant


def _settle(base: Base, found: Mapping[str, Any]) -> None:
    """What scikit-learn would pass on as NaN is refused, and so has no weight."""
    for own in found["weights"]:
        values = own.get(base)
        if values is None:
            continue
        missing = base.slots - 2
        ghosts = values[base.slots :]
        if not np.allclose(ghosts, values[missing], rtol=1e-12, atol=0, equal_nan=True):
            raise CannotSay(f"feature {base.feature['name']}", "one weight for missing cells", "two, of None and of NaN", "write them alike before the fit")
        at = np.flatnonzero(np.isnan(values[: base.slots]))
        if len(at) == 0:
            continue
        if base.feature["kind"] != "categorical" or any(slot < missing for slot in at):
            raise CannotSay(f"feature {base.feature['name']}", "numbers", "NaN for a category", "encode it as a number")
        if missing in at:
            base.feature["missing"] = "error"
        if missing + 1 in at:
            base.feature["unseen"] = "error"
        values[at] = 0.0


def _one_vs_rest(estimator: Any, terms: list[Term], features: Features, step: str) -> dict[str, Any]:
    if estimator.multilabel_ or len(estimator.classes_) < 3:
        raise CannotSay(step, "three classes or more", "another problem", "use the classifier without it")
    parts = [_fitted(one, terms, features, "classifier") for one in estimator.estimators_]
    if any("calibration" in part or "threshold" in part for part in parts):
        raise CannotSay(step, "logistic regressions", "calibrated ones", "calibrate the whole")
    weights = [part["weights"][0] for part in parts]
    return parts[0] | {"classes": estimator.classes_, "weights": weights, "intercept": [part["intercept"][0] for part in parts], "multiclass": "ovr"}


def _calibrated(estimator: Any, terms: list[Term], features: Features, step: str) -> dict[str, Any]:
    if len(estimator.calibrated_classifiers_) != 1:
        got = f"{len(estimator.calibrated_classifiers_)} models"
        raise CannotSay(step, "one calibrated model", got, "the mean of several is no one model: fit with ensemble=False")
    one = estimator.calibrated_classifiers_[0]
    found = _fitted(one.estimator, terms, features, "estimator")
    if "calibration" in found or "threshold" in found:
        raise CannotSay(step, "a logistic regression inside", "a calibrated one", "calibrate once")
    if len(one.calibrators) != (1 if len(found["classes"]) == 2 or one.method == "temperature" else len(found["classes"])):
        raise CannotSay(step, "a calibrator for each class", str(len(one.calibrators)), "fit with rows of every class")
    calibrators = [_calibrator(calibrator, one.method, len(found["classes"]), step) for calibrator in one.calibrators]
    calibration = {"method": calibrators[0]["method"], "calibrators": calibrators, "shift": [], "by": None}
    return found | {"classes": estimator.classes_, "calibration": calibration}


def _calibrator(calibrator: Any, method: str, classes: int, step: str) -> dict[str, Any]:
    if method == "sigmoid":
        return {"method": "platt", "a": -float(calibrator.a_), "b": -float(calibrator.b_)}
    if method == "temperature":
        # of two classes the logits are -z and z
        return {"method": "temperature", "inverse": float(calibrator.beta_) * (2 if classes == 2 else 1)}
    if method == "isotonic":
        logits, probabilities = calibrator.X_thresholds_, calibrator.y_thresholds_
        return {"method": "isotonic", "logits": [float(one) for one in logits], "probabilities": [float(one) for one in np.clip(probabilities, 0, 1)]}
    raise CannotSay(step, "sigmoid, isotonic or temperature", method, "fit with one of them")


def _thresholded(estimator: Any, terms: list[Term], features: Features, step: str) -> dict[str, Any]:
    found = _fitted(estimator.estimator_, terms, features, "estimator")
    if len(found["classes"]) != 2:
        raise CannotSay(step, "two classes", str(len(found["classes"])), "use the classifier without it")
    tuned = isinstance(estimator, TunedThresholdClassifierCV)
    threshold = estimator.best_threshold_ if tuned else estimator.threshold
    pos_label = estimator._curve_scorer._get_pos_label() if tuned else estimator.pos_label
    by_logit = estimator.response_method == "decision_function"
    if threshold == "auto":
        threshold = 0.0 if by_logit else 0.5
    if pos_label is not None and pos_label != found["classes"][1]:
        raise CannotSay(step, f"the second class ({found['classes'][1]!r}) as pos_label", repr(pos_label), "name the classes so that it is the second")
    if by_logit and found.get("calibration"):
        raise CannotSay(step, "response_method='predict_proba'", "'decision_function' of a calibrated model", "tune with probabilities")
    share = float(sigmoid(float(threshold))) if by_logit else float(threshold)
    # scikit-learn takes the threshold itself as positive
    return found | {"threshold": float(np.nextafter(share, -np.inf))}
