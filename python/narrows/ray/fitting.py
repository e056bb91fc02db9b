"""Fits to the rows of a Dataset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import ray

from .. import _native
from .._partitions.fitting import Fit
from .._partitions.rounds import RoundTraining
from .._partitions.summaries import Summarising
from .._table import AutoEncoder
from .jobs import arrow_schema, check_dataset, threads_of_task
from .store import Stored, stored_model
from .tasks import added_changes, bytes_of_block, joined_summaries, n_rows

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["fit"]

_ARITY = 8
"""Summaries that a task joins."""


def _task(function: Any, num_cpus: float) -> Any:
    return ray.remote(function).options(num_cpus=num_cpus)


def fit(
    ds: Dataset,
    preset: str = "auto",
    *,
    sample_rows: int | None = None,
    rounds: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    num_cpus: float = 1,
    **arguments: Any,
) -> AutoEncoder:
    """Fits an autoencoder of tables to the rows of a Dataset.

    Tasks summarise its blocks: counts over all rows, and a uniform sample of them, which is drawn alike however the rows
    are cut. Summaries are joined by a tree of tasks, and the sample is fitted to by the caller. The model is that of
    ``AutoEncoder.fit`` on the same rows on one machine, bit for bit, for any number of blocks; with at most `sample_rows`
    rows, these are all.

    Without `sample_key`, a row is identified by its place: block by block.

    Parameters
    ----------
    ds : Dataset
        The rows; null and NaN are missing cells. Its blocks are made first, and stay in Ray's object store while it is
        fitted to.
    preset : str, default="auto"
        The preset to start from.
    sample_rows : int, optional
        Rows of the sample; 2,000,000 by default.
    rounds : int, optional
        Rounds of training on the rows beyond the sample, where that is too little for a network: in each one every
        block trains on its own rows from common weights, and the mean of the changes makes a step. The model then
        depends on the blocks, but not on how often a task is tried.
    checkpoint : str or path, optional
        A file for the state after every round, also an address such as ``s3://bucket/state``. The same fit goes on from
        there if it was interrupted.
    num_cpus : float, default=1
        Cores of a task.
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
        If an argument or the data is invalid; a block with other columns is named.
    TypeError
        If `ds` is no Dataset of Ray.

    Examples
    --------
    >>> import narrows, narrows.ray, ray
    >>> frame = narrows.datasets.payments(300)
    >>> ds = ray.data.from_pandas(frame)
    >>> model = narrows.ray.fit(ds, "deep", max_steps=20, label="is_fraud", sample_key="payment_id")
    >>> narrows.ray.score(ds, model, keep=[]).schema().names
    ['score', 'p_value', 'is_anomaly']
    """
    check_dataset(ds)
    plan = Fit(preset, sample_rows, rounds, checkpoint, arguments)
    schema = arrow_schema(ds)
    plan.check(schema.names, "ds")
    blocks = ds.to_arrow_refs()
    if not blocks:
        raise ValueError("ds: expected rows to fit to, got none")
    threads = threads_of_task(num_cpus)
    functions: tuple[Any, ...] = (n_rows, bytes_of_block, joined_summaries, added_changes)
    count, work, join, add = (_task(function, num_cpus) for function in functions)
    rows = ray.get([count.remote(block) for block in blocks])
    first = [sum(rows[:i]) for i in range(len(rows))]

    def reduced(what: Summarising | RoundTraining, together: Any) -> bytes:
        """The bytes of all blocks together, joined by a tree of tasks."""
        given = ray.put(what)
        made = [work.remote(given, block, schema, first[i], i) for i, block in enumerate(blocks)]
        while len(made) > 1:
            groups = [made[i : i + _ARITY] for i in range(0, len(made), _ARITY)]
            made = [group[0] if len(group) == 1 else together.remote(*group) for group in groups]
        try:
            whole: bytes = ray.get(made[0])
        except ray.exceptions.RayTaskError as error:
            # The error of the task itself, without the traceback of a worker in its message.
            raise error.cause if isinstance(error.cause, Exception) else error from None
        return whole

    def train(model: _native.Model, job: bytes) -> bytes:
        return reduced(RoundTraining(stored_model(model, threads), Stored(ray.put(job))), add)

    return plan.to(reduced(plan.summarising.expecting(sum(rows)), join), train)
