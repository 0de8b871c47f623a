"""A program that loads a model starts without numpy and Wasmtime, which are imported when rows are scored."""

import json
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


@pytest.mark.parametrize("name", ["numeric", "wide", "stages/classes"])
@pytest.mark.parametrize("missing", ["from wasmtime import _ffi\ndel _ffi.wasmtime_func_call_unchecked", "sys.byteorder = 'big'"])
def test_calls_by_wasmtime_alone_give_the_same_bits(name: str, missing: str) -> None:
    cases = json.loads((FOLDER / f"{name}.json").read_text())
    program = f"""
import json, sys
import logodds, logodds.kernels
model = logodds.load({str(FOLDER / name) + ".safetensors"!r})
{{missing}}
scores = model.score(json.load(sys.stdin))
call = logodds.kernels.Kernels("training.wasm")
call.call("abiVersion")
print([type(one).__name__ for one in call._functions.values()], scores.logits.tobytes().hex(), scores.probabilities.tobytes().hex())
"""

    def run(lines: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", program.replace("{missing}", lines)], input=json.dumps(cases["rows"]), capture_output=True, text=True, check=True
        )
        return done.stdout.split("] ")

    slow, fast = run(missing), run("")
    assert (slow[0], fast[0]) == ("['partial', 'partial'", "['function', 'function'")
    assert slow[1] == fast[1]


def test_a_fit_by_wasmtime_alone_is_the_same() -> None:
    program = """
import sys
{missing}
import logodds
fitted = logodds.LogisticRegression().fit([[0.0, 1], [1, 3], [2, 0], [3, 1], [2, 2]], [0, 1, 0, 1, 2])
print(fitted.coef_.tobytes().hex(), fitted.predict_proba([[1.0, 1]]).tobytes().hex())
"""
    lines = ["", "from wasmtime import _ffi\ndel _ffi.wasmtime_val_raw_t"]
    slow, fast = (subprocess.run([sys.executable, "-c", program.replace("{missing}", one)], capture_output=True, text=True, check=True).stdout for one in lines)
    assert slow == fast != ""
