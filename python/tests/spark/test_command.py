"""``logodds score --spark`` gives the bits of ``logodds score`` on the same files."""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from loans import environment, rows, write
from test_scoring import SETS, rows_of

import logodds.spark
from logodds.spark.files import ROW, Files
from logodds.spark.plan import Wish, models_of
from logodds.spark.worker import ScoreBatches

COMMAND = Path(__file__).parents[3] / "cli" / "bin" / "logodds.js"


def logodds_score(*words: str) -> subprocess.CompletedProcess[str]:
    own = environment(LOGODDS_PYTHON=sys.executable)
    return subprocess.run(["node", str(COMMAND), "score", *words], capture_output=True, text=True, timeout=300, env=own, check=False)


def both(model: Path, data: str, folder: Path, where: str, *options: str) -> tuple[pyarrow.Table, pyarrow.Table, dict[str, Any]]:
    one, other = folder / "one.parquet", folder / "other.parquet"
    alone = logodds_score(str(model), data, "--out", str(one), *options)
    assert alone.returncode == 0, alone.stderr
    spark = logodds_score(str(model), data, "--out", str(other), "--spark", where, "--json", *options)
    assert spark.returncode == 0, spark.stderr
    return pyarrow.parquet.read_table(one), pyarrow.parquet.read_table(other).sort_by("row"), json.loads(spark.stdout)


def test_same_file_same_bits(model: Path, tmp_path: Path) -> None:
    table = rows(5000)
    write(tmp_path / "data", table.slice(0, 100), table.slice(100, 4000), table.slice(4100))
    one, other, said = both(model, str(tmp_path / "data" / "*.parquet"), tmp_path, "local[2]", "--explain", "2")
    assert one.column_names == other.column_names
    for name in one.column_names:
        assert one[name].to_pylist() == other[name].to_pylist(), name
    assert (said["rows"], said["files"]) == (5000, 3)


def test_bits_of_the_command(local: Any, tmp_path: Path) -> None:
    """Every set of the conformance as a file of Parquet, by the command alone and by Spark."""
    compared = []
    for path in SETS:
        _, table = rows_of(path)
        data, out = tmp_path / f"{path.stem}.parquet", tmp_path / f"{path.stem}-scores.parquet"
        pyarrow.parquet.write_table(table, data)
        done = logodds_score(str(path), str(data), "--out", str(out))
        if done.returncode != 0:
            # rows that mix types as texts: the command reads texts of numbers where a frame has none
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = logodds.spark.score(Files(local, [str(data)]).numbered, path, [ROW]).toArrow().rename_columns({ROW: "row"}).sort_by("row")
        alone = pyarrow.parquet.read_table(out)
        assert alone.equals(found.cast(alone.schema)), path.stem
        compared.append(path.stem)
    assert len(compared) >= 8, compared


def test_dates_and_decimals_are_categories_as_in_the_command(tmp_path: Path) -> None:
    """What executors make of batches, without Spark around them."""
    rows = range(200)
    table = pyarrow.table(
        {
            "day": pyarrow.array([datetime.date(2024, 1, 1 + i % 5) for i in rows]),
            "moment": pyarrow.array([datetime.datetime(2024, 1, 1 + i % 3, 5, 0, 0, i % 2 * 250_000) for i in rows], pyarrow.timestamp("us")),
            "single": pyarrow.array([0.1 * (i % 4) for i in rows], pyarrow.float32()),
            "decimal": pyarrow.array([Decimal(i % 4) / 4 for i in rows], pyarrow.decimal128(10, 2)),
            "flag": pyarrow.array([i % 3 == 0 for i in rows]),
            "y": pyarrow.array([str(i // 3 % 2) for i in rows]),
        }
    )
    data, path, out = tmp_path / "rows.parquet", tmp_path / "model.safetensors", tmp_path / "scores.parquet"
    pyarrow.parquet.write_table(table, data)
    categories = ["--categorical", "day,moment,single,decimal,flag"]
    subprocess.run(
        ["node", str(COMMAND), "train", str(data), "--target", "y", "--positive", "1", *categories, "--no-holdout", "--out", str(path)],
        check=True,
        capture_output=True,
    )
    assert logodds_score(str(path), str(data), "--out", str(out)).returncode == 0
    alone = pyarrow.parquet.read_table(out).drop(["row"])
    [(task, _)] = models_of(path, Wish())
    found = pyarrow.Table.from_batches(ScoreBatches([task], table.column_names, [], alone.column_names, None)(table.to_batches()))
    assert alone.equals(found.cast(alone.schema))


def test_connect_gives_the_same(remote: str, model: Path, tmp_path: Path) -> None:
    write(tmp_path / "data", rows(300))
    one, other, _ = both(model, str(tmp_path / "data" / "*.parquet"), tmp_path, remote)
    assert one.equals(other.cast(one.schema))


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ("there", 1, "ERR_OUTPUT"),
        ("cell", 1, "ERR_RECORD"),
        ("half", 1, "ERR_DATA"),
        ("csv", 1, "ERR_DATA"),
        ("python", 1, "ERR_ENGINE"),
    ],
)
def test_errors_are_one_sentence(change: str, status: int, sentence: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows(200)
    out, data = tmp_path / "out.parquet", tmp_path / "data"
    if change == "cell":
        table = table.set_column(1, "age", pyarrow.array([float("nan") if i == 150 else 1.0 for i in range(200)]))
    write(data, rows(50), table)
    where = str(data / "*.parquet")
    words = [str(model), where, "--out", str(out), "--spark", "local[1]"]
    if change == "there":
        out.mkdir()
        (out / "mine").write_text("kept")
    elif change == "half":
        part = data / "part-1.parquet"
        part.write_bytes(part.read_bytes()[:500])
    elif change == "csv":
        (tmp_path / "data.csv").write_text("age\n1\n")
        words[1] = str(tmp_path / "data.csv")
    if change == "python":
        own = environment(LOGODDS_PYTHON="no-such-python")
        done = subprocess.run(["node", str(COMMAND), "score", *words], capture_output=True, text=True, timeout=300, env=own, check=False)
    else:
        done = logodds_score(*words)
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(sentence), done.stderr
    if change == "there":
        assert (out / "mine").read_text() == "kept"
    else:
        assert not out.exists()
    if change == "cell":
        assert 'part-1.parquet, row 150 (from 0), column "age": expected a finite number' in done.stderr
    if change == "half":
        assert "part-1.parquet: expected a whole Parquet file" in done.stderr


def test_a_signal_ends_it_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    write(tmp_path / "data", rows(200))
    out = tmp_path / "out.parquet"
    words = ["node", str(COMMAND), "score", str(model), str(tmp_path / "data" / "*.parquet"), "--out", str(out), "--spark", "local[1]"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment(LOGODDS_PYTHON=sys.executable))
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(3)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 1, said
    assert said.splitlines()[-1].startswith("ERR_INTERRUPTED"), said
    assert not out.exists()
