"""Frames of every kind give the scores of the same rows as dicts."""

from __future__ import annotations

import datetime
import decimal
import io
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from test_conformance import CONFORMANCE, read

import logodds
from logodds.tables import table_of

Rows = list[dict[str, Any]]


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    return {name: [float_of(row[name]) for row in rows] for name in rows[0]}


def float_of(cell: Any) -> Any:
    return float(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell


FRAMES: dict[str, Callable[[Rows], Any]] = {
    "dict of lists": columns_of,
    "pandas": pd.DataFrame,
    "pandas, its own types": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "pandas, categories": lambda rows: pd.DataFrame(rows).apply(lambda column: column if column.dtype.kind == "f" else column.astype("category")),
    "pandas, Arrow": lambda rows: pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda rows: pl.DataFrame(columns_of(rows)),
    "polars, lazy": lambda rows: pl.DataFrame(columns_of(rows)).lazy(),
    "polars, categories": lambda rows: pl.DataFrame(columns_of(rows)).with_columns(pl.col(pl.String).cast(pl.Categorical)),
    "Arrow": lambda rows: pa.table(columns_of(rows)),
    "Arrow, two chunks": lambda rows: pa.concat_tables([pa.table(columns_of(rows))[:3], pa.table(columns_of(rows))[3:]]),
    "batch of Arrow": lambda rows: pa.RecordBatch.from_pydict(columns_of(rows)),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("name", ["categorical", "numeric", "policies", "treatment"])
def test_plain_models(name: str, frame: str) -> None:
    model, cases = read(CONFORMANCE, name)
    rows = uniform(cases["rows"])
    assert_same(model.score(FRAMES[frame](rows)), model.score(rows))


def uniform(rows: Rows) -> Rows:
    """The rows whose cells are of the kind that most of their column are: a frame has columns of one kind."""
    kinds = {name: [text for text in map(kind_of, (row[name] for row in rows)) if text] for name in rows[0]}
    usual = {name: max(set(found), key=found.count) if found else "" for name, found in kinds.items()}
    return [row for row in rows if all(kind_of(cell) in ("", usual[name]) for name, cell in row.items())]


def kind_of(cell: Any) -> str:
    return "" if cell is None else "number" if isinstance(cell, (int, float)) and not isinstance(cell, bool) else type(cell).__name__


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("name", ["numbers", "categories", "classes", "steps", "levels"])
def test_every_kind_of_feature(name: str, frame: str) -> None:
    model, cases = read(CONFORMANCE / "stages", name)
    rows = uniform(cases["rows"])
    if any("\ud800" <= character <= "\udfff" for row in rows for cell in row.values() if isinstance(cell, str) for character in cell):
        rows = [row for row in rows if all(not isinstance(cell, str) or cell.isprintable() or cell.isascii() for cell in row.values())]
    if frame == "pandas, categories" and any(isinstance(cell, list) for row in rows for cell in row.values()):
        pytest.skip("lists are no categories")
    assert len(rows) >= 3
    assert_same(model.score(FRAMES[frame](rows)), model.score(rows))


def assert_same(found: logodds.Scores, expected: logodds.Scores) -> None:
    assert found.logits.tobytes() == expected.logits.tobytes()
    assert found.probabilities.tobytes() == expected.probabilities.tobytes()
    assert found.labels.tolist() == expected.labels.tolist()
    assert found.defaulted.tobytes() == expected.defaulted.tobytes()
    assert found.out_of_range.tobytes() == expected.out_of_range.tobytes()


def test_array_in_the_order_of_the_inputs() -> None:
    model, cases = read(CONFORMANCE, "numeric")
    rows = cases["rows"]
    names = model.feature_names_in_.tolist()
    array = np.array([[np.nan if row[name] is None else row[name] for name in names] for row in rows], dtype=np.float64)
    assert_same(model.score(array), model.score(rows))
    with pytest.raises(logodds.LogoddsError, match=r"expected \d+ columns .*; give the columns in this order"):
        model.score(array[:, :-1])


def test_blocks_are_as_one() -> None:
    model, cases = read(CONFORMANCE / "stages", "categories")
    rows = cases["rows"] * 20_000
    scores = model.score(rows[:200_003])
    expected = model.score(cases["rows"])
    assert scores.logits.tobytes() == np.resize(expected.logits, 200_003).tobytes()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pd.to_datetime(pd.Series(["2024-05-03T12:30:15.250", None])), "2024-05-03T12:30:15.250Z"),
        (pd.to_datetime(pd.Series(["2024-05-03T14:30:15.250+02:00", None])), "2024-05-03T12:30:15.250Z"),
        (pl.Series([datetime.datetime(2024, 5, 3, 12, 30, 15, 250_000), None]), "2024-05-03T12:30:15.250Z"),
        (pl.Series([datetime.date(2024, 5, 3), None]), "2024-05-03T00:00:00.000Z"),
        (pa.array([datetime.datetime(1969, 12, 31, 23, 59, 59, 999_900), None]), "1969-12-31T23:59:59.999Z"),
        ([datetime.datetime(2024, 5, 3, 12, 30, 15, 250_999), None], "2024-05-03T12:30:15.250Z"),
        (np.array(["2024-05-03T12:30:15.250", "NaT"], dtype="datetime64[us]"), "2024-05-03T12:30:15.250Z"),
    ],
)
def test_times(cells: Any, expected: str) -> None:
    column = table_of({"at": cells}, ["at"]).columns(["at"])["at"]
    codes, levels = column.labels(0)
    assert [levels[codes[0]], column.is_missing(0), column.is_missing(1)] == [expected, False, True]


WRONG = [
    (3, "ERR_SHAPE", "table: expected a frame"),
    ([1, 2], "ERR_RECORD", "record 0 (from 0): expected a dict, got 1; leave it out"),
    ([{"a": 1}], "ERR_SCHEMA", "record 0 (from 0): expected columns"),
    ({"a": [1]}, "ERR_SCHEMA", "table: expected columns"),
    ({"a": [1], "b": [1, 2]}, "ERR_SHAPE", 'table: expected columns of one length, got 2 in "b" and 1 in "a"'),
    ({"a": 3}, "ERR_SHAPE", 'column "a": expected a list or an array, got 3'),
    (pd.Series([1.0]), "ERR_SHAPE", "got a series"),
]


@pytest.mark.parametrize(("table", "code", "sentence"), WRONG)
def test_what_is_no_table(table: Any, code: str, sentence: str) -> None:
    model, _ = read(CONFORMANCE, "numeric")
    with pytest.raises(logodds.LogoddsError) as refusal:
        model.score(table)
    assert (refusal.value.code, sentence in str(refusal.value)) == (code, True), str(refusal.value)


@pytest.mark.parametrize("cell", ["far", True, [1], float("inf"), 10**400, float("nan"), {"a": 1}])
def test_cells_that_are_no_numbers(cell: Any) -> None:
    model, cases = read(CONFORMANCE, "numeric")
    name = model.feature_names_in_[0]
    with pytest.raises(logodds.LogoddsError) as refusal:
        model.score([cases["rows"][0], {**cases["rows"][0], name: cell}])
    assert refusal.value.code == "ERR_RECORD"
    assert refusal.value.problems == [{"field": name, "row": 1, "rule": "a finite number"}]
    # the sentence never has the value
    assert "far" not in str(refusal.value)


def test_no_rows() -> None:
    model, cases = read(CONFORMANCE, "categorical")
    empty = pd.DataFrame(cases["rows"]).iloc[:0]
    assert model.predict_proba(empty).shape == (0, 2)
    assert model.predict(empty).tolist() == []
    assert model.contributions(empty).values.shape[0] == 0
    assert model.reasons(empty) == []


def test_rows_of_an_array_have_the_bits_of_dicts() -> None:
    model = logodds.load(CONFORMANCE / "wide.safetensors")
    names = [str(name) for name in model.feature_names_in_]
    low, high = model._encoder.ranges or pytest.fail("expected a model of numbers")
    random = np.random.default_rng(3)
    # more rows than are scored at a time, of which a few are left to the other way
    rows = 2 * (1 << 17) // len(names) + 5
    X = low + (high - low) * random.random((rows, len(names)))
    X[rows // 2, 0], X[-1, 0], X[3, -1] = np.nan, high[0] + 1, low[-1]
    for given in (X, np.asfortranarray(X), X[::-1], X[:0], X[:1], np.repeat(X, 2, axis=1)[:, ::2]):
        own = model.predict_proba(given)
        columns = {name: np.ascontiguousarray(given[:, j]) for j, name in enumerate(names)}
        assert own.tobytes() == np.ascontiguousarray(model.predict_proba(columns)).tobytes()
    X[rows - 2, 0] = np.inf
    with pytest.raises(logodds.LogoddsError, match=f"row {rows - 2} .from 0., column"):
        model.predict_proba(X)


def test_python_ends_without_a_message() -> None:
    program = f"""
import atexit, json, logging, threading
import logodds
model = logodds.load({str(CONFORMANCE / "numeric.safetensors")!r})
row = [dict.fromkeys(model.feature_names_in_, 1.0)]
thread = threading.Thread(target=lambda: model.predict_proba(row))
thread.start()
thread.join()
# modules that go last keep what would be destroyed after Wasmtime
for module in (json, logging, threading):
    module.kept = [model, logodds.kernels.Kernels("training.wasm")]
model.predict_proba(row)
# what ends later may still score
atexit.register(lambda: print(model.predict_proba(row).shape))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(1, 2)\n", "")


def small() -> logodds.Model:
    """A number that may be missing, and a category of whole numbers."""
    rows = pd.DataFrame({"amount": [1.0, 2.0, None, 4.0] * 3, "plan": [1, 2, 3] * 4})
    steps = make_column_transformer((SimpleImputer(strategy="median"), ["amount"]), (OneHotEncoder(handle_unknown="ignore"), ["plan"]))
    return logodds.from_sklearn(make_pipeline(steps, LogisticRegression()).fit(rows, [0, 1, 1, 0] * 3))


SMALL = small()
D = decimal.Decimal
#: cells, and what they are the same as
SAME: list[tuple[Any, Any]] = [
    (D("2"), 2),
    (D("2.5"), 2.5),
    (D("2E+1"), 20),
    (pa.scalar(2.5), 2.5),
    (pa.scalar(2), 2),
    (pa.scalar(D("2.50")), 2.5),
    (pa.scalar(None, pa.float64()), None),
    (pd.NA, None),
    (np.int8(2), 2),
]


@pytest.mark.parametrize(("cell", "plain"), SAME)
def test_cells_of_other_packages(cell: Any, plain: Any) -> None:
    rows = [{"amount": cell, "plan": cell}, {"amount": 3.0, "plan": 1}]
    wanted = SMALL.score([{"amount": plain, "plan": plain}, rows[1]])
    assert_same(SMALL.score(rows), wanted)
    assert_same(SMALL.score({"amount": [cell, 3.0], "plan": [cell, 1]}), wanted)
    assert_same(SMALL.score(pd.DataFrame(rows, dtype=object)), wanted)


@pytest.mark.parametrize(
    ("cell", "got"),
    [
        (D("NaN"), "NaN"),
        (D("Infinity"), "Infinity"),
        (pa.scalar([1]), "a value of type list"),
        (1j, "a value of type complex"),
        (10**400, "a value of type int"),
    ],
)
def test_cells_of_other_packages_that_cannot_be_used(cell: Any, got: str) -> None:
    for name, rule in (("amount", "a finite number"), ("plan", "a string, finite number or boolean")):
        with pytest.raises(logodds.LogoddsError) as refusal:
            SMALL.score([{"amount": 1.0, "plan": 1, name: cell}])
        assert str(refusal.value) == f'row 0 (from 0), column "{name}": expected {rule}, got {got}; use None for a missing value'


def test_a_time_that_is_none_is_missing() -> None:
    assert_same(SMALL.score([{"amount": pd.NaT, "plan": pd.NaT}]), SMALL.score([{"amount": None, "plan": None}]))


ROWS = {"amount": [1.0, 2.0, 3.0], "plan": [1, 2, 9]}
COLUMNS: dict[str, Callable[[], Any]] = {
    "series of polars": lambda: {name: pl.Series(cells) for name, cells in ROWS.items()},
    "arrays of Arrow": lambda: {name: pa.array(cells) for name, cells in ROWS.items()},
    "series of pandas": lambda: {name: pd.Series(cells) for name, cells in ROWS.items()},
    "ranges and tuples": lambda: {"amount": range(1, 4), "plan": (1, 2, 9)},
    "sparse": lambda: pd.DataFrame(ROWS).astype(pd.SparseDtype("float")),
    "decimals of polars": lambda: pl.DataFrame(ROWS).with_columns(pl.col("amount").cast(pl.Decimal(10, 2)), pl.col("plan").cast(pl.Decimal(20, 0))),
    "a column of no use that Arrow has not": lambda: pl.DataFrame(ROWS).with_columns(other=pl.lit(1, pl.Int128)),
    "nothing masked": lambda: np.ma.masked_array(np.column_stack([ROWS["amount"], ROWS["plan"]])),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_other_packages(name: str) -> None:
    assert_same(SMALL.score(COLUMNS[name]()), SMALL.score(ROWS))


def test_masked_cells_are_missing() -> None:
    wanted = SMALL.score({"amount": [None, 2.0, None], "plan": [1, None, 9]})
    amount = np.ma.masked_array([np.inf, 2.0, np.nan], [True, False, False])
    assert_same(SMALL.score({"amount": amount, "plan": np.ma.masked_array([1, 2, 9], [0, 1, 0])}), wanted)
    both = np.ma.masked_array([[5.0, 1.0], [2.0, 2.0], [np.nan, 9.0]], [[1, 0], [0, 1], [0, 0]])
    assert_same(SMALL.score(both), wanted)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: SMALL.predict(pl.Series([1.0])), "table: expected a frame of polars, got a value of type Series; use series.to_frame()"),
        (lambda: SMALL.predict(np.zeros(2)), 'array: expected 2 columns ("amount", "plan"), got one row of them; '),
        (lambda: SMALL.predict({"amount": {1.0}, "plan": [1]}), 'column "amount": expected a list or an array, got a value of type set; '),
        (lambda: SMALL.predict({"amount": {"a": 1.0}, "plan": [1]}), 'column "amount": expected a list or an array, got a value of type dict; '),
        (lambda: SMALL.predict(pl.DataFrame(ROWS).with_columns(plan=pl.lit(1, pl.Int128))), 'column "plan": expected a type that Arrow has, got Int128; '),
        (lambda: SMALL.predict(pd.DataFrame({"amount": [True], "plan": 1})), 'row 0 (from 0), column "amount": expected a number, got true; write booleans'),
        (lambda: SMALL.predict(pa.table({"amount": [None, False], "plan": [1, 1]})), 'row 1 (from 0), column "amount": expected a number, got false; '),
        (lambda: logodds.load(io.StringIO("x")), 'model file: expected bytes, got "x"; open the file in binary mode'),  # type: ignore[arg-type]
        (lambda: SMALL.score(ROWS, first_row="a"), 'first_row: expected an integer, got "a"; '),  # type: ignore[arg-type]
        (lambda: SMALL.contributions(ROWS).top("a"), 'k: expected an integer >= 1, got "a"; '),  # type: ignore[arg-type]
        (lambda: SMALL.contributions(ROWS).top(-1), "k: expected an integer >= 1, got -1; "),
        (lambda: SMALL.words(ROWS, [99]), "sources: expected for each row an index below 2, got something else; "),  # type: ignore[arg-type]
        (lambda: SMALL.save(None), "save: expected a path, got nothing; "),  # type: ignore[arg-type]
        (lambda: SMALL.save("no\0path"), "no\0path: expected a path that can be written, got "),
        (lambda: logodds.load("no\0path"), "no\0path: expected a model file, got "),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(logodds.LogoddsError) as refusal:
        call()
    assert str(refusal.value).startswith(sentence)


def test_a_folder_that_is_not_there(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "absent" / "model.safetensors"
    with pytest.raises(logodds.LogoddsError, match="expected a path that can be written, got No such file or directory; check the path"):
        SMALL.save(path)
    with pytest.raises(logodds.LogoddsError, match="Is a directory"):
        SMALL.save(tmp_path)
    assert [*tmp_path.iterdir()] == []
    SMALL.save(tmp_path / "model.safetensors")
    assert logodds.load(tmp_path / "model.safetensors").to_bytes() == SMALL.to_bytes()
