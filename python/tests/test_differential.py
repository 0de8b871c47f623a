"""Python against TypeScript on random models and records: the same bits, refusals and contributions.

LOGODDS_FUZZ_SEED and LOGODDS_FUZZ_COUNT give another beginning and another number of models.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logodds

MAKE = Path(__file__).parent / "fuzz" / "make.mjs"
SEED = os.environ.get("LOGODDS_FUZZ_SEED", "1")
COUNT = int(os.environ.get("LOGODDS_FUZZ_COUNT", "60"))


def bits(values: Any) -> list[str]:
    """f64 in hexadecimal."""
    text = np.asarray(values, ">f8").tobytes().hex()
    return [text[at : at + 16] for at in range(0, len(text), 16)]


@pytest.fixture(scope="module")
def cases() -> Iterator[list[dict[str, Any]]]:
    made = subprocess.run(["node", str(MAKE), SEED, str(COUNT)], capture_output=True, check=True, timeout=3600).stdout.decode()
    *found, last = [json.loads(line) for line in made.splitlines()]
    # most schemas must be of use
    assert last["refused"] <= COUNT // 4
    yield found


def answer_of(model: logodds.Model, row: dict[str, Any]) -> dict[str, Any]:
    try:
        scores = model.score([row])
        why = model.contributions([row])
    except logodds.LogoddsError as error:
        return {"code": error.code}
    # with more than two classes TypeScript explains the label
    values = why.values[0] if why.values.ndim == 2 else why.values[0][:, scores.codes[0]]
    return {
        "logits": bits(scores.logits),
        "probabilities": bits(scores.probabilities),
        "label": scores.labels[0],
        "defaulted": bits(scores.defaulted)[0],
        "contributions": [[name, one] for name, one in zip(why.features, bits(values))],
    }


def test_every_row_alone(cases: list[dict[str, Any]]) -> None:
    scored = refused = 0
    for case in cases:
        model = logodds.load(base64.b64decode(case["model"]))
        for i, (row, wanted) in enumerate(zip(case["rows"], case["answers"])):
            assert answer_of(model, row) == wanted, f"seed {case['seed']}, row {i}: {row}"
            scored, refused = scored + ("code" not in wanted), refused + ("code" in wanted)
    assert scored > 10 * len(cases)
    assert refused > len(cases)


def test_rows_at_once_and_the_file_again(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        data = base64.b64decode(case["model"])
        model = logodds.load(data)
        # the manifest as it is written in ECMAScript; the producer stays
        assert model.to_bytes() == data, f"seed {case['seed']}"
        kept = [i for i, answer in enumerate(case["answers"]) if "code" not in answer]
        scores = model.score([case["rows"][i] for i in kept])
        wanted = [case["answers"][i] for i in kept]
        assert bits(scores.probabilities) == [one for answer in wanted for one in answer["probabilities"]], f"seed {case['seed']}"
        assert scores.labels.tolist() == [answer["label"] for answer in wanted]
