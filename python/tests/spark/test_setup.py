"""The three kinds of Spark that the other tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.mark.parametrize("spark", ["local", "cluster", "connect"], indirect=True)
def test_arrow_comes_to_workers(spark: Any) -> None:
    def doubled(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow
        import pyarrow.compute

        for batch in batches:
            yield pyarrow.RecordBatch.from_arrays([pyarrow.compute.multiply(batch.column(0), 2)], ["n"])

    found = spark.range(0, 1000, 1, 4).mapInArrow(doubled, "n long").toPandas()
    assert sorted(found["n"]) == [2 * n for n in range(1000)]


def test_cluster_has_two_workers(cluster: Any, cluster_of: Any) -> None:
    cluster.range(8).repartition(4).count()
    assert cluster_of.state()["aliveworkers"] == 2
    assert len(cluster_of.executors()) == 2
