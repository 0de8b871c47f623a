"""Logistic regression from training to the edge: the same model file and the same bits as in TypeScript.

>>> import logodds
>>> model = logodds.load("model.safetensors")  # doctest: +SKIP
>>> model.predict_proba(frame)  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

from .errors import LogoddsError, LogoddsWarning
from .explain import Contributions, Reason
from .interval import Interval
from .model import Model, Scores, load

if TYPE_CHECKING:
    from .sklearn import LogisticRegression, from_sklearn, to_sklearn

__version__ = "0.1.0"
__all__ = ["Contributions", "Interval", "LogisticRegression", "LogoddsError", "Model", "Reason", "Scores", "from_sklearn", "load", "to_sklearn"]

_FOR_SKLEARN = ("LogisticRegression", "from_sklearn", "to_sklearn")


def __getattr__(name: str) -> Any:
    """What needs scikit-learn is imported when it is asked for."""
    if name not in _FOR_SKLEARN:
        raise AttributeError(f"module 'logodds' has no attribute {name!r}")
    try:
        from . import sklearn
    except ImportError as error:
        raise ImportError(f"logodds.{name}: expected scikit-learn 1.6 or newer, got {error}; pip install scikit-learn") from error
    return getattr(sklearn, name)
