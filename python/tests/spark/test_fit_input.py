"""Frames that are unusual or wrong: the model of one machine, or an error that names what is wrong and where."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from test_fit import BASE, COMMAND, FEATURES, alone, assert_same, data, on_spark, table  # noqa: F401

import logodds
import logodds.spark


def test_connect_gives_the_same(connect: Any, data: str, tmp_path: Path) -> None:  # noqa: F811
    model, _ = alone(data, tmp_path, **BASE)
    assert_same(model, on_spark(connect.read.parquet(data).repartition(2), **BASE).model)


def test_a_partition_without_rows_a_level_of_one_alone_a_column_all_null_in_one_and_skew(local: Any, tmp_path: Path) -> None:
    rows = table(6000)
    first = rows.slice(0, 50)
    alien = first.set_column(rows.schema.get_field_index("c"), "c", pyarrow.array(["only here"] * 50))
    empty = rows.slice(50, 900)
    empty = empty.set_column(rows.schema.get_field_index("x1"), "x1", pyarrow.array([None] * 900, pyarrow.float64()))
    whole = pyarrow.concat_tables([alien, empty, rows.slice(950)])
    pyarrow.parquet.write_table(whole, tmp_path / "rows.parquet")
    model, _ = alone(str(tmp_path / "rows.parquet"), tmp_path, **BASE)
    frame = local.read.parquet(str(tmp_path / "rows.parquet")).coalesce(1)
    parts = [
        frame.limit(0),
        frame.where("c = 'only here'"),
        frame.where("x1 is null and (c is null or c <> 'only here')"),
        frame.where("x1 is not null and (c is null or c <> 'only here')"),
    ]
    divided = parts[0].union(parts[1]).union(parts[2]).union(parts[3])
    assert_same(model, on_spark(divided, **BASE).model)


def test_random_held_out_rows_are_the_same_however_they_are_divided(local: Any, data: str) -> None:  # noqa: F811
    options = BASE | {"holdout": 0.25, "seed": 3}
    one = on_spark(local.read.parquet(data).repartition(1), **options)
    other = on_spark(local.read.parquet(data).repartition(5), **options)
    assert_same(one.model, other.model)
    assert one.report["rows"] == other.report["rows"]
    held = one.report["rows"]["holdout"]
    assert abs(held - 5000) < 200
    assert other.report["holdout"] == pytest.approx(one.report["holdout"], rel=1e-9)


def test_rows_held_out_by_time_are_those_of_one_machine(local: Any, data: str, tmp_path: Path) -> None:  # noqa: F811
    options = {name: value for name, value in BASE.items() if name != "holdout"} | {"holdout_by": "day"}
    model, report = alone(data, tmp_path, **options)
    fitted = on_spark(local.read.parquet(data).repartition(3), **options)
    assert_same(model, fitted.model)
    assert fitted.report["rows"] == report["rows"]
    assert fitted.report["holdout"] == pytest.approx(report["holdout"], rel=1e-9)


def test_rows_without_a_target_are_left_out_by_name(local: Any, tmp_path: Path) -> None:
    rows = table(3000)
    gaps = pyarrow.array([None if i % 10 == 0 else one for i, one in enumerate(rows["y"].to_pylist())])
    pyarrow.parquet.write_table(rows.set_column(rows.schema.get_field_index("y"), "y", gaps), tmp_path / "rows.parquet")
    fitted = on_spark(local.read.parquet(str(tmp_path / "rows.parquet")), **BASE)
    assert [one["code"] for one in fitted.report["warnings"]] == ["NO_TARGET"]
    assert "300 of 3,000 rows have no target" in fitted.report["warnings"][0]["message"]
    assert fitted.report["rows"]["train"] == 2700


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "absent target": ({"target": "z"}, "ERR_SCHEMA", "expected target column"),
    "absent feature": ({"features": ["x0", "nothing"]}, "ERR_SCHEMA", "nothing"),
    "a weight below 0": ({"weight": "shift"}, "ERR_RANGE", "partition "),
    "a weight of text": ({"weight": "cls"}, "ERR_SCHEMA", "expected numbers, got string"),
    "numbers of text": ({"numeric": ["c"]}, "ERR_SCHEMA", "expected numbers, got string"),
    "weights of parts": ({"weight": "share", "weight_kind": "count"}, "ERR_RANGE", "whole number"),
    "firth": ({"firth": True}, "ERR_RANGE", "firth"),
    "profile": ({"penalty": None, "profile": True}, "ERR_RANGE", "profile"),
    "bootstrap": ({"bootstrap": 100}, "ERR_RANGE", "bootstrap"),
    "clusters": ({"penalty": None, "cluster": "day"}, "ERR_RANGE", "cluster"),
    "folds": ({"calibrate": "platt"}, "ERR_RANGE", "rows on Spark"),
    "a threshold to choose": ({"maximize": "f1"}, "ERR_RANGE", "a threshold to choose"),
    "trials": ({"trials": "n"}, "ERR_RANGE", "trials"),
    "a class of weight 0": ({"class_weight": "0=0"}, "ERR_RANGE", "class weight of 0"),
    "an offset with several classes": ({"target": "cls", "offset": "shift"}, "ERR_TARGET", "two classes"),
    "too many classes": ({"target": "x0", "features": ["n"], "categorical": None}, "ERR_TARGET", "at most 100 classes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_there_is_refused_by_name(local: Any, data: str, name: str) -> None:  # noqa: F811
    options, code, words = REFUSED[name]
    with pytest.raises(logodds.LogoddsError) as raised:
        on_spark(local.read.parquet(data), **BASE | options)
    assert raised.value.code == code, raised.value
    assert words in str(raised.value)


def test_wrong_cells_are_refused_with_their_partition(local: Any, data: str) -> None:  # noqa: F811
    frame = local.read.parquet(data).coalesce(1)
    with pytest.raises(logodds.LogoddsError, match=r"partition 0: row .*x0.*finite"):
        on_spark(frame.selectExpr("*").withColumn("x0", frame.x0 / frame.x0 * float("nan")), **BASE)
    with pytest.raises(logodds.LogoddsError, match="missing cells only"):
        on_spark(frame.withColumn("x0", frame.x0.substr(0, 0).try_cast("double")), **BASE)
    with pytest.raises(logodds.LogoddsError, match="at least one row with a target"):
        on_spark(frame.where("y > 7"), **BASE)
    with pytest.raises(logodds.LogoddsError, match="at least two classes"):
        on_spark(frame.where("y = 1"), **BASE)
    with pytest.raises(logodds.LogoddsError, match="expected numbers, text or booleans, got array"):
        on_spark(frame.selectExpr("y", "array(x0) as x0"), target="y")


def test_a_type_that_differs_between_files(local: Any, tmp_path: Path) -> None:
    rows = table(2000)
    folder = tmp_path / "data"
    folder.mkdir()
    pyarrow.parquet.write_table(rows, folder / "a.parquet")
    text = rows.set_column(rows.schema.get_field_index("n"), "n", pyarrow.array([str(one) for one in rows["n"].to_pylist()]))
    pyarrow.parquet.write_table(text, folder / "b.parquet")
    with pytest.raises(logodds.LogoddsError, match=r"\.parquet, column n"):
        on_spark(local.read.parquet(str(folder)), **BASE)


def test_rows_that_change_between_passes_are_noticed(local: Any, data: str) -> None:  # noqa: F811
    from pyspark.sql import functions as F

    from logodds.spark.training.rows import SparkRows

    rows = SparkRows(local, local.read.parquet(data).withColumn("x0", F.rand()), lambda _: None)
    try:
        asked = {"target": "y", "features": [("x0", "numeric")], "holdout": None}
        rows.statistics(asked)
        columns = [{"name": "x0", "kind": "numeric", "mean": 0.0, "scale": 1.0, "indicator": False, "at": 0}]
        rows.encode({"columns": columns, "classes": ["0", "1"], "factors": [1, 1]})
        rows._train = rows._train.withColumn("x0", F.rand())
        with pytest.raises(logodds.LogoddsError, match="expected the rows of the first pass"):
            rows._write()
    finally:
        rows.close()


def test_the_command_that_is_not_there(local: Any, data: str) -> None:  # noqa: F811
    with pytest.raises(logodds.LogoddsError, match="expected the command logodds") as raised:
        logodds.spark.fit(local.read.parquet(data), "y", command="no-such-logodds")
    assert raised.value.code == "ERR_ENGINE"


def test_files_are_removed_from_executors(local: Any, data: str, tmp_path: Path) -> None:  # noqa: F811
    on_spark(local.read.parquet(data), **BASE, out=tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").exists()
    places = [Path(place) for place in (local.conf.get("spark.local.dir", "/tmp"),)]
    assert [path for place in places for path in place.rglob("logodds-*/*.rows")] == []


def test_warnings_come_by_name(local: Any, data: str) -> None:  # noqa: F811
    frame = local.read.parquet(data).selectExpr("*", "4.0D as same")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", logodds.LogoddsWarning)
        logodds.spark.fit(frame, command=COMMAND, **BASE | {"features": [*FEATURES, "same"]})
    assert any("CONSTANT_COLUMN" in str(one.message) and "same" in str(one.message) for one in said)


def test_large_sums_are_added_on_executors_to_the_same(local: Any, data: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    from logodds.spark.training import rows

    options = BASE | {"solver": "newton"}
    one = on_spark(local.read.parquet(data).repartition(20), **options)
    monkeypatch.setattr(rows, "_LARGE", 0)
    other = on_spark(local.read.parquet(data).repartition(20), **options)
    np.testing.assert_allclose(other.model.weights, one.model.weights, rtol=1e-9)
