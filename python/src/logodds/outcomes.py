"""From logits to probabilities and labels: calibration, softmax, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .elementary import Floats, exp, sigmoid, softplus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np

_LARGEST = 1e300


def bounded(z: Floats) -> Floats:
    """Logits limited so that no infinities cancel."""
    return np.where(z > _LARGEST, _LARGEST, np.where(z < -_LARGEST, -_LARGEST, z))


def calibrated_logit(calibrator: Mapping[str, Any] | None, logits: Floats, shift: float) -> Floats:
    z = bounded(logits)
    if calibrator is None:
        return bounded(z + shift)
    method = calibrator["method"]
    if method == "platt":
        z = calibrator["a"] * z + calibrator["b"]
    elif method == "temperature":
        z = z * calibrator["inverse"]
    else:
        z = calibrator["b"] * softplus(z) - calibrator["a"] * softplus(-z) + calibrator["c"]
    return bounded(z + shift)


def interpolated(calibrator: Mapping[str, Any], z: Floats) -> Floats:
    """Linear between the points of isotonic regression, constant outside; not falling."""
    logits = np.asarray(calibrator["logits"], np.float64)
    probabilities = np.asarray(calibrator["probabilities"], np.float64)
    if len(logits) == 1:
        return np.where(np.isnan(z), np.nan, probabilities[0])
    low = np.clip(np.searchsorted(logits, z, side="right") - 1, 0, len(logits) - 2)
    with np.errstate(invalid="ignore", over="ignore"):
        part = (z - logits[low]) / (logits[low + 1] - logits[low])
        inner = np.minimum(probabilities[low + 1], probabilities[low] + (probabilities[low + 1] - probabilities[low]) * part)
    return np.where(z <= logits[0], probabilities[0], np.where(z >= logits[-1], probabilities[-1], inner))


def calibrated(calibration: Mapping[str, Any], logits: Floats) -> Floats:
    """The calibrated probabilities of the positive class of two."""
    calibrators, shift = calibration["calibrators"], calibration["shift"]
    calibrator = calibrators[0] if calibrators else None
    by = float(shift[0]) if shift else 0.0
    if calibrator is None or calibrator["method"] != "isotonic":
        return sigmoid(calibrated_logit(calibrator, logits, by))
    p = interpolated(calibrator, logits)
    if by == 0:
        return p
    odds = p * exp(by)
    return odds / (odds + (1 - p))


def softmax(z: Floats, one_vs_rest: bool) -> Floats:
    """Probabilities from logits [classes, rows], sums in the order of the classes."""
    top = z.max(axis=0)
    with np.errstate(invalid="ignore"):
        powers = exp(np.where(z == top, 0.0, z - top))
    if one_vs_rest:
        powers = np.where(top >= -37, sigmoid(z), powers)
    return powers / _sum(powers)


def _sum(planes: Sequence[Floats] | Floats) -> Floats:
    total = np.zeros(len(planes[0]))
    for plane in planes:
        total = total + plane
    return total


def calibrated_classes(calibration: Mapping[str, Any], logits: Floats, one_vs_rest: bool) -> Floats:
    """The calibrated probabilities of several classes, from logits [classes, rows]."""
    method, calibrators, shift = calibration["method"], calibration["calibrators"], calibration["shift"]
    joint = method == "temperature" or (method == "none" and not one_vs_rest)
    out = np.empty_like(logits)
    for k, plane in enumerate(logits):
        calibrator = None if method == "none" else calibrators[0 if joint else k]
        if method == "isotonic":
            out[k] = interpolated(calibrators[k], plane)
        else:
            out[k] = calibrated_logit(calibrator, plane, float(shift[k]) if joint and shift else 0.0)
    if method != "isotonic":
        out = softmax(out, not joint)
    if method == "isotonic" or (shift and not joint):
        if shift:
            out = out * exp(np.asarray(shift, np.float64))[:, None]
        total = _sum(out)
        with np.errstate(invalid="ignore"):
            out = np.where(total == 0, 1 / len(out), out / total)
    return out


_NONE: Mapping[str, Any] = {"method": "none", "calibrators": (), "shift": ()}


def needs_outcomes(manifest: Mapping[str, Any]) -> bool:
    """Whether more than the sigmoid and a threshold is needed."""
    decision = manifest["decision"]
    return bool(manifest["positive"] is None or manifest.get("calibration") or decision.get("costs") or decision.get("abstain"))


def probabilities_of(manifest: Mapping[str, Any], logits: Floats) -> Floats:
    """Probabilities [classes, rows] (two classes: [1, rows]) of logits. NaN where logits cannot be told apart."""
    calibration = manifest.get("calibration")
    if len(logits) == 1:
        return calibrated(calibration or _NONE, logits[0])[None, :]
    one_vs_rest = manifest["multiclass"] == "ovr"
    # several greatest and infinite logits overflowed
    with np.errstate(invalid="ignore"):
        top = logits.max(axis=0)
        lost = ((~(logits < top)).sum(axis=0) > 1) & ~np.isfinite(top)
    z = logits
    if lost.any():
        z = logits.copy()
        z[:, lost] = np.nan
    if calibration or manifest["decision"].get("costs") or manifest["decision"].get("abstain"):
        out = calibrated_classes(calibration or _NONE, z, one_vs_rest)
    else:
        out = softmax(z, one_vs_rest)
    return out


def labels_of(manifest: Mapping[str, Any], logits: Floats, probabilities: Floats) -> NDArray[np.int64]:
    """The class of each row, as an index.

    Two classes: the positive one when probability > threshold. Several: the least expected cost where there are costs, else the greatest logit
    (with a calibration the greatest probability), the first if several.
    """
    decision, classes = manifest["decision"], manifest["classes"]
    if manifest["positive"] is not None:
        positive = classes.index(manifest["positive"])
        return np.asarray(np.where(probabilities[0] > decision["threshold"], positive, 1 - positive), np.int64)
    costs = decision.get("costs")
    if not costs:
        return np.asarray(np.argmax(probabilities if manifest.get("calibration") else logits, axis=0), np.int64)
    expected = np.stack([_sum([plane * float(costs[j][k]) for j, plane in enumerate(probabilities)]) for k in range(len(classes))])
    return np.asarray(np.argmin(expected, axis=0), np.int64)


def review_of(manifest: Mapping[str, Any], probabilities: Floats) -> NDArray[np.bool_] | None:
    """Whether a person reviews each row; None: the model has no band for it."""
    band = manifest["decision"].get("abstain")
    if not band:
        return None
    if manifest["positive"] is None:
        return np.asarray(probabilities.max(axis=0) < band["high"])
    return np.asarray((probabilities[0] >= band["low"]) & (probabilities[0] <= band["high"]))
