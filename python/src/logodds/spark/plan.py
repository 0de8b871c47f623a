"""What a job of scoring does, made by the driver: the models, the columns that they read of a frame, and the columns that they add."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import LogoddsError, LogoddsWarning, names, refuse_absent, show
from ..features import field_of, is_cross
from ..model import Model, load

REASONS = "array<struct<feature: string, push: double, text: string>>"
Source: TypeAlias = "str | os.PathLike[str] | bytes | Model"


@dataclass(frozen=True)
class Wish:
    """What is added beside probabilities and labels."""

    #: as columns feature_1, contribution_1, … of the inputs that moved the logit most; 0: none
    contributions: int = 0
    #: a column of so many reasons in words; 0: none
    reasons: int = 0
    #: the level of a confidence interval; None: none
    interval: float | None = None
    logits: bool = False
    #: the share of inputs that took a default
    defaulted: bool = False


@dataclass(frozen=True)
class Output:
    """A column of scores: its name, and its type in Spark's words."""

    name: str
    type: str


@dataclass(frozen=True)
class Task:
    """One model of a job, as executors get it."""

    #: before the names of its columns
    prefix: str
    digest: str
    data: bytes
    wish: Wish


def models_of(models: Source | Sequence[Source] | Mapping[str, Source], wish: Wish) -> list[tuple[Task, Model]]:
    """One model without a prefix; several with their names, which in a list are the stems of their files.

    :raises LogoddsError: ERR_FORMAT, ERR_DATA as `logodds.load`; ERR_SCHEMA when two have one name
    """
    if isinstance(models, Mapping):
        named = [(f"{name}_", source) for name, source in models.items()]
    elif isinstance(models, (str, bytes, os.PathLike, Model)):
        named = [("", models)]
    else:
        named = [(f"{_stem(source)}_", source) for source in models]
    if not named:
        raise LogoddsError("ERR_SCHEMA", "models: expected at least one model, got none; name a file")
    if len({prefix for prefix, _ in named}) < len(named):
        raise LogoddsError("ERR_SCHEMA", f"models: expected distinct names, got {names(prefix[:-1] for prefix, _ in named)}; give a dict with names")
    found = []
    for prefix, source in named:
        model = source if isinstance(source, Model) else load(source)
        data = model.to_bytes() if isinstance(source, Model) else source if isinstance(source, bytes) else Path(source).read_bytes()
        found.append((Task(prefix, load(data).sha256 or "", data, wish), model))
    return found


def _stem(source: Source) -> str:
    if isinstance(source, (str, os.PathLike)):
        return Path(source).stem
    raise LogoddsError("ERR_SCHEMA", f"models: expected paths in a list, got {show(source)}; give a dict with names")


def outputs_of(task: Task, model: Model) -> list[Output]:
    """The columns of a model, named as the command ``logodds score`` names them, in its order; what it does not have comes last.

    :raises LogoddsError: ERR_DATA for an interval of a model without covariance, ERR_RANGE for what is asked
    """
    manifest, wish = model.manifest, task.wish
    classes: Sequence[str] = manifest["classes"]
    endings = [""] if manifest["positive"] is not None else [f"_{label}" for label in classes]
    out = [Output(f"p_{label}", "double") for label in classes] + [Output("label", "string")]
    if manifest["decision"].get("abstain"):
        out.append(Output("review", "boolean"))
    if wish.interval is not None:
        # refuses a level or a model before anything runs
        model.interval(empty_of(model), wish.interval)
        out += [Output(f"{end}{ending}", "double") for ending in endings for end in ("low", "high")]
    for rank in range(1, rank_of(model, wish.contributions) + 1):
        out += [Output(f"feature_{rank}", "string"), Output(f"contribution_{rank}", "double")]
        out += [Output(f"reason_{rank}", "string")] if worded(model) else []
    if wish.reasons:
        out.append(Output("reasons", REASONS))
    if wish.logits:
        out += [Output(f"logit{ending}", "double") for ending in endings]
    if wish.defaulted:
        out.append(Output("defaulted", "double"))
    return [Output(task.prefix + one.name, one.type) for one in out]


def empty_of(model: Model) -> dict[str, list[Any]]:
    """A table without rows."""
    return {name: [] for name in model.feature_names_in_}


def rank_of(model: Model, asked: int) -> int:
    """How many contributions a row has: as many as are asked for, at most one for each input."""
    return min(asked, len(model.sources))


def worded(model: Model) -> bool:
    """Whether the schema has words for reasons."""
    return any(feature.get("reason") is not None for feature in model.manifest["schema"]["features"])


NUMBERS = ("byte", "short", "integer", "long", "float", "double")
_TEXTS = ("string", "varchar", "char")
_TIMES = ("date", "timestamp", "timestamp_ntz")
_NUMERIC = ("numeric", "curve", "binned")
_LISTS = ("tokens",)


def needs_of(model: Model) -> dict[str, set[str]]:
    """What each column is read as: number, date, level, or list (words and tags)."""
    found: dict[str, set[str]] = {}
    for feature in model.manifest["schema"]["features"]:
        if is_cross(feature):
            continue
        kind = feature["kind"]
        dated = kind == "date" or feature.get("part") is not None
        need = "date" if dated else "number" if kind in _NUMERIC else "list" if kind in _LISTS else "level"
        found.setdefault(field_of(feature), set()).add(need)
    offset = model.manifest["offset"]
    if offset is not None:
        found.setdefault(offset, set()).add("number")
    return found


def inputs_of(frame: str, schema: Any, model: Model, kept: Sequence[str]) -> list[str]:
    """The columns that a model reads of a schema of Spark.

    Says once, as a warning, which columns are not read, and which are read as something else than they are.

    :raises LogoddsError: ERR_SCHEMA for columns that are absent, twice, or of a type that the model cannot read
    """
    types = {field.name: field.dataType.typeName().partition("(")[0] for field in schema.fields}
    if len(types) < len(schema.fields):
        found = [field.name for field in schema.fields]
        twice = next(name for name in types if found.count(name) > 1)
        raise LogoddsError("ERR_SCHEMA", f"{frame}: expected distinct column names, got {show(twice)} twice; rename one")
    needs = needs_of(model)
    refuse_absent(frame, [name for name in needs if name not in types], types)
    as_numbers, as_labels = [], []
    for name, wanted in needs.items():
        kind = types[name]
        rule = _rule_of(wanted, kind)
        if rule is not None:
            step = "cast it to double" if kind in _TEXTS else "derive a column of that type"
            raise LogoddsError("ERR_SCHEMA", f"{frame}, column {show(name)}: expected {rule}, got {kind}; {step}", problems=[{"field": name, "rule": rule}])
        if kind == "boolean" and "number" in wanted:
            as_numbers.append(name)
        if wanted == {"level"} and kind in (*NUMBERS, "decimal", *_TIMES):
            as_labels.append(name)
    known = {*needs, *kept, model.manifest.get("target"), model.manifest.get("weight")}
    ignored = [name for name in types if name not in known]
    notes = [
        (ignored, "that the model does not read", ""),
        (as_numbers, "of booleans", ", read as 0 and 1"),
        (as_labels, "of numbers or times", ", read as categories by their text"),
    ]
    parts = [f"{len(found)} {'column' if len(found) == 1 else 'columns'} {what} ({names(found)}){how}" for found, what, how in notes if found]
    if parts:
        warnings.warn(f"{frame} has {'; '.join(parts)}", LogoddsWarning, stacklevel=3)
    return [*needs]


def _rule_of(wanted: set[str], kind: str) -> str | None:
    """The rule that a type of Spark breaks; None: none."""
    if "number" in wanted and kind not in (*NUMBERS, "decimal", "boolean"):
        return "a column of numbers"
    if "date" in wanted and kind not in (*NUMBERS, *_TEXTS, *_TIMES):
        return "a column of dates, times, numbers or texts"
    if kind == "array":
        return None if wanted == {"list"} else "a column of texts, numbers, booleans or dates"
    if kind not in (*NUMBERS, *_TEXTS, *_TIMES, "decimal", "boolean", "void"):
        return "a column of texts, numbers, booleans or dates"
    return None
