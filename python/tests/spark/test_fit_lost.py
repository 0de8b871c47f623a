"""A lost executor, files that are gone, a lost driver: the same answer."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loans import environment
from test_fit import BASE, COMMAND, alone, assert_same, data, on_spark  # noqa: F401

import logodds
import logodds.spark
from logodds.spark.training.rows import SparkRows


def on_sums(monkeypatch: pytest.MonkeyPatch, act: Callable[[SparkRows, int], None]) -> list[int]:
    """Calls a function before each sum over the rows, with its number."""
    count = [0]
    sums = SparkRows.sums

    def acted(self: SparkRows, question: Any) -> Any:
        count[0] += 1
        act(self, count[0])
        return sums(self, question)

    monkeypatch.setattr(SparkRows, "sums", acted)
    return count


def test_an_executor_killed_in_the_middle(cluster: Any, cluster_of: Any, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    frame = cluster.read.parquet(data).repartition(4)
    whole = on_spark(frame, **BASE)
    killed = []

    def kill(_: SparkRows, number: int) -> None:
        if number == 3:
            victim = cluster_of.executors()[0]
            killed.append(victim)
            # while the job runs
            threading.Timer(0.2, os.kill, (victim, signal.SIGKILL)).start()

    on_sums(monkeypatch, kill)
    lost = on_spark(frame, **BASE)
    assert killed
    np.testing.assert_array_equal(lost.model.weights, whole.model.weights)
    np.testing.assert_array_equal(lost.model.intercept, whole.model.intercept)
    model, _ = alone(data, tmp_path, **BASE)
    assert_same(model, lost.model)


def test_files_that_are_gone_are_written_again(local: Any, data: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    frame = local.read.parquet(data).repartition(3)
    whole = on_spark(frame, **BASE)

    def remove(rows: SparkRows, number: int) -> None:
        if number == 2:
            for token in rows._tokens.collect():
                Path(token["path"]).unlink()

    on_sums(monkeypatch, remove)
    with pytest.warns(logodds.LogoddsWarning, match="3 of 3 parts are no longer where they were"):
        lost = logodds.spark.fit(frame, command=COMMAND, **BASE)
    np.testing.assert_array_equal(lost.model.weights, whole.model.weights)


def test_a_fit_that_was_stopped_goes_on_with_the_same_bits(local: Any, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    frame = local.read.parquet(data)
    options = BASE | {"solver": "lbfgs"}
    path = tmp_path / "fit.ckpt"
    with monkeypatch.context() as patched:
        all_sums = on_sums(patched, lambda *_: None)
        whole = on_spark(frame, **options)

    def stop(_: SparkRows, number: int) -> None:
        if number == 6:
            raise RuntimeError("lost")

    with monkeypatch.context() as patched:
        on_sums(patched, stop)
        with pytest.raises(logodds.LogoddsError, match="lost"):
            on_spark(frame, checkpoint=path, **options)
    assert path.stat().st_size > 100
    # a record that was cut short is asked for again
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3)
    with pytest.raises(logodds.LogoddsError, match="expected a checkpoint of these rows"):
        on_spark(frame.where("x0 > 0"), checkpoint=path, **options)
    with monkeypatch.context() as patched:
        rest = on_sums(patched, lambda *_: None)
        gone_on = on_spark(frame, checkpoint=path, **options)
    assert rest[0] == all_sums[0] - 4
    assert not path.exists()
    np.testing.assert_array_equal(gone_on.model.weights, whole.model.weights)
    assert gone_on.report["fit"]["iterations"] == whole.report["fit"]["iterations"]


def test_a_driver_killed_goes_on(data: str, tmp_path: Path) -> None:  # noqa: F811
    """`logodds train --spark`, all its processes killed, and run again."""
    flags = logodds.spark.training.fit.flags_of(BASE | {"solver": "lbfgs", "checkpoint": tmp_path / "fit.ckpt"})
    own = environment(LOGODDS_PYTHON=sys.executable)

    def start(out: Path) -> subprocess.Popen[str]:
        command = [*shlex.split(COMMAND), "train", data, *flags, "--spark=local[2]", "--json", f"--out={out}"]
        return subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    first = start(tmp_path / "first.safetensors")
    end = time.monotonic() + 240
    size = 0
    while time.monotonic() < end and first.poll() is None and size < 1000:
        size = (tmp_path / "fit.ckpt").stat().st_size if (tmp_path / "fit.ckpt").exists() else 0
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert size >= 1000
    assert not (tmp_path / "first.safetensors").exists()
    second = start(tmp_path / "second.safetensors")
    said, notes = second.communicate(timeout=300)
    assert second.returncode == 0, notes
    assert '"converged":true' in said
    model, _ = alone(data, tmp_path, **BASE | {"solver": "lbfgs"})
    assert_same(model, logodds.load(tmp_path / "second.safetensors"))
