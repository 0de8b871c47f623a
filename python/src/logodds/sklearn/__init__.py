"""For scikit-learn: an estimator of its conventions, and its pipelines as model files and back."""

from .estimator import LogisticRegression, SeparationWarning
from .export import to_sklearn
from .imported import from_sklearn

__all__ = ["LogisticRegression", "SeparationWarning", "from_sklearn", "to_sklearn"]
