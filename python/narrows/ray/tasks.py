"""What Ray's workers run: little is imported here, so that they start soon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow

from .._partitions.files import FILE_SCHEMA, Compression, Decompression
from .._partitions.groups import SeriesGroups
from .._partitions.plan import Plan
from .._partitions.rounds import RoundTraining, added
from .._partitions.summaries import Summarising, conformed, joined

__all__ = [
    "BatchTask",
    "DecompressTask",
    "added_changes",
    "bytes_of_block",
    "compressed",
    "joined_summaries",
    "n_rows",
    "series_task",
]


@dataclass(frozen=True)
class BatchTask:
    """What a task does with a batch."""

    plan: Plan

    def __call__(self, rows: pyarrow.Table) -> pyarrow.Table:
        return self.plan.run(rows, "a block of ds")


def series_task(plan: Plan, groups: SeriesGroups) -> Callable[[pyarrow.Table], pyarrow.Table]:
    """What is done with the rows of a series; a function, as Ray asks it for its name."""

    def of_series(rows: pyarrow.Table) -> pyarrow.Table:
        return groups.run(plan, rows)

    return of_series


def compressed(work: Compression, rows: pyarrow.Table, partition: int) -> pyarrow.Table:
    """The files of a block."""
    return pyarrow.concat_tables([FILE_SCHEMA.empty_table(), *work.run([rows], partition)])


@dataclass(frozen=True)
class DecompressTask:
    """Gives the rows of files."""

    work: Decompression

    def __call__(self, files: pyarrow.Table) -> Any:
        yield from self.work.run([files])


def n_rows(rows: pyarrow.Table) -> int:
    """The number of rows of a block."""
    count: int = rows.num_rows
    return count


def bytes_of_block(
    work: Summarising | RoundTraining, rows: pyarrow.Table, schema: pyarrow.Schema, first_row: int, number: int
) -> bytes:
    """Makes bytes of a block: its summary, or how it changes weights in a round."""
    name = f"block {number} of ds"
    if rows.num_columns == 0 and rows.num_rows == 0:
        # A block without rows may have lost its columns.
        rows = schema.empty_table()
    return work.run([conformed(rows, schema, name)], first_row, name)


def joined_summaries(*summaries: bytes) -> bytes:
    """Summaries as one."""
    return joined(summaries)


def added_changes(*changes: bytes) -> bytes:
    """Changes of a round as one."""
    return added(changes)
