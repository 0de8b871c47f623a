"""The elementary functions of the kernels on arrays of numpy: the same operations in the same order, so the same bits.

numpy.exp and numpy.log are not used: their last bits depend on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np


Floats: TypeAlias = "NDArray[np.float64]"

_ROUND = 6755399441055744.0  # 1.5 · 2**52
_LOG2E = 1.4426950408889634
_LN2_HI = 0.69314718055966295651
_LN2_LO = 2.8235290563031577e-13
_SQRT2 = 1.4142135623730951


def _expm1_of_rest(r: Floats) -> Floats:
    """exp(r) - 1 for |r| <= ln2/2"""
    r2 = r * r
    r4 = r2 * r2
    a = 0.5 + 0.166666666666666851703837 * r
    b = 0.0416666666666665047591422 + 0.00833333333331652721664984 * r
    c = 0.00138888888889774492207962 + 0.000198412698960509205564975 * r
    d = 2.4801587159235472998791e-5 + 2.75572362911928827629423e-6 * r
    e = 2.75573911234900471893338e-7 + 2.51112930892876518610661e-8 * r
    low = a + b * r2 + (c + d * r2) * r4
    high = e + 2.08860621107283687536341e-9 * r2
    return r + r2 * (low + high * (r4 * r4))


def exp(x: Floats | float) -> Floats:
    """exp(x), with an error of at most 0.99 ulp: infinity above 709.79, NaN for NaN."""
    v = np.asarray(x, dtype=np.float64)
    v = np.where(v < -750, -750.0, np.where(v > 710, 710.0, v))
    n = v * _LOG2E + _ROUND - _ROUND
    y = 1 + _expm1_of_rest(v - n * _LN2_HI - n * _LN2_LO)
    half = n * 0.5 + _ROUND - _ROUND
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        steps = np.nan_to_num(half).astype(np.int32), np.nan_to_num(n - half).astype(np.int32)
        return y * np.ldexp(1.0, steps[0]) * np.ldexp(1.0, steps[1])


def _log_of_rest(f: Floats, e: Floats) -> Floats:
    """e·ln2 + log(1 + f) for f in [√½ - 1, √2 - 1] and whole e"""
    s = f / (2 + f)
    q = s * s
    q2 = q * q
    a = 6.66666666666673513e-1 + 3.999999999940941908e-1 * q
    b = 2.857142874366239149e-1 + 2.222219843214978396e-1 * q
    c = 1.818357216161805012e-1 + 1.531383769920937332e-1 * q
    d = c + 1.479819860511658591e-1 * q2
    r = (a + b * q2 + d * (q2 * q2)) * q
    h = 0.5 * (f * f)
    low = s * (h + r) + e * 1.90821492927058770002e-10
    return e * 6.9314718036912381649e-1 - (h - low - f)


def log1p(t: Floats) -> Floats:
    """log(1 + t) for t in [0, 1], with an error below 1 ulp."""
    big = t > 0.41421356237309503
    return _log_of_rest(np.where(big, (t - 1) * 0.5, t), np.where(big, 1.0, 0.0))


def softplus(z: Floats) -> Floats:
    """log(1 + exp(z)), accurate in both tails."""
    return log1p(exp(-np.abs(z))) + np.where(z > 0, z, 0.0)


def sigmoid(z: Floats | float) -> Floats:
    """1/(1 + exp(-z)), with an error of at most 2.5 ulp, monotone."""
    z = np.asarray(z, dtype=np.float64)
    size = np.abs(z)
    near = size < 4
    t = exp(np.where(near, size, -size))
    p = np.where(near, 1.0, t) / (1 + t)
    return np.where(z < 0, p, 1 - p)


def ln(x: Floats | float) -> Floats:
    """log(x) of any double, below 1 ulp: -infinity at 0, NaN below."""
    x = np.asarray(x, dtype=np.float64)
    inside = (x > 0) & (x < np.inf)
    tiny = x < 2.2250738585072014e-308
    with np.errstate(invalid="ignore", over="ignore"):
        bits = np.where(inside, np.where(tiny, x * 18014398509481984.0, x), 1.0).view(np.int64)
    m = ((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000).view(np.float64)
    big = m > _SQRT2
    exponents = (bits >> 52) - np.where(tiny, 1077, 1023) + np.where(big, 1, 0)
    logs = _log_of_rest(np.where(big, m * 0.5 - 1, m - 1), exponents.astype(np.float64))
    return np.where(inside, logs, np.where(x == 0, -np.inf, np.where(x > 0, x, np.nan)))


def ln1p(x: Floats) -> Floats:
    """log(1 + x) of any double, at most 2 ulp: -infinity at -1, NaN below."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        u = 1 + x
        lost = x - (u - 1)
        logs = ln(u)
        return np.where((lost == 0) | (u == x), logs, logs + lost / u)


def expm1(x: Floats) -> Floats:
    """exp(x) - 1, at most 3 ulp."""
    return np.where((x > -0.34) & (x < 0.34), _expm1_of_rest(np.clip(x, -0.34, 0.34)), exp(x) - 1)
