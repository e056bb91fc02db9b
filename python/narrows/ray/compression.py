"""Compressed files of the blocks of a Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray

from .._compression import MaxError, fidelity
from .._partitions.columns import check_present
from .._partitions.files import Compression, Decompression, check_columns, check_compressible
from .._partitions.given import given_model
from .._recipe import count_of
from .jobs import arrow_schema, check_dataset, threads_of_task
from .store import stored_model
from .tasks import DecompressTask, compressed

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["compress", "decompress"]


def compress(
    ds: Dataset,
    model: Any,
    *,
    max_error: MaxError | None = None,
    lossless: bool = False,
    bits: float | None = None,
    quality: int | None = None,
    chunk_rows: int | None = None,
    rows_per_file: int = 1_000_000,
    num_cpus: float | None = None,
) -> Dataset:
    """Compresses the rows of every block to complete files, which ``narrows decompress`` reads, too.

    The blocks of `ds` are made first, so that they have numbers.

    Parameters
    ----------
    ds : Dataset
        Rows of the model's kind; columns that it does not know are kept exactly.
    model : AutoEncoder or path
        A fitted estimator, or the file of one; the preset made for it is `compressing`.
    max_error, lossless, bits, quality, chunk_rows
        As for `narrows.compress`.
    rows_per_file : int, default=1_000_000
        A block with more rows gives several files.
    num_cpus : float, optional
        Cores of a task; 1 by default.

    Returns
    -------
    Dataset
        A file a row: `partition` and `part`, the place of its rows in `ds`; `rows`, their number; and `file`, its bytes.

    Raises
    ------
    ValueError
        If columns are missing, or more than one of `max_error`, `lossless`, `bits` and `quality` is given.
    """
    check_dataset(ds)
    native = given_model(model)
    check_compressible(native)
    options = fidelity(max_error=max_error, lossless=lossless, bits=bits, quality=quality)
    check_columns(native, arrow_schema(ds), "ds")
    work = Compression(
        count_of(rows_per_file, "rows_per_file"),
        {**options, "chunk_rows": None if chunk_rows is None else count_of(chunk_rows, "chunk_rows")},
        stored_model(native, threads_of_task(num_cpus)),
    )
    task: Any = ray.remote(compressed).options(num_cpus=1 if num_cpus is None else num_cpus)
    files: list[Any] = [task.remote(work, rows, i) for i, rows in enumerate(ds.to_arrow_refs())]
    return ray.data.from_arrow_refs(files)


def decompress(ds: Dataset, model: Any, *, column: str = "file", **options: Any) -> Dataset:
    """The rows of compressed files.

    Parameters
    ----------
    ds : Dataset
        As of `compress`, or any other with such files.
    model : AutoEncoder or path
        The model that the files were written with.
    column : str, default="file"
        The column with the files.
    **options
        Those of ``Dataset.map_batches`` on resources, such as ``num_cpus``.

    Returns
    -------
    Dataset
        The rows.

    Raises
    ------
    ValueError
        If there is no such column, or a file is damaged or of another model.
    """
    check_dataset(ds)
    native = given_model(model)
    check_compressible(native)
    check_present([column], arrow_schema(ds).names, "ds")
    held = stored_model(native, threads_of_task(options.get("num_cpus")))
    files = ds.select_columns([column])
    return files.map_batches(DecompressTask(Decompression(column, None, held)), batch_format="pyarrow", **options)
