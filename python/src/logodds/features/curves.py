"""What a number goes through before it meets a weight: a transform, a spline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..elementary import Floats, exp, expm1, ln, ln1p

if TYPE_CHECKING:
    import numpy as np
else:
    from ..later import np


def transformed(transform: Mapping[str, Any] | None, x: Floats) -> Floats:
    """Numbers through a transform; NaN outside its domain.

    log x, log(1 + x), √x, log(x/(1 - x)); box-cox (x^λ - 1)/λ, log x for λ = 0; yeo-johnson box-cox of 1 + x for x >= 0, else
    -(box-cox with 2 - λ of 1 - x). See Box, Cox, 1964; Yeo, Johnson, 2000.
    """
    if transform is None:
        return x
    name, power = transform["name"], float(transform.get("lambda", 0))
    with np.errstate(all="ignore"):
        if name == "log":
            return np.where(x > 0, ln(x), np.nan)
        if name == "log1p":
            return np.where(x > -1, ln1p(x), np.nan)
        if name == "logit":
            return np.where((x > 0) & (x < 1), ln(x / (1 - x)), np.nan)
        if name == "sqrt":
            return np.where(x >= 0, np.sqrt(x), np.nan)
        if name == "box-cox":
            return np.where(x > 0, _grown(power, ln(x)), np.nan)
        return np.where(x < 0, -_grown(2 - power, ln1p(-x)), _grown(power, ln1p(x)))


def _grown(power: float, u: Floats) -> Floats:
    """(e^(λu) - 1)/λ, u for λ = 0"""
    if abs(power) < 1e-19:
        return u
    t = power * u
    # the exponential overflows before the quotient does
    return np.where(t > 709, math.copysign(1, power) * exp(t - ln(abs(power))), expm1(t) / power)


class Spline:
    """A restricted (natural) cubic spline: x itself, then for j = 1 … K - 2

    [ (x - t_j)³₊ - (x - t_(K-1))³₊·(t_K - t_j)/(t_K - t_(K-1)) + (x - t_K)³₊·(t_(K-1) - t_j)/(t_K - t_(K-1)) ] / (t_K - t_1)²

    See Harrell, Regression Modeling Strategies, 2.4.5.
    """

    def __init__(self, knots: Sequence[float]) -> None:
        self.knots = [float(knot) for knot in knots]
        before, last = self.knots[-2:]
        self.unit = 1 / ((last - self.knots[0]) * (last - self.knots[0]))
        inner = self.knots[:-2]
        self.ratio = [(last - knot) / (last - before) for knot in inner]
        self.value = [(last - knot) * (before - knot) * (last - knot + (last - before)) * self.unit for knot in inner]
        self.slope = [3 * (last - knot) * (before - knot) * self.unit for knot in inner]

    def __call__(self, x: Floats) -> list[Floats]:
        before, last = self.knots[-2:]
        with np.errstate(all="ignore"):
            bent = _cube_above(x - before)
            above = x >= last
            return [x] + [
                np.where(above, value + slope * (x - last), (_cube_above(x - knot) - bent * ratio) * self.unit)
                for knot, ratio, value, slope in zip(self.knots, self.ratio, self.value, self.slope)
            ]


def _cube_above(d: Floats) -> Floats:
    return np.where(d > 0, d * d * d, 0.0)
