"""``python -m logodds.spark``: what ``logodds score --spark`` runs. It speaks JSON lines on standard output, one event a line:

{"note": …}, {"progress": share}, and last {"result": …} or {"error": {"code", "message"}}
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import LogoddsError, LogoddsWarning
from .failures import failure_of
from .files import ROW, Files
from .scoring import score

_ROW = re.compile(r"row (\d+) \(from 0\)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns its exit status: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m logodds.spark")
    tasks = parser.add_subparsers(dest="task", required=True)
    train_parser = tasks.add_parser("train", help="runs logodds train with Parquet files on Spark")
    train_parser.add_argument("--data", required=True)
    train_parser.add_argument("--master", required=True)
    train_parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE")
    train_parser.add_argument("command", nargs=argparse.REMAINDER, help="the command line that is run")
    score_parser = tasks.add_parser("score", help="scores Parquet files into a folder")
    score_parser.add_argument("model")
    score_parser.add_argument("data", nargs="+", help="Parquet files, folders, patterns, or addresses that Spark reads")
    score_parser.add_argument("--out", required=True, help="folder of the parts, which is not there yet; .csv and .jsonl at its end give that format")
    score_parser.add_argument("--master", required=True, help="local[*], spark://HOST:PORT, yarn, k8s://…, or sc://HOST:PORT of Spark Connect")
    score_parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE", help="a setting of Spark")
    score_parser.add_argument("--explain", type=int, default=0)
    score_parser.add_argument("--interval", type=float)
    options = parser.parse_args(arguments)
    if options.task == "train":
        # pyspark is there, or is not
        from .training.command import run_train

        return run_train(options)
    warnings.showwarning = lambda message, kind, *_: say({"note": str(message)}) if issubclass(kind, LogoddsWarning) else None
    warnings.simplefilter("always", LogoddsWarning)
    # a job is taken back by either signal
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        say({"result": run_score(options)})
        return 0
    except KeyboardInterrupt:
        say({"error": {"code": "ERR_INTERRUPTED", "message": "stopped before the end; no output was written"}})
    except LogoddsError as error:
        say({"error": {"code": error.code, "message": str(error)}})
    except ImportError as error:
        sentence = f"Python: expected logodds[spark] in {sys.executable}, got {error}; pip install 'logodds[spark]', or name another Python in LOGODDS_PYTHON"
        say({"error": {"code": "ERR_ENGINE", "message": sentence}})
    except Exception as error:
        found = failure_of(error)
        if found is None:
            print(error, file=sys.stderr)
            found = LogoddsError("ERR_DATA", f"Spark: expected the job to end, got {_first_line(error)}; see what Spark says")
        say({"error": {"code": found.code, "message": str(found)}})
    return 1


def say(event: Mapping[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')[:200]}"


def session_of(master: str, conf: Sequence[str]) -> Any:
    """A session of Spark at an address, its workers with this Python."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # the master that is named is the one that is used
    for name in ("SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        os.environ.pop(name, None)
    settings = {"spark.sql.execution.arrow.maxRecordsPerBatch": "65536", "spark.ui.showConsoleProgress": "false"}
    for one in conf:
        name, _, value = one.partition("=")
        settings[name] = value
    builder = SparkSession.builder.remote(master) if master.startswith("sc://") else SparkSession.builder.master(master).appName("logodds score")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def run_score(options: argparse.Namespace) -> dict[str, Any]:
    """Scores files into a folder. Returns what the command prints as JSON."""
    from pyspark.sql import Observation
    from pyspark.sql import functions as F

    start = time.perf_counter()
    kind = {".csv": "csv", ".jsonl": "json", ".ndjson": "json"}.get(os.path.splitext(options.out)[1], "parquet")
    if "://" not in options.out and os.path.exists(options.out):
        raise LogoddsError("ERR_OUTPUT", f"{options.out}: expected a path that is not there yet, got one that is; name another, or remove it")
    spark = session_of(options.master, options.conf)
    progress = Progress(spark, options.master.startswith("sc://"))
    try:
        files = Files(spark, options.data)
        if files.rows == 0:
            raise LogoddsError("ERR_DATA", "DATA: expected rows, got none; check how it was made")
        scored = score(files.numbered, options.model, [ROW], contributions=options.explain, interval=options.interval, defaulted=True)
        seen = Observation("scores")
        observed = scored.observe(seen, F.count(F.lit(1)).alias("rows"), F.sum("defaulted").alias("defaulted"))
        out = observed.drop("defaulted").withColumnRenamed(ROW, "row").write
        try:
            (out.option("header", "true") if kind == "csv" else out).format(kind).save(
                os.path.abspath(options.out) if "://" not in options.out else options.out
            )
        except Exception as error:
            raise _placed(error, files) from error
        counts = seen.get
    except BaseException:
        # a job that did not end has only this; a folder of someone else has more
        if os.path.isdir(options.out) and {*os.listdir(options.out)} <= {"_temporary"}:
            shutil.rmtree(options.out, ignore_errors=True)
        raise
    finally:
        progress.end()
        spark.stop()
    return {"rows": counts["rows"], "defaulted": counts["defaulted"] / counts["rows"], "files": len(files.parts), "seconds": time.perf_counter() - start}


def _placed(error: Exception, files: Files) -> Exception:
    """The error with the file of its row."""
    found = failure_of(error)
    if found is None:
        return error
    message = _ROW.sub(lambda row: files.place_of(int(row[1])), str(found), count=1)
    return LogoddsError(found.code, message)


class Progress:
    """Says the share of the tasks that are done, once a second, while a job runs; of Connect nothing is known."""

    def __init__(self, spark: Any, remote: bool) -> None:
        self._over = threading.Event()
        self._tracker = None if remote else spark.sparkContext.statusTracker()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._tracker is not None and not self._over.wait(1):
            stages = [self._tracker.getStageInfo(stage) for stage in self._tracker.getActiveStageIds()]
            of = sum(stage.numTasks for stage in stages if stage)
            if of:
                say({"progress": sum(stage.numCompletedTasks for stage in stages if stage) / of})

    def end(self) -> None:
        """Ends the thread before its session ends."""
        self._over.set()
        self._thread.join(5)
