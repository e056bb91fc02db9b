"""What Spark's workers run: little is imported here, so that they start soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow
from pyspark import TaskContext

from .._partitions.files import Compression, Decompression
from .._partitions.groups import SeriesGroups
from .._partitions.plan import Plan
from .._partitions.rounds import RoundTraining, added
from .._partitions.summaries import Summarising, joined

__all__ = [
    "BYTES",
    "COUNTS",
    "BytesTask",
    "CompressTask",
    "DecompressTask",
    "PartitionTask",
    "add_two",
    "counted",
    "join_two",
    "series_task",
]

COUNTS = pyarrow.schema([("partition", pyarrow.int64()), ("rows", pyarrow.int64())])
BYTES = pyarrow.schema([("bytes", pyarrow.binary())])


def partition_number() -> int:
    """The number of the partition that a worker works on."""
    context = TaskContext.get()
    return 0 if context is None else context.partitionId()


@dataclass(frozen=True)
class PartitionTask:
    """What a task does with the batches of its partition."""

    plan: Plan

    def __call__(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        source = f"partition {partition_number()}"
        for batch in batches:
            yield from self.plan.run(pyarrow.Table.from_batches([batch]), source).to_batches()


def series_task(plan: Plan, groups: SeriesGroups) -> Callable[[pyarrow.Table], pyarrow.Table]:
    """What is done with the rows of a series; a function, as Spark counts the arguments and would count `self`."""

    def of_series(rows: pyarrow.Table) -> pyarrow.Table:
        return groups.run(plan, rows)

    return of_series


@dataclass(frozen=True)
class CompressTask:
    """Compresses the rows of a partition."""

    work: Compression

    def __call__(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        parts = (pyarrow.Table.from_batches([batch]) for batch in batches)
        for files in self.work.run(parts, partition_number()):
            yield from files.to_batches()


@dataclass(frozen=True)
class DecompressTask:
    """Gives the rows of the files of a partition."""

    work: Decompression

    def __call__(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for rows in self.work.run(pyarrow.Table.from_batches([batch]) for batch in batches):
            yield from rows.to_batches()


def counted(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """The number of rows of a partition."""
    rows = sum(batch.num_rows for batch in batches)
    yield pyarrow.RecordBatch.from_arrays([[partition_number()], [rows]], schema=COUNTS)


@dataclass(frozen=True)
class BytesTask:
    """Makes bytes of a partition: its summary, or how it changes weights in a round."""

    work: Summarising | RoundTraining
    rows: dict[int, int] | None
    """Those of each partition, where a row is identified by its position."""

    def __call__(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        number = partition_number()
        first = 0 if self.rows is None else sum(rows for i, rows in self.rows.items() if i < number)
        counted = _Counted(batches)
        made = self.work.run(counted, first, f"partition {number} of df")
        expected = counted.n_rows if self.rows is None else self.rows.get(number, 0)
        if counted.n_rows != expected:
            raise ValueError(
                f"partition {number} of df: expected {expected} rows as in the pass before, got {counted.n_rows}: what it "
                "is made from changes; persist it first, or name columns that identify a row by `sample_key`"
            )
        yield pyarrow.RecordBatch.from_arrays([[made]], schema=BYTES)


class _Counted:
    """Batches as tables, counted as they go by."""

    def __init__(self, batches: Iterable[pyarrow.RecordBatch]) -> None:
        self._batches = batches
        self.n_rows = 0

    def __iter__(self) -> Iterator[pyarrow.Table]:
        for batch in self._batches:
            self.n_rows += batch.num_rows
            yield pyarrow.Table.from_batches([batch])


def join_two(one: bytes, other: bytes) -> bytes:
    """Two summaries as one."""
    return joined([one, other])


def add_two(one: bytes, other: bytes) -> bytes:
    """Two changes of a round as one."""
    return added([one, other])
