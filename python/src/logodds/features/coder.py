"""What every kind of feature has: its field, its slots, its policies for cells that it cannot use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import LogoddsError, cell_error
from ..tables import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np

Feature = Mapping[str, Any]
CROSS = " × "
"""Joins the names of a cross's parts, and their levels."""


@dataclass(frozen=True)
class Slot:
    """The meaning of one weight within its feature."""

    role: str
    level: str | None


@dataclass
class Tally:
    """Of each row the features that took a default, and the numbers outside the range of training. It is added to."""

    defaulted: NDArray[np.int64]
    outside: NDArray[np.int64]


class Coder(ABC):
    """A feature made ready."""

    #: of each column that it writes: 0 for a number, else how many slots its codes have
    widths: Sequence[int]

    def __init__(self, feature: Feature) -> None:
        self.feature = feature
        self.field = field_of(feature)

    @abstractmethod
    def slots(self) -> list[Slot]: ...

    @abstractmethod
    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        """The columns of the kernels: numbers in float64, codes in int64."""

    def missing_error(self, row: int) -> LogoddsError:
        return cell_error(row, self.field, "a value", None, "give one")

    def level_error(self, row: int, value: object, levels: Sequence[str]) -> LogoddsError:
        rule = f"one of the {len(levels)} levels seen in training"
        return cell_error(row, self.field, rule, value, "correct it, or train with a slot for it")


def field_of(feature: Feature) -> str:
    """The column that a feature reads."""
    return str(feature.get("column", feature["name"]))


def is_cross(feature: Feature) -> bool:
    return feature.get("of") is not None


NUMBER = Slot("number", None)
INDICATOR = [Slot("present", "(present)"), Slot("missing", "(missing)")]


def level_slots(feature: Feature) -> list[Slot]:
    """Slots of a feature of levels."""
    levels = [Slot("reference" if code == feature.get("reference") else "level", level) for code, level in enumerate(feature["levels"])]
    return [*levels, Slot("missing", "(missing)"), Slot("unseen", "(other)" if "rare" in feature else "(unseen)")]


def default_code(feature: Feature, of: str, slots: int | None = None) -> int:
    """The code that a missing cell or an unseen value takes; -1: an error."""
    count = len(feature["levels"]) if slots is None else slots
    policy = feature[of]
    if policy == "error":
        return -1
    if policy == "slot":
        return count + (of == "unseen")
    if policy == "baseline" and feature.get("reference") is not None:
        return int(feature["reference"])
    counts = feature["counts"][:count]
    return int(counts.index(max(counts)))
