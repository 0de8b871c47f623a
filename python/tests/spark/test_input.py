"""Input that is unusual or wrong: the same scores, or an error that names the part."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

import logodds
import logodds.spark
from logodds.sklearn import from_sklearn

ROWS = 4000


def rows(count: int = ROWS) -> pyarrow.Table:
    return pyarrow.table(
        {
            "at": pyarrow.array(range(count)),
            "age": pyarrow.array([20 + i % 50 + (i % 7) / 10 for i in range(count)]),
            "income": pyarrow.array([None if i % 11 == 0 else 1000.0 + 37 * (i % 101) for i in range(count)]),
            "town": pyarrow.array([f"t{i % 9}" for i in range(count)]),
        }
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = rows(2000).to_pandas()
    encode = make_column_transformer((SimpleImputer(), ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["town"]))
    pipeline = make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(frame[["age", "income", "town"]], frame["age"] + frame["at"] % 13 > 50)
    path = tmp_path_factory.mktemp("models") / "loans.safetensors"
    from_sklearn(pipeline).save(path)
    return path


def scored(df: Any, model: Any, **options: Any) -> pyarrow.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return logodds.spark.score(df, model, ["at"], **options).toArrow().sort_by("at")


def wanted(model: Path, table: pyarrow.Table) -> list[float]:
    return logodds.load(model).predict_proba(table)[:, 1].tolist()


def write(folder: Path, *tables: pyarrow.Table) -> str:
    folder.mkdir()
    for i, table in enumerate(tables):
        pyarrow.parquet.write_table(table, folder / f"part-{i}.parquet")
    return str(folder)


def failure(df: Any, model: Any) -> logodds.LogoddsError:
    with pytest.raises(Exception) as caught:
        scored(df, model)
    found = logodds.spark.failure_of(caught.value)
    assert found is not None, caught.value
    return found


def test_empty_skewed_and_lone_partitions(local: Any, model: Path, tmp_path: Path) -> None:
    table = rows()
    alone = table.slice(0, 1).set_column(3, "town", pyarrow.array(["nowhere"]))
    without = table.slice(1, 9).set_column(2, "income", pyarrow.nulls(9, pyarrow.float64()))
    folder = write(tmp_path / "data", alone, without, table.slice(0, 0), table.slice(10))
    df = local.read.parquet(folder)
    whole = pyarrow.concat_tables([alone, without, table.slice(10)])
    assert scored(df, model)["p_True"].to_pylist() == wanted(model, whole)
    # more partitions than rows have values: most of them have none
    assert scored(df.repartition(40, "town"), model)["p_True"].to_pylist() == wanted(model, whole)
    assert scored(df.limit(0), model).num_rows == 0


def test_columns_of_other_types(local: Any, model: Path) -> None:
    df = local.createDataFrame(rows(100))
    with pytest.raises(logodds.LogoddsError, match=r'frame, column "age": expected a column of numbers, got string; cast it to double') as caught:
        logodds.spark.score(df.withColumn("age", df["age"].cast("string")), model)
    assert caught.value.code == "ERR_SCHEMA"
    with pytest.raises(logodds.LogoddsError, match=r'expected columns "income", "town", got "at", "age"'):
        logodds.spark.score(df.drop("income", "town"), model)
    with pytest.raises(logodds.LogoddsError, match=r'no column named as a score, got "label"'):
        logodds.spark.score(df.withColumnRenamed("at", "label"), model)
    decimal = df.withColumn("age", df["age"].cast("decimal(10,1)")).withColumn("income", df["income"].cast("int"))
    whole = rows(100)
    assert scored(decimal, model)["p_True"].to_pylist() == wanted(model, whole)


def test_said_once_by_name(local: Any, model: Path) -> None:
    df = local.createDataFrame(rows(50)).selectExpr("*", "at as one", "at as two", "at > 3 as flag").withColumn("age", (local.range(1).count() > 0) * __import__("pyspark").sql.functions.lit(True))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        logodds.spark.score(df, model, ["at"])
    said = [str(one.message) for one in caught if issubclass(one.category, logodds.LogoddsWarning)]
    assert said == ['frame has 3 columns that the model does not read ("one", "two", "flag"); 1 column of booleans ("age"), read as 0 and 1']


def test_wrong_cell_names_partition_and_row(local: Any, model: Path) -> None:
    df = local.createDataFrame(rows(300)).coalesce(1).selectExpr("at", "if(at = 217, double('Infinity'), age) as age", "income", "town")
    found = failure(df, model)
    assert found.code == "ERR_RECORD"
    assert str(found).startswith('partition 0, row 217 (from 0), column "age": expected a finite number')


def test_half_written_and_other_files(local: Any, model: Path, tmp_path: Path) -> None:
    folder = Path(write(tmp_path / "half", rows(100), rows(100)))
    whole = (folder / "part-1.parquet").read_bytes()
    (folder / "part-1.parquet").write_bytes(whole[: len(whole) // 2])
    found = failure(local.read.parquet(str(folder)), model)
    assert found.code == "ERR_DATA"
    assert "part-1.parquet: expected a whole Parquet file" in str(found)
    table = rows(100)
    other = Path(write(tmp_path / "other", table, table.set_column(1, "age", pyarrow.array(["x"] * 100))))
    found = failure(local.read.schema("at long, age double, income double, town string").parquet(str(other)), model)
    assert found.code == "ERR_DATA"
    assert "part-1.parquet, column age: expected double as in the other files, got" in str(found)


def test_names_of_columns_and_models(local: Any, model: Path) -> None:
    table = rows(100)
    df = local.createDataFrame(table).withColumnRenamed("at", "a.`t")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = logodds.spark.score(df, {"a": model, "b": logodds.load(model)}, logits=True)
    assert both.columns == ["a.`t", "age", "income", "town", "a_p_False", "a_p_True", "a_label", "a_logit", "b_p_False", "b_p_True", "b_label", "b_logit"]
    found = both.toArrow()
    assert found["a_p_True"] == found["b_p_True"]
    assert sorted(found["a_p_True"].to_pylist()) == sorted(wanted(model, table))


@pytest.mark.parametrize("spark", ["local", "connect"], indirect=True)
def test_function_of_sql(spark: Any, model: Path) -> None:
    table = rows(500)
    logodds.spark.register(spark, "risk", model, logits=True)
    spark.createDataFrame(table).createOrReplaceTempView("loans")
    found = spark.sql("select at, risk(struct(*)).p_True as p, risk(struct(age, income, town)).logit as z from loans").toArrow().sort_by("at")
    assert found["p"].to_pylist() == wanted(model, table)
    assert found["z"].to_pylist() == logodds.load(model).decision_function(table).tolist()


def test_executor_is_killed(cluster: Any, cluster_of: Any, model: Path, tmp_path: Path) -> None:
    """kill -9 of an executor in the middle: the same answer."""
    import os
    import signal
    import threading

    from pyspark.sql import functions as F

    table = rows(20_000)
    folder = write(tmp_path / "data", *(table.slice(i * 1000, 1000) for i in range(20)))
    df = cluster.read.parquet(folder).repartition(24)
    killed: list[int] = []

    def kill() -> None:
        # when tasks of the job have ended, and others have not
        tracker = cluster.sparkContext.statusTracker()
        while not killed:
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            if any(stage and stage.numTasks == 24 and stage.numCompletedTasks >= 3 for stage in stages):
                victim = cluster_of.executors()[0]
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow = logodds.spark.score(df, model, ["at"]).withColumn("p_True", F.col("p_True") + F.expr("0 * length(repeat(uuid(), 20000))"))
    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = slow.toArrow().sort_by("at")
    thread.join(10)
    assert len(killed) == 1
    assert found["at"].to_pylist() == [*range(20_000)]
    assert found["p_True"].to_pylist() == wanted(model, table)
