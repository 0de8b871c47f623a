"""Tags of a list, and words of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .labels import label_of, text_of
from .unicode15 import words

_BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_ARRAY = re.compile(f"[{_BLANKS}]*\\[")
MOST_TEXT = 1_048_576
"""Default for the largest number of characters of a cell"""


def units(text: str) -> int:
    """Length of a text in UTF-16 units."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray"


def is_too_long(most: int, value: object) -> bool:
    """Whether a text or list has more characters than a feature reads. Each entry of a list counts one more, for its separator."""
    if isinstance(value, str):
        return units(value) > most
    if not is_list(value):
        return False
    entries: Sequence[object] = value  # type: ignore[assignment]
    length = len(entries)
    return length > most or length + sum(units(entry) for entry in entries if isinstance(entry, str)) > most


def cell_text(value: object) -> str | None:
    """A value as the text of a table's cell: JSON for a list of labels; None for what is neither."""
    if not is_list(value):
        return text_of(value)
    labels = [label_of(entry) for entry in value]  # type: ignore[attr-defined]
    if any(label is None and entry is not None for label, entry in zip(labels, value)):  # type: ignore[call-overload]
        return None
    return json.dumps(labels, ensure_ascii=False, separators=(",", ":"))


def tokens_of(feature: Mapping[str, Any], value: object) -> list[str] | None:
    """The tokens of a cell; None for a value that is neither a label nor a list of labels."""
    by = feature["split"]
    if is_list(value) and by != "words":
        listed = _entries(value)
        if listed is not None:
            return listed
    text = cell_text(value)
    if text is None:
        return None
    if by == "words":
        return words(text)
    listed = _array_in(text)
    return _entries(text.split(by["separator"])) if listed is None else listed


def _entries(values: Any) -> list[str] | None:
    """Entries of a list as labels, trimmed, without empty ones and None; None if one is no label."""
    found = []
    for value in values:
        if value is None:
            continue
        label = label_of(value)
        if label is None:
            return None
        if trimmed := label.strip(_BLANKS):
            found.append(trimmed)
    return found


def _array_in(text: str) -> list[str] | None:
    """The entries of the JSON array of scalars in a text; None for other texts."""
    if not _ARRAY.match(text):
        return None
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return _entries(value)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
