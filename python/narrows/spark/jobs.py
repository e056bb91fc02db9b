"""Plans as Spark's jobs over Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql.types import StructType

from .. import _native
from .._partitions.groups import SeriesGroups
from .._partitions.plan import planned
from .._partitions.work import Work
from .broadcast import broadcast_model
from .tasks import PartitionTask, series_task
from .types import arrow_schema, quoted, spark_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["check_dataframe", "mapped"]


def check_dataframe(df: object) -> None:
    """Checks that data is a DataFrame of Spark.

    Raises
    ------
    TypeError
        If it is not.
    ValueError
        If two of its columns have the same name.
    """
    if not (hasattr(df, "mapInArrow") and hasattr(df, "schema")):
        raise TypeError(f"df: expected a DataFrame of Spark, got {type(df).__module__}.{type(df).__name__}")
    names = df.schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"df: expected columns with names of their own, got `{'`, `'.join(twice)}` more than once")


def mapped(
    df: DataFrame, model: _native.Model, work: Work, keep: str | Sequence[str] | None, groups: SeriesGroups | None
) -> DataFrame:
    """The results of a model's work beside the columns to keep."""
    plan = planned(model, work, df.columns, lambda names: arrow_schema(df, names), keep, "df")
    kept = {field.name: field for field in df.schema.fields}
    schema = StructType([*(kept[name] for name in plan.kept), *spark_schema(plan.added).fields])
    plan = plan.on(broadcast_model(df, model))
    needed = df.select(*map(quoted, plan.columns))
    if groups is None:
        return needed.mapInArrow(PartitionTask(plan), schema)
    return needed.groupBy(*map(quoted, groups.ids)).applyInArrow(series_task(plan, groups), schema)
