"""Scores rows with logodds' kernels.wasm in Wasmtime and compares the bits; written from docs/ABI.md.

python host.py kernels.wasm MODEL...   where MODEL.safetensors is a model, and MODEL.json its rows and their bits
"""

import hashlib
import json
import math
import struct
import sys
from decimal import Decimal
from pathlib import Path

from wasmtime import Instance, Module, Store


class Kernels:
    def __init__(self, wasm):
        self.store = Store()
        self.exports = Instance(self.store, Module(self.store.engine, Path(wasm).read_bytes()), []).exports(self.store)
        self.memory = self.exports["memory"]
        self.top = self.call("heapBase")
        if (abi := self.call("abiVersion")) != 1:
            raise ValueError(f"{wasm}: expected ABI version 1, got {abi}; take the module of another release")

    def call(self, name, *args):
        return self.exports[name](self.store, *args)

    def place(self, values, letter="d"):
        """The address of a new buffer that holds the values."""
        data = struct.pack(f"<{len(values)}{letter}", *values)
        address = -(-self.top // 16) * 16
        self.top = address + -(-len(data) // 16) * 16
        absent = self.top - self.memory.data_len(self.store)
        self.memory.grow(self.store, max(0, -(-absent // 65536)))
        self.memory.write(self.store, data, address)
        return address

    def read(self, address, count):
        return struct.unpack(f"<{count}d", self.memory.read(self.store, address, address + 8 * count))


def load(path):
    """Manifest, weights and intercept of a model file."""
    file = Path(path).read_bytes()
    if hashlib.sha256(file[:35] + b"0" * 64 + file[99:]).hexdigest().encode() != file[35:99]:
        raise ValueError(f"{path}: expected the SHA-256 stored in it, got another one; copy the file again")
    data = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:data])
    manifest = json.loads(header["__metadata__"]["logodds"])
    if (classes := len(manifest["classes"])) != 2:
        raise ValueError(f"{path}: expected a model of two classes, got {classes}; score it with the library")
    for holder, field in ((manifest, "calibration"), (manifest["decision"], "costs"), (manifest["decision"], "abstain")):
        if holder.get(field) is not None:
            raise ValueError(f"{path}: expected a model without {field}, got one with it; score it with the library")
    places = [header[name]["data_offsets"] for name in ("weights", "intercept")]
    return manifest, *(
        struct.unpack(f"<{(end - begin) // 8}d", file[data + begin : data + end]) for begin, end in places
    )


def number(name, value):
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"field {name}: expected a finite number, got {value!r}")


def text(value):
    """The text of a category: a number as ECMAScript writes it."""
    if not isinstance(value, float):
        return value if isinstance(value, str) else json.dumps(value)
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(abs(value) and value)).normalize(), "f")
    return repr(value).replace("e-0", "e-")


def columns(features, rows):
    """Kind, slots and values of each column, in order."""
    for feature in features:
        name, kind = feature.get("column", feature["name"]), feature["kind"]
        if kind not in ("numeric", "categorical"):
            raise ValueError(f"feature {name}: expected numeric or categorical, got {kind}; score it with the library")
        cells = [row[name] for row in rows]
        if kind == "numeric":
            yield 1, 1, [feature["mean"] if cell is None else number(name, cell) for cell in cells]
            if feature["indicator"]:
                yield 2, 2, [int(cell is None) for cell in cells]
            continue
        levels, counts, reference = feature["levels"], feature["counts"], feature["reference"]
        mode, unseen = counts.index(max(counts[: len(levels)])), len(levels) + 1
        policies = {"mode": mode, "baseline": mode if reference is None else reference, "error": None}
        gap = {**policies, "slot": len(levels)}[feature["missing"]]
        other = {**policies, "slot": unseen}[feature["unseen"]]
        codes = {level: code for code, level in enumerate(levels)} | dict.fromkeys(feature.get("rare", ()), unseen)
        values = [gap if cell is None else codes.get(text(cell), other) for cell in cells]
        if None in values:
            raise ValueError(f"field {name}: expected a level seen in training, got {cells[values.index(None)]!r}")
        yield 2 if unseen < 1 << 8 else 3 if unseen < 1 << 16 else 4, unseen + 1, values


def score(wasm, model, rows):
    """Logit, probability and label of each row."""
    kernels, n, entries, slot = Kernels(wasm), len(rows), [], 0
    manifest, weights, intercept = load(f"{model}.safetensors")
    for kind, slots, values in columns(manifest["schema"]["features"], rows):
        entries += [kernels.place(values, "fdBHI"[kind]), kind, slot, 0]
        slot += slots
    if (got := (manifest["format"], len(weights))) != (1, slot):
        raise ValueError(f"{model}: expected format 1 and {slot} weights (its slots), got {got[0]} and {got[1]}")
    table, w, b = kernels.place(entries, "I"), kernels.place(weights), kernels.place(intercept)
    z = kernels.place([0.0] * (n + 3))
    kernels.call("logitsColumnsF64", table, len(entries) // 4, 0, n, w, slot, b, 1, z, (n + 3) // 4 * 4)
    logits = kernels.read(z, n)
    if (offset := manifest["offset"]) is not None:
        logits = [logit + number(offset, row[offset]) for logit, row in zip(logits, rows)]
    kernels.call("sigmoidF64", z := kernels.place(logits), n, z)
    (negative,) = {*manifest["classes"]} - {manifest["positive"]}
    for i, (logit, probability) in enumerate(zip(logits, kernels.read(z, n))):
        if math.isnan(probability):  # above no threshold: it would pass as the negative class
            raise ValueError(f"row {i} (from 0): expected numbers whose logit is a number, got {logit}; its terms overflow")
        yield logit, probability, manifest["positive"] if probability > manifest["decision"]["threshold"] else negative


def bits(value):
    return struct.pack(">d", value).hex()


def refuses(wasm, model, row):
    try:
        list(score(wasm, model, [row]))
    except ValueError:
        return True
    return False


def main(wasm, *models):
    for model in models:
        cases = json.loads(Path(f"{model}.json").read_bytes(), parse_int=float)
        expected = zip(cases["logits"], cases["probabilities"], cases["labels"])
        scores = score(wasm, model, cases["rows"])
        for i, (want, (logit, probability, label)) in enumerate(zip(expected, scores, strict=True)):
            if (got := (bits(logit), bits(probability), label)) != want:
                raise ValueError(f"{model}, row {i} (from 0): expected {' '.join(want)}, got {' '.join(got)}")
        for row in cases.get("refused", ()):
            if not refuses(wasm, model, row):
                raise ValueError(f"{model}: expected a refusal of {row}, got a score")
        print(f"{Path(model).name}: {i + 1} rows, the same bits")


try:
    main(*sys.argv[1:])
except (ValueError, OSError, KeyError) as error:
    sys.exit(f"host.py: {f'expected a field {error}, found none' if isinstance(error, KeyError) else error}")
