"""Models on Apache Spark: score, explain, encode, reconstruct and compress the rows of a DataFrame where they lie.

The model is broadcast once and read once by each Python process; rows stream through Arrow, only the columns that are
needed; results are those of ``narrows`` on one machine, bit for bit. Needs ``pip install 'narrows[spark]'`` on the driver
and on every worker.

Examples
--------
>>> import narrows, narrows.spark
>>> from pyspark.sql import SparkSession
>>> spark = SparkSession.builder.master("local[2]").getOrCreate()
>>> frame = narrows.datasets.payments(500)
>>> model = narrows.AutoEncoder("deep", max_steps=20, label="is_fraud").fit(frame)
>>> scored = narrows.spark.score(spark.createDataFrame(frame), model, keep=[])
>>> scored.columns
['score', 'p_value', 'is_anomaly']
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._errors import missing_package

if find_spec("pyspark") is None or find_spec("pyarrow") is None:
    raise missing_package("pyspark and pyarrow", "narrows.spark", "'narrows[spark]'")

if TYPE_CHECKING:
    from .compression import compress, decompress
    from .fitting import fit
    from .pipeline import NarrowsEstimator, NarrowsModel
    from .rows import explain, reconstruct, score, transform

_PLACES = {
    "NarrowsEstimator": "pipeline",
    "NarrowsModel": "pipeline",
    "compress": "compression",
    "decompress": "compression",
    "explain": "rows",
    "fit": "fitting",
    "reconstruct": "rows",
    "score": "rows",
    "transform": "rows",
}

__all__ = [
    "NarrowsEstimator",
    "NarrowsModel",
    "compress",
    "decompress",
    "explain",
    "fit",
    "reconstruct",
    "score",
    "transform",
]


def __getattr__(name: str) -> Any:
    # Workers import their tasks alone.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
