"""Cells of a pipeline as the labels that a model knows them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import CROSS
from ..tables import Column, table_of
from ..tables.arrays import column_of_array

#: of a part of a cross what each label counts as, and what a missing and an unseen cell do; None: missing, or unseen
Part = Mapping[str, Any]

UNSEEN = "\0unseen"
"""The label of a combination whose part is unseen: no level has it"""


def label_cells(X: Any) -> NDArray[np.object_]:
    """Each cell as its label, so that 1, 1.0 and "1" are one category; None for a missing cell.

    >>> label_cells(np.array([[1, True], ["a", None]], dtype=object)).tolist()
    [['1', 'true'], ['a', None]]
    """
    columns = [_labels(column) for column in _columns_of(X)]
    return np.stack(columns, axis=1) if columns else np.empty((len(X), 0), dtype=object)


def crossed_cells(X: Any, parts: Sequence[Part]) -> NDArray[np.object_]:
    """One label for each row, of the labels of its cells; None where a part is missing.

    >>> crossed_cells(np.array([["a", 1], [None, 1], ["b", 2]], dtype=object), [{"known": {"a": "a"}}, {"known": {"1": "1", "2": "2"}}]).tolist()
    [['a × 1'], [None], ['\\x00unseen']]
    """
    out = np.empty((len(X), 1), dtype=object)
    for row, cells in enumerate(label_cells(X)):
        own: list[Any] = [part.get("missing") if cell is None else part["known"].get(cell, part.get("unseen", UNSEEN)) for cell, part in zip(cells, parts)]
        out[row, 0] = None if None in own else UNSEEN if UNSEEN in own else CROSS.join(own)
    return out


def _columns_of(X: Any) -> list[Column]:
    if isinstance(X, np.ndarray):
        return [column_of_array(str(j), X[:, j]) for j in range(X.shape[1])]
    table = table_of(X, [])
    return [*table.columns(table.found).values()]


def _labels(column: Column) -> NDArray[np.object_]:
    codes, levels = column.labels(0)
    out = np.full(column.rows, None, dtype=object)
    if len(levels):
        out[:] = np.array([*levels], dtype=object)[codes]
    if column.missing is not None:
        out[column.missing] = None
    return out
