"""Scoring on Apache Spark: the model and its kernels go to the executors, and rows stay where they are.

>>> import logodds.spark
>>> scored = logodds.spark.score(df, "model.safetensors", columns=["id"])  # doctest: +SKIP
>>> logodds.spark.register(spark, "risk", "model.safetensors")  # doctest: +SKIP
>>> spark.sql("select id, risk(struct(*)).label from loans")  # doctest: +SKIP
"""

from .failures import failure_of
from .scoring import register, score
from .ship import ship
from .training.fit import Fitted, fit

__all__ = ["Fitted", "failure_of", "fit", "register", "score", "ship"]
