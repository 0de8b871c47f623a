"""The kernels in WebAssembly, and their linear memory as arrays of numpy."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from .elementary import Floats
from .errors import LogoddsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    from .later import np

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
    from pkgutil import get_data

    engine = _wasmtime().Engine()
    return _left_at_exit(engine), _left_at_exit(_wasmtime().Module(engine, get_data("logodds", f"wasm/{name}")))


_ALIVE: WeakSet[Any] = WeakSet()


def _left_at_exit(one: Any) -> Any:
    """The object, which is not destroyed when Python ends: it would be after the functions that destroy it, with a message on standard error."""
    if not _ALIVE:
        atexit.register(_keep)
    _ALIVE.add(one)
    return one


def _keep() -> None:
    import ctypes

    # programs may still score: nothing is closed, and the system takes the memory
    for one in [*_ALIVE]:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


def _called(store: Any, function: Any) -> Callable[..., Any]:
    """The call of a function of a module.

    That of Wasmtime asks for the types each time, and takes 50 µs; ours goes to the same function of its C API in 2 µs. It knows its bindings by
    names that are not promised: where one is absent, and where words are big-endian, it is Wasmtime's own.
    """
    import ctypes

    kind = function.type(store)
    kinds = [str(one) for one in kind.params]
    results = [str(one) for one in kind.results]
    try:
        from wasmtime import _ffi as ffi

        if sys.byteorder == "big":
            raise AttributeError("values are in little-endian order")
        values = (ffi.wasmtime_val_raw_t * max(1, len(kinds), len(results)))()
        context, own = store._context(), ctypes.byref(function._func)
        invoke, trap_type = ffi.wasmtime_func_call_unchecked, ctypes.POINTER(ffi.wasm_trap_t)
        trap_of, error_of = _wasmtime().Trap._from_ptr, _wasmtime().WasmtimeError._from_ptr
    except (ImportError, AttributeError):
        return partial(_converted, store, function, kinds)
    places = [*zip(values, kinds)]
    first, result, count = values[0], results[0] if results else None, len(values)

    def call(*args: float) -> Any:
        for (value, kind), arg in zip(places, args, strict=True):
            setattr(value, kind, arg)
        trap = trap_type()
        error = invoke(context, own, values, count, ctypes.byref(trap))
        if trap:
            raise trap_of(trap)
        if error:
            raise error_of(error)
        return None if result is None else getattr(first, result)

    return call


def _converted(store: Any, function: Any, kinds: Sequence[str], *args: float) -> Any:
    """A call by Wasmtime's own conversion, which asks the types of a number that is none of its values."""
    make = _wasmtime().Val
    return function(store, *(make.i32(arg) if kind == "i32" else make.f64(arg) for kind, arg in zip(kinds, args)))


class Kernels:
    """One instance of a module. It is for one thread at a time."""

    def __init__(self, name: str = "kernels.wasm") -> None:
        engine, module = _module(name)
        wasmtime = _wasmtime()
        self._store = _left_at_exit(wasmtime.Store(engine))
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory: Any = self._exports["memory"]
        self._functions: dict[str, Callable[..., Any]] = {}
        abi = self.call("abiVersion")
        if abi != ABI:
            raise LogoddsError("ERR_ENGINE", f"{name}: expected ABI version {ABI}, got {abi}; install the package again")
        self.base = aligned(self.call("heapBase"))
        self._bytes = self._view()

    def call(self, name: str, *args: float) -> Any:
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = _called(self._store, self._exports[name])
        return function(*args)

    def _view(self) -> NDArray[np.uint8]:
        import ctypes

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

    def view(self, address: int, count: int, dtype: Any = float) -> NDArray[Any]:
        """An array in linear memory, without a copy; valid until the memory grows."""
        return self._bytes[address : address + count * np.dtype(dtype).itemsize].view(dtype)


def aligned(address: int) -> int:
    """The address, or the next multiple of 16."""
    return -(-address // 16) * 16


def code_type(width: int) -> tuple[int, Any]:
    """Kind and type of the codes of so many slots."""
    return (2, np.uint8) if width <= 1 << 8 else (3, np.uint16) if width <= 1 << 16 else (4, np.uint32)


_TURNED = 256
"""Rows of an array that are turned into columns at a time, which stay in the nearest cache"""


class _Places(NamedTuple):
    """Addresses of a batch in linear memory."""

    rows: int
    columns: Sequence[int]
    z: int
    #: values from one plane of logits to the next
    plane: int


class Scorer:
    """Logits of encoded rows by the kernels, with the weights of one model in their memory. An instance for each thread."""

    def __init__(self, widths: Sequence[int], weights: Floats, intercept: Floats) -> None:
        self._types = [code_type(width) if width else (1, np.float64) for width in widths]
        firsts = np.cumsum([0, *(width or 1 for width in widths)])[:-1].tolist()
        self._sizes = [np.dtype(dtype).itemsize for _, dtype in self._types]
        self._firsts = firsts
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

    def _placed(self, rows: int) -> _Places:
        """Where columns and logits of so many rows go. It stays for the next batch of as many."""
        places: _Places | None = getattr(self._local, "places", None)
        if places is not None and places.rows == rows:
            return places
        kernels, _, _, table = self._kernels()
        vectors = len(self._intercept)
        entries = np.zeros((len(self._types), 4), np.uint32)
        at = aligned(table + entries.nbytes)
        for j, (size, (kind, _)) in enumerate(zip(self._sizes, self._types)):
            entries[j, :3] = at, kind, self._firsts[j]
            at = aligned(at + rows * size)
        plane = -(-rows // 4) * 4
        kernels.reserve(at + vectors * plane * 8)
        kernels.view(table, entries.size, np.uint32)[:] = entries.reshape(-1)
        places = self._local.places = _Places(rows, entries[:, 0].tolist(), at, plane)
        return places

    def _computed(self, places: _Places) -> tuple[Kernels, int, int]:
        kernels, weights, intercept, table = self._kernels()
        columns, vectors = len(self._types), len(self._intercept)
        kernels.call("logitsColumnsF64", table, columns, 0, places.rows, weights, self._slots, intercept, vectors, places.z, places.plane)
        return kernels, places.z, places.plane

    def logits(self, columns: Sequence[NDArray[Any]], rows: int) -> tuple[Kernels, int, int]:
        """Computes the logits of rows. Returns the kernels, the address of the planes, and how many values lie between them."""
        places = self._placed(rows)
        kernels = self._kernels()[0]
        for (_, dtype), place, values in zip(self._types, places.columns, columns):
            # the one copy of a cell
            kernels.view(place, rows, dtype)[:] = values
        return self._computed(places)

    def logits_of_rows(self, X: Floats, low: Floats, high: Floats) -> tuple[Kernels, int, int] | None:
        """As `logits`, of an array of rows whose columns are all numbers; None when one is not from low to high of its column."""
        rows, columns = X.shape
        places = self._placed(rows)
        kernels = self._kernels()[0]
        stride = aligned(8 * rows) // 8
        planes = kernels.view(places.columns[0], columns * stride).reshape(columns, stride)[:, :rows]
        for first in range(0, rows, _TURNED):
            # the one copy of a cell
            planes[:, first : first + _TURNED] = X[first : first + _TURNED].T
        with np.errstate(invalid="ignore"):
            # NaN is in no range
            inside = (low <= planes.min(axis=1)).all() and (planes.max(axis=1) <= high).all()
        return self._computed(places) if inside else None
