"""Confidence intervals of probabilities, from the covariance of the estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elementary import Floats, exp, ln, sigmoid, softplus
from .encoder import Encoded, Encoder
from .errors import LogoddsError, show
from .outcomes import calibrated, calibrated_classes


@dataclass(frozen=True)
class Interval:
    """The interval of each probability: of the positive class [rows], with more than two classes [rows, classes]."""

    #: ends of the interval of the probability, calibrated
    low: Floats
    high: Floats
    #: ends of the interval of the logit; with more than two classes of the log-odds of the class against all others
    logit_low: Floats
    logit_high: Floats
    #: standard error of that logit, or of those log-odds
    std_error: Floats


def intervals(
    manifest: Mapping[str, Any], encoder: Encoder, weights: Floats, intercept: Floats, covariance: Floats | None, encoded: Encoded, level: float
) -> Interval:
    """z ∓ q·√(xᵀΣx) through the sigmoid and the calibration, q = Φ⁻¹((1 + level)/2); several classes by the delta method.

    See Hosmer, Lemeshow, Applied Logistic Regression, 1.4 and 2.5.

    :raises LogoddsError: ERR_DATA when the model has no covariance, ERR_RANGE for a level outside (0, 1)
    """
    half = half_width(level)
    if covariance is None:
        raise LogoddsError(
            "ERR_DATA",
            "interval: expected a model with the covariance of its estimates, got none; train it with inference (--inference)",
        )
    vectors, slots, rows = len(intercept), encoder.slots, encoded.rows
    index: list[NDArray[Any]] = []
    entry: list[Floats] = []
    for x, first, width in zip(encoded.columns, encoder.first_slots, encoder.widths):
        index.append(first + x if width else np.full(rows, first))
        entry.append(np.ones(rows) if width else x)
    index.append(np.full(rows, slots))
    entry.append(np.ones(rows))
    logits = np.empty((vectors, rows))
    spread = np.empty((vectors, vectors, rows))
    by_vector = weights.reshape(vectors, slots)
    with np.errstate(invalid="ignore", over="ignore"):
        for k in range(vectors):
            logits[k] = intercept[k]
            for at, value in zip(index[:-1], entry[:-1]):
                logits[k] += value * by_vector[k][at]
            for other in range(k + 1):
                total = np.zeros(rows)
                for at, value in zip(index, entry):
                    inner = np.zeros(rows)
                    for at2, value2 in zip(index, entry):
                        inner += covariance[k * (slots + 1) + at, other * (slots + 1) + at2] * value2
                    # an entry that is 0 is none
                    total += np.where(value == 0, 0.0, value * inner)
                spread[k, other] = spread[other, k] = total
        if encoded.offsets is not None:
            logits[0] += encoded.offsets
        centres, errors = _centres(manifest, logits, spread)
        ends = centres - half * errors, centres + half * errors
    lost = np.isnan(centres + errors) | (np.isinf(errors) & ~np.isfinite(centres))
    if lost.any():
        row = int(np.argmax(lost.any(axis=0)))
        raise LogoddsError(
            "ERR_RECORD",
            f"row {row} (from 0): expected numbers whose terms in the logit do not overflow, got others; correct them",
            problems=[{"row": row, "rule": "numbers whose terms in the logit do not overflow"}],
        )
    calibration = manifest.get("calibration")
    a, b = (calibrated(calibration, end[0])[None, :] if vectors == 1 and calibration else sigmoid(end) for end in ends)
    return Interval(*(one[0] if vectors == 1 else one.T for one in (np.minimum(a, b), np.maximum(a, b), *ends, errors)))


def _centres(manifest: Mapping[str, Any], logits: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """The logits, or the log-odds of each class, and their standard errors."""
    vectors = len(logits)
    if vectors == 1:
        return logits, np.sqrt(np.maximum(0.0, spread[0]))
    calibration = manifest.get("calibration") or {}
    calibrators: Sequence[Mapping[str, Any]] = calibration.get("calibrators", ())
    shift: Sequence[float] = calibration.get("shift", ())
    tempered = bool(calibrators) and calibrators[0]["method"] == "temperature"
    one_vs_rest = manifest["multiclass"] == "ovr"
    centres, errors = np.empty_like(logits), np.empty_like(logits)
    for k in range(vectors):
        if calibrators and not tempered:
            centres[k], gradient = _through_calibration(calibration, logits, spread, k, one_vs_rest)
        else:
            scale = float(calibrators[0]["inverse"]) if tempered else 1.0
            centres[k], gradient = _class_odds(logits, k, one_vs_rest and not tempered, scale, shift)
        variance = np.zeros(logits.shape[1])
        for j in range(vectors):
            for other in range(vectors):
                variance += gradient[j] * spread[j, other] * gradient[other]
        errors[k] = np.sqrt(np.maximum(0.0, variance))
    return centres, errors


def _through_calibration(calibration: Mapping[str, Any], logits: Floats, spread: Floats, k: int, one_vs_rest: bool) -> tuple[Floats, Floats]:
    """Log-odds of class k by the calibrated probabilities; the gradient is the slope over ±1 standard error."""

    def odds(z: Floats) -> Floats:
        p = np.minimum(np.maximum(calibrated_classes(calibration, z, one_vs_rest)[k], 1e-15), 1 - 1e-15)
        return ln(p) - ln(1 - p)

    gradient = np.zeros_like(logits)
    for j in range(len(logits)):
        step = np.sqrt(np.maximum(0.0, spread[j, j]))
        up, down = logits.copy(), logits.copy()
        up[j] = logits[j] + step
        down[j] = logits[j] - step
        with np.errstate(divide="ignore", invalid="ignore"):
            gradient[j] = np.where(step > 0, (odds(up) - odds(down)) / (2 * step), 0.0)
    return odds(logits), gradient


def _class_odds(z: Floats, k: int, one_vs_rest: bool, scale: float, shift: Sequence[float]) -> tuple[Floats, Floats]:
    """log(pₖ/(1 - pₖ)) and its gradient with respect to the logits."""
    u = np.stack([(-softplus(-one) if one_vs_rest else scale * one) + (shift[j] if shift else 0) for j, one in enumerate(z)])
    others = [j for j in range(len(u)) if j != k]
    most = u[others].max(axis=0)
    gradient = np.zeros_like(u)
    total = np.zeros(u.shape[1])
    for j in others:
        gradient[j] = exp(u[j] - most)
        total += gradient[j]
    for j in range(len(u)):
        gradient[j] = (1 if j == k else -gradient[j] / total) * (sigmoid(-z[j]) if one_vs_rest else scale)
    return u[k] - (most + ln(total)), gradient


def half_width(level: float) -> float:
    """Φ⁻¹((1 + level)/2). Raises ERR_RANGE."""
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise LogoddsError("ERR_RANGE", f"level: expected a number above 0 and below 1, got {show(level)}; 0.95 is usual")
    return -normal_quantile((1 - level) / 2)


def normal_quantile(p: float) -> float:
    """Φ⁻¹(p) for p in (0, 1). See Wichura, Algorithm AS 241, Applied Statistics 37(3), 1988.

    >>> normal_quantile(0.975)
    1.9599639845400536
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(_CENTRE[0], r) / _polynomial(_CENTRE[1], r)
    r = float(np.sqrt(-ln(p if q < 0 else 1 - p)))
    shift, (over, under) = (1.6, _TAIL) if r <= 5 else (5.0, _FAR)
    size = _polynomial(over, r - shift) / _polynomial(under, r - shift)
    return -size if q < 0 else size


def _polynomial(coefficients: Sequence[float], x: float) -> float:
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


_CENTRE = (
    (3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
     1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4),
    (1.0, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
     1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
     2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
     1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15),
)  # fmt: skip
