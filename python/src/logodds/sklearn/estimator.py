"""For scikit-learn: an estimator of its conventions, and its pipelines as model files."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..elementary import Floats, sigmoid
from ..errors import LogoddsWarning, show
from ..kernels import Scorer
from ..outcomes import softmax
from ..training import MOST_L1, MOST_NEWTON, Likelihood, Penalty, minimise
from .separation import separated_by


class SeparationWarning(LogoddsWarning, ConvergenceWarning):  # type: ignore[misc]
    """A fit without a penalty whose classes are separated: the likelihood has no maximum."""


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression by the kernels of logodds.

    It minimises scikit-learn's objective,

        C·Σ sᵢ·loss(yᵢ, xᵢ·w + b) + (1 - l1_ratio)/2·‖w‖² + l1_ratio·‖w‖₁

    to the optimum: with more than two classes of the multinomial loss. Nothing is scaled; the intercept has no penalty.

    :param C: inverse strength of the penalty; infinity for none. Then separated classes warn (`SeparationWarning`), as their weights have no end.
    :param l1_ratio: share of the L1 penalty, 0 to 1
    :param fit_intercept: False holds the intercept at 0
    :param class_weight: weights by class, or "balanced"
    :param solver: "newton" takes Hessians, "lbfgs" gradients; "auto" takes Newton up to 500 parameters, and for an L1 penalty
    :param tol: of the gradient for each unit of weight; with an L1 penalty of the violation of the optimality conditions
    :param max_iter: greatest number of iterations; a fit that needs more warns

    Not there, but in ``logodds train``: categories, missing cells, splines, standard errors, calibration, paths and folds, data beyond memory.

    >>> from logodds import LogisticRegression
    >>> LogisticRegression(C=10).fit([[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]).predict([[3.5]]).tolist()
    ['yes']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "solver": [StrOptions({"auto", "newton", "lbfgs"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    classes_: NDArray[Any]
    coef_: Floats
    intercept_: Floats
    n_iter_: NDArray[np.int32]

    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        solver: str = "auto",
        tol: float = 1e-8,
        max_iter: int = 200,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Fits to rows.

        :param X: [rows, features], an array, a frame, or a matrix of scipy.sparse
        :param y: [rows], labels of two or more classes
        :param sample_weight: [rows], at least 0
        """
        self._validate_params()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, order="C", accept_large_sparse=False)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise ValueError(f"y: expected labels of 2 classes or more, got one class, {show(self.classes_[0])}; give rows of another class")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y, sample_weight=weights)
            weights = by_class[codes] * (1.0 if weights is None else weights)
        total = float(X.shape[0] if weights is None else weights.sum())
        if total <= 0:
            raise ValueError("sample_weight: expected a row with a weight above 0, got none; give some row a weight")
        likelihood = Likelihood(X, codes.astype(np.float64), weights, count)
        vectors, width = likelihood.vectors, likelihood.features + 1
        is_weight = np.tile(np.arange(width) < width - 1, vectors).astype(np.float64)
        strength = 0.0 if math.isinf(self.C) else 1 / self.C
        penalty = Penalty(
            ridge=strength * (1 - self.l1_ratio),
            lasso=strength * self.l1_ratio,
            on=is_weight,
            free=np.ones(likelihood.parameters) if self.fit_intercept else is_weight,
        )
        solver = self._solver(likelihood.parameters, penalty)
        fit = minimise(likelihood, penalty, total, solver, self.tol, self.max_iter, np.zeros(likelihood.parameters))
        separated = None if strength > 0 else separated_by(X, codes, weights, likelihood, penalty, fit.parameters)
        if separated is not None:
            warnings.warn(_separation(*separated, getattr(self, "feature_names_in_", None)), SeparationWarning, stacklevel=2)
        elif not fit.converged:
            warnings.warn(
                f"fit: expected a gradient of at most {self.tol:g} for each unit of weight, got {fit.violation:.2g} after {fit.iterations} "
                "iterations; scale the features, or raise max_iter",
                ConvergenceWarning,
                stacklevel=2,
            )
        found = fit.parameters.reshape(vectors, width)
        if vectors > 1 and self.fit_intercept:
            # logits of several classes have no common zero
            found[:, -1] -= found[:, -1].mean()
        self.coef_ = found[:, :-1].copy()
        self.intercept_ = found[:, -1].copy()
        self.n_iter_ = np.asarray([fit.iterations], np.int32)
        return self

    def _solver(self, parameters: int, penalty: Penalty) -> str:
        if penalty.lasso == 0:
            return ("newton" if parameters <= MOST_NEWTON else "lbfgs") if self.solver == "auto" else self.solver
        if self.solver == "lbfgs":
            raise ValueError('solver: expected "auto" or "newton" with l1_ratio > 0, got "lbfgs"; leave it out')
        if parameters > MOST_L1:
            raise ValueError(f"X: expected at most {MOST_L1} parameters with l1_ratio > 0, got {parameters}; fit with `logodds train --l1-ratio`")
        return "newton"

    def decision_function(self, X: Any) -> Floats:
        """Logits: [rows] of the second class of two, else [rows, classes]."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        if not isinstance(X, np.ndarray):
            logits = np.asarray(X @ self.coef_.T) + self.intercept_
            return logits[:, 0] if logits.shape[1] == 1 else logits
        scorer = Scorer([0] * X.shape[1], self.coef_.reshape(-1), self.intercept_)
        kernels, address, plane = scorer.logits(list(X.T), len(X))
        z = kernels.view(address, len(self.intercept_) * plane).reshape(-1, plane)[:, : len(X)].copy()
        return z[0] if len(z) == 1 else z.T

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities [rows, classes], in the order of `classes_`."""
        logits = self.decision_function(X)
        if logits.ndim == 2:
            return softmax(logits.T, False).T
        probabilities = sigmoid(logits)
        return np.column_stack([1 - probabilities, probabilities])

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of the greatest probability."""
        logits = self.decision_function(X)
        return np.asarray(self.classes_[(logits > 0).astype(np.intp) if logits.ndim == 1 else logits.argmax(axis=1)])


def _separation(columns: list[int], complete: bool, names: Any) -> str:
    listed = [f"x{j}" if names is None else str(names[j]) for j in columns]
    shown = ", ".join(listed[:10]) + (f" and {len(listed) - 10} more" if len(listed) > 10 else "")
    how = "the features separate the classes completely" if complete else "all rows on one side have one class"
    return (
        f"SEPARATION: {shown or 'the intercept'}: {how}, so the likelihood has no maximum and these weights grow without limit; "
        "give a finite C, or merge or drop what is named here"
    )
