"""A program that loads a model starts without numpy and Wasmtime, which are imported when rows are scored."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "test" / "conformance"


@pytest.mark.parametrize("name", ["numeric", "categorical", "wide", "stages/prior"])
def test_load_imports_neither_numpy_nor_wasmtime(name: str) -> None:
    program = f"""
import sys
import logodds
model = logodds.load({str(FOLDER / name) + ".safetensors"!r})
repr(model)
print([name for name in ("numpy", "wasmtime", "pyarrow", "pandas") if name in sys.modules])
print(type(model.weights).__module__, model.weights.ndim, model.intercept.ndim)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "numpy 1 1"]
