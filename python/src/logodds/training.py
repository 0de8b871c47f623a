"""Fits by the kernels of training: the likelihood of rows in linear memory, and solvers on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elementary import Floats
from .errors import LogoddsError
from .kernels import Kernels, aligned

MOST_NEWTON = 500
"""Parameters up to which a Hessian is cheaper than the iterations that it saves"""
MOST_L1 = 2000
"""Weights up to which the quadratic model of an L1 fit is kept"""


class Likelihood:
    """Σ sᵢ·loss(yᵢ, zᵢ) of rows in linear memory, its gradient and Hessian; sums, without penalty.

    Two classes: z = x·w + b, loss = log(1 + exp(z)) - y·z. K classes: loss = log Σ exp(z_j) - z_y. The parameters are for each weight vector
    its weights, then its intercept.
    """

    def __init__(self, X: Any, y: Floats, weights: Floats | None, classes: int) -> None:
        """:param X: an array [rows, features], or a matrix of scipy.sparse in CSR"""
        self.rows, self.features = X.shape
        self.vectors = 1 if classes == 2 else classes
        self.parameters = self.vectors * (self.features + 1)
        self._kernels = Kernels("training.wasm")
        self._end = self._kernels.base
        self._is_sparse = not isinstance(X, np.ndarray)
        # values of a row lie side by side, padded with zeros
        self.stride = self.features if self._is_sparse else -(-self.features // 4) * 4
        self._width = self.stride + 1
        plane = -(-self.rows // 4) * 4
        self._plane = plane
        places = {
            "y": plane * 8,
            "s": plane * 8 if weights is not None else 0,
            "z": self.vectors * plane * 8,
            "p": self.vectors * plane * 8,
            "q": plane * 8,
            "w": self.vectors * self._width * 8,
            "b": self.vectors * 8,
            "g": self.vectors * (self._width + 1) * 8,
            "h": (self._width + 1) * (self._width + 2) * 8,
            "scratch": 64 * max(self.stride, 4) * 8,
        }
        if self._is_sparse:
            places |= {"rowPtr": (self.rows + 1) * 4, "colIdx": X.nnz * 4 + 16, "values": X.nnz * 8 + 16}
        else:
            places |= {"x": self.rows * self.stride * 8}
        self._at = {}
        for name, size in places.items():
            self._at[name] = self._end if size else 0
            self._end = aligned(self._end + size)
        if self._end > 2**32 - 32:
            raise LogoddsError("ERR_MEMORY", f"fit: expected rows of at most 4 GB, got {self._end} bytes; fit a sample, or train with `logodds train --memory`")
        self._kernels.reserve(self._end)
        self._view("y", self.rows)[:] = y
        if weights is not None:
            self._view("s", self.rows)[:] = weights
        if self._is_sparse:
            self._view("rowPtr", self.rows + 1, np.uint32)[:] = X.indptr
            self._view("colIdx", X.nnz, np.uint32)[:] = X.indices
            self._view("values", X.nnz)[:] = X.data
        else:
            x = self._view("x", self.rows * self.stride).reshape(self.rows, self.stride)
            x[:, self.features :] = 0
            x[:, : self.features] = X

    def _view(self, name: str, count: int, dtype: Any = np.float64) -> NDArray[Any]:
        return self._kernels.view(self._at[name], count, dtype)

    def at(self, parameters: Floats) -> tuple[float, Floats]:
        """Loss and gradient at a point; `hessian` is then that of this point."""
        at, call, vectors, rows = self._at, self._kernels.call, self.vectors, self.rows
        given = parameters.reshape(vectors, self.features + 1)
        w = self._view("w", vectors * self._width).reshape(vectors, self._width)[:, : self.stride]
        w[:] = 0
        w[:, : self.features] = given[:, :-1]
        # weights lie stride apart for the kernels of rows, and for those of sparse rows
        self._view("w", vectors * self.stride)[:] = w.reshape(-1).copy()
        self._view("b", vectors)[:] = given[:, -1]
        if self._is_sparse:
            call("logitsSparseF64", at["rowPtr"], at["colIdx"], at["values"], rows, at["w"], self.stride, at["b"], vectors, at["z"], self._plane)
        else:
            call("logitsRowsF64", at["x"], self.stride, rows, at["w"], at["b"], vectors, at["z"], self._plane)
        if vectors == 1:
            # the residual takes the place of the logits
            loss = call("binomialLoss", at["z"], at["y"], at["s"], rows, at["z"], at["q"])
        else:
            loss = call("multinomialLoss", at["z"], self._plane, vectors, at["y"], at["s"], rows, at["p"], self._plane)
        g = self._view("g", vectors * (self._width + 1))
        g[:] = 0
        if self._is_sparse:
            call("transposeSparse", at["rowPtr"], at["colIdx"], at["values"], 1, rows, at["z"], self._plane, vectors, at["g"], self._width + 1, self.stride)
        else:
            call("transposeRowsF64", at["x"], self.stride, rows, at["z"], self._plane, vectors, at["g"], self._width + 1)
        found = g.reshape(vectors, self._width + 1)
        gradient = np.column_stack([found[:, : self.features], found[:, self.stride]])
        return float(loss), gradient.reshape(-1)

    def hessian(self) -> Floats:
        """XᵀSX at the point of the last `at`: of classes j and k with S = diag(sᵢ·p_ij·([j = k] - p_ik)); both triangles."""
        vectors, size = self.vectors, self.features + 1
        if vectors == 1:
            return self._gram()
        out = np.empty((vectors * size, vectors * size))
        p = self._view("p", vectors * self._plane).reshape(vectors, self._plane)[:, : self.rows]
        s = self._view("s", self.rows) if self._at["s"] else 1.0
        for j in range(vectors):
            for k in range(j + 1):
                self._view("q", self.rows)[:] = s * p[j] * ((1.0 if j == k else 0.0) - p[k])
                block = self._gram()
                out[j * size : (j + 1) * size, k * size : (k + 1) * size] = block
                out[k * size : (k + 1) * size, j * size : (j + 1) * size] = block.T
        return out

    def _gram(self) -> Floats:
        """XᵀCX of the features and the intercept, c in `q`."""
        at, slots = self._at, self.stride
        ld = slots + 1 + (slots + 1) % 2
        h = self._view("h", (slots + 1) * ld)
        h[:] = 0
        if self._is_sparse:
            self._kernels.call("hessianSparse", at["rowPtr"], at["colIdx"], at["values"], 1, self.rows, at["q"], at["h"], slots, ld)
        else:
            self._kernels.call("hessianRowsF64", at["x"], slots, self.rows, at["q"], at["h"], ld, at["scratch"])
        keep = [*range(self.features), slots]
        lower = np.tril(h.reshape(slots + 1, ld)[:, : slots + 1])[np.ix_(keep, keep)]
        return np.asarray(lower + np.tril(lower, -1).T, np.float64)


@dataclass(frozen=True)
class Penalty:
    """ridge/2·‖w‖² + lasso·‖w‖₁ on the weights; intercepts are free, or held at 0."""

    ridge: float
    lasso: float
    #: [parameters]: 1 for a weight, 0 for an intercept
    on: Floats
    #: [parameters]: 1 where a parameter may move
    free: Floats

    def value(self, w: Floats) -> float:
        on = w * self.on
        return self.ridge / 2 * float(on @ on) + self.lasso * float(np.abs(on).sum())


@dataclass(frozen=True)
class Fit:
    parameters: Floats
    iterations: int
    converged: bool
    #: largest violation of the optimality conditions, divided by the sum of the weights
    violation: float


def violation_of(gradient: Floats, w: Floats, penalty: Penalty) -> Floats:
    """Distance of 0 from the subgradient of each parameter."""
    smooth = (gradient + penalty.ridge * w * penalty.on) * penalty.free
    lasso = penalty.lasso * penalty.on
    at_zero = np.maximum(0.0, np.abs(smooth) - lasso)
    return np.where((w == 0) & (lasso > 0), at_zero, np.abs(smooth + lasso * np.sign(w)))


def minimise(likelihood: Likelihood, penalty: Penalty, total: float, solver: str, tol: float, most: int, start: Floats) -> Fit:
    """The optimum of likelihood and penalty.

    ``newton`` takes the Hessian of every point, with an L1 penalty by coordinate descent on its quadratic model; ``lbfgs`` takes gradients alone.

    :param tol: of the violation, for each unit of weight
    """
    if solver == "newton":
        return _newton(likelihood, penalty, total, tol, most, start)
    return _lbfgs(likelihood, penalty, total, tol, most, start)


def _newton(likelihood: Likelihood, penalty: Penalty, total: float, tol: float, most: int, start: Floats) -> Fit:
    w = start
    loss, gradient = likelihood.at(w)
    value = loss + penalty.value(w)
    worst = math.inf
    for iteration in range(most + 1):
        worst = float(violation_of(gradient, w, penalty).max(initial=0.0)) / total
        if worst <= tol or iteration == most:
            return Fit(w, iteration, worst <= tol, worst)
        hessian = likelihood.hessian()
        smooth = gradient + penalty.ridge * w * penalty.on
        hessian[np.diag_indices_from(hessian)] += penalty.ridge * penalty.on
        if penalty.lasso > 0:
            step = _proximal_step(hessian, smooth, w, penalty)
            fall = float(smooth @ step) + penalty.lasso * float((np.abs(w + step) - np.abs(w)) @ penalty.on)
        else:
            step = newton_step(hessian, smooth, penalty)
            fall = float(smooth @ step)
        size = 1.0
        while True:
            trial = w + size * step
            loss, trial_gradient = likelihood.at(trial)
            trial_value = loss + penalty.value(trial)
            # at the end a step changes less than rounding does
            if trial_value <= value + 1e-4 * size * fall or size * abs(fall) <= 1e-13 * abs(value):
                break
            size /= 2
            if size < 1e-10:
                return Fit(w, iteration + 1, False, worst)
        moved = not np.array_equal(trial, w)
        w, value, gradient = trial, trial_value, trial_gradient
        if not moved:
            return Fit(w, iteration + 1, worst <= 100 * tol, worst)
    raise AssertionError


def newton_step(hessian: Floats, gradient: Floats, penalty: Penalty) -> Floats:
    """The step that solves hessian·step = -gradient for the parameters that may move."""
    free = np.flatnonzero(penalty.free)
    block = hessian[np.ix_(free, free)]
    step = np.zeros_like(gradient)
    # several classes without a penalty have no common zero: the shortest step
    try:
        factor = np.linalg.cholesky(block)
        half = np.linalg.solve(factor, -gradient[free])
        step[free] = np.linalg.solve(factor.T, half)
    except np.linalg.LinAlgError:
        step[free] = np.linalg.lstsq(block, -gradient[free], rcond=1e-12)[0]
    return step


def _proximal_step(hessian: Floats, gradient: Floats, w: Floats, penalty: Penalty) -> Floats:
    """The step to the optimum of the quadratic model with the L1 penalty, by coordinate descent over what is not 0, then over all.

    See Friedman, Hastie, Tibshirani, Journal of Statistical Software 33(1), 2010; Yuan, Ho, Lin, JMLR 13, 2012.
    """
    at = w.copy()
    # the gradient of the model at `at`
    slope = gradient.copy()
    lasso = penalty.lasso * penalty.on
    curvature = np.maximum(np.diag(hessian), 1e-300)
    everything = np.flatnonzero(penalty.free)
    goal = 1e-3 * float(violation_of(gradient - penalty.ridge * w * penalty.on, w, penalty).max(initial=0.0))
    for _ in range(1000):
        worst = 0.0
        for _ in range(100):
            inner = 0.0
            active = everything[(at[everything] != 0) | (penalty.on[everything] == 0)]
            for j in active:
                inner = max(inner, _descend(j, at, slope, lasso, curvature, hessian))
            if inner <= goal:
                break
        for j in everything:
            worst = max(worst, _descend(j, at, slope, lasso, curvature, hessian))
        if worst <= goal:
            break
    return at - w


def _descend(j: np.intp, at: Floats, slope: Floats, lasso: Floats, curvature: Floats, hessian: Floats) -> float:
    """Moves one coordinate to its optimum. Returns the violation that it had."""
    target = curvature[j] * at[j] - slope[j]
    new = math.copysign(max(0.0, abs(target) - lasso[j]), target) / curvature[j]
    change = new - at[j]
    if change == 0:
        return 0.0
    slope += change * hessian[j]
    at[j] = new
    return abs(float(change * curvature[j]))


def _lbfgs(likelihood: Likelihood, penalty: Penalty, total: float, tol: float, most: int, start: Floats, memory: int = 10) -> Fit:
    """See Nocedal, Wright, Numerical Optimization, algorithm 7.5, with backtracking."""
    w = start

    def evaluate(at: Floats) -> tuple[float, Floats]:
        loss, gradient = likelihood.at(at)
        return loss + penalty.value(at), (gradient + penalty.ridge * at * penalty.on) * penalty.free

    value, gradient = evaluate(w)
    steps: list[tuple[Floats, Floats, float]] = []
    for iteration in range(most + 1):
        worst = float(np.abs(gradient).max(initial=0.0)) / total
        if worst <= tol or iteration == most:
            return Fit(w, iteration, worst <= tol, worst)
        direction = -_inverse_times(steps, gradient)
        fall = float(gradient @ direction)
        size = 1.0 if steps else min(1.0, 1 / max(float(np.abs(gradient).sum()), 1e-300))
        while True:
            trial = w + size * direction
            trial_value, trial_gradient = evaluate(trial)
            if trial_value <= value + 1e-4 * size * fall or size * abs(fall) <= 1e-14 * abs(value):
                break
            size /= 2
            if size < 1e-12:
                return Fit(w, iteration + 1, False, worst)
        moved, turned = trial - w, trial_gradient - gradient
        product = float(moved @ turned)
        if product > 1e-12 * float(turned @ turned):
            steps = [*steps[1 - memory :], (moved, turned, 1 / product)]
        w, value, gradient = trial, trial_value, trial_gradient
    raise AssertionError


def _inverse_times(steps: list[tuple[Floats, Floats, float]], gradient: Floats) -> Floats:
    q = gradient.copy()
    shares = []
    for moved, turned, inverse in reversed(steps):
        share = inverse * float(moved @ q)
        shares.append(share)
        q -= share * turned
    if steps:
        moved, turned, inverse = steps[-1]
        q *= 1 / (inverse * float(turned @ turned))
    for (moved, turned, inverse), share in zip(steps, reversed(shares)):
        q += moved * (share - inverse * float(turned @ q))
    return q
