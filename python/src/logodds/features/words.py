"""Words of a text, and tags of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import cell_error
from ..hashing import buckets
from ..labels import LABEL_RULE
from ..tables import Column, Values
from ..tokens import MOST_TEXT, is_too_long, tokens_of
from .coder import Coder, Feature, Slot, Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from ..later import np


class TokensCoder(Coder):
    """Words of a text, or tags of a list, counted."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(feature)
        tokens = feature["tokens"]
        self.widths = [0] * len(feature["means"])
        self._buckets: int | None = tokens["buckets"] if isinstance(tokens, Mapping) else None
        self._codes = {} if self._buckets else {token: code for code, token in enumerate(tokens)}
        self._most = feature.get("maxText", MOST_TEXT)

    def slots(self) -> list[Slot]:
        tokens = self.feature["tokens"]
        return [Slot("number", f"#{j}" if self._buckets else tokens[j]) for j in range(len(self.widths))]

    def write(self, column: Column, first_row: int, tally: Tally) -> list[NDArray[Any]]:
        feature = self.feature
        if column.missing is not None and feature["missing"] == "error":
            raise self.missing_error(first_row + int(np.argmax(column.missing)))
        values: Sequence[Any]
        if isinstance(column, Values):
            rows = [row for row, value in enumerate(column.values) if value is not None]
            values, of_value = [column.values[row] for row in rows], [*range(len(rows))]
        else:
            codes, values = column.labels(first_row)
            rows = [*range(column.rows)] if column.missing is None else np.flatnonzero(~column.missing).tolist()
            of_value = codes[rows].tolist()
        lists = self._lists(values, of_value, rows, column, first_row)
        at = np.repeat(np.asarray(rows, np.int64), [len(lists[i]) for i in of_value])
        tokens = [token for i in of_value for token in lists[i]]
        out = np.zeros((len(self.widths), column.rows))
        strange = np.zeros(column.rows, np.bool_)
        if self._buckets:
            distinct = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
            index, sign = buckets([*distinct], self._buckets)
            place = np.fromiter((distinct[token] for token in tokens), np.int64, len(tokens))
            if len(tokens):
                np.add.at(out, (index[place], at), sign[place].astype(np.float64))
        else:
            place = np.fromiter((self._codes.get(token, -1) for token in tokens), np.int64, len(tokens))
            unknown = place < 0
            if unknown.any() and feature["unseen"] == "error":
                i = int(np.argmax(unknown))
                raise self.level_error(first_row + int(at[i]), tokens[i], feature["tokens"])
            strange[at[unknown]] = True
            np.add.at(out, (place[~unknown], at[~unknown]), 1.0)
        tally.defaulted += strange if column.missing is None else strange | column.missing
        return [*out]

    def _lists(self, values: Sequence[Any], of_value: Sequence[int], rows: Sequence[int], column: Column, first_row: int) -> list[list[str]]:
        """The tokens of each value. Raises ERR_RECORD for one that is too long, or neither text nor list."""
        used = set(of_value)
        out: list[list[str]] = []
        for i, value in enumerate(values):
            if i not in used:
                out.append([])
                continue
            row = rows[of_value.index(i)] if is_too_long(self._most, value) else -1
            if row >= 0:
                rule = f"at most {self._most} characters, separators of a list counted"
                step = 'shorten it, or train with a greater "maxText" in the schema'
                raise cell_error(first_row + row, column.name, rule, value, step)
            tokens = tokens_of(self.feature, value)
            if tokens is None:
                raise cell_error(first_row + rows[of_value.index(i)], column.name, LABEL_RULE, value, "use None for a missing value")
            out.append(tokens)
        return out
