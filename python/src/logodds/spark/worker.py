"""What executors do: score batches of Arrow. A model is loaded once for each worker process, found by its digest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import LogoddsError
from ..model import Model, load
from ..tables import table_of
from .failures import located
from .plan import Task, needs_of, rank_of, worded

_MOST_MODELS = 64
_MODELS: OrderedDict[str, Model] = OrderedDict()


def model_of(task: Task) -> Model:
    """The model of a task; those that were used last stay in memory."""
    model = _MODELS.get(task.digest)
    if model is None:
        model = _MODELS[task.digest] = load(task.data)
        if len(_MODELS) > _MOST_MODELS:
            _MODELS.popitem(last=False)
    _MODELS.move_to_end(task.digest)
    return model


class ScoreBatches:
    """The function of ``mapInArrow``: the kept columns of each batch, then the scores of each model.

    :param rows: a kept column with the numbers of the rows, for messages; None: they are counted in each partition
    """

    def __init__(self, tasks: Sequence[Task], kept: Sequence[str], names: Sequence[str], rows: str | None = None) -> None:
        self.tasks = tasks
        self.rows = rows
        self.kept = kept
        self.names = names

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        row = 0
        for batch in batches:
            columns = [batch.column(name) for name in self.kept]
            for task in self.tasks:
                columns += self._arrays(task, batch, row)
            yield pyarrow.RecordBatch.from_arrays(columns, [*self.names])
            row += batch.num_rows


    def _arrays(self, task: Task, batch: Any, row: int) -> list[Any]:
        if self.rows is None:
            return arrays_of(task, batch, row, _partition())
        try:
            return arrays_of(task, batch, 0, "")
        except LogoddsError as error:
            at = next((problem["row"] for problem in error.problems if "row" in problem), 0)
            # the same row again, by its number in the files
            arrays_of(task, batch.slice(at, 1), batch.column(self.rows)[at].as_py(), "")
            raise


class ScoreStructs:
    """The function of ``arrow_udf``: a struct of the scores for each struct of inputs."""

    def __init__(self, task: Task, names: Sequence[str]) -> None:
        self.task = task
        self.names = names

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        row = 0
        for rows in batches:
            struct = rows.combine_chunks() if isinstance(rows, pyarrow.ChunkedArray) else rows
            # a struct that is null has fields that are null
            batch = pyarrow.RecordBatch.from_arrays(struct.flatten(), [field.name for field in struct.type])
            yield pyarrow.StructArray.from_arrays(arrays_of(self.task, batch, row, _partition()), [*self.names])
            row += len(struct)


def _partition() -> str:
    """The part of the data that this process works on, for messages."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return "" if context is None else f"partition {context.partitionId()}, "


def arrays_of(task: Task, batch: Any, first_row: int, where: str) -> list[Any]:
    """The columns of a model for the rows of a batch, as arrays of Arrow.

    :raises LogoddsError: of `Model.score`, with the part of the data that it is of
    """
    model = model_of(task)
    try:
        return _arrays(task, model, batch, first_row)
    except LogoddsError as error:
        raise located(error, where) from None


def _arrays(task: Task, model: Model, batch: Any, first_row: int) -> list[Any]:
    import pyarrow

    wish, table = task.wish, table_of(_numbers_of_flags(model, batch), ())
    scores = model.score(table, first_row=first_row)
    classes = pyarrow.array(model.manifest["classes"], pyarrow.string())
    out = [pyarrow.array(plane) for plane in model.planes_of(scores.probabilities)]
    out.append(classes.take(pyarrow.array(scores.codes)))
    if scores.review is not None:
        out.append(pyarrow.array(scores.review))
    if wish.interval is not None:
        found = model.interval(table, wish.interval, first_row=first_row)
        out += [pyarrow.array(plane) for low, high in zip(_planes(found.low), _planes(found.high)) for plane in (low, high)]
    if wish.contributions:
        out += _contributions(model, table, scores.codes, rank_of(model, wish.contributions), first_row)
    if wish.reasons:
        reasons = [[{"feature": one.feature, "push": one.push, "text": one.text} for one in row] for row in model.reasons(table, wish.reasons, first_row=first_row)]
        kind = pyarrow.struct([("feature", pyarrow.string()), ("push", pyarrow.float64()), ("text", pyarrow.string())])
        out.append(pyarrow.array(reasons, pyarrow.list_(kind)))
    if wish.logits:
        out += [pyarrow.array(plane) for plane in _planes(scores.logits)]
    if wish.defaulted:
        out.append(pyarrow.array(scores.defaulted))
    return out


def _numbers_of_flags(model: Model, batch: Any) -> Any:
    """The batch with booleans as 0 and 1 where the model reads numbers."""
    import pyarrow

    for name, wanted in needs_of(model).items():
        at = batch.schema.get_field_index(name)
        if at >= 0 and "number" in wanted and pyarrow.types.is_boolean(batch.column(at).type):
            batch = batch.set_column(at, name, batch.column(at).cast(pyarrow.int8()))
    return batch


def _planes(values: Any) -> list[Any]:
    return [values] if values.ndim == 1 else [np.ascontiguousarray(plane) for plane in values.T]


def _contributions(model: Model, table: Any, labels: Any, k: int, first_row: int) -> list[Any]:
    """feature_1, contribution_1, and reason_1 where the schema has words, …: of the logit of the label with more than two classes."""
    import pyarrow

    found = model.contributions(table, first_row=first_row)
    values = found.values if found.values.ndim == 2 else found.values[np.arange(len(labels)), :, labels]
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :k]
    features = pyarrow.array(found.features, pyarrow.string())
    out = []
    for rank in range(k):
        places = np.ascontiguousarray(order[:, rank])
        out += [features.take(pyarrow.array(places)), pyarrow.array(np.take_along_axis(values, places[:, None], 1)[:, 0])]
        if worded(model):
            out.append(pyarrow.array(model.words(table, places), pyarrow.string()))
    return out
