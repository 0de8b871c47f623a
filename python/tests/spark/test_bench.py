"""The benchmark runs, small: it compares its contestants before it times them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from loans import environment


def test_every_contestant_is_timed() -> None:
    bench = Path(__file__).parents[2] / "bench" / "spark.py"
    words = [sys.executable, str(bench), "--rows", "4000", "--rounds", "1"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False, env=environment())
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert len(result["rowsPerSecondPerCore"]) == 6
    assert result["greatestDifference"] < 1e-9
