"""`logodds.spark.fit` gives the model of ``logodds train`` on the same rows, however they are divided."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import logodds
import logodds.spark

COMMAND = os.environ.get("LOGODDS_COMMAND", f"node {shlex.quote(str(Path(__file__).parents[3] / 'cli' / 'bin' / 'logodds.js'))}")
# the encoder of both takes the same means up to rounding, and a fit stops where its gradient is below 1e-12 for each unit of weight
CLOSE = 1e-9


def table(rows: int = 20_000, seed: int = 7) -> pyarrow.Table:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)) * [1, 50, 1] + [0, 400, 0]
    c = random.choice(["a", "b", "c", "d"], rows, p=[0.5, 0.3, 0.15, 0.05])
    z = 0.5 * x[:, 0] + 0.01 * (x[:, 1] - 400) - 0.3 * x[:, 2] + np.select([c == "b", c == "c", c == "d"], [0.5, -1, 1.0], 0.0) - 0.4
    return pyarrow.table(
        {
            "x0": x[:, 0],
            "x1": pyarrow.array(x[:, 1], mask=random.random(rows) < 0.05),
            "x2": x[:, 2].astype(np.float32),
            "c": pyarrow.array(c, mask=random.random(rows) < 0.03),
            "d": random.choice([9, 10, 2], rows),
            "flag": x[:, 2] > 0.2,
            "n": random.integers(1, 40, rows).astype(np.int32),
            "count": random.integers(0, 4, rows),
            "share": random.random(rows) * 2,
            "shift": random.normal(size=rows) * 0.2,
            "day": random.integers(0, 300, rows),
            "y": (random.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64),
            "cls": np.where(random.random(rows) < 0.3, "red", np.where(z + random.logistic(size=rows) > 0, "green", "blue")),
        }
    )


FEATURES = ["x0", "x1", "x2", "c", "d", "flag", "n"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "rows.parquet"
    pyarrow.parquet.write_table(table(), path, row_group_size=3000)
    return str(path)


def alone(data: str, folder: Path, **options: Any) -> tuple[logodds.Model, dict[str, Any]]:
    """The fit on one machine."""
    out = folder / "alone.safetensors"
    flags = logodds.spark.training.fit.flags_of(options)
    done = subprocess.run([*shlex.split(COMMAND), "train", data, *flags, "--json", f"--out={out}"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return logodds.load(out), json.loads(done.stdout)


def on_spark(frame: Any, **options: Any) -> logodds.spark.Fitted:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", logodds.LogoddsWarning)
        return logodds.spark.fit(frame, command=COMMAND, **options)


def assert_same(one: logodds.Model, other: logodds.Model) -> None:
    mine, its = one.manifest, other.manifest
    for name in ("classes", "positive", "multiclass", "target", "offset", "weight", "decision", "aliased"):
        assert mine.get(name) == its.get(name), name
    assert len(mine["schema"]["features"]) == len(its["schema"]["features"])
    for a, b in zip(mine["schema"]["features"], its["schema"]["features"]):
        assert a.keys() == b.keys()
        for key in a:
            assert b[key] == (pytest.approx(a[key], rel=1e-12) if key in ("mean", "scale", "counts") else a[key]), (a["name"], key)
    np.testing.assert_allclose(other.weights, one.weights, rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(other.intercept, one.intercept, rtol=CLOSE, atol=CLOSE)
    for name in ("objective", "logLik", "nullLogLik", "totalWeight"):
        assert its["fit"][name] == pytest.approx(mine["fit"][name], rel=1e-11), name
    assert its["fit"]["rows"] == mine["fit"]["rows"]
    assert its["fit"]["converged"] == mine["fit"]["converged"]


BASE: dict[str, Any] = {"target": "y", "features": FEATURES, "categorical": ["d"], "holdout": False, "tol": 1e-12}
FITS: dict[str, dict[str, Any]] = {
    "l2": {},
    "none": {"penalty": None},
    "newton": {"solver": "newton"},
    "newton-cg": {"solver": "newton-cg", "C": 0.1},
    "lbfgs": {"solver": "lbfgs"},
    "l1": {"lambda": 0.01, "l1_ratio": 1},
    "elastic": {"lambda": 0.02, "l1_ratio": 0.5},
    "raw-scale": {"standardize": False},
    "weights": {"weight": "share", "penalty": None},
    "counts": {"weight": "count", "weight_kind": "count", "penalty": None, "inference": True},
    "offset": {"offset": "shift", "penalty": None},
    "inference": {"penalty": None, "inference": True},
    "robust": {"penalty": None, "robust": True, "weight": "share"},
    "balanced": {"class_weight": "balanced"},
    "mean": {"missing": "mean"},
    "drop": {"missing": "drop"},
    "multinomial": {"target": "cls"},
    "multinomial-none": {"target": "cls", "penalty": None, "inference": True},
    "multinomial-robust": {"target": "cls", "penalty": None, "robust": True},
    "ovr": {"target": "cls", "multiclass": "ovr"},
    "bounds": {"bounds": "x0=0:0.3"},
}


@pytest.mark.parametrize("name", FITS)
def test_the_model_of_one_machine(local: Any, data: str, tmp_path: Path, name: str) -> None:
    options = BASE | FITS[name]
    model, report = alone(data, tmp_path, **options)
    fitted = on_spark(local.read.parquet(data).repartition(3), **options)
    assert_same(model, fitted.model)
    if options.get("inference") or options.get("robust"):
        mine, its = model.manifest["inference"], fitted.model.manifest["inference"]
        np.testing.assert_allclose(fitted.model.covariance, model.covariance, rtol=1e-8, atol=1e-15)
        for key in ("aic", "bic", "deviance", "observations", "parameters"):
            if mine["statistics"]:
                assert its["statistics"][key] == pytest.approx(mine["statistics"][key], rel=1e-11), key
    assert fitted.report["rows"] == report["rows"]


@pytest.mark.parametrize("name", ["l2", "none", "lbfgs", "l1"])
def test_whatever_the_number_of_partitions(local: Any, data: str, tmp_path: Path, name: str) -> None:
    options = BASE | FITS[name]
    model, _ = alone(data, tmp_path, **options)
    for partitions in (1, 2, 7):
        assert_same(model, on_spark(local.read.parquet(data).repartition(partitions), **options).model)
