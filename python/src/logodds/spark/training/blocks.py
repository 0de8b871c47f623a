"""Encoded rows of a partition: a file of blocks at the executor, each as the kernels read it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...elementary import Floats
from ...errors import LogoddsError
from ...kernels import aligned, code_type
from ...tables import table_of
from .statistics import Roles, labels_of, numbers_of, partition

BLOCK_ROWS = 16384
"""Rows of a block: its columns stay in the caches between the kernels"""


@dataclass(frozen=True)
class Encoding:
    """How rows are encoded, as the driver says it. It is all that an executor needs to make a partition again."""

    #: of this fit
    id: str
    #: `RemoteColumn` of src/train/remote
    features: Sequence[dict[str, Any]]
    classes: Sequence[str]
    #: class weights
    factors: Sequence[float]
    roles: Roles

    @property
    def widths(self) -> list[int]:
        """Of each column 0 for a number, else how many slots its codes have."""
        out: list[int] = []
        for feature in self.features:
            out += [0, 2] if feature.get("indicator") else [feature.get("slots", 0)]
        return out

    def without_levels(self) -> Encoding:
        """What sums need of it, which is small."""
        return replace(self, features=[{name: value for name, value in feature.items() if name != "levels"} for feature in self.features])

    @property
    def firsts(self) -> list[int]:
        """First slot of each column."""
        return [*accumulate((width or 1 for width in self.widths[:-1]), initial=0)]

    @property
    def slots(self) -> int:
        return sum(width or 1 for width in self.widths)


@dataclass(frozen=True)
class Layout:
    """Where the arrays of a block of so many rows lie, from its start."""

    rows: int
    columns: list[tuple[int, Any]]
    codes: int
    #: sample weight times class weight; -1: none
    weight: int
    offset: int
    size: int


def layout_of(encoding: Encoding, rows: int) -> Layout:
    at = 0
    columns = []
    for width in encoding.widths:
        dtype = code_type(width)[1] if width else np.float64
        columns.append((at, dtype))
        at = aligned(at + rows * np.dtype(dtype).itemsize)
    codes = at
    at = aligned(at + rows)
    weight = offset = -1
    if encoding.roles.weight is not None or any(factor != 1 for factor in encoding.factors):
        weight, at = at, aligned(at + rows * 8)
    if encoding.roles.offset is not None:
        offset, at = at, aligned(at + rows * 8)
    return Layout(rows, columns, codes, weight, offset, at)


def folder_of(encoding: Encoding, part: int) -> Path:
    """Where this executor keeps its blocks: a folder that Spark removes with it."""
    places = [place for place in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if place and os.path.isdir(place)]
    if not places:
        from pyspark import SparkFiles

        places = [SparkFiles.getRootDirectory()]
    folder = Path(places[part % len(places)]) / f"logodds-{encoding.id}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


TOKEN = "part int, path string, rows bigint, digest string, profile binary, error string"


class Encode:
    """The function of ``mapInArrow`` that writes the blocks of a partition and answers one row that says where they are: a token."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        part = partition()
        error = None
        found: tuple[str, int, str, bytes] = ("", 0, "", b"")
        try:
            found = self._write(batches, part)
        except LogoddsError as raised:
            for _ in batches:
                pass
            error = f"{raised.code} partition {part}: {raised}"
        path, rows, digest, profile = found
        arrays = [
            pyarrow.array([part], pyarrow.int32()),
            pyarrow.array([path]),
            pyarrow.array([rows], pyarrow.int64()),
            pyarrow.array([digest]),
            pyarrow.array([profile], pyarrow.binary()),
            pyarrow.array([error], pyarrow.string()),
        ]
        yield pyarrow.RecordBatch.from_arrays(arrays, ["part", "path", "rows", "digest", "profile", "error"])

    def _write(self, batches: Iterable[Any], part: int) -> tuple[str, int, str, bytes]:
        encoding = self.encoding
        path = folder_of(encoding, part) / f"{part}.rows"
        # an attempt that is killed, or that runs twice, leaves no half of a file under the name
        draft = path.with_name(f"{part}.{os.getpid()}.draft")
        digest = hashlib.sha256()
        profile = Profile(encoding)
        rows = 0
        waiting: list[list[NDArray[Any]]] = []
        try:
            with draft.open("wb") as file:

                def flush(arrays: list[NDArray[Any]]) -> None:
                    image = image_of(encoding, arrays).tobytes()
                    digest.update(image)
                    file.write(image)
                    profile.add(arrays)

                count = 0
                for batch in batches:
                    if batch.num_rows == 0:
                        continue
                    waiting.append(self._encoded(batch, rows))
                    rows += batch.num_rows
                    count += batch.num_rows
                    while count >= BLOCK_ROWS:
                        joined = [np.concatenate(arrays) for arrays in zip(*waiting)]
                        flush([array[:BLOCK_ROWS] for array in joined])
                        waiting = [[array[BLOCK_ROWS:] for array in joined]]
                        count -= BLOCK_ROWS
                if count:
                    flush([np.concatenate(arrays) for arrays in zip(*waiting)])
            draft.replace(path)
        except OSError as error:
            raise LogoddsError(
                "ERR_OUTPUT", f"{draft.parent}: expected room for encoded rows, got {error.strerror}; free some, or set spark.local.dir"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return str(path), rows, digest.hexdigest(), profile.sums.tobytes()

    def _encoded(self, batch: Any, first_row: int) -> list[NDArray[Any]]:
        """The columns of a batch, then codes of classes, weights (sample weight, and times class weight) and offsets, where there are any."""
        encoding, roles = self.encoding, self.encoding.roles
        found = table_of(batch, ()).columns(batch.schema.names)
        out: list[NDArray[Any]] = []
        for feature in encoding.features:
            column = found[feature["name"]]
            if feature["kind"] == "numeric":
                x = (numbers_of(column, first_row) - feature["mean"]) / feature["scale"]
                if column.missing is not None:
                    x = np.where(column.missing, 0.0, x)
                out.append(x)
                if feature["indicator"]:
                    out.append(np.zeros(batch.num_rows, np.uint8) if column.missing is None else column.missing.astype(np.uint8))
            else:
                codes, labels = labels_of(column, first_row)
                places = {label: code for code, label in enumerate(feature["levels"])}
                table = np.array([places.get(label, feature["unseen"]) for label in labels] or [0], np.int64)
                slots = table[np.minimum(codes, len(table) - 1)]
                if column.missing is not None:
                    slots = np.where(column.missing, feature["gap"], slots)
                out.append(slots.astype(code_type(feature["slots"])[1]))
        codes, labels = labels_of(found[roles.target], first_row)
        classes = {label: code for code, label in enumerate(encoding.classes)}
        stranger = next((label for label in labels if label not in classes), None)
        if stranger is not None:
            raise LogoddsError("ERR_DATA", "target: expected the classes of the first pass, got another; the rows changed while they were read")
        y = np.array([classes[label] for label in labels] or [0], np.uint8)[codes]
        out.append(y)
        weighted = layout_of(encoding, 0).weight >= 0
        if weighted:
            sample = numbers_of(found[roles.weight], first_row) if roles.weight is not None else np.ones(batch.num_rows)
            out.append(sample * np.asarray(encoding.factors)[y])
        if roles.offset is not None:
            out.append(numbers_of(found[roles.offset], first_row).astype(np.float64))
        return out


def image_of(encoding: Encoding, arrays: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """The bytes of a block."""
    rows = len(arrays[0])
    layout = layout_of(encoding, rows)
    image = np.zeros(layout.size, np.uint8)
    places = [*(at for at, _ in layout.columns), layout.codes, *(at for at in (layout.weight, layout.offset) if at >= 0)]
    for at, array in zip(places, arrays):
        image[at : at + array.nbytes] = np.ascontiguousarray(array).view(np.uint8)
    return image


class Profile:
    """Sums of the slots over blocks, as `profileOf` of src/train/remote reads them: planes of one number a slot."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        classes = len(encoding.classes)
        self.sums = np.zeros((3 + 2 * classes, encoding.slots))
        for width, first in zip(encoding.widths, encoding.firsts):
            if width == 0:
                self.sums[3::2, first], self.sums[4::2, first] = np.inf, -np.inf

    def add(self, arrays: Sequence[NDArray[Any]]) -> None:
        encoding, sums = self.encoding, self.sums
        columns = len(encoding.widths)
        y = arrays[columns]
        factors = np.asarray(encoding.factors, np.float64)
        weighted = layout_of(encoding, 0).weight >= 0
        s: Floats = arrays[columns + 1] if weighted else np.ones(len(y))
        sample = s / factors[y] if weighted else s
        of = [(y == k) & (s > 0) for k in range(len(factors))]
        for width, first, x in zip(encoding.widths, encoding.firsts, arrays):
            if width == 0:
                # not by BLAS, which has threads of its own
                weighed = s * x if weighted else x
                sums[0, first] += weighed.sum()
                sums[1, first] += (weighed * x).sum()
                sums[2, first] += (sample * x).sum() if weighted else x.sum()
                for k, own in enumerate(of):
                    mine = x[own]
                    if len(mine):
                        sums[3 + 2 * k, first] = min(sums[3 + 2 * k, first], mine.min())
                        sums[4 + 2 * k, first] = max(sums[4 + 2 * k, first], mine.max())
                continue
            place = slice(first, first + width)
            by_class = np.bincount(x.astype(np.int64) * len(factors) + y, s, width * len(factors)).reshape(width, -1)
            sums[0, place] += by_class.sum(1)
            sums[1, place] += by_class.sum(1)
            sums[2, place] += (by_class / factors).sum(1)
            sums[3::2, place] += by_class.T


def joined_profiles(encoding: Encoding, parts: Sequence[bytes]) -> Floats:
    """The sums of all parts, in their order."""
    total = Profile(encoding).sums
    numeric = [first for width, first in zip(encoding.widths, encoding.firsts) if width == 0]
    coded = np.setdiff1d(np.arange(encoding.slots), numeric)
    for part in parts:
        own = np.frombuffer(part).reshape(total.shape)
        total[:3] += own[:3]
        total[3:, coded] += own[3:, coded]
        total[3::2, numeric] = np.minimum(total[3::2, numeric], own[3::2, numeric])
        total[4::2, numeric] = np.maximum(total[4::2, numeric], own[4::2, numeric])
    return total.reshape(-1)
