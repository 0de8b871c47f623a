"""Scores of a frame of Spark, classic or Connect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import LogoddsError, names, refuse_absent, show
from .files import ROW
from .plan import REASONS, Output, Source, Wish, inputs_of, models_of, outputs_of
from .ship import ship
from .worker import ScoreBatches, ScoreStructs


def score(
    df: Any,
    model: Source | Sequence[Source] | Mapping[str, Source],
    columns: Iterable[str] | None = None,
    *,
    contributions: int = 0,
    reasons: int = 0,
    interval: float | None = None,
    logits: bool = False,
    defaulted: bool = False,
) -> Any:
    """Adds the scores of one model, or of several in one pass, to a frame of Spark. It gives the bits of ``logodds score``.

    The columns are those of the command: ``p_<class>`` for every class, ``label``, ``review`` if the model has a band for it. Of several models
    each column has the name of the model before it: ``risk_label``. The frame is lazy as any other: nothing runs before Spark is asked for rows.
    The executors need wasmtime, numpy and pyarrow; this package is sent to them.

    :param model: a path, bytes, or a `Model`; a list of paths, or a dict of names and models
    :param columns: columns of the frame that stay beside the scores; default all. Few are faster: each one goes to Python and back.
    :param contributions: how many inputs that moved the logit most to name: ``feature_1``, ``contribution_1``, …; ``reason_1`` if the schema has
        words for reasons
    :param reasons: greatest number of reasons of the label in a column ``reasons``: feature, push in log-odds, text
    :param interval: the level of a confidence interval: ``low``, ``high``
    :param logits: adds ``logit``; with more than two classes ``logit_<class>``
    :param defaulted: adds the share of inputs that took a default because they were missing, unseen or out of range
    :raises LogoddsError: ERR_SCHEMA for columns that are absent, of a type that the model cannot read, or named as the scores are; ERR_FORMAT and
        ERR_DATA for the model; ERR_RANGE for what is asked. A cell that cannot be used fails the job, and `failure_of` has its error.

    >>> logodds.spark.score(df, {"risk": "risk.safetensors", "churn": "churn.safetensors"}, columns=["id"])  # doctest: +SKIP
    DataFrame[id: bigint, risk_p_0: double, risk_p_1: double, risk_label: string, churn_p_no: double, …]
    """
    wish = _wish(contributions, reasons, interval, logits, defaulted)
    found = models_of(model, wish)
    kept = list(df.columns) if columns is None else list(dict.fromkeys(columns))
    refuse_absent("frame", [name for name in kept if name not in df.columns], df.columns)
    outputs: list[Output] = []
    read = dict.fromkeys(kept)
    for task, one in found:
        frame = f"frame for {show(task.prefix[:-1])}" if task.prefix else "frame"
        read |= dict.fromkeys(inputs_of(frame, df.schema, one, [] if columns is None else kept))
        outputs += outputs_of(task, one)
    added = [output.name for output in outputs]
    taken = [name for name in added if name in kept or added.count(name) > 1]
    if taken:
        raise LogoddsError("ERR_SCHEMA", f"frame: expected no column named as a score, got {names(dict.fromkeys(taken))}; rename it, or leave it out of columns")
    selected = df.select(*(df[quoted(name)] for name in read))
    ship(df.sparkSession)
    return selected.mapInArrow(ScoreBatches([task for task, _ in found], kept, [*kept, *added], ROW if ROW in kept else None), _schema(df, kept, outputs))


def _schema(df: Any, kept: Sequence[str], outputs: Sequence[Output]) -> Any:
    from pyspark.sql import types as T

    reason = T.StructType().add("feature", T.StringType()).add("push", T.DoubleType()).add("text", T.StringType())
    kinds = {"double": T.DoubleType(), "string": T.StringType(), "boolean": T.BooleanType(), REASONS: T.ArrayType(reason)}
    return T.StructType([*(df.schema[name] for name in kept), *(T.StructField(output.name, kinds[output.type]) for output in outputs)])


def quoted(name: str) -> str:
    """A name of a column, whatever is in it."""
    return f"`{name.replace('`', '``')}`"


def _wish(contributions: int, reasons: int, interval: float | None, logits: bool, defaulted: bool) -> Wish:
    for what, value in (("contributions", contributions), ("reasons", reasons)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise LogoddsError("ERR_RANGE", f"{what}: expected a whole number >= 0, got {show(value)}; 3 is usual")
    return Wish(contributions, reasons, interval, logits, defaulted)


def register(
    spark: Any,
    name: str,
    model: Source,
    *,
    contributions: int = 0,
    reasons: int = 0,
    interval: float | None = None,
    logits: bool = False,
    defaulted: bool = False,
) -> Any:
    """Registers a model as a function of SQL. It takes a struct of the inputs, and returns a struct of the columns that `score` adds.

    :param name: of the function, for this session
    :returns: the function, for frames
    :raises LogoddsError: ERR_FORMAT and ERR_DATA for the model, ERR_RANGE for what is asked

    >>> logodds.spark.register(spark, "risk", "risk.safetensors")  # doctest: +SKIP
    >>> spark.sql("select id, risk(struct(age, income)).label from loans")  # doctest: +SKIP
    """
    from collections.abc import Iterator

    import pyarrow
    from pyspark.sql.functions import arrow_udf

    wish = _wish(contributions, reasons, interval, logits, defaulted)
    [(task, one)] = models_of([model] if isinstance(model, (list, tuple)) else model, wish)
    outputs = outputs_of(task, one)
    run = ScoreStructs(task, [output.name for output in outputs])

    def scored(batches: Iterator[pyarrow.Array]) -> Iterator[pyarrow.Array]:
        return run(batches)

    # Spark reads the types at the function itself
    scored.__annotations__ = {"batches": Iterator[pyarrow.Array], "return": Iterator[pyarrow.Array]}
    ship(spark)
    kind = ", ".join(f"{quoted(output.name)}: {output.type}" for output in outputs)
    return spark.udf.register(name, arrow_udf(scored, f"struct<{kind}>"))
