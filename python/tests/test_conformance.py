"""The bits of the library, of every set of test/conformance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logodds

CONFORMANCE = Path(__file__).parents[2] / "test" / "conformance"
PLAIN = sorted(path.stem for path in CONFORMANCE.glob("*.json"))
STAGES = sorted(path.stem for path in (CONFORMANCE / "stages").glob("*.json"))


def read(folder: Path, name: str) -> tuple[logodds.Model, dict[str, Any]]:
    cases = json.loads((folder / f"{name}.json").read_text(encoding="utf-8", errors="surrogatepass"))
    return logodds.load(folder / f"{name}.safetensors"), cases


def bits(values: Any) -> list[str]:
    """f64 in hexadecimal, class k of row i at k · rows + i."""
    text = np.asarray(values, dtype=np.float64).T.astype(">f8").tobytes().hex()
    return [text[at : at + 16] for at in range(0, len(text), 16)]


@pytest.mark.parametrize("name", PLAIN)
def test_plain(name: str) -> None:
    model, cases = read(CONFORMANCE, name)
    scores = model.score(cases["rows"])
    assert bits(scores.logits) == cases["logits"]
    assert bits(scores.probabilities) == cases["probabilities"]
    assert scores.labels.tolist() == cases["labels"]
    for row in cases.get("refused", ()):
        with pytest.raises(logodds.LogoddsError):
            model.score([row])


@pytest.mark.parametrize("name", STAGES)
def test_scores(name: str) -> None:
    model, cases = read(CONFORMANCE / "stages", name)
    answers = cases["answers"]["record"]
    scores = model.score(cases["rows"])
    assert bits(scores.logits) == answers["logits"]
    assert bits(scores.probabilities) == answers["probabilities"]
    assert scores.labels.tolist() == answers["labels"]
    assert bits(scores.defaulted) == answers["defaulted"]
    review = [None] * len(cases["rows"]) if scores.review is None else scores.review.tolist()
    assert review == answers["review"]


@pytest.mark.parametrize("name", STAGES)
def test_explanations(name: str) -> None:
    model, cases = read(CONFORMANCE / "stages", name)
    answers, k = cases["answers"], cases["ask"]["k"]
    found = model.contributions(cases["rows"])
    assert bits(found.base) == answers["explained"]["base"]
    # class after class, of each the sources
    values = found.values if found.values.ndim == 2 else found.values.transpose(0, 2, 1).reshape(len(cases["rows"]), -1)
    assert bits(values) == answers["explained"]["contributions"]
    said = ["; ".join(f"{one.feature}: {one.text}, {bits([one.push])[0]}" for one in row) for row in model.reasons(cases["rows"], k=k)]
    assert said == answers["explained"]["reasons"]
    if found.values.ndim == 2:
        assert [found.features.index(feature) for row in found.top(k) for feature, _ in row] == answers["top"]["features"]
        assert bits([value for row in found.top(k) for _, value in row]) == answers["top"]["contributions"]


@pytest.mark.parametrize("name", [name for name in STAGES if "intervals" in read(CONFORMANCE / "stages", name)[1]["answers"]])
def test_intervals(name: str) -> None:
    model, cases = read(CONFORMANCE / "stages", name)
    answers = cases["answers"]["intervals"]
    found = model.interval(cases["rows"], cases["ask"]["level"])
    assert bits(found.low) == answers["low"]
    assert bits(found.high) == answers["high"]
    assert bits(found.logit_low) == answers["logitLow"]
    assert bits(found.logit_high) == answers["logitHigh"]
    assert bits(found.std_error) == answers["stdError"]


@pytest.mark.parametrize("name", STAGES)
def test_refused(name: str) -> None:
    model, cases = read(CONFORMANCE / "stages", name)
    assert [code_of(model, row) for row in cases["refused"]] == cases["answers"]["refused"]["codes"]


def code_of(model: logodds.Model, row: dict[str, Any]) -> str | None:
    try:
        model.score([row])
    except logodds.LogoddsError as error:
        return error.code
    return None
