"""Plans as Ray's tasks over Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow
import ray

from .. import _native
from .._partitions.groups import SeriesGroups
from .._partitions.plan import planned
from .._partitions.work import Work
from .._recipe import count_of
from .store import stored_model
from .tasks import BatchTask, series_task

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["arrow_schema", "check_dataset", "mapped", "threads_of_task"]


def check_dataset(ds: object) -> None:
    """Checks that data is a Dataset of Ray.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not (hasattr(ds, "map_batches") and hasattr(ds, "schema")):
        raise TypeError(f"ds: expected a Dataset of Ray, got {type(ds).__module__}.{type(ds).__name__}")


def arrow_schema(ds: Dataset) -> pyarrow.Schema:
    """The columns of a Dataset; where Ray has to run it to know them, its first block is made.

    Raises
    ------
    ValueError
        If there are none.
    """
    try:
        schema = ds.schema()
    except pyarrow.ArrowException:
        # Blocks differ: the first one counts, and the task of another says which it is.
        return _first_schema(ds)
    if schema is None or not schema.names:
        raise ValueError("ds: expected columns, got a Dataset without any")
    # Blocks that are frames of pandas get types when they become Arrow's.
    return schema.base_schema if isinstance(schema.base_schema, pyarrow.Schema) else _first_schema(ds)


def _first_schema(ds: Dataset) -> pyarrow.Schema:
    """The columns of the first row."""
    refs: list[Any] = ds.limit(1).to_arrow_refs()
    for ref in refs:
        table: pyarrow.Table = ray.get(ref)
        if table.num_columns:
            return table.schema
    raise ValueError("ds: expected rows, got an empty Dataset whose columns have no types")


def _chosen(schema: pyarrow.Schema, names: list[str]) -> pyarrow.Schema:
    return pyarrow.schema([schema.field(name) for name in names])


def threads_of_task(num_cpus: float | None) -> int:
    """The threads of a task that Ray gives so many cores; one by default."""
    return 1 if num_cpus is None else max(1, int(num_cpus))


def mapped(
    ds: Dataset,
    model: _native.Model,
    work: Work,
    keep: str | Sequence[str] | None,
    groups: SeriesGroups | None,
    batch_size: int | None,
    options: dict[str, Any],
) -> Dataset:
    """The results of a model's work beside the columns to keep."""
    if batch_size is not None:
        count_of(batch_size, "batch_size")
    schema = arrow_schema(ds)
    plan = planned(model, work, schema.names, lambda names: _chosen(schema, names), keep, "ds")
    plan = plan.on(stored_model(model, threads_of_task(options.get("num_cpus"))))
    needed = ds.select_columns(plan.columns)
    if groups is None:
        return needed.map_batches(BatchTask(plan), batch_format="pyarrow", batch_size=batch_size, **options)
    return needed.groupby(groups.ids).map_groups(series_task(plan, groups), batch_format="pyarrow", **options)
