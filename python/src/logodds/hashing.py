"""MurmurHash3 of many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np


def utf8(text: str) -> bytes:
    """The UTF-8 bytes of a text; a lone surrogate is U+FFFD, as in all UTF-8 of the web."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def signed_hashes(texts: Sequence[str]) -> NDArray[np.int32]:
    """MurmurHash3_x86_32 with seed 0 of each text, as scikit-learn's ``murmurhash3_32`` gives it.

    See Appleby, SMHasher, MurmurHash3.cpp (public domain).

    >>> signed_hashes(["", "hello", "東京"]).tolist()
    [0, 613153351, -1765863102]
    """
    encoded = [utf8(text) for text in texts]
    lengths = np.fromiter((len(one) for one in encoded), np.int64, len(encoded))
    out = np.empty(len(encoded), np.int32)
    for length in np.unique(lengths):
        at = np.flatnonzero(lengths == length)
        padded = -(-int(length) // 4) * 4
        block = np.zeros((len(at), padded), np.uint8)
        block[:, : int(length)] = np.frombuffer(b"".join(encoded[i] for i in at), np.uint8).reshape(len(at), int(length))
        out[at] = _hash_words(block.view("<u4"), int(length)).view(np.int32)
    return out


def buckets(texts: Sequence[str], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index |h| mod count and sign (+1 for h >= 0, else -1) of each text, as scikit-learn's FeatureHasher."""
    hashes = signed_hashes(texts).astype(np.int64)
    return np.abs(hashes) % count, np.where(hashes >= 0, 1, -1)


def _hash_words(words: NDArray[np.uint32], length: int) -> NDArray[np.uint32]:
    h = np.zeros(len(words), np.uint32)
    for j in range(length // 4):
        h = _turn(h ^ _mix(words[:, j]), 13) * np.uint32(5) + np.uint32(0xE6546B64)
    if length % 4:
        h = h ^ _mix(words[:, -1])
    h = h ^ np.uint32(length)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def _mix(k: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return _turn(k * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)


def _turn(x: NDArray[np.uint32], n: int) -> NDArray[np.uint32]:
    return (x << np.uint32(n)) | (x >> np.uint32(32 - n))
