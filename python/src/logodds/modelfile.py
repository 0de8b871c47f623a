"""Model files: safetensors with a manifest and a digest."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from .check import check_manifest
from .elementary import Floats
from .errors import LogoddsError, show
from .labels import number_text

if TYPE_CHECKING:
    import numpy as np
else:
    from .later import np

FORMAT = 1
_START = b'{"__metadata__":{"sha256":"'
_DIGEST = 8 + len(_START)
_DIGEST_END = _DIGEST + 64
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class Tensor:
    """Finite numbers of a file, which become an array of numpy when they are asked for."""

    shape: tuple[int, ...]
    values: array[float]

    def array(self) -> Floats:
        return np.array(self.values).reshape(self.shape)


def read_model(source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO) -> tuple[dict[str, Any], dict[str, Tensor], str]:
    """Manifest, tensors and digest of a model file, checked to the last byte.

    :raises LogoddsError: ERR_FORMAT for bytes that are no model file, are damaged or incomplete, or have another format
    """
    where, data = _bytes_of(source)
    if data[8:_DIGEST] != _START:
        raise _foreign(where, data)
    stored = data[_DIGEST:_DIGEST_END].decode("latin-1")
    intact = _digest_of(data) == stored
    header: dict[str, Any] = {}
    manifest: Any = None
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        if start > min(len(data), 8 + _MAX_HEADER):
            raise ValueError
        header = _parsed(data[8:start].decode("utf-8"))
        manifest = _parsed(header["__metadata__"]["logodds"])
        if stringified(manifest) != header["__metadata__"]["logodds"]:
            raise ValueError("written otherwise")
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # damaged, or forged: said below
    known = manifest if isinstance(manifest, Mapping) else {}
    written = known.get("format")
    if isinstance(written, int) and not isinstance(written, bool) and written != FORMAT:
        producer = known.get("producer")
        author = producer[:40] if isinstance(producer, str) else "something else"
        damage = "" if intact else ", and its SHA-256 does not match its content"
        newer = written > FORMAT
        step = "install a newer logodds" if newer else "train the model again"
        raise _refused("newer" if newer else "older", where, f"expected format {FORMAT}, got format {written} (written by {author}){damage}; {step}")
    if not intact:
        raise _refused("damaged", where, "expected the SHA-256 stored in it, got another: damaged, altered or cut short; copy it again")
    check_manifest(where, manifest)
    return dict(manifest), _tensors(where, data, header, start), stored


def _bytes_of(source: Any) -> tuple[str, bytes]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "model file", bytes(source)
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise _refused("other", "model file", f"expected bytes, got {show(content)}; open the file in binary mode")
        return "model file", bytes(content)
    if not isinstance(source, (str, os.PathLike)):
        raise _refused("other", "model file", f"expected a path or bytes, got {show(source)}; give the path of a .safetensors file")
    try:
        with open(source, "rb") as file:
            return str(source), file.read()
    except (OSError, ValueError) as error:
        raise LogoddsError("ERR_DATA", f"{source!s}: expected a model file, got {getattr(error, 'strerror', None) or error}; check the path") from error


def _digest_of(data: bytes) -> str:
    digest = hashlib.sha256(data[:_DIGEST])
    digest.update(b"0" * 64)
    digest.update(memoryview(data)[_DIGEST_END:])
    return digest.hexdigest()


def _parsed(text: str) -> Any:
    """JSON in which no name is there twice, not nested deeper than a model is."""
    value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse, parse_int=_number)
    if _depth(value) > 10:
        raise ValueError("too deep")
    return value


def stringified(value: Any) -> str:
    """JSON as ``JSON.stringify`` of ECMAScript writes it, which is how a manifest must be written.

    >>> stringified({"a": [1.0, 1e-7, True, None, "é"]})
    '{"a":[1,1e-7,true,null,"é"]}'
    """
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_quoted(name)}:{stringified(one)}' for name, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(stringified, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) < 1 << 53:
        return str(value)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return number_text(float(value))


def _quoted(text: str) -> str:
    out = json.dumps(text, ensure_ascii=False)
    # half of a pair of UTF-16 is escaped, as UTF-8 does not have it
    return out if out.isascii() else re.sub(r"[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", out)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _number(digits: str) -> int | float:
    """A whole number as every runtime has it: beyond 2**53 it is a double, which numpy takes and an integer it does not."""
    return int(digits) if len(digits) < 16 else float(digits)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, parts), default=0) if isinstance(value, (dict, list)) else 0


def _tensors(where: str, data: bytes, header: Mapping[str, Any], start: int) -> dict[str, Tensor]:
    """The tensors, one after the other from the header to the end of the file, each of finite numbers of 64 bits."""
    found: dict[str, Tensor] = {}
    expected = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shape = entry.get("shape") if isinstance(entry, Mapping) else None
        sizes = shape if isinstance(shape, list) and all(isinstance(size, int) and size >= 0 for size in shape) else [-1]
        count = math.prod(sizes)
        end = expected + 8 * count
        if not isinstance(entry, Mapping) or entry.get("dtype") != "F64" or count < 0 or entry.get("data_offsets") != [expected, end]:
            raise _broken(where, f"tensor {show(name)}")
        own = data[start + expected : start + end]
        values = array("d", own[: len(own) // 8 * 8])
        if sys.byteorder == "big":
            values.byteswap()
        if len(values) != count:
            raise _broken(where, "length")
        if not all(map(math.isfinite, values)):
            raise _broken(where, f"tensor {show(name)}, number {next(i for i, value in enumerate(values) if not math.isfinite(value))}")
        found[name] = Tensor(tuple(sizes), values)
        expected = end
    if start + expected != len(data):
        raise _broken(where, "length")
    return found


def write_model(manifest: Mapping[str, Any], tensors: Mapping[str, Floats]) -> bytes:
    """The bytes of a model file. The same model always gives the same bytes, and it is read once before they are returned.

    :raises LogoddsError: ERR_FORMAT when it could not be read again
    """
    text = stringified(manifest)
    header: dict[str, Any] = {"__metadata__": {"sha256": "0" * 64, "logodds": text}}
    end = 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F64", "shape": [*values.shape], "data_offsets": [end, end + values.nbytes]}
        end += values.nbytes
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    padded = encoded.ljust(-(-len(encoded) // 8) * 8)
    data = len(padded).to_bytes(8, "little") + padded + b"".join(values.astype("<f8").tobytes() for values in tensors.values())
    sealed = data[:_DIGEST] + _digest_of(data).encode() + data[_DIGEST_END:]
    read_model(sealed)
    return sealed


def tensor(where: str, tensors: Mapping[str, Tensor], name: str, *shape: int) -> Tensor:
    """A tensor of this shape. Raises ERR_FORMAT."""
    found = tensors.get(name)
    if found is None or found.shape != shape:
        got = "none" if found is None else f"[{','.join(map(str, found.shape[:9]))}]"
        raise _refused("invalid", where, f'expected tensor "{name}" of shape [{",".join(map(str, shape))}], got {got}; train the model again')
    return found


def _foreign(where: str, data: bytes) -> LogoddsError:
    """What a file is that does not start as a model does."""
    cut = _START.startswith(data[8:_DIGEST])
    if not data:
        got = "an empty file"
    elif cut and len(data) > 8:
        got = "only its first bytes"
    else:
        got = "another safetensors file" if data[8:10] == b'{"' else "another kind of file"
    return _refused("damaged" if cut else "other", where, f"expected a model that logodds saved, got {got}; copy it again")


def _broken(where: str, what: str) -> LogoddsError:
    return _refused("invalid", where, f"expected a valid {what} of a safetensors file, got something else; train the model again")


def _refused(reason: str, where: str, sentence: str) -> LogoddsError:
    return LogoddsError("ERR_FORMAT", f"{where}: {sentence}", reason=reason)
