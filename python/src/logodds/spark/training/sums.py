"""Sums over the encoded rows of a partition, by the kernels of training."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...elementary import Floats
from ...errors import LogoddsError
from ...kernels import Kernels, aligned, code_type
from .blocks import BLOCK_ROWS, Encoding, Layout, layout_of

_HESSIAN_ROWS = 1024
"""Rows of a block of `hessianColumns`, which its working space depends on"""

MATRICES = ("hessian", "both", "classHessian", "gram", "scores")
"""Questions whose answer has matrices; `both` are the sums of `at`, then those of `hessian`, in one pass"""

_kernels = cache(lambda: Kernels("training.wasm"))
"""One instance for each worker process"""


@dataclass(frozen=True)
class Question:
    """What the driver asks: `RemoteLikelihood` of src/train/remote has the formulas."""

    op: str
    #: weight vectors: 1 for two classes
    vectors: int
    #: the class whose probability it is; None: several classes
    of: int | None
    #: columns that the likelihood has
    columns: Sequence[int]
    #: parameters, and other vectors
    values: Sequence[Floats]
    #: use about this many of `rows`
    most: int | None = None
    rows: int = 0
    j: int = 0
    k: int = 0


class PartSums:
    """The sums of one partition, block by block in the order of its rows."""

    def __init__(self, encoding: Encoding, question: Question) -> None:
        self.encoding, self.question = encoding, question
        widths = [encoding.widths[j] for j in question.columns]
        self.kinds = [code_type(width)[0] if width else 1 for width in widths]
        self.firsts = np.cumsum([0, *(width or 1 for width in widths)])[:-1]
        self.slots = sum(width or 1 for width in widths)
        vectors, side = question.vectors, self.slots + 1
        self.ld = side + side % 2
        self.kernels = _kernels()
        self.plane = BLOCK_ROWS
        self.scratch = _HESSIAN_ROWS * (2 + (len(widths) + 1) // 2)
        at = self.kernels.base
        self.at: dict[str, int] = {}
        sizes = {
            "table": 16 * len(widths),
            "y": 8 * self.plane,
            "z": 8 * vectors * self.plane,
            "p": 8 * vectors * self.plane,
            "q": 8 * self.plane,
            "ones": 8 * self.plane,
            "w": 8 * vectors * side,
            "v": 8 * vectors * side,
            "g": 8 * (vectors * side + 1),
            "h": 8 * side * self.ld if question.op in MATRICES else 0,
            "scratch": 8 * self.scratch,
            "data": layout_of(encoding, BLOCK_ROWS).size,
        }
        for name, size in sizes.items():
            self.at[name] = at
            at = aligned(at + size)
        self.kernels.reserve(at)
        self._view("g", vectors * side + 1)[:] = 0
        for name, values in zip("wv", question.values):
            given = values.reshape(vectors, side)
            place = self._view(name, vectors * side)
            place[: vectors * self.slots] = given[:, :-1].reshape(-1)
            place[vectors * self.slots :] = given[:, -1]
        self.pairs = [(j, k) for j in range(vectors) for k in range(j + 1)] if question.op in ("hessian", "both") else [(question.j, question.k)]
        if question.op == "classHessian":
            self.pairs = [(question.j, question.j)]
        self.grams = [np.zeros(side * self.ld) for _ in self.pairs] if len(self.pairs) > 1 else []
        if sizes["h"]:
            self._view("h", side * self.ld)[:] = 0
        self.loss = 0.0
        self.wrong = 0
        self.sampled = 0

    def _view(self, name: str, count: int, dtype: Any = np.float64, offset: int = 0) -> NDArray[Any]:
        return self.kernels.view(self.at[name] + offset, count, dtype)

    def add(self, image: NDArray[np.uint8], layout: Layout) -> None:
        """Adds the rows of a block."""
        question, at = self.question, self.at
        rows = layout.rows
        if question.most is not None:
            rows = min(rows, max(1, -(-rows * question.most // question.rows)))
        self.sampled += rows
        # the one copy of a cell
        self._view("data", len(image), np.uint8)[:] = image
        entries = np.zeros((len(self.kinds), 4), np.uint32)
        for i, j in enumerate(question.columns):
            entries[i] = at["data"] + layout.columns[j][0], self.kinds[i], self.firsts[i], 0
        self._view("table", entries.size, np.uint32)[:] = entries.reshape(-1)
        codes = self._view("data", rows, np.uint8, layout.codes)
        y = self._view("y", rows)
        y[:] = codes if question.of is None else codes == question.of
        weight = at["data"] + layout.weight if layout.weight >= 0 else 0
        getattr(self, f"_{question.op}")(rows, weight, layout)

    def _logits(self, name: str, to: str, rows: int, layout: Layout | None) -> None:
        vectors, at = self.question.vectors, self.at
        w = at[name]
        self.kernels.call("logitsColumnsF64", at["table"], len(self.kinds), 0, rows, w, self.slots, w + 8 * vectors * self.slots, vectors, at[to], self.plane)
        if layout is not None and layout.offset >= 0:
            self.kernels.call("addF64", at["data"] + layout.offset, rows, at[to])

    def _evaluate(self, rows: int, s: int, layout: Layout) -> float:
        """Residuals take the place of the logits; curvature, or probabilities of several classes, are written."""
        at, vectors = self.at, self.question.vectors
        self._logits("w", "z", rows, layout)
        if self.question.of is not None:
            return float(self.kernels.call("binomialLoss", at["z"], at["y"], s, rows, at["z"], at["q"]))
        return float(self.kernels.call("multinomialLoss", at["z"], self.plane, vectors, at["y"], s, rows, at["p"], self.plane))

    def _loss(self, rows: int, s: int, layout: Layout) -> None:
        self.loss += self._evaluate(rows, s, layout)

    def _transpose(self, rows: int) -> None:
        at, vectors = self.at, self.question.vectors
        self.kernels.call("transposeColumns", at["table"], len(self.kinds), 0, rows, at["z"], self.plane, vectors, at["g"], self.slots + 1, self.slots)

    def _at(self, rows: int, s: int, layout: Layout) -> None:
        self.loss += self._evaluate(rows, s, layout)
        self._transpose(rows)

    def _hessianVector(self, rows: int, s: int, layout: Layout) -> None:
        at, vectors = self.at, self.question.vectors
        self._evaluate(rows, s, layout)
        self._logits("v", "z", rows, None)
        if self.question.of is not None:
            self.kernels.call("multiplyF64", at["q"], rows, at["z"])
        else:
            self.kernels.call("multinomialCurvature", at["p"], self.plane, vectors, s, rows, at["z"], self.plane)
        self._transpose(rows)

    def _gram_of(self, rows: int, c: int, pair: int) -> None:
        """Adds XᵀCX, c at an address, to the matrix of a pair of classes."""
        at = self.at
        h = self._view("h", (self.slots + 1) * self.ld)
        if self.grams:
            h[:] = self.grams[pair]
        self.kernels.call("hessianColumns", at["table"], len(self.kinds), 0, rows, c, at["h"], self.slots, self.ld, at["scratch"])
        if self.grams:
            self.grams[pair][:] = h

    def _hessian(self, rows: int, s: int, layout: Layout) -> None:
        self._evaluate(rows, s, layout)
        self._curvature(rows, s, layout)

    def _both(self, rows: int, s: int, layout: Layout) -> None:
        self._at(rows, s, layout)
        self._curvature(rows, s, layout)

    def _curvature(self, rows: int, s: int, layout: Layout) -> None:
        if self.question.of is not None:
            self._gram_of(rows, self.at["q"], 0)
            return
        weights: Any = self._view("data", rows, np.float64, layout.weight) if s else 1.0
        p = self._view("p", self.question.vectors * self.plane).reshape(-1, self.plane)[:, :rows]
        for pair, (j, k) in enumerate(self.pairs):
            self._view("q", rows)[:] = weights * p[j] * ((1.0 if j == k else 0.0) - p[k])
            self._gram_of(rows, self.at["q"], pair)

    _classHessian = _hessian

    def _gram(self, rows: int, s: int, layout: Layout) -> None:
        if s:
            self._gram_of(rows, s, 0)
            return
        self._view("ones", rows)[:] = 1
        self._gram_of(rows, self.at["ones"], 0)

    def _scores(self, rows: int, s: int, layout: Layout) -> None:
        """cᵢ·uᵢ²·r_j·r_k, of rows that weights count c = s/u and u the class weight, else c = 1 and u = s."""
        question, encoding = self.question, self.encoding
        y = self._view("y", rows)
        # without weights, so that residuals are p - y
        self._logits("w", "z", rows, layout)
        if question.of is not None:
            self.kernels.call("binomialLoss", self.at["z"], self.at["y"], 0, rows, self.at["z"], self.at["q"])
            r = self._view("z", rows)
            product = r * r
        else:
            self.kernels.call("multinomialLoss", self.at["z"], self.plane, question.vectors, self.at["y"], 0, rows, self.at["p"], self.plane)
            p = self._view("p", question.vectors * self.plane).reshape(-1, self.plane)[:, :rows]
            product = (p[question.j] - (y == question.j)) * (p[question.k] - (y == question.k))
        if s:
            weights = self._view("data", rows, np.float64, layout.weight)
            codes = self._view("data", rows, np.uint8, layout.codes)
            unit = np.asarray(encoding.factors)[codes] if encoding.roles.counts else weights
            product = product * weights * unit
        self._view("q", rows)[:] = product
        self._gram_of(rows, self.at["q"], 0)

    def _separates(self, rows: int, s: int, layout: Layout) -> None:
        self._logits("w", "z", rows, None)
        y = self._view("y", rows)
        z = self._view("z", self.question.vectors * self.plane).reshape(-1, self.plane)[:, :rows]
        if self.question.of is not None:
            right = np.where(y == 1, z[0] > 0, z[0] < 0)
        else:
            own = np.take_along_axis(z, y.astype(np.int64)[None], 0)
            right = (own > z).sum(0) == len(z) - 1
        if s:
            right |= self._view("data", rows, np.float64, layout.weight) == 0
        self.wrong += int((~right).sum())

    def told(self) -> Floats:
        """How many rows were used, then the sums. Of a matrix its lower triangle."""
        op, vectors, side = self.question.op, self.question.vectors, self.slots + 1
        if op == "loss":
            sums: Floats = np.array([self.loss])
        elif op in ("at", "hessianVector"):
            g = self._view("g", vectors * side)
            sums = np.concatenate([[self.loss], g]) if op == "at" else g.copy()
        elif op == "separates":
            sums = np.array([float(self.wrong)])
        else:
            matrices = self.grams or [self._view("h", side * self.ld)]
            lower = np.tril_indices(side)
            vector = [np.array([self.loss]), self._view("g", vectors * side)] if op == "both" else []
            sums = np.concatenate([*vector, *(matrix.reshape(side, self.ld)[lower] for matrix in matrices)])
        return np.concatenate([[float(self.sampled)], sums])


SUMS = "part int, digest string, missing boolean, sums binary, error string"


class Evaluate:
    """The function of ``mapInArrow`` over tokens: the sums of each partition, or that its file is not here."""

    def __init__(self, encoding: Encoding, question: Question) -> None:
        self.encoding, self.question = encoding, question

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        names = ["part", "digest", "missing", "sums", "error"]
        kinds = [pyarrow.int32(), pyarrow.string(), pyarrow.bool_(), pyarrow.binary(), pyarrow.string()]
        for batch in batches:
            for token in batch.to_pylist():
                answer: dict[str, Any] = {"part": token["part"], "digest": token["digest"], "missing": False, "sums": None, "error": None}
                try:
                    answer["sums"] = self._of(token["path"], token["rows"])
                except FileNotFoundError:
                    answer["missing"] = True
                except LogoddsError as raised:
                    answer["error"] = f"{raised.code} partition {token['part']}: {raised}"
                yield pyarrow.RecordBatch.from_arrays([pyarrow.array([answer[name]], kind) for name, kind in zip(names, kinds)], names)

    def _of(self, path: str, rows: int) -> bytes:
        if rows == 0:
            return b""
        images = np.memmap(path, np.uint8, "r")
        if self.question.op == "sample":
            return sample_of(self.encoding, self.question, images, rows)
        sums = PartSums(self.encoding, self.question)
        for image, layout in blocks_of(self.encoding, images, rows):
            sums.add(image, layout)
        return sums.told().tobytes()


def blocks_of(encoding: Encoding, images: NDArray[np.uint8], rows: int) -> Iterator[tuple[NDArray[np.uint8], Layout]]:
    whole, last = layout_of(encoding, BLOCK_ROWS), layout_of(encoding, rows % BLOCK_ROWS)
    at = 0
    for first in range(0, rows, BLOCK_ROWS):
        layout = whole if rows - first >= BLOCK_ROWS else last
        yield images[at : at + layout.size], layout
        at += layout.size


def sample_of(encoding: Encoding, question: Question, images: NDArray[np.uint8], rows: int) -> bytes:
    """Evenly spaced rows: planes of their cells, class, weight and offset, each as f64."""
    most = question.most or question.rows
    planes: list[list[Floats]] = []
    spacing = max(1.0, question.rows / most)
    first = 0
    for image, layout in blocks_of(encoding, images, rows):
        # places k·spacing of the partition that are in this block
        from_k, to_k = int(np.ceil(first / spacing)), int(np.ceil((first + layout.rows) / spacing))
        places = np.floor(np.arange(from_k, to_k) * spacing).astype(np.int64) - first
        places = places[(places >= 0) & (places < layout.rows)]
        first += layout.rows
        arrays = [(at, dtype) for at, dtype in layout.columns] + [(layout.codes, np.uint8)]
        arrays += [(at, np.float64) for at in (layout.weight, layout.offset) if at >= 0]
        cells = [image[at : at + layout.rows * np.dtype(dtype).itemsize].view(dtype)[places].astype(np.float64) for at, dtype in arrays]
        planes.append(cells)
    return np.concatenate([np.concatenate(arrays) for arrays in zip(*planes)]).tobytes()


class Forget:
    """Removes the files of a fit."""

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            for path in batch.column("path").to_pylist():
                # another task may remove the folder at the same time, or have files in it
                with suppress(OSError):
                    os.unlink(path)
                    os.rmdir(os.path.dirname(path))
            yield batch.select(["part"])
