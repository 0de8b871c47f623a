"""The kernels in WebAssembly, and their linear memory as arrays of numpy."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .elementary import Floats
from .errors import LogoddsError

ABI = 1
_PAGE = 65536


if TYPE_CHECKING:
    import wasmtime


@cache
def _wasmtime() -> Any:
    """wasmtime is imported when rows are scored: `load` does without. Raises ERR_ENGINE where it is not installed."""
    try:
        import wasmtime
    except ImportError as error:
        raise LogoddsError("ERR_ENGINE", f"logodds: expected the package wasmtime, got {error}; pip install wasmtime") from error
    return wasmtime


@cache
def _module(name: str) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """A module of the package, compiled once a process: in 10 ms, so no machine code is kept where others might change it."""
    engine = _wasmtime().Engine()
    return engine, _wasmtime().Module(engine, get_data("logodds", f"wasm/{name}"))


class Kernels:
    """One instance of a module. It is for one thread at a time."""

    def __init__(self, name: str = "kernels.wasm") -> None:
        engine, module = _module(name)
        wasmtime = _wasmtime()
        self._int = wasmtime.Val.i32
        self._store = wasmtime.Store(engine)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory: Any = self._exports["memory"]
        # a look-up costs as much as a call
        self._functions: dict[str, Any] = {}
        abi = self.call("abiVersion")
        if abi != ABI:
            raise LogoddsError("ERR_ENGINE", f"{name}: expected ABI version {ABI}, got {abi}; install the package again")
        self.base = aligned(self.call("heapBase"))
        self._bytes = self._view()

    def call(self, name: str, *args: float) -> Any:
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._exports[name]
        # wasmtime asks the types of a number that is none of its own
        return function(self._store, *[self._int(arg) if isinstance(arg, int) else arg for arg in args])

    def _view(self) -> NDArray[np.uint8]:
        length = self._memory.data_len(self._store)
        address = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        return np.frombuffer((ctypes.c_ubyte * length).from_address(address), np.uint8)

    def reserve(self, end: int) -> None:
        """Makes the memory reach an address. Raises ERR_MEMORY. **Views from before are invalid.**"""
        missing = end + 16 - len(self._bytes)
        if missing <= 0:
            return
        try:
            self._memory.grow(self._store, -(-missing // _PAGE))
        except _wasmtime().WasmtimeError as error:
            raise LogoddsError("ERR_MEMORY", f"memory: expected room for {end} bytes, got none; score fewer rows at a time") from error
        self._bytes = self._view()

    def view(self, address: int, count: int, dtype: Any = np.float64) -> NDArray[Any]:
        """An array in linear memory, without a copy; valid until the memory grows."""
        return self._bytes[address : address + count * np.dtype(dtype).itemsize].view(dtype)


def aligned(address: int) -> int:
    """The address, or the next multiple of 16."""
    return -(-address // 16) * 16


def code_type(width: int) -> tuple[int, Any]:
    """Kind and type of the codes of so many slots."""
    return (2, np.uint8) if width <= 1 << 8 else (3, np.uint16) if width <= 1 << 16 else (4, np.uint32)


class Scorer:
    """Logits of encoded rows by the kernels, with the weights of one model in their memory. An instance for each thread."""

    def __init__(self, widths: Sequence[int], weights: Floats, intercept: Floats) -> None:
        self._types = [code_type(width) if width else (1, np.float64) for width in widths]
        firsts = np.cumsum([0, *(width or 1 for width in widths)])[:-1].tolist()
        self._entries = np.zeros((len(widths), 4), np.uint32)
        for j, (kind, _) in enumerate(self._types):
            self._entries[j, 1:3] = kind, firsts[j]
        self._weights, self._intercept = weights, intercept
        self._slots = len(weights) // len(intercept)
        self._local = threading.local()

    def _kernels(self) -> tuple[Kernels, int, int, int]:
        """The instance of this thread, and where weights, intercept and free memory begin."""
        local = self._local
        if not hasattr(local, "kernels"):
            kernels = Kernels()
            weights = kernels.base
            intercept = aligned(weights + self._weights.nbytes)
            free = aligned(intercept + self._intercept.nbytes)
            kernels.reserve(free)
            kernels.view(weights, len(self._weights))[:] = self._weights
            kernels.view(intercept, len(self._intercept))[:] = self._intercept
            local.kernels = kernels, weights, intercept, free
        ready: tuple[Kernels, int, int, int] = local.kernels
        return ready

    def logits(self, columns: Sequence[NDArray[Any]], rows: int) -> tuple[Kernels, int, int]:
        """Computes the logits of rows. Returns the kernels, the address of the planes, and how many values lie between them."""
        kernels, weights, intercept, free = self._kernels()
        vectors = len(self._intercept)
        table = free
        at = aligned(table + self._entries.nbytes)
        places = []
        for _, dtype in self._types:
            places.append(at)
            at = aligned(at + rows * np.dtype(dtype).itemsize)
        z, plane = at, -(-rows // 4) * 4
        kernels.reserve(z + vectors * plane * 8)
        self._entries[:, 0] = places
        kernels.view(table, self._entries.size, np.uint32)[:] = self._entries.reshape(-1)
        for (_, dtype), place, values in zip(self._types, places, columns):
            # the one copy of a cell
            kernels.view(place, rows, dtype)[:] = values
        kernels.call("logitsColumnsF64", table, len(columns), 0, rows, weights, self._slots, intercept, vectors, z, plane)
        return kernels, z, plane
