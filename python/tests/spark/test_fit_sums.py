"""A gradient and a Hessian of one pass have the bits of two passes, and a method that asks for gradients alone gets no Hessian."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from logodds.spark.training.blocks import Encoding, image_of, layout_of
from logodds.spark.training.rows import SparkRows, unpacked
from logodds.spark.training.statistics import Roles
from logodds.spark.training.sums import PartSums, Question

ROWS = 700


def encoding_of(classes: int, weighted: bool) -> Encoding:
    features = [{"name": "x", "kind": "numeric", "mean": 0.0, "scale": 1.0, "indicator": True}, {"name": "c", "kind": "categorical", "slots": 5}]
    labels = [str(k) for k in range(classes)]
    return Encoding("test", features, labels, [1.0] * classes, Roles("y", [("x", "numeric"), ("c", "categorical")], "w" if weighted else None))


def answer(encoding: Encoding, question: Question) -> Any:
    random = np.random.default_rng(7)
    sums = PartSums(encoding, question)
    for _ in range(2):
        columns = [random.normal(size=ROWS), random.integers(0, 2, ROWS).astype(np.uint8), random.integers(0, 5, ROWS).astype(np.uint8)]
        arrays = [*columns, random.integers(0, len(encoding.classes), ROWS).astype(np.uint8)]
        if encoding.roles.weight:
            arrays.append(random.random(ROWS))
        sums.add(image_of(encoding, arrays), layout_of(encoding, ROWS))
    return unpacked(question, encoding, sums.told()[1:])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_both_are_the_bits_of_each(classes: int, weighted: bool) -> None:
    encoding = encoding_of(classes, weighted)
    vectors = 1 if classes == 2 else classes
    values = np.random.default_rng(1).normal(size=vectors * 9) / 3
    question = Question("at", vectors, 1 if classes == 2 else None, [0, 1, 2], [values])
    one, other = answer(encoding, question), answer(encoding, replace(question, op="hessian"))
    assert answer(encoding, replace(question, op="both")).tobytes() == np.concatenate([one, other]).tobytes()


class Counted(SparkRows):
    """Counts the passes, which are made here."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding, self._asked, self._ahead, self._newton = encoding, (), None, False
        self.passes: list[str] = []

    def _sums(self, question: Question) -> Any:
        self.passes.append(question.op)
        return answer(self._encoding_(), question)


def test_a_second_hessian_comes_with_its_gradient() -> None:
    rows = Counted(encoding_of(2, False))
    points = [np.full(9, 0.1 * k) for k in range(6)]

    def ask(op: str, k: int) -> None:
        question = Question(op, 1, 1, [0, 1, 2], [points[k]])
        assert rows.sums(question).tobytes() == answer(rows._encoding_(), question).tobytes()

    for k in range(3):
        ask("at", k)
        ask("hessian", k)
    assert rows.passes == ["at", "hessian", "both", "both"]
    # a step that was too long: no Hessian is wanted where it led
    for op, k in (("at", 3), ("at", 4), ("hessian", 4), ("at", 5), ("hessian", 0)):
        ask(op, k)
    assert rows.passes[4:] == ["both", "at", "hessian", "both", "hessian"]
