"""Whether classes are separated, so that a fit without a penalty has no optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, eye, hstack, issparse, vstack

from ..elementary import Floats
from ..training import MOST_NEWTON, Likelihood, Penalty, newton_step

CERTAIN = 0.5
"""A Newton step that changes no difference of a row's logits by this much proves overlap; by the theorem any number below 1 would do"""
MOST_MARGIN = 30.0
"""Difference of logits up to which the probabilities of both classes count"""
MOST_PROGRAM = 2e6
"""Rows · columns² up to which a linear program decides"""
_SHARE = 0.05
"""Weights with a smaller share of a runaway step only follow the others"""


def separated_by(
    X: Any, codes: NDArray[np.intp], weights: Floats | None, likelihood: Likelihood, penalty: Penalty, end: Floats
) -> tuple[list[int], bool] | None:
    """The columns of X that separate the classes, and whether they do so completely; None: they overlap, or nothing says that they do not.

    A Newton step at the end of the fit proves that classes overlap where it changes no logit by 1: H·step = -g with such changes is a positive combination
    of all signed rows that is 0, which separated rows do not have (Stiemke's lemma). Elsewhere a linear program decides whether a direction b has
    aᵢ·b >= 0 for all signed rows and > 0 for as many as possible. Where it is too large, a step of a fit that has converged is a direction itself.

    See Albert, Anderson, Biometrika 71(1), 1984; Konis, Linear programming algorithms for detecting separated data, 2007.
    """
    keep = np.ones(X.shape[0], np.bool_) if weights is None else weights > 0
    rows, own, vectors = X[keep], codes[keep], likelihood.vectors
    logits = _logits(rows, end, vectors)
    margins = logits[own, np.arange(len(own))] - logits
    step, overlaps = None, False
    if likelihood.parameters <= MOST_NEWTON:
        _, gradient = likelihood.at(end)
        hessian = likelihood.hessian()
        step = newton_step(hessian, gradient, penalty)
        left = np.abs((hessian @ step + gradient) * penalty.free).max(initial=0.0)
        is_solved = left <= 1e-9 * np.abs(gradient * penalty.free).max(initial=0.0)
        change = _logits(rows, step, vectors)
        overlaps = bool((change.max(axis=0) - change.min(axis=0)).max(initial=0.0) <= CERTAIN)
        # a row whose other classes have lost their probability to rounding proves nothing
        if overlaps and is_solved and margins.max(initial=0.0) <= MOST_MARGIN:
            return None
    free = penalty.free.reshape(vectors, -1)[0] > 0
    columns = int(free.sum()) * max(1, vectors - 1)
    if len(own) * max(1, vectors - 1) * columns**2 <= MOST_PROGRAM:
        return _by_program(rows, own, vectors, bool(free[-1]))
    if overlaps:
        return None
    complete = bool(((margins > 0).sum(axis=0) == len(margins) - 1).all())
    if step is None:
        return ([*range(X.shape[1])], True) if complete else None
    size = np.abs(step.reshape(vectors, -1)[:, :-1]).max(axis=0) * _scales(X)
    return np.flatnonzero(size >= _SHARE * size.max(initial=0.0)).tolist(), complete


def _logits(X: Any, parameters: Floats, vectors: int) -> Floats:
    """[classes, rows], of two classes 0 and the logit"""
    given = parameters.reshape(vectors, -1)
    z = np.asarray(X @ given[:, :-1].T + given[:, -1]).T
    return z if vectors > 1 else np.vstack([np.zeros(z.shape[1]), z[0]])


def _scales(X: Any) -> Floats:
    found = np.asarray(abs(X).max(axis=0).todense() if issparse(X) else np.abs(X).max(axis=0)).reshape(-1)
    return np.asarray(np.where(found > 0, found, 1.0), np.float64)


def _by_program(X: Any, codes: NDArray[np.intp], vectors: int, has_intercept: bool) -> tuple[list[int], bool] | None:
    scaled = csr_matrix(X) @ csr_matrix(np.diag(1 / _scales(X)))
    if has_intercept:
        scaled = hstack([scaled, np.ones((len(codes), 1))], format="csr")
    width = scaled.shape[1]
    signed = _signed(scaled, codes, vectors)
    count = signed.shape[0]
    # the most rows with aᵢ·b >= tᵢ, tᵢ in [0, 1]: one direction has them all, as the sum of two has the rows of both
    found = linprog(
        np.append(np.zeros(signed.shape[1]), -np.ones(count)),
        A_ub=hstack([-signed, eye(count)], format="csr"),
        b_ub=np.zeros(count),
        bounds=[(-1e6, 1e6)] * signed.shape[1] + [(0, 1)] * count,
        method="highs",
    )
    if found.x is None:
        return None
    direction, above = found.x[: signed.shape[1]], found.x[signed.shape[1] :] > 0.5
    if not above.any():
        return None
    size = np.abs(direction.reshape(-1, width)).max(axis=0)
    moved = np.flatnonzero(size[: X.shape[1]] > 1e-9 * size.max())
    return moved.tolist(), bool(above.all())


def _signed(X: csr_matrix, codes: NDArray[np.intp], vectors: int) -> csr_matrix:
    """x of a row of the second class, -x of the first; of several classes for each other class x in the columns of its own, -x in those of the other."""
    if vectors == 1:
        return csr_matrix(X.multiply(np.where(codes == 1, 1.0, -1.0)[:, None]))
    none = csr_matrix(X.shape)
    blocks = []
    for own in range(vectors):
        mine = X[codes == own]
        for other in range(vectors):
            if other == own:
                continue
            parts = [mine if k == own else -mine if k == other else none[: mine.shape[0]] for k in range(1, vectors)]
            blocks.append(hstack(parts, format="csr"))
    return vstack(blocks, format="csr")
