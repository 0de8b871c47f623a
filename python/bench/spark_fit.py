"""Training on Spark: logodds beside MLlib to the same accuracy, one core beside two, and jobs beside the kernels in them.

    node python/run.mjs exec bench/spark_fit.py [--rows 200000] [--cores 2] [--rounds 7] [--scaling] [--out FILE.json]

Generated flights in Parquet: distance, hour, origin and destination of 100 airports each; maximum likelihood of both, so that they have one optimum.
MLlib's `objectiveHistory` says at which iteration (f - f*)/|f*| <= 1e-8, f* being the least of all that was seen; it is then timed with that
many iterations and no further test. Both are timed from the frame to the model, with everything they do to it. They take turns in each round, and
a ratio is the median of those within a round. 10 million rows and more are for a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from processor import processor_seconds

ROOT = Path(__file__).parents[2]
COMMAND = os.environ.get("LOGODDS_COMMAND", f"node {shlex.quote(str(ROOT / 'cli/bin/logodds.js'))}")
os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
TEXTS, NUMBERS = ["origin", "destination"], ["distance", "hour"]
GOAL = 1e-8


def session(cores: int) -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    spark = builder.config("spark.driver.memory", "3g").config("spark.sql.execution.arrow.maxRecordsPerBatch", "65536").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def write_flights(rows: int, folder: Path, parts: int) -> None:
    import pyarrow
    import pyarrow.parquet

    names = np.array([f"A{i:03}" for i in range(100)])
    for part in range(parts):
        random = np.random.default_rng(part)
        n = rows // parts
        origin, destination = (np.floor(random.random(n) ** 2 * 100).astype(int) for _ in range(2))
        distance, hour = 50 + 2500 * random.random(n) ** 2, np.floor(random.random(n) * 24)
        z = -1.5 + np.sin(origin) + 0.5 * np.cos(destination) + hour / 24 + distance / 4000
        late = (random.random(n) < 1 / (1 + np.exp(-z))).astype(np.float64)
        columns = {"origin": names[origin], "destination": names[destination], "distance": distance, "hour": hour, "late": late}
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / f"{part}.parquet")


def by_logodds(frame: Any) -> float:
    import logodds.spark

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = logodds.spark.fit(frame, "late", command=COMMAND, holdout=False, baseline=False, penalty=None)
    return float(fitted.report["fit"]["objective"])


def by_mllib(frame: Any, iterations: int) -> list[float]:
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler

    indexed, coded = [f"{name}_index" for name in TEXTS], [f"{name}_code" for name in TEXTS]
    stages = [
        StringIndexer(inputCols=TEXTS, outputCols=indexed),
        OneHotEncoder(inputCols=indexed, outputCols=coded),
        VectorAssembler(inputCols=[*NUMBERS, *coded], outputCol="features"),
        LogisticRegression(labelCol="late", maxIter=iterations, tol=0, regParam=0),
    ]
    return [float(one) for one in Pipeline(stages=stages).fit(frame).stages[-1].summary.objectiveHistory]


def seconds_of(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def costs_of(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and processor seconds."""
    before = processor_seconds()
    return seconds_of(work), processor_seconds() - before


def kernels_beside_jobs(frame: Any, folder: Path) -> dict[str, float]:
    """Seconds of one gradient: in the kernels alone, on one core without Spark, and as jobs."""
    import pyarrow.parquet

    from logodds.spark.training.blocks import Encode, Encoding
    from logodds.spark.training.rows import SparkRows
    from logodds.spark.training.statistics import Roles
    from logodds.spark.training.sums import PartSums, Question, blocks_of

    levels = [f"A{i:03}" for i in range(100)]
    features: list[dict[str, Any]] = [{"name": name, "kind": "numeric", "mean": 12.0, "scale": 7.0, "indicator": False} for name in NUMBERS]
    features += [{"name": name, "kind": "categorical", "levels": levels, "slots": 102, "gap": 100, "unseen": 101} for name in TEXTS]
    roles = Roles("late", [*((name, "numeric") for name in NUMBERS), *((name, "categorical") for name in TEXTS)])
    rows = SparkRows(frame.sparkSession, frame, print)
    rows.statistics({"target": "late", "features": roles.features, "holdout": None})
    rows.encode({"columns": features, "classes": ["0", "1"], "factors": [1.0, 1.0]})
    encoding = Encoding("bench", features, ["0", "1"], [1.0, 1.0], roles)
    question = Question("at", 1, 1, list(range(4)), [np.full(2 + 204 + 1, 0.01)], None, rows.rows)
    jobs = [seconds_of(lambda: rows.sums(question)) for _ in range(9)]
    count = rows.rows
    rows.close()
    os.environ["SPARK_LOCAL_DIRS"] = str(folder)
    batches = pyarrow.parquet.read_table(frame.inputFiles()[0].removeprefix("file://")).to_batches()
    token = next(iter(Encode(encoding)(batches))).to_pylist()[0]
    images = np.fromfile(token["path"], np.uint8)

    def kernels() -> None:
        sums = PartSums(encoding, question)
        for image, layout in blocks_of(encoding, images, token["rows"]):
            sums.add(image, layout)

    own = [seconds_of(kernels) for _ in range(9)]
    return {"job": statistics.median(jobs), "kernels of all rows": statistics.median(own) * count / token["rows"]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scaling", action="store_true", help="one core beside all, in sessions of their own")
    parser.add_argument("--out")
    options = parser.parse_args()
    said: dict[str, Any] = {"rows": options.rows, "cores": options.cores, "goal": GOAL}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        write_flights(options.rows, folder, 2 * options.cores)
        spark = session(options.cores)
        frame = spark.read.parquet(str(folder))
        ours = by_logodds(frame)
        history = by_mllib(frame, 200)
        best = min(ours, *history)
        said["logodds"] = {"f - f*": (ours - best) / abs(best)}
        reached = next((i for i, f in enumerate(history) if (f - best) / abs(best) <= GOAL), None)
        said["mllib"] = {"iterations": reached, "f - f*": (min(history) - best) / abs(best)}
        iterations = reached or len(history)
        costs = [(costs_of(lambda: by_mllib(frame, iterations)), costs_of(lambda: by_logodds(frame))) for _ in range(options.rounds)]
        for k, what in enumerate(("seconds", "processor seconds")):
            times = [(mllib[k], own[k]) for mllib, own in costs]
            said[what] = {"mllib": statistics.median(one for one, _ in times), "logodds": statistics.median(one for _, one in times)}
            said[what]["mllib / logodds"] = statistics.median(one / other for one, other in times)
        said["one gradient"] = kernels_beside_jobs(frame, Path(name))
        spark.stop()
        if options.scaling:
            found: dict[int, list[float]] = {1: [], options.cores: []}
            for _ in range(options.rounds):
                for cores, own in found.items():
                    spark = session(cores)
                    frame = spark.read.parquet(str(folder))
                    by_logodds(frame)
                    own.append(seconds_of(lambda frame=frame: by_logodds(frame)))
                    spark.stop()
            said["one core / all cores"] = statistics.median(one / other for one, other in zip(*found.values()))
    print(json.dumps(said, indent=2))
    if options.out:
        Path(options.out).write_text(json.dumps(said, indent=2) + "\n")


if __name__ == "__main__":
    main()
