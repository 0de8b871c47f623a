"""``python -m logodds.spark train``: what ``logodds train --spark`` runs. It opens the session, then runs the command with its rows behind pipes.

What the command prints goes where this process prints, its notes to file descriptor 3. The last line on standard error is JSON: {"begun": true} when
the command has said what is wrong itself, else {"error": {"code", "message"}} with status 90.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from ...errors import LogoddsError
from ..failures import failure_of

NOT_BEGUN = 90


def run_train(options: argparse.Namespace) -> int:
    try:
        status = _run(options)
    except LogoddsError as error:
        return _failed(error.code, str(error))
    except ImportError as error:
        sentence = f"Python: expected logodds[spark] in {sys.executable}, got {error}; pip install 'logodds[spark]', or name another Python in LOGODDS_PYTHON"
        return _failed("ERR_ENGINE", sentence)
    except Exception as error:
        found = failure_of(error)
        print(error, file=sys.stderr)
        line = next(iter(str(error).splitlines()), "")[:200]
        return (
            _failed(found.code, str(found))
            if found
            else _failed("ERR_ENGINE", f"Spark: expected a session, got {type(error).__name__} ({line}); see what Spark says")
        )
    print(json.dumps({"begun": True}), file=sys.stderr, flush=True)
    return status


def _failed(code: str, message: str) -> int:
    print(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False), file=sys.stderr, flush=True)
    return NOT_BEGUN


def _run(options: argparse.Namespace) -> int:
    from ..command import session_of
    from ..files import _expanded
    from .bridge import run_bridged
    from .rows import SparkRows

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    # a task waits for the executor that has its rows
    spark = session_of(options.master, ["spark.locality.wait=60s", "spark.app.name=logodds train", *options.conf])
    notes: Any = os.fdopen(3, "w") if _is_open(3) else sys.stderr
    try:
        frame = spark.read.parquet(*_expanded(options.data))
        rows = SparkRows(spark, frame, lambda message: print(f"note: {message}", file=notes, flush=True))
        try:
            return run_bridged(rows, command, stdin=subprocess.DEVNULL, stderr=notes).returncode
        finally:
            rows.close()
    finally:
        spark.stop()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
