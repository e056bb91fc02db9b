"""Types of Arrow as Spark's, and the columns of a DataFrame as Arrow's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow
from pyspark.sql import types as spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["arrow_schema", "quoted", "spark_schema"]

_SIMPLE = {
    pyarrow.bool_(): spark.BooleanType,
    pyarrow.int8(): spark.ByteType,
    pyarrow.int16(): spark.ShortType,
    pyarrow.int32(): spark.IntegerType,
    pyarrow.int64(): spark.LongType,
    pyarrow.float32(): spark.FloatType,
    pyarrow.float64(): spark.DoubleType,
    pyarrow.string(): spark.StringType,
    pyarrow.binary(): spark.BinaryType,
    pyarrow.date32(): spark.DateType,
}


def quoted(name: str) -> str:
    """The name of a column as Spark takes it literally, dots and all."""
    return "`" + name.replace("`", "``") + "`"


def arrow_schema(df: DataFrame, names: Sequence[str]) -> pyarrow.Schema:
    """Columns as workers get them, without a job."""
    return df.select(*map(quoted, names)).limit(0).toArrow().schema


def spark_schema(schema: pyarrow.Schema) -> spark.StructType:
    """Columns that workers give back.

    Raises
    ------
    TypeError
        If Spark lacks a type.
    """
    return spark.StructType([spark.StructField(field.name, _spark_type(field.type)) for field in schema])


def _spark_type(kind: pyarrow.DataType) -> spark.DataType:
    types = pyarrow.types
    if kind in _SIMPLE:
        return _SIMPLE[kind]()
    if types.is_timestamp(kind):
        return spark.TimestampNTZType() if kind.tz is None else spark.TimestampType()
    if types.is_decimal(kind):
        return spark.DecimalType(kind.precision, kind.scale)
    if types.is_list(kind):
        return spark.ArrayType(_spark_type(kind.value_type))
    if types.is_struct(kind):
        return spark.StructType([spark.StructField(field.name, _spark_type(field.type)) for field in kind])
    raise TypeError(f"expected a type that Spark has, got {kind}")
