"""Logistic regression from training to the edge: the same model file and the same bits as in TypeScript.

>>> import logodds
>>> model = logodds.load("model.safetensors")  # doctest: +SKIP
>>> model.predict_proba(frame)  # doctest: +SKIP
"""

from .errors import LogoddsError
from .explain import Contributions, Reason
from .interval import Interval
from .model import Model, Scores, load

__version__ = "0.1.0"
__all__ = ["Contributions", "Interval", "LogoddsError", "Model", "Reason", "Scores", "load"]
