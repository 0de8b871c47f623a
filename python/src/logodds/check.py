"""What a manifest must be, so that nothing after it has to check."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .dates import DATE_PARTS
from .errors import LogoddsError
from .labels import typed_labels

if TYPE_CHECKING:
    import numpy as np
else:
    from .later import np

Json = Any
"""A value of a JSON file, of which nothing is known"""
Test = Callable[[Json], bool]
FeatureTest = Callable[[Json, Sequence[Json]], bool]


def is_text(value: Json) -> bool:
    return isinstance(value, str)


def is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 1.7976931348623157e308


def is_index(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_count(value: Json) -> bool:
    return is_index(value) and value > 0


def is_object(value: Json) -> bool:
    return isinstance(value, Mapping)


def is_list(value: Json) -> bool:
    return isinstance(value, list)


def among(*words: str) -> Test:
    return lambda value: isinstance(value, str) and value in words


def nothing_or(test: Test) -> Test:
    return lambda value: value is None or test(value)


def texts(value: Json) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def distinct_texts(value: Json) -> bool:
    return texts(value) and len(set(value)) == len(value)


def numbers(value: Json, length: int | None = None) -> bool:
    return isinstance(value, list) and (length is None or len(value) == length) and all(map(is_number, value))


def positive(value: Json, length: int) -> bool:
    return numbers(value, length) and all(one > 0 for one in value)


def rising(value: Sequence[float]) -> bool:
    return all(one < other for one, other in pairwise(value))


_MANIFEST: Mapping[str, Test] = {
    "producer": is_text,
    "classes": distinct_texts,
    "positive": nothing_or(is_text),
    "target": is_text,
    "schema": lambda value: is_object(value) and is_list(value.get("features")),
    "objective": is_object,
    "decision": lambda value: is_object(value) and is_number(value.get("threshold")),
    "offset": nothing_or(is_text),
    "weight": nothing_or(is_text),
    "fit": is_object,
    "aliased": lambda value: is_list(value) and all(map(is_index, value)),
    "warnings": lambda value: is_list(value) and all(map(is_object, value)),
}


def check_manifest(where: str, manifest: Json) -> None:
    """Raises ERR_FORMAT naming the first field that is not as it must be."""
    wrong = _wrong_in(manifest)
    if wrong is not None:
        raise LogoddsError("ERR_FORMAT", f"{where}: expected a valid manifest{wrong}, got something else; train the model again", reason="invalid")


def _wrong_in(manifest: Json) -> str | None:
    if not is_object(manifest) or not is_index(manifest.get("format")):
        return ""
    for field, test in _MANIFEST.items():
        if field not in manifest or not test(manifest[field]):
            return f".{field}"
    classes, is_binary = manifest["classes"], manifest["positive"] is not None
    multiclass, reference = manifest.get("multiclass"), manifest.get("reference")
    fits = (
        len(classes) == 2 and manifest["positive"] in classes and multiclass is None
        if is_binary
        else len(classes) > 2 and manifest["offset"] is None and multiclass in ("multinomial", "ovr")
    )
    if not fits or not (reference is None or (multiclass == "multinomial" and reference in classes)):
        return ".classes"
    if typed_labels(classes, manifest.get("labelType")) is None:
        return ".labelType"
    features = manifest["schema"]["features"]
    for i, feature in enumerate(features):
        if not is_object(feature) or not is_text(feature.get("name")) or not is_text(feature.get("kind")):
            return f".schema.features.{i}"
        if not all(nothing_or(is_text)(feature.get(field)) for field in ("column", "reason")):
            return f".schema.features.{i}"
    named = [feature["name"] for feature in features] + [manifest["offset"]]
    if len(set(named)) < len(named):
        return ".schema.features"
    wrong = wrong_calibration(manifest.get("calibration"), len(classes))
    if wrong is not None:
        return f".calibration{wrong}"
    wrong = _wrong_decision(manifest["decision"], len(classes))
    if wrong is not None:
        return f".decision{wrong}"
    for i, feature in enumerate(features):
        fits_kind = _KINDS.get(feature["kind"])
        if fits_kind is None:
            return f".schema.features.{i}.kind"
        if not fits_kind(feature, features):
            return f".schema.features.{i}"
    return None


_NUMBERS = {"none": (), "platt": ("a", "b"), "beta": ("a", "b", "c"), "temperature": ("inverse",), "isotonic": ()}
_NOT_NEGATIVE = {"beta": ("a", "b"), "temperature": ("inverse",)}


def wrong_calibration(value: Json, classes: int) -> str | None:
    """Where a calibration first differs from what it must be; None when nowhere, and for no calibration."""
    if value is None:
        return None
    if not is_object(value):
        return ""
    method, calibrators, shift = value.get("method"), value.get("calibrators"), value.get("shift")
    planes = 1 if classes == 2 else classes
    if method not in _NUMBERS:
        return ".method"
    count = {"none": 0, "temperature": 1}.get(method, planes)
    if not is_list(calibrators) or len(calibrators) != count:
        return ".calibrators"
    for k, calibrator in enumerate(calibrators):
        if not _is_calibrator(calibrator, method):
            return f".calibrators.{k}"
    if not numbers(shift) or not all(abs(one) <= 700 for one in shift) or len(shift) not in (0, planes):
        return ".shift"
    prior = value.get("prior")
    if prior is not None and not (numbers(prior, classes) and all(0 <= share <= 1 for share in prior)):
        return ".prior"
    by = value.get("by")
    known = by is None or (is_object(by) and is_index(by.get("rows")) and (by.get("folds") is None or is_index(by["folds"])))
    return None if known else ".by"


def _is_calibrator(value: Json, method: str) -> bool:
    if not is_object(value) or value.get("method") != method:
        return False
    if not all(is_number(value.get(name)) for name in _NUMBERS[method]):
        return False
    if any(value[name] < 0 for name in _NOT_NEGATIVE.get(method, ())):
        return False
    if method != "isotonic":
        return True
    logits, probabilities = value.get("logits"), value.get("probabilities")
    return (
        numbers(logits)
        and len(logits) > 0
        and all(abs(one) <= 1e300 for one in logits)
        and rising(logits)
        and numbers(probabilities, len(logits))
        and all(0 <= one <= 1 for one in probabilities)
        and all(one <= other for one, other in pairwise(probabilities))
    )


def _wrong_decision(value: Json, classes: int) -> str | None:
    costs, abstain = value.get("costs"), value.get("abstain")
    if "costs" in value and not (
        is_list(costs) and len(costs) == classes and all(numbers(row, classes) and all(cost >= row[j] for cost in row) for j, row in enumerate(costs))
    ):
        return ".costs"
    if "abstain" in value and not (
        is_object(abstain) and is_number(abstain.get("low")) and is_number(abstain.get("high")) and abstain["low"] <= abstain["high"]
    ):
        return ".abstain"
    return None if "chosen" not in value or is_object(value["chosen"]) else ".chosen"


def _is_source(feature: Json) -> bool:
    return (
        ("column" not in feature or is_text(feature["column"]))
        and ("part" not in feature or feature["part"] in DATE_PARTS)
        and ("unit" not in feature or feature["unit"] in ("ms", "s"))
        and ("dates" not in feature or numbers(feature["dates"], 2))
    )


def _is_numeric(feature: Json, _: Sequence[Json]) -> bool:
    fields = ("mean", "scale", "min", "max")
    return all(is_number(feature.get(name)) for name in fields) and isinstance(feature.get("indicator"), bool) and feature["scale"] > 0


_MISSING = among("slot", "baseline", "mode", "error")
_UNSEEN = among("slot", "baseline", "error")


def _has_levels(feature: Json) -> bool:
    levels, reference = feature.get("levels"), feature.get("reference")
    return (
        distinct_texts(levels)
        and len(levels) > 0
        and numbers(feature.get("counts"), len(levels) + 1)
        and feature.get("coding") in ("onehot", "treatment")
        and (reference is None if feature["coding"] == "onehot" else is_index(reference) and reference < len(levels))
        and _MISSING(feature.get("missing"))
        and _UNSEEN(feature.get("unseen"))
    )


def _is_categorical(feature: Json, _: Sequence[Json]) -> bool:
    return _has_levels(feature) and distinct_texts(feature.get("rare", [])) and not set(feature.get("rare", [])) & set(feature["levels"])


def _is_curve(feature: Json, _: Sequence[Json]) -> bool:
    transform, knots, low, high = (feature.get(name) for name in ("transform", "knots", "low", "high"))
    if transform is not None and not (
        is_object(transform)
        and (
            transform.get("name") in ("log", "log1p", "sqrt", "logit")
            or (transform.get("name") in ("box-cox", "yeo-johnson") and is_number(transform.get("lambda")))
        )
    ):
        return False
    if knots is not None and not (numbers(knots) and len(knots) >= 3 and rising(knots)):
        return False
    width = 1 if knots is None else len(knots) - 1
    fits = (
        {"transform", "knots", "low", "high"} <= feature.keys()
        and _is_source(feature)
        and nothing_or(is_number)(low)
        and nothing_or(is_number)(high)
        and (low is None or high is None or low < high)
        and among("clip", "baseline", "slot", "error")(feature.get("range"))
        and among("slot", "baseline", "error")(feature.get("missing"))
        and numbers([feature.get(name) for name in ("fill", "min", "max")])
        and numbers(feature.get("means"), width)
        and positive(feature.get("scales"), width)
        and positive(feature.get("units"), width)
    )
    if not fits:
        return False
    from .features.numbers import CurveCoder

    return all(bool(np.isfinite(one).all()) for one in CurveCoder(feature).curve(np.asarray([float(feature["fill"])])))


def _is_binned(feature: Json, _: Sequence[Json]) -> bool:
    return (
        _has_levels(feature)
        and _is_source(feature)
        and numbers(feature.get("edges"), len(feature["levels"]) + 1)
        and rising(feature["edges"])
        and among("clip", "baseline", "slot", "error")(feature.get("range"))
    )


def _is_date(feature: Json, _: Sequence[Json]) -> bool:
    return _has_levels(feature) and _is_source(feature) and feature.get("part") in DATE_PARTS and all(map(_is_float, feature["levels"]))


def _is_float(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_target(feature: Json, _: Sequence[Json]) -> bool:
    levels, values = feature.get("levels"), feature.get("values")
    return (
        _is_source(feature)
        and distinct_texts(levels)
        and numbers(feature.get("counts"), len(levels) + 1)
        and is_list(values)
        and len(values) > 0
        and all(numbers(one, len(levels) + 2) for one in values)
        and among("slot", "baseline", "error")(feature.get("missing"))
        and among("baseline", "error")(feature.get("unseen"))
        and numbers(feature.get("means"), len(values))
        and positive(feature.get("scales"), len(values))
    )


def _is_hashed(feature: Json, features: Sequence[Json]) -> bool:
    return (
        _is_source(feature)
        and "of" in feature
        and (feature["of"] is None or _are_parts(feature["of"], features))
        and is_count(feature.get("buckets"))
        and numbers(feature.get("counts"), 2 * feature["buckets"] + 1)
        and _MISSING(feature.get("missing"))
    )


def _is_cross(feature: Json, features: Sequence[Json]) -> bool:
    return _has_levels(feature) and _are_parts(feature.get("of"), features)


def _are_parts(of: Json, features: Sequence[Json]) -> bool:
    """Combinations of two or more features with levels."""
    by_name = {feature["name"]: feature for feature in features}
    return (
        distinct_texts(of)
        and len(of) >= 2
        and all(by_name.get(name, {}).get("kind") in ("categorical", "binned", "date") and is_list(by_name[name].get("levels")) for name in of)
    )


def _is_tokens(feature: Json, _: Sequence[Json]) -> bool:
    by, tokens = feature.get("split"), feature.get("tokens")
    width: Json = len(tokens) if is_list(tokens) else tokens.get("buckets") if is_object(tokens) else None
    return (
        _is_source(feature)
        and (by == "words" or (is_object(by) and is_text(by.get("separator")) and len(by["separator"]) > 0))
        and (not is_list(tokens) or distinct_texts(tokens))
        and is_count(width)
        and among("baseline", "error")(feature.get("missing"))
        and among("baseline", "error")(feature.get("unseen"))
        and ("maxText" not in feature or is_count(feature["maxText"]))
        and feature.get("scaling", "standard") == "standard"
        and numbers(feature.get("means"), width)
        and positive(feature.get("scales"), width)
    )


_KINDS: Mapping[str, FeatureTest] = {
    "numeric": _is_numeric,
    "categorical": _is_categorical,
    "curve": _is_curve,
    "binned": _is_binned,
    "date": _is_date,
    "target": _is_target,
    "hashed": _is_hashed,
    "cross": _is_cross,
    "tokens": _is_tokens,
}
