"""Compressed files of the partitions of a DataFrame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._compression import MaxError, fidelity
from .._partitions.columns import check_present, plain_schema
from .._partitions.files import (
    FILE_SCHEMA,
    Compression,
    Decompression,
    check_columns,
    check_compressible,
    rows_of,
)
from .._partitions.given import given_model
from .._recipe import count_of
from .broadcast import broadcast_model
from .jobs import check_dataframe
from .tasks import CompressTask, DecompressTask
from .types import arrow_schema, quoted, spark_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["compress", "decompress"]


def compress(
    df: DataFrame,
    model: Any,
    *,
    max_error: MaxError | None = None,
    lossless: bool = False,
    bits: float | None = None,
    quality: int | None = None,
    chunk_rows: int | None = None,
    rows_per_file: int = 1_000_000,
) -> DataFrame:
    """Compresses the rows of every partition to complete files, which ``narrows decompress`` reads, too.

    Parameters
    ----------
    df : DataFrame
        Rows of the model's kind; columns that it does not know are kept exactly.
    model : AutoEncoder or path
        A fitted estimator, or the file of one; the preset made for it is `compressing`.
    max_error, lossless, bits, quality, chunk_rows
        As for `narrows.compress`.
    rows_per_file : int, default=1_000_000
        A partition with more rows gives several files; so many rows are held in memory.

    Returns
    -------
    DataFrame
        A file a row: `partition` and `part`, the place of its rows in `df`; `rows`, their number; and `file`, its bytes.

    Raises
    ------
    ValueError
        If columns are missing, or more than one of `max_error`, `lossless`, `bits` and `quality` is given.
    """
    check_dataframe(df)
    native = given_model(model)
    check_compressible(native)
    options = fidelity(max_error=max_error, lossless=lossless, bits=bits, quality=quality)
    check_present(native.names(), df.columns, "df")
    check_columns(native, arrow_schema(df, native.names()), "df")
    work = Compression(
        count_of(rows_per_file, "rows_per_file"),
        {**options, "chunk_rows": None if chunk_rows is None else count_of(chunk_rows, "chunk_rows")},
        broadcast_model(df, native),
    )
    return df.mapInArrow(CompressTask(work), spark_schema(FILE_SCHEMA))


def decompress(df: DataFrame, model: Any, *, column: str = "file") -> DataFrame:
    """The rows of compressed files, in the order of the files.

    The first file is read at once, as it tells the columns.

    Parameters
    ----------
    df : DataFrame
        As of `compress`, or any other with such files.
    model : AutoEncoder or path
        The model that the files were written with.
    column : str, default="file"
        The column with the files.

    Returns
    -------
    DataFrame
        The rows.

    Raises
    ------
    ValueError
        If there is no such column, no file in it, or a file is damaged or of another model.
    """
    check_dataframe(df)
    native = given_model(model)
    check_compressible(native)
    check_present([column], df.columns, "df")
    files = df.select(quoted(column))
    first = files.dropna().take(1)
    if not first:
        raise ValueError(f"df: expected compressed files in the column `{column}`, got none")
    schema = plain_schema(rows_of(native, bytes(first[0][0]), 0, 1).schema)
    work = Decompression(column, schema)
    return files.mapInArrow(DecompressTask(replace(work, held=broadcast_model(df, native))), spark_schema(schema))
