"""The estimator: scikit-learn's own checks, and its optimum."""

from __future__ import annotations

import pickle
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import logodds
from logodds import LogisticRegression


@parametrize_with_checks([LogisticRegression(), LogisticRegression(l1_ratio=0.5), LogisticRegression(solver="lbfgs")])
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


sklearn_version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
BREAST = StandardScaler().fit_transform(load_breast_cancer().data), load_breast_cancer().target
IRIS = load_iris(return_X_y=True)
#: options of scikit-learn that reach the same optimum
PEERS = [
    (BREAST, {"C": 1.0}, {"solver": "newton-cholesky", "tol": 1e-12}),
    (BREAST, {"C": 0.1, "class_weight": "balanced"}, {"solver": "newton-cholesky", "tol": 1e-12}),
    (BREAST, {"C": 1.0, "fit_intercept": False}, {"solver": "newton-cholesky", "tol": 1e-12}),
    (IRIS, {"C": 1.0}, {"solver": "newton-cholesky", "tol": 1e-12}),
    (IRIS, {"C": 5.0, "solver": "lbfgs", "max_iter": 5000}, {"solver": "newton-cholesky", "tol": 1e-12}),
    (BREAST, {"C": 0.2, "l1_ratio": 1.0}, {"solver": "saga", "tol": 1e-10, "max_iter": 100_000}),
    (BREAST, {"C": 0.2, "l1_ratio": 0.5}, {"solver": "saga", "tol": 1e-10, "max_iter": 100_000}),
    (IRIS, {"C": 0.5, "l1_ratio": 1.0}, {"solver": "saga", "tol": 1e-12, "max_iter": 1_000_000}),
]


@pytest.mark.parametrize(("data", "options", "peer"), PEERS)
def test_optimum_of_scikit_learn(data: Any, options: dict[str, Any], peer: dict[str, Any]) -> None:
    X, y = data
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    ours = LogisticRegression(**options).fit(X, y, sample_weight=weights)
    # before version 1.8 a penalty has a name
    older = {"penalty": "elasticnet"} if options.get("l1_ratio") and sklearn_version < (1, 8) else {}
    theirs = Peer(**older, **{**{name: value for name, value in options.items() if name not in ("solver", "max_iter")}, **peer}).fit(
        X, y, sample_weight=weights
    )
    assert np.abs(ours.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-5
    objective = [objective_of(one, X, y, weights, options) for one in (ours, theirs)]
    assert objective[0] <= objective[1] * (1 + 1e-10)


def objective_of(fitted: Any, X: Any, y: Any, weights: Any, options: dict[str, Any]) -> float:
    weights = weights * np.asarray(balanced(y, weights) if options.get("class_weight") else 1.0)
    p = fitted.predict_proba(X)[np.arange(len(y)), y]
    l1, w = options.get("l1_ratio", 0.0), fitted.coef_
    return float(-options["C"] * (weights * np.log(p)).sum() + (1 - l1) / 2 * (w**2).sum() + l1 * np.abs(w).sum())


def balanced(y: Any, weights: Any) -> Any:
    sums = np.bincount(y, weights)
    return (weights.sum() / (len(sums) * sums))[y]


@pytest.mark.parametrize("options", [{}, {"l1_ratio": 1.0, "C": 0.3}, {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-12}])
def test_sparse_rows_as_dense_ones(options: dict[str, Any]) -> None:
    X, y = IRIS
    X = np.where(X < 1.5, 0.0, X)
    dense, sparse = (LogisticRegression(**options).fit(rows, y) for rows in (X, csr_matrix(X)))
    assert np.abs(dense.coef_ - sparse.coef_).max() < 1e-6
    assert np.abs(dense.predict_proba(X) - sparse.predict_proba(csr_matrix(X))).max() < 1e-7


def test_a_fit_that_does_not_converge_warns() -> None:
    with pytest.warns(ConvergenceWarning, match="scale the features, or raise max_iter"):
        LogisticRegression(C=np.inf, max_iter=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])


rng = np.random.default_rng(7)
NOISE = rng.normal(size=(200, 3))
MIXED = (NOISE[:, 0] + rng.logistic(size=200) > 0).astype(int)
RARE = (np.arange(200) % 20 == 0) & (MIXED == 1)
THREE = np.arange(200) % 3
#: rows, labels, and the columns that are named; None: the classes overlap
SEPARATED: dict[str, tuple[Any, Any, str | None]] = {
    "completely": ([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], "SEPARATION: x0: the features separate the classes completely, "),
    "by one column of four": (np.column_stack([NOISE, MIXED * 2.0 - 5]), MIXED, "SEPARATION: .*x3.*: the features separate the classes completely, "),
    "by a level of one class": (np.column_stack([NOISE, RARE]), MIXED, "SEPARATION: x3: all rows on one side have one class, "),
    "by numbers of another size": (np.column_stack([NOISE, RARE * 1e6]), MIXED, "SEPARATION: x3: all rows on one side have one class, "),
    "at a border": ([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1], "SEPARATION: x0: all rows on one side have one class, "),
    "three classes": (np.column_stack([NOISE, THREE == 0]), THREE, "SEPARATION: x3: all rows on one side have one class, "),
    "overlap": (NOISE, MIXED, None),
    "overlap of columns that depend on others": (np.column_stack([NOISE, NOISE]), MIXED, None),
    "overlap of three": (NOISE, THREE, None),
    "overlap of few": ([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], None),
}


@pytest.mark.parametrize("form", ["dense", "sparse", "frame", "lbfgs", "too large"])
@pytest.mark.parametrize("name", SEPARATED)
def test_separated_classes_without_a_penalty_warn_once(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, sentence = SEPARATED[name]
    rows: Any = np.asarray(X, float)
    if form == "sparse":
        rows = csr_matrix(rows)
    if form == "frame":
        rows = pd.DataFrame(rows, columns=[f"x{j}" for j in range(rows.shape[1])])
    if form == "too large":
        monkeypatch.setattr("logodds.sklearn.separation.MOST_PROGRAM", 0)
    options: dict[str, Any] = {"solver": "lbfgs", "max_iter": 10_000} if form == "lbfgs" else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LogisticRegression(C=np.inf, **options).fit(rows, y)
    assert len(caught) == (sentence is not None), [str(one.message) for one in caught]
    if sentence is not None:
        assert caught[0].category is logodds.SeparationWarning
        assert re.match(sentence, str(caught[0].message))
        assert caught[0].filename == __file__


def test_rows_without_weight_do_not_overlap() -> None:
    X, y, weights = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1, 0], [1.0, 1.0, 1.0, 1.0, 0.0]
    with pytest.warns(logodds.SeparationWarning):
        LogisticRegression(C=np.inf).fit(X, y, sample_weight=weights)
    with pytest.warns(logodds.LogoddsWarning, match="SEPARATION: the intercept|SEPARATION: x0"):
        LogisticRegression(C=np.inf, fit_intercept=False).fit([[-1.0], [1.0]], [0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LogisticRegression(C=1e6).fit(X, y, sample_weight=weights)


def test_a_fit_can_be_pickled_after_it_scored() -> None:
    X, y = IRIS
    fitted = LogisticRegression().fit(X, y)
    fitted.predict(X)
    assert pickle.loads(pickle.dumps(fitted)).predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"l1_ratio": 0.5, "solver": "lbfgs"}, 'solver: expected "auto" or "newton" with l1_ratio > 0'),
        ({"C": 0}, "The 'C' parameter"),
        ({"C": float("nan")}, "The 'C' parameter"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        LogisticRegression(**options).fit(*IRIS)
