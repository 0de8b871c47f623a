"""The package itself on the executors of a session, so that they need wasmtime and numpy alone."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

_SHIPPED: WeakSet[Any] = WeakSet()
_MODULES = (".py", ".wasm", ".typed")


def ship(spark: Any) -> None:
    """Sends this package to the executors of a session, once. **It comes before a version that is installed there**, so versions never differ.

    Executors need wasmtime, numpy and pyarrow, and nothing else. `score` and `register` call it.
    """
    if spark in _SHIPPED:
        return
    spark.addArtifacts(archive(), pyfile=True)
    _SHIPPED.add(spark)


@cache
def archive() -> str:
    """The path of this package as a zip file. It has a name of its own for each content."""
    root = Path(__file__).parents[1]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(root.rglob("*")):
            if path.suffix in _MODULES:
                # a fixed time: the same package gives the same bytes
                file.writestr(zipfile.ZipInfo(f"logodds/{path.relative_to(root).as_posix()}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    digest = hashlib.sha256(data.getvalue()).hexdigest()[:16]
    path = Path(tempfile.mkdtemp(prefix="logodds-")) / f"logodds_{digest}.zip"
    path.write_bytes(data.getvalue())
    return str(path)
