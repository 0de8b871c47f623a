"""Scores of Spark are those of the library, to the bit, on every kind of Spark."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

import logodds
import logodds.spark
from logodds.labels import label_of

CONFORMANCE = Path(__file__).parents[3] / "test" / "conformance"
SETS = [*sorted(CONFORMANCE.glob("*.safetensors")), *sorted((CONFORMANCE / "stages").glob("*.safetensors"))]
PLACES = ["local", "cluster", "connect"]


def rows_of(path: Path) -> tuple[logodds.Model, Any]:
    """The model, and its rows as a table of Arrow, whose columns have one type each. Texts that UTF-8 does not have are left out."""
    model = logodds.load(path)
    rows = [row for row in json.loads(path.with_suffix(".json").read_text(encoding="utf-8", errors="surrogatepass"))["rows"] if is_utf8(row)]
    columns = {"at": pyarrow.array(range(len(rows)))}
    for name in model.feature_names_in_:
        values = [row[name] for row in rows]
        try:
            columns[name] = pyarrow.array(values)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
            # a frame has one type for a column: those that mix types are texts
            columns[name] = pyarrow.array([None if isinstance(value, list) else label_of(value) for value in values], pyarrow.string())
    return model, pyarrow.table(columns)


def is_utf8(row: dict[str, Any]) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def frame(spark: Any, table: Any, parts: int = 3) -> Any:
    return spark.createDataFrame(table).repartition(parts)


def bits(values: Any) -> Any:
    return np.asarray(values, np.float64).view(np.uint64).tolist()


def quiet(call: Any, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **options)


@pytest.mark.parametrize("spark", PLACES, indirect=True)
def test_bits_of_every_set(spark: Any) -> None:
    scored = 0
    for path in SETS:
        model, table = rows_of(path)
        try:
            wanted = model.score(table)
        except logodds.LogoddsError:
            continue
        scored += 1
        inner = bool(model.manifest["decision"].get("abstain"))
        interval = 0.9 if model.covariance is not None else None
        found = quiet(
            logodds.spark.score, frame(spark, table), path, ["at"], logits=True, defaulted=True, contributions=2, reasons=2, interval=interval
        ).toArrow().sort_by("at")
        assert found["label"].to_pylist() == wanted.labels.tolist(), path.stem
        for label, plane in zip(model.classes_, model.planes_of(wanted.probabilities)):
            assert bits(found[f"p_{label}"]) == bits(plane), path.stem
        ends = [""] if wanted.logits.ndim == 1 else [f"_{label}" for label in model.classes_]
        for ending, plane in zip(ends, np.atleast_2d(wanted.logits.T)):
            assert bits(found[f"logit{ending}"]) == bits(plane), path.stem
        assert bits(found["defaulted"]) == bits(wanted.defaulted), path.stem
        assert ("review" in found.column_names) == inner
        if inner:
            assert found["review"].to_pylist() == wanted.review.tolist()
        if wanted.logits.ndim == 1:
            top = model.contributions(table).top(2)
            assert [row[0][0] for row in top] == found["feature_1"].to_pylist()
            assert bits([row[0][1] for row in top]) == bits(found["contribution_1"])
        said = [[(one.feature, one.text) for one in row] for row in model.reasons(table, 2)]
        assert [[(one["feature"], one["text"]) for one in row] for row in found["reasons"].to_pylist()] == said
        if interval:
            bounds = model.interval(table, interval)
            for ending, low, high in zip(ends, np.atleast_2d(bounds.low.T), np.atleast_2d(bounds.high.T)):
                assert bits(found[f"low{ending}"]) == bits(low)
                assert bits(found[f"high{ending}"]) == bits(high)
    assert scored >= 10
