"""Rows a second of scoring on Spark: logodds beside a pandas UDF of scikit-learn, MLlib, and logodds without Spark.

    node python/run.mjs exec bench/spark.py [--rows 1000000] [--cores 2] [--rounds 7] [--out FILE.json]

Generated flights in Parquet: distance, origin and destination of 300 airports each, hour, weekday. One fit of scikit-learn gives its own pipeline
and, by from_sklearn, the model of logodds; MLlib fits the same columns. Each contestant reads the files, computes the probability of every row
and hands it to Spark's noop sink; `read` does no more than the first and the last, `through Python` hands the columns to Python and one of them
back, which is what any of them can reach that computes in Python. They take turns in each round, and a ratio is the median of those within a round.
100 million rows are for a quiet machine: --rows 100000000.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from processor import processor_seconds

ROOT = Path(__file__).parents[2]
os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}

TEXTS, NUMBERS = ["origin", "destination"], ["distance"]
CODES = ["hour", "weekday"]
FEATURES = [*NUMBERS, *TEXTS, *CODES]


def session(cores: int) -> Any:
    from pyspark.sql import SparkSession

    conf = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "3g",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # the best of 10,000 (Spark's own), 32,768 and 65,536 for the rival and for logodds
        "spark.sql.execution.arrow.maxRecordsPerBatch": "32768",
    }
    builder = SparkSession.builder.master(f"local[{cores}]")
    for name, value in conf.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def flights(spark: Any, rows: int, folder: Path, parts: int) -> Any:
    """Writes the rows, the same for a number of them everywhere, and reads them."""
    from pyspark.sql import functions as F

    def uniform(seed: int) -> Any:
        return (F.abs(F.xxhash64("id", F.lit(seed))) % 1_000_000) / 1_000_000.0

    def airport(seed: int) -> Any:
        # few airports have most of the flights
        return F.concat(F.lit("A"), F.lpad(F.floor(F.pow(uniform(seed), 2) * 300).cast("string"), 3, "0"))

    made = spark.range(0, rows, 1, parts).select(
        F.round(50 + 2500 * F.pow(uniform(1), 2)).alias("distance"),
        airport(2).alias("origin"),
        airport(3).alias("destination"),
        F.floor(uniform(4) * 24).alias("hour"),
        F.floor(uniform(5) * 7).alias("weekday"),
        (uniform(6) < 1 / (1 + F.exp(1.5 - uniform(2) - F.col("id") % 24 / 24.0))).cast("double").alias("late"),
    )
    made.write.mode("overwrite").parquet(str(folder))
    return spark.read.parquet(str(folder))


def fitted(sample: Any) -> Any:
    """The pipeline of scikit-learn, as one would write it."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encode = ColumnTransformer([("levels", OneHotEncoder(handle_unknown="ignore"), [*TEXTS, *CODES]), ("numbers", StandardScaler(), NUMBERS)])
    return make_pipeline(encode, LogisticRegression(max_iter=100)).fit(sample[FEATURES], sample["late"] > 0.5)


def by_mllib(sample: Any) -> Any:
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler

    indexed = [f"{name}_index" for name in TEXTS]
    coded = [f"{name}_code" for name in [*TEXTS, *CODES]]
    stages = [
        StringIndexer(inputCols=TEXTS, outputCols=indexed, handleInvalid="keep"),
        OneHotEncoder(inputCols=[*indexed, *CODES], outputCols=coded, handleInvalid="keep"),
        VectorAssembler(inputCols=[*NUMBERS, *coded], outputCol="features"),
        LogisticRegression(featuresCol="features", labelCol="late", maxIter=20),
    ]
    return Pipeline(stages=stages).fit(sample)


def by_pandas_udf(df: Any, pipeline: Any) -> Any:
    import pandas as pd
    from pyspark.sql import functions as F

    def predict(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
        for batch in batches:
            yield pd.Series(pipeline.predict_proba(batch)[:, 1])

    predict.__annotations__ = {"batches": Iterator[pd.DataFrame], "return": Iterator[pd.Series]}
    return df.select(F.pandas_udf(predict, "double")(F.struct(*FEATURES)).alias("p"))


def passed(batches: Iterator[Any]) -> Iterator[Any]:
    import pyarrow

    for batch in batches:
        yield pyarrow.RecordBatch.from_arrays([batch.column(0)], ["p"])


def drained(df: Any) -> None:
    df.write.format("noop").mode("overwrite").save()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and processor seconds."""
    start, before = time.perf_counter(), processor_seconds()
    work()
    return time.perf_counter() - start, processor_seconds() - before


def one_machine(model: Path, data: Path, folder: Path, threads: int) -> float:
    """Seconds of the command, reading and writing included, as it says."""
    out = folder / "scores.parquet"
    words = ["score", str(model), f"{data}/*.parquet", "--out", str(out), "--threads", str(threads), "--json"]
    done = subprocess.run(["node", str(ROOT / "cli/bin/logodds.js"), *words], capture_output=True, text=True, check=True)
    out.unlink()
    return float(json.loads(done.stdout)["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out")
    options = parser.parse_args()

    import logodds
    import logodds.spark

    spark = session(options.cores)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        df = flights(spark, options.rows, folder / "data", 4 * options.cores)
        sample = df.limit(min(options.rows, 50_000))
        frame = sample.toPandas()
        pipeline = fitted(frame)
        path = folder / "flights.safetensors"
        model = logodds.from_sklearn(pipeline)
        model.save(path)
        mllib = by_mllib(sample)
        contestants = {
            "read": lambda: df.select(*FEATURES),
            "through Python": lambda: df.select(*FEATURES).mapInArrow(passed, "p double"),
            "logodds": lambda: logodds.spark.score(df, path, []).select("p_true"),
            "pandas UDF of scikit-learn": lambda: by_pandas_udf(df, pipeline),
            "MLlib": lambda: mllib.transform(df).select("probability"),
        }
        few = df.limit(2000)
        ours = logodds.spark.score(few, path, []).toPandas()["p_true"]
        theirs = pipeline.predict_proba(few.toPandas()[FEATURES])[:, 1]
        difference = float(abs(ours.sort_values().to_numpy() - sorted(theirs)).max())
        assert difference < 1e-9, difference
        for make in contestants.values():
            drained(make().limit(1000))
        costs: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
        for _ in range(options.rounds):
            for contestant, make in contestants.items():
                costs[contestant].append(timed(lambda make=make: drained(make())))
        alone = one_machine(path, folder / "data", folder, options.cores)
    spark.stop()

    def ratios(k: int) -> dict[str, float]:
        pairs = {rival: zip(costs[rival], costs["logodds"]) for rival in ("pandas UDF of scikit-learn", "MLlib")}
        return {rival: round(statistics.median(theirs[k] / ours[k] for theirs, ours in both), 2) for rival, both in pairs.items()}

    rate = {name: options.rows / statistics.median(time for time, _ in own) / options.cores for name, own in costs.items()}
    rate["logodds without Spark, reading and writing"] = options.rows / alone / options.cores
    result = {
        **{"rows": options.rows, "cores": options.cores, "rounds": options.rounds},
        "rowsPerSecondPerCore": {name: round(one) for name, one in rate.items()},
        "timesFaster": ratios(0),
        "timesLessProcessor": ratios(1),
        "processorMicrosecondsPerRow": {name: round(1e6 * statistics.median(used for _, used in own) / options.rows, 2) for name, own in costs.items()},
        "greatestDifference": difference,
        "load": os.getloadavg()[0],
    }
    for contestant, one in rate.items():
        print(f"{contestant:44} {one:12,.0f} rows/s a core", file=sys.stderr)
    print(json.dumps(result))
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n")


main()
