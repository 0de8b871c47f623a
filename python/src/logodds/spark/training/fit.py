"""`logodds.spark.fit`: the options of ``logodds train`` on a frame of Spark."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import LogoddsError, LogoddsWarning, show
from ...model import Model, load
from .bridge import run_bridged
from .rows import SparkRows


@dataclass(frozen=True)
class Fitted:
    """What `fit` returns."""

    model: Model
    #: the object that ``logodds train --json`` prints: rows, fit, held-out metrics, warnings
    report: dict[str, Any]


def fit(frame: Any, target: str, *, out: str | os.PathLike[str] | None = None, command: str | Sequence[str] | None = None, **options: Any) -> Fitted:
    """Fits a logistic regression to a frame of Spark, classic or Connect: the model of ``logodds train`` on the same rows, to 1e-9.

    The rows stay on the executors. Here runs the solver of the command, which needs Node. The options are those of ``logodds train`` with
    underscores: ``C=0.1``, ``penalty=None``, ``l1_ratio=0.5``, ``features=["age", "race"]``, ``weight="n"``, ``offset="exposure"``,
    ``reference={"race": "white"}``, ``lambda_=0.01``, ``inference=True``, ``holdout=0.1``, ``holdout=False``, ``holdout_by="date"``, ``checkpoint="fit.ckpt"``.

    :param frame: rows with the target, which give the same cells each time that they are read: files, not random numbers
    :param out: where the model file goes as well
    :param command: the command; default the environment's LOGODDS_COMMAND, else ``logodds`` of the path
    :raises LogoddsError: as ``logodds train``; ERR_RANGE for what needs all rows in memory (schema, trials, Firth, profiles, bootstrap, clusters, folds);
        ERR_ENGINE where the command or Spark cannot be run
    """
    words = words_of(command)
    flags = flags_of({"target": target, **options})
    rows = SparkRows(frame.sparkSession, frame, lambda message: warnings.warn(message, LogoddsWarning, stacklevel=3))
    with tempfile.TemporaryDirectory(prefix="logodds-") as folder:
        path = Path(folder) / "model.safetensors"
        errors = Path(folder) / "errors"
        try:
            with errors.open("wb") as said:
                done = run_bridged(
                    rows, [*words, "train", "frame", *flags, f"--out={path}", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
                )
        except FileNotFoundError as error:
            raise no_command(words[0]) from error
        finally:
            rows.close()
        if done.returncode != 0:
            raise error_of(errors.read_text(errors="replace"), done.returncode)
        data = path.read_bytes()
        report = json.loads(done.stdout)
        notes = [line.removeprefix("note: ") for line in errors.read_text(errors="replace").splitlines() if line.startswith("note: ")]
    for note in notes:
        # what the report has comes from there
        if not any(note.startswith(warning["code"]) for warning in report["warnings"]):
            warnings.warn(note, LogoddsWarning, stacklevel=2)
    for warning in report["warnings"]:
        warnings.warn(f"{warning['code']}: {warning['message']}", LogoddsWarning, stacklevel=2)
    report["model"] = None
    if out is not None:
        place = Path(out)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        draft.write_bytes(data)
        draft.replace(place)
        report["model"] = str(place)
    return Fitted(load(data), report)


def words_of(command: str | Sequence[str] | None) -> list[str]:
    given = command or os.environ.get("LOGODDS_COMMAND") or shutil.which("logodds")
    if not given:
        raise no_command("logodds")
    return shlex.split(given) if isinstance(given, str) else [*given]


def no_command(name: str) -> LogoddsError:
    return LogoddsError("ERR_ENGINE", f"{name}: expected the command logodds, got none of that name; npm install -g @logodds/cli, or set LOGODDS_COMMAND")


def flags_of(options: Mapping[str, Any]) -> list[str]:
    """The options as flags.

    >>> flags_of({"C": 0.5, "l1_ratio": 1, "features": ["a", "b"], "reference": {"race": "white"}, "inference": True, "holdout": False, "penalty": None})
    ['--C=0.5', '--l1-ratio=1', '--features=a,b', '--reference=race=white', '--inference', '--no-holdout', '--no-penalty']
    """
    flags = []
    for name, value in options.items():
        flag = name if name == "C" else name.replace("_", "-")
        if name == "penalty":
            if value not in (None, "none", False):
                raise LogoddsError(
                    "ERR_RANGE", f"penalty: expected None for maximum likelihood, got {show(value)}; give C or lambda_ for the strength of a penalty"
                )
            flags.append("--no-penalty")
        elif value is True:
            flags.append(f"--{flag}")
        elif value is False:
            flags.append(f"--no-{flag}")
        elif value is not None:
            if isinstance(value, Mapping):
                text = ",".join(f"{key}={one}" for key, one in value.items())
            elif isinstance(value, (list, tuple)):
                text = ",".join(map(str, value))
            else:
                text = str(value)
            flags.append(f"--{flag.rstrip('-')}={text}")
    return flags


def error_of(said: str, status: int) -> LogoddsError:
    """The error that the command said last."""
    lines = [line for line in said.splitlines() if line.strip()]
    for line in reversed(lines):
        code, _, message = line.removeprefix("error: ").partition(" ")
        if code.startswith("ERR_"):
            return LogoddsError(code.rstrip(":"), message)
    last = lines[-1].removeprefix("error: ") if lines else f"status {status}"
    return LogoddsError("ERR_RANGE", last)
