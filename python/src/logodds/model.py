"""A model of a file, and its scores."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from .elementary import Floats
from .encoder import Encoded, Encoder
from .errors import MEND, LogoddsError, cell_error, names, show
from .features import field_of
from .kernels import Scorer
from .labels import label_of, python_of, typed_labels
from .modelfile import Tensor, read_model, tensor, write_model
from .outcomes import labels_of, needs_outcomes, probabilities_of, review_of
from .tables import Table, table_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np

if TYPE_CHECKING:
    from .explain import Contributions, Explainer, Reason, Source
    from .interval import Interval

_CELLS = 1 << 21
"""Cells that are encoded at a time: few enough for memory to stay bounded, enough for the cost of a call to vanish"""


_IN_CACHE = 1 << 17
"""Cells of an array that are scored at a time, which stay in the caches"""


def load(source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO) -> Model:
    """The model in a file, in bytes, or in a file that is open for reading.

    Digest, structure and format are checked: a flipped bit or a missing byte anywhere is refused. Nothing in the file is run.

    :raises LogoddsError: ERR_FORMAT for bytes that are no model, ERR_DATA for a file that cannot be read

    >>> model = load("model.safetensors")  # doctest: +SKIP
    >>> model.predict_proba([{"distance": 1200, "origin": "LAS"}])  # doctest: +SKIP
    array([[0.08855, 0.91145]])
    """
    manifest, tensors, digest = read_model(source)
    where = str(source) if isinstance(source, (str, os.PathLike)) else "model file"
    encoder = Encoder(manifest["schema"]["features"], manifest["offset"])
    vectors = 1 if manifest["positive"] is not None else len(manifest["classes"])
    slots, width = encoder.slots, vectors * (encoder.slots + 1)
    weights = tensor(where, tensors, "weights", *((vectors, slots) if vectors > 1 else (slots,)))
    intercept = tensor(where, tensors, "intercept", vectors)
    covariance = tensor(where, tensors, "covariance", width, width) if "covariance" in tensors else None
    baseline = tensor(where, tensors, "baseline", slots) if "baseline" in tensors else None
    return Model(manifest, weights, intercept, covariance, baseline, digest, encoder)


def _tensors(weights: Floats, intercept: Floats, covariance: Floats | None, baseline: Floats | None, slots: int) -> dict[str, Floats]:
    vectors, width = len(intercept), len(intercept) * (slots + 1)
    found = {"weights": weights.reshape((vectors, slots) if vectors > 1 else (slots,)), "intercept": intercept}
    if covariance is not None:
        found["covariance"] = covariance.reshape(width, width)
    if baseline is not None:
        found["baseline"] = baseline
    return found


@dataclass(frozen=True)
class Scores:
    """The scores of a table."""

    #: [rows] of the positive class; with more than two classes [rows, classes]
    logits: Floats
    #: as the logits
    probabilities: Floats
    #: [rows], the label of each row, as an index of the model's classes
    codes: NDArray[np.int64]
    #: [rows], share of the features that took a default because their value was missing, unseen or outside the range of the schema
    defaulted: Floats
    #: [rows], share of the features whose number is taken as it is but lies outside the range of training
    out_of_range: Floats
    #: [rows], whether the probability is in the band for review; None: the model has no band
    review: NDArray[np.bool_] | None
    #: the model's classes, as `Model.classes_`
    classes: NDArray[Any]

    @cached_property
    def labels(self) -> NDArray[Any]:
        """[rows], the label of each row."""
        return self.classes[self.codes]


class Model:
    """A model. It is made by `load`, does not change, and may be used by several threads at once."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        weights: Floats | Tensor,
        intercept: Floats | Tensor,
        covariance: Floats | Tensor | None = None,
        baseline: Floats | Tensor | None = None,
        sha256: str | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        #: schema, classes, decision, calibration, and how the fit went
        self.manifest = manifest
        self._given = {"weights": weights, "intercept": intercept, "covariance": covariance, "baseline": baseline}
        #: digest of the file
        self.sha256 = sha256
        self._encoder = encoder or Encoder(manifest["schema"]["features"], manifest["offset"])

    def _array(self, name: str) -> Floats | None:
        given = self._given[name]
        return given.array() if isinstance(given, Tensor) else given

    @cached_property
    def weights(self) -> Floats:
        """Of each weight vector one number for each slot, on the scale of the raw features."""
        return cast("Floats", self._array("weights")).reshape(-1)

    @cached_property
    def intercept(self) -> Floats:
        """Of each weight vector one number."""
        return cast("Floats", self._array("intercept"))

    @cached_property
    def covariance(self) -> Floats | None:
        """Of the estimates; None: the model has no standard errors."""
        return self._array("covariance")

    @cached_property
    def baseline(self) -> Floats | None:
        """Mean of each slot in training; None: the model has none."""
        return self._array("baseline")

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._encoder.widths, self.weights, self.intercept)

    @classmethod
    def of(cls, manifest: Mapping[str, Any], weights: Floats, intercept: Floats) -> Model:
        """A model of parts, through the bytes of its file: what could not be read again is refused."""
        encoder = Encoder(manifest["schema"]["features"], manifest["offset"])
        return load(write_model(manifest, _tensors(weights, intercept, None, None, encoder.slots)))

    def to_bytes(self) -> bytes:
        """The bytes of the model file. The same model always gives the same bytes."""
        tensors = _tensors(self.weights, self.intercept, self.covariance, self.baseline, self._encoder.slots)
        return write_model(self.manifest, tensors)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model file: whole, or not at all.

        :raises LogoddsError: ERR_DATA for a path that cannot be written
        """
        import tempfile

        if not isinstance(path, (str, os.PathLike)):
            raise LogoddsError("ERR_DATA", f"save: expected a path, got {show(path)}; give the path of a .safetensors file")
        data = self.to_bytes()
        where = os.fsdecode(path)
        try:
            folder, name = os.path.split(os.path.abspath(where))
            with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as file:
                try:
                    file.write(data)
                    file.close()
                    os.replace(file.name, where)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except (OSError, ValueError) as error:
            got = getattr(error, "strerror", None) or error
            raise LogoddsError("ERR_DATA", f"{where}: expected a path that can be written, got {got}; check the path") from error

    def __repr__(self) -> str:
        target, classes = self.manifest["target"], self.manifest["classes"]
        return f"<logodds.Model of {target!r}: {len(self._encoder.fields)} inputs, classes {', '.join(classes)}>"

    def __getstate__(self) -> dict[str, Any]:
        # what WebAssembly holds cannot be sent to another process
        return {name: getattr(self, name) for name in ("manifest", "weights", "intercept", "covariance", "baseline", "sha256")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @cached_property
    def classes_(self) -> NDArray[Any]:
        """The classes, in the order of the columns of `predict_proba`: texts, or what they were in the estimator that `from_sklearn` read."""
        labels = typed_labels(self.manifest["classes"], self.manifest.get("labelType"))
        return np.asarray(labels, dtype=object if labels and isinstance(labels[0], str) else None)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Inputs that the model reads, in the order of its schema; an offset is the last one."""
        return np.asarray(self._encoder.fields, dtype=object)

    @property
    def sources(self) -> Sequence[Source]:
        """What people call a feature: all features of one column. They are what contributions and reasons name."""
        return self._explainer.sources

    def score(self, X: Any, *, first_row: int = 0) -> Scores:
        """Scores rows. It gives the bits of ``model.scoreTable`` in TypeScript.

        :param X: a frame of pandas or polars, a table of Arrow, a list of dicts, a dict of columns, or a two-dimensional array with one column for
            each of `feature_names_in_`. None and null are missing values, and so is NaN in pandas and in arrays of numpy, which have no other sign
            for it. Columns that the model does not read are ignored.
        :param first_row: number of the first row in messages, for rows that are a part of others
        :raises LogoddsError: ERR_SCHEMA for absent columns, ERR_RECORD for cells that cannot be used, ERR_SHAPE for what is no table
        """
        table = table_of(X, self._encoder.fields)
        parts = [self._score_part(encoded, row) for row, encoded in self._parts(table, first_row)]
        logits, probabilities, codes, defaulted, outside, review = (one[0] if len(one) == 1 or one[0] is None else np.concatenate(one) for one in zip(*parts))
        return Scores(logits, probabilities, codes, defaulted, outside, review, self.classes_)

    def _parts(self, table: Table, first_row: int) -> Iterator[tuple[int, Encoded]]:
        """The rows of a table encoded, a bounded number at a time, with the number of the first one."""
        if not isinstance(first_row, (int, np.integer)) or isinstance(first_row, bool):
            raise LogoddsError("ERR_RANGE", f"first_row: expected an integer, got {show(first_row)}; leave it out for 0")
        columns = table.columns(self._encoder.fields)
        step = max(1024, _CELLS // max(1, len(self._encoder.widths)))
        for start in range(0, max(1, table.rows), step):
            stop = min(start + step, table.rows)
            part = columns if stop - start == table.rows else {name: column.part(start, stop) for name, column in columns.items()}
            yield first_row + start, self._encoder.encode_columns(part, stop - start, first_row + start)

    def _score_part(self, encoded: Encoded, first_row: int) -> tuple[Any, ...]:
        rows, vectors = encoded.rows, len(self.intercept)
        kernels, address, plane = self._scorer.logits(encoded.columns, rows)
        z = kernels.view(address, vectors * plane).reshape(vectors, plane)[:, :rows]
        if encoded.offsets is not None:
            with np.errstate(invalid="ignore", over="ignore"):
                z[0] += encoded.offsets
        logits = z.copy()
        if needs_outcomes(self.manifest):
            probabilities = probabilities_of(self.manifest, logits)
        else:
            kernels.call("sigmoidF64", address, rows, address)
            probabilities = z.copy()
        lost = np.isnan(probabilities[0])
        if lost.any():
            raise self._lost(encoded, int(np.argmax(lost)), first_row)
        labels = labels_of(self.manifest, logits, probabilities)
        review = review_of(self.manifest, probabilities)
        if vectors == 1:
            return logits[0], probabilities[0], labels, encoded.defaulted, encoded.out_of_range, review
        return logits.T, probabilities.T, labels, encoded.defaulted, encoded.out_of_range, review

    def _lost(self, encoded: Encoded, row: int, first_row: int) -> LogoddsError:
        """The error of a row whose terms overflow, naming the column of the largest one."""
        name, value, most = self.manifest["offset"], 0.0, -1.0
        names_of = self._encoder.slot_names()
        for x, first, width in zip(encoded.columns, self._encoder.first_slots, self._encoder.widths):
            if width:
                continue
            for weights in self.weights.reshape(len(self.intercept), -1):
                term = abs(float(x[row]) * float(weights[first]))
                if term > most:
                    name, value, most = field_of(self._encoder.schema[names_of[first][0]]), float(x[row]), term
        return cell_error(first_row + row, name, "a number whose term in the logit does not overflow", value, MEND)

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities [rows, classes], in the order of `classes_`. Parameters as of `score`."""
        probabilities = self._of_rows(X)
        if probabilities is None:
            probabilities = self.score(X).probabilities
        if probabilities.ndim == 2:
            return probabilities
        out = np.empty((len(probabilities), 2))
        positive = int(self.manifest["positive"] == self.manifest["classes"][1])
        out[:, positive] = probabilities
        np.subtract(1, probabilities, out=out[:, 1 - positive])
        return out

    def _of_rows(self, X: Any) -> Floats | None:
        """The probabilities of an array of numbers, which need no column of their own; None: of what is something else."""
        ranges = self._encoder.ranges
        if ranges is None or type(X) is not np.ndarray or X.dtype != np.float64 or X.ndim != 2 or X.shape[1] != len(ranges[0]):
            return None
        if needs_outcomes(self.manifest):
            return None
        out = np.empty(len(X))
        step = max(1024, _IN_CACHE // len(ranges[0]))
        for start in range(0, len(X), step):
            part, own = X[start : start + step], out[start : start + step]
            found = self._scorer.logits_of_rows(part, *ranges)
            if found is not None:
                kernels, address, _ = found
                kernels.call("sigmoidF64", address, len(part), address)
                own[:] = kernels.view(address, len(part))
            if found is None or math.isnan(own.sum()):
                # cells that take a default, or are refused
                own[:] = self.score(part, first_row=start).probabilities
        return out

    def planes_of(self, probabilities: Floats) -> list[Floats]:
        """The probabilities of every class, in the order of `classes_`, of those that `score` gives."""
        if probabilities.ndim == 2:
            return [np.ascontiguousarray(plane) for plane in probabilities.T]
        planes = [1 - probabilities, probabilities]
        return planes if self.manifest["positive"] == self.manifest["classes"][1] else planes[::-1]

    def predict(self, X: Any) -> NDArray[Any]:
        """The label of each row, by the decision of the model. Parameters as of `score`."""
        return self.score(X).labels

    def decision_function(self, X: Any) -> Floats:
        """Logits, offset included: [rows] of the positive class, with more than two classes [rows, classes]. Parameters as of `score`."""
        return self.score(X).logits

    def contributions(self, X: Any, *, first_row: int = 0) -> Contributions:
        """What each input of each row adds to the logit, against the training baseline. Parameters as of `score`."""
        from .explain import Contributions

        explainer = self._explainer
        phi = np.concatenate([self._phi(encoded, row) for row, encoded in self._parts(table_of(X, self._encoder.fields), first_row)], axis=2)
        values = phi[0].T if len(phi) == 1 else phi.transpose(2, 1, 0)
        return Contributions([source.name for source in explainer.sources], explainer.base, values)

    @cached_property
    def _explainer(self) -> Explainer:
        # what few programs need is imported when it is used
        from .explain import Explainer

        return Explainer(self._encoder, self.weights, self.intercept, self.baseline)

    def _phi(self, encoded: Encoded, first_row: int) -> Floats:
        phi = self._explainer.contributions(encoded)
        with np.errstate(invalid="ignore"):
            lost = np.isnan(phi.sum(axis=1)).any(axis=0)
        if lost.any():
            raise self._lost(encoded, int(np.argmax(lost)), first_row)
        return phi

    def reasons(self, X: Any, k: int = 4, toward: Any = None, *, first_row: int = 0) -> list[list[Reason]]:
        """The inputs that pushed each decision most towards a class, the greatest first.

        :param k: greatest number of reasons of a row
        :param toward: the class; default the label of each row. For a notice of adverse action it is the class that the person did not want.
        :raises LogoddsError: ERR_RANGE for k, or a class that the model does not have; others as `score`
        """
        from .explain import reasons_of

        classes = self.manifest["classes"]
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise LogoddsError("ERR_RANGE", f"k: expected an integer >= 1, got {show(k)}; leave it out for the default")
        toward = None if toward is None else label_of(python_of(toward)) or toward
        if toward is not None and toward not in classes:
            raise LogoddsError("ERR_RANGE", f"toward: expected one of the classes {names(classes)}, got {show(toward)}; name one of them")
        table = table_of(X, self._encoder.fields)
        columns = table.columns(self._encoder.fields)
        own = self.score(table, first_row=first_row).codes if toward is None else np.full(table.rows, classes.index(toward))
        phi = np.concatenate([self._phi(encoded, row) for row, encoded in self._parts(table, first_row)], axis=2)
        return reasons_of(self.manifest, self._explainer.sources, phi, columns, own, int(k))

    def words(self, X: Any, sources: NDArray[np.int64]) -> list[str]:
        """One of the `sources` of each row in words, with its value: the ``reason`` of the schema, else "feature is value"."""
        from .explain import words_of

        sources = np.asarray(sources)
        if sources.dtype.kind not in "iu" or sources.ndim != 1 or (len(sources) and not 0 <= sources.min() <= sources.max() < len(self.sources)):
            raise LogoddsError("ERR_RANGE", f"sources: expected for each row an index below {len(self.sources)}, got something else; see model.sources")
        columns = table_of(X, self._encoder.fields).columns(self._encoder.fields)
        return [words_of(self.sources[source], columns, row)[1] for row, source in enumerate(sources.tolist())]

    def interval(self, X: Any, level: float = 0.95, *, first_row: int = 0) -> Interval:
        """Confidence intervals of the probabilities: how far off the model may be because it has seen a limited number of rows.

        :param level: probability that an interval covers, in (0, 1)
        :raises LogoddsError: ERR_DATA for a model without covariance, ERR_RANGE for the level; others as `score`
        """
        from .interval import Interval, intervals

        parts = [
            intervals(self.manifest, self._encoder, self.weights, self.intercept, self.covariance, encoded, level)
            for _, encoded in self._parts(table_of(X, self._encoder.fields), first_row)
        ]
        return Interval(*(np.concatenate([getattr(part, name) for part in parts]) for name in Interval.__dataclass_fields__))
