"""Features of every kind: how the cells of a table become the columns of the kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .coder import CROSS, Coder, Feature, Slot, Tally, field_of, is_cross
from .levels import CrossCoder, HashedCoder, LevelCoder, TargetCoder
from .numbers import CurveCoder, NumberCodeCoder, NumericCoder
from .words import TokensCoder

__all__ = ["CODERS", "CROSS", "Coder", "CrossCoder", "Feature", "NumericCoder", "Slot", "Tally", "field_of", "is_cross"]


CODERS: Mapping[str, Callable[[Feature], Coder]] = {
    "numeric": NumericCoder,
    "categorical": LevelCoder,
    "curve": CurveCoder,
    "binned": NumberCodeCoder,
    "date": NumberCodeCoder,
    "target": TargetCoder,
    "hashed": HashedCoder,
    "tokens": TokensCoder,
}
