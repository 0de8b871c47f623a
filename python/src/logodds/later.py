"""numpy, imported when it is first used: it takes most of the time in which a program starts that loads a model and scores later."""

from __future__ import annotations

from typing import Any


class _Later:
    def __getattr__(self, name: str) -> Any:
        import numpy

        value = getattr(numpy, name)
        # from now on as fast as an attribute of the module
        setattr(self, name, value)
        return value


np = _Later()
