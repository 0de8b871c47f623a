"""Logistic regression from training to the edge: the same model file and the same bits as in TypeScript.

>>> import logodds
>>> model = logodds.load("model.safetensors")  # doctest: +SKIP
>>> model.predict_proba(frame)  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

from .errors import LogoddsError, LogoddsWarning
from .model import Model, Scores, load

if TYPE_CHECKING:
    from .explain import Contributions, Reason
    from .interval import Interval
    from .sklearn import LogisticRegression as LogisticRegression
    from .sklearn import SeparationWarning as SeparationWarning
    from .sklearn import from_sklearn as from_sklearn
    from .sklearn import to_sklearn as to_sklearn

__version__ = "0.1.0"
# what needs scikit-learn is not here: `from logodds import *` must not need it
__all__ = ["Contributions", "Interval", "LogoddsError", "LogoddsWarning", "Model", "Reason", "Scores", "load"]

#: the files of what few programs need, which are imported when it is asked for
_LATER = {"Contributions": "explain", "Interval": "interval", "Reason": "explain"}
_FOR_SKLEARN = ("LogisticRegression", "SeparationWarning", "from_sklearn", "to_sklearn")


def __getattr__(name: str) -> Any:
    """What few programs need, and what needs scikit-learn, is imported when it is asked for."""
    from importlib import import_module

    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    if name not in _FOR_SKLEARN:
        raise AttributeError(f"module 'logodds' has no attribute {name!r}")
    try:
        return getattr(import_module(".sklearn", __name__), name)
    except ImportError as error:
        raise ImportError(f"logodds.{name}: expected scikit-learn 1.6 or newer, got {error}; pip install scikit-learn") from error
