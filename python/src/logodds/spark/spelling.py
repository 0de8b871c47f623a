"""Texts of a column as the labels that a model knows, by the rules of the command (src/text): 2.0 is 2, TRUE is true, and yes is true.

02139 stays as it is, since its zeros count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from ..labels import number_text
from ..model import Model

_NUMBER = re.compile(r" *([-+]?(?:(\d+)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?) *", re.ASCII)
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_BOOLEAN = re.compile(r"(true|false)", re.IGNORECASE | re.ASCII)
#: texts that mean a missing cell where all labels are numbers
TOKENS = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", ".", "-", "?", "unknown"})
_MEANING = {**dict.fromkeys(("true", "t", "yes", "y", "1"), True), **dict.fromkeys(("false", "f", "no", "n", "0"), False)}
#: texts whose labels are remembered
_MOST_KNOWN = 100_000


def _plain_number(text: str) -> str | None:
    """The number in a text; None for what is none, and for a code with leading zeros."""
    found = _NUMBER.fullmatch(text)
    return None if found is None or ((whole := found[2]) and len(whole) > 1 and whole[0] == "0") else found[1]


class Speller:
    """The labels that texts stand for in one column."""

    def __init__(self, levels: Iterable[str]) -> None:
        self._levels = frozenset(levels)
        numbers = bool(self._levels) and all(_plain_number(level) is not None for level in self._levels)
        booleans = bool(self._levels) and all(_BOOLEAN.fullmatch(level) for level in self._levels)
        self._spelling = "number" if numbers else "boolean" if booleans else "plain"
        meanings = {_MEANING.get(level.lower()): level for level in self._levels}
        self._alike = meanings if len(self._levels) == 2 and meanings.keys() == {True, False} else {}
        self._known: dict[str, str | None] = {}

    @property
    def is_plain(self) -> bool:
        """Whether each text is its own label."""
        return self._spelling == "plain" and not self._alike

    def label(self, text: str) -> str | None:
        """The label of a text, which the model may lack; None: it stands for a missing value.

        >>> Speller(["1", "2"]).label("2.0"), Speller(["false", "true"]).label("Yes"), Speller(["1", "2"]).label("NA"), Speller(["1", "2"]).label("02")
        ('2', 'true', None, '02')
        """
        if text not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = self._label(text)
        return self._known[text]

    def _label(self, text: str) -> str | None:
        if self._spelling == "number" and text in TOKENS and text not in self._levels:
            return None
        own = self._spelled(text)
        return own if own in self._levels else self._alike.get(_MEANING.get(own.lower()), own)

    def _spelled(self, text: str) -> str:
        if self._spelling == "boolean":
            return text.lower()
        number = None if self._spelling == "plain" else _plain_number(text)
        # all digits of a whole number count; a double would round it beyond 2**53
        if number is None or (_WHOLE.fullmatch(text) and text != "-0"):
            return text
        value = float(number)
        if abs(value) >= 1 << 53 and re.fullmatch(r"[-+]?\d+", number, re.ASCII):
            return text.removeprefix("+")
        return number_text(value) if math.isfinite(value) else text


def spellers_of(model: Model) -> dict[str, Speller]:
    """Of each column that is read as categories alone, and not as it is, what its texts mean."""
    levels: dict[str, list[str]] = {}
    other: set[str] = set()
    for feature in model.manifest["schema"]["features"]:
        name = str(feature.get("column", feature["name"]))
        if feature["kind"] in ("categorical", "target") and feature.get("part") is None and feature.get("of") is None:
            found: Sequence[str] = [*feature["levels"], *(feature.get("rare") or ())]
            levels.setdefault(name, []).extend(found)
        else:
            other.add(name)
    spellers = {name: Speller(found) for name, found in levels.items() if name not in other}
    return {name: speller for name, speller in spellers.items() if not speller.is_plain}
