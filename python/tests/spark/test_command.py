"""``logodds score --spark`` gives the bits of ``logodds score`` on the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from test_input import model, rows, write  # noqa: F401
from test_scoring import SETS, rows_of

COMMAND = Path(__file__).parents[3] / "cli" / "bin" / "logodds.js"


def logodds_score(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LOGODDS_PYTHON": sys.executable}
    return subprocess.run(["node", str(COMMAND), "score", *words], capture_output=True, text=True, timeout=300, env=environment, check=False)


def both(model: Path, data: str, folder: Path, where: str, *options: str) -> tuple[pyarrow.Table, pyarrow.Table, dict[str, Any]]:
    one, other = folder / "one.parquet", folder / "other.parquet"
    alone = logodds_score(str(model), data, "--out", str(one), *options)
    assert alone.returncode == 0, alone.stderr
    spark = logodds_score(str(model), data, "--out", str(other), "--spark", where, "--json", *options)
    assert spark.returncode == 0, spark.stderr
    return pyarrow.parquet.read_table(one), pyarrow.parquet.read_table(other).sort_by("row"), json.loads(spark.stdout)


def test_same_file_same_bits(model: Path, tmp_path: Path) -> None:  # noqa: F811
    table = rows(5000)
    write(tmp_path / "data", table.slice(0, 100), table.slice(100, 4000), table.slice(4100))
    one, other, said = both(model, str(tmp_path / "data" / "*.parquet"), tmp_path, "local[2]", "--explain", "2")
    assert one.column_names == other.column_names
    for name in one.column_names:
        assert one[name].to_pylist() == other[name].to_pylist(), name
    assert (said["rows"], said["files"]) == (5000, 3)


def test_a_conformance_set(tmp_path: Path) -> None:
    path = next(path for path in SETS if path.stem == "categorical")
    model, table = rows_of(path)
    wanted = model.score(table)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    one, other, _ = both(path, str(tmp_path / "rows.parquet"), tmp_path, "local[1]")
    assert one.equals(other.cast(one.schema))
    assert other["label"].to_pylist() == wanted.labels.tolist()


def test_connect_gives_the_same(remote: str, model: Path, tmp_path: Path) -> None:  # noqa: F811
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
def test_errors_are_one_sentence(change: str, status: int, sentence: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
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
        environment = os.environ | {"LOGODDS_PYTHON": "no-such-python"}
        done = subprocess.run(["node", str(COMMAND), "score", *words], capture_output=True, text=True, timeout=300, env=environment, check=False)
    else:
        done = logodds_score(*words)
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(sentence), done.stderr
    if change == "there":
        assert (out / "mine").read_text() == "kept"
    if change == "cell":
        assert 'part-1.parquet, row 150 (from 0), column "age": expected a finite number' in done.stderr
    if change == "half":
        assert "part-1.parquet: expected a whole Parquet file" in done.stderr
