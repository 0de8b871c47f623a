"""The bridge between the solver of `logodds train`, a process of Node, and the rows on Spark.

A message is two u32 in little-endian order, the bytes of its text and of its numbers, then a text of JSON, then f64. The solver asks by one pipe
and waits for the answer on another: {"facts": …} with numbers, or {"error": {"code", "message"}}.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from ...elementary import Floats
from ...errors import LogoddsError
from ..failures import failure_of
from .rows import SparkRows, question_of

PIPES = "LOGODDS_SPARK_PIPES"
"""Variable of the environment by which the command knows that its rows are on Spark: the numbers of the pipes, answers first"""


def run_bridged(rows: SparkRows, command: Sequence[str], **process: Any) -> subprocess.CompletedProcess[Any]:
    """Runs ``logodds train`` with rows on Spark, and answers what it asks until it ends."""
    if os.name == "nt":
        raise LogoddsError("ERR_ENGINE", "training on Spark: expected a POSIX system (the solver has pipes of its own), got Windows; use WSL")
    asked_read, asked_write = os.pipe()
    answer_read, answer_write = os.pipe()
    environment = os.environ | {PIPES: f"{answer_read},{asked_write}"}
    child = subprocess.Popen(command, env=environment, pass_fds=(answer_read, asked_write), **process)
    os.close(asked_write)
    os.close(answer_read)
    try:
        with os.fdopen(asked_read, "rb") as asked, os.fdopen(answer_write, "wb") as answers:
            serve(asked, answers, lambda question, values: answer_of(rows, question, values))
        out = child.stdout.read() if child.stdout else None
        return subprocess.CompletedProcess(command, child.wait(), out)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


Answer = tuple[Any, Floats]


def serve(asked: BinaryIO, answers: BinaryIO, answer: Callable[[Mapping[str, Any], Sequence[Floats]], Answer]) -> None:
    """Answers until the other side closes its pipe."""
    while True:
        head = asked.read(8)
        if len(head) < 8:
            return
        text, numbers = struct.unpack("<II", head)
        question = json.loads(asked.read(text))
        values = np.frombuffer(asked.read(numbers))
        parts = np.split(values, np.cumsum(question.pop("lengths"))[:-1]) if len(values) else []
        out: Floats = np.zeros(0)
        try:
            facts, out = answer(question, parts)
            said: dict[str, Any] = {"facts": facts}
        except LogoddsError as error:
            said = {"error": {"code": error.code, "message": str(error)}}
        except Exception as error:
            found = failure_of(error)
            line = next(iter(str(error).splitlines()), "")[:300]
            print(error, file=sys.stderr)
            said = {
                "error": {
                    "code": found.code if found else "ERR_ENGINE",
                    "message": str(found) if found else f"Spark: expected the job to end, got {type(error).__name__} ({line}); see what Spark says",
                }
            }
        body = json.dumps(said, ensure_ascii=False).encode()
        try:
            answers.write(struct.pack("<II", len(body), out.nbytes) + body)
            answers.write(np.ascontiguousarray(out).data)
            answers.flush()
        except BrokenPipeError:
            return


def answer_of(rows: SparkRows, question: Mapping[str, Any], values: Sequence[Floats]) -> Answer:
    op = question["op"]
    none: Floats = np.zeros(0)
    if op == "columns":
        return rows.columns(), none
    if op == "statistics":
        return rows.statistics(question), none
    if op == "encode":
        return None, rows.encode(question)
    if op == "sample":
        sampled, facts = rows.sample(question["columns"], question["most"])
        return facts, sampled
    if op == "table":
        return rows.table(question["which"], question["most"], question["path"], question["seed"]), none
    return None, rows.sums(question_of(question, values, rows.rows))
