"""Fits to the rows of a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

from .. import _native
from .._partitions.fitting import Fit
from .._partitions.rounds import RoundTraining
from .._table import AutoEncoder
from .broadcast import broadcast_bytes, broadcast_model
from .jobs import check_dataframe
from .tasks import BYTES, COUNTS, BytesTask, add_two, counted, join_two
from .types import spark_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["fit"]


def fit(
    df: DataFrame,
    preset: str = "auto",
    *,
    sample_rows: int | None = None,
    rounds: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    **arguments: Any,
) -> AutoEncoder:
    """Fits an autoencoder of tables to the rows of a DataFrame.

    Workers summarise their partitions: counts over all rows, and a uniform sample of them, which is drawn alike however
    the rows are cut. Summaries are joined by a tree, and the sample is fitted to on the driver. The model is that of
    ``AutoEncoder.fit`` on the same rows on one machine, bit for bit, for any number of partitions; with at most
    `sample_rows` rows, these are all.

    Without `sample_key`, a row is identified by its place: partition by partition. Then the rows of a DataFrame are read
    twice, and have to come in the same order again: persist one that is shuffled.

    Parameters
    ----------
    df : DataFrame
        The rows; null and NaN are missing cells.
    preset : str, default="auto"
        The preset to start from.
    sample_rows : int, optional
        Rows of the sample; 2,000,000 by default.
    rounds : int, optional
        Rounds of training on the rows beyond the sample, where that is too little for a network: in each one every
        partition trains on its own rows from common weights, and the mean of the changes makes a step. The model then
        depends on the partitions, but not on how often a task is tried.
    checkpoint : str or path, optional
        A file for the state after every round, also an address such as ``s3://bucket/state``. The same fit goes on from
        there if it was interrupted.
    **arguments
        All others of `AutoEncoder`, such as `label`, `random_state` and `sample_key`: columns that identify a row. With
        these the model does not depend on the order of the rows.

    Returns
    -------
    AutoEncoder
        It is fitted.

    Raises
    ------
    ValueError
        If an argument or the data is invalid.
    TypeError
        If `df` is no DataFrame of Spark.

    Examples
    --------
    >>> import narrows, narrows.spark
    >>> from pyspark.sql import SparkSession
    >>> spark = SparkSession.builder.master("local[2]").getOrCreate()
    >>> frame = narrows.datasets.payments(300)
    >>> df = spark.createDataFrame(frame)
    >>> model = narrows.spark.fit(df, "deep", max_steps=20, label="is_fraud", sample_key="payment_id")
    >>> narrows.spark.score(df, model, keep=[]).columns
    ['score', 'p_value', 'is_anomaly']
    """
    check_dataframe(df)
    plan = Fit(preset, sample_rows, rounds, checkpoint, arguments)
    plan.check(df.columns, "df")
    work, rows = plan.summarising, None
    if not plan.has_key:
        counts = df.mapInArrow(counted, spark_schema(COUNTS)).collect()
        rows = {int(row["partition"]): int(row["rows"]) for row in counts}
        work = work.expecting(sum(rows.values()))

    def train(model: _native.Model, job: bytes) -> bytes:
        training = RoundTraining(broadcast_model(df, model), broadcast_bytes(df, job))
        return _reduced(df.mapInArrow(BytesTask(training, rows), spark_schema(BYTES)), add_two)

    return plan.to(_reduced(df.mapInArrow(BytesTask(work, rows), spark_schema(BYTES)), join_two), train)


def _reduced(made: DataFrame, join: Callable[[bytes, bytes], bytes]) -> bytes:
    """The bytes of all partitions together, joined on the workers where Spark lets them."""
    try:
        parts = made.rdd.map(lambda row: bytes(row[0]))
    except Exception:
        # Spark Connect has no such reduce.
        parts = None
    if parts is None:
        return reduce(join, (bytes(row[0]) for row in made.collect()))
    whole: bytes = parts.treeReduce(join)
    return whole
