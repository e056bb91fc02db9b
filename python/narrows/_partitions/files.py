"""Compressed files of parts of the rows, as cells of a binary column, and rows of such cells."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow

from .. import _native
from .columns import check_present
from .model import HeldModel
from .work import table_of

__all__ = ["FILE_SCHEMA", "Compression", "Decompression", "check_columns", "check_compressible", "rows_of"]

FILE_SCHEMA = pyarrow.schema(
    [
        pyarrow.field("partition", pyarrow.int64()),
        pyarrow.field("part", pyarrow.int64()),
        pyarrow.field("rows", pyarrow.int64()),
        pyarrow.field("file", pyarrow.binary()),
    ]
)
"""A compressed file a row: the part of the data that it holds, its place in that, and its rows."""


@dataclass(frozen=True)
class Compression:
    """Compresses rows as they come, a file for so many of them."""

    rows_per_file: int
    options: dict[str, Any] = field(default_factory=dict)
    """Arguments of the native function."""
    held: HeldModel | None = None

    def run(self, parts: Iterable[pyarrow.Table], partition: int) -> Iterator[pyarrow.Table]:
        """Rows of `FILE_SCHEMA`; none for a part without rows."""
        waiting: list[pyarrow.Table] = []
        n_waiting = n_files = 0
        for part in parts:
            while part.num_rows:
                taken = part.slice(0, self.rows_per_file - n_waiting)
                part = part.slice(taken.num_rows)
                waiting.append(taken)
                n_waiting += taken.num_rows
                if n_waiting == self.rows_per_file:
                    yield self._file(waiting, partition, n_files)
                    waiting, n_waiting, n_files = [], 0, n_files + 1
        if waiting:
            yield self._file(waiting, partition, n_files)

    def _file(self, parts: list[pyarrow.Table], partition: int, n_files: int) -> pyarrow.Table:
        assert self.held is not None, "rows are compressed with a model"
        rows = pyarrow.concat_tables(parts)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.nrw"
            self.held.get().compress(table_of(rows, f"partition {partition}"), os.fspath(path), **self.options)
            content = path.read_bytes()
        cells = [[partition], [n_files], [rows.num_rows], [content]]
        return pyarrow.table(cells, schema=FILE_SCHEMA)


@dataclass(frozen=True)
class Decompression:
    """The rows of compressed files."""

    column: str
    """The column with the files."""
    schema: pyarrow.Schema | None = None
    """What the rows are cast to; by default they have the types in the file."""
    held: HeldModel | None = None

    def run(self, parts: Iterable[pyarrow.Table]) -> Iterator[pyarrow.Table]:
        """The rows, a table for each file."""
        assert self.held is not None, "rows are decompressed with a model"
        model = self.held.get()
        for part in parts:
            for cell in part.column(self.column):
                if cell.is_valid:
                    rows = rows_of(model, cell.as_py())
                    yield rows if self.schema is None else self._cast(rows)

    def _cast(self, rows: pyarrow.Table) -> pyarrow.Table:
        assert self.schema is not None
        if rows.column_names != self.schema.names:
            raise ValueError(
                f"{self.column}: expected files with the same columns, got one with {', '.join(rows.column_names)} among "
                f"others with {', '.join(self.schema.names)}"
            )
        return rows.cast(self.schema)


def check_compressible(model: _native.Model) -> None:
    """Checks that a model can compress parts of the rows.

    Raises
    ------
    ValueError
        If it has no decoder, or is one of series, whose points need their neighbours.
    """
    if model.kind == "encoder":
        raise ValueError("model: expected a model with a decoder, got an encoder alone")
    if not model.rows_are_independent:
        raise ValueError(
            "model: expected one of tables, got one of series, whose points need their neighbours: compress a series with "
            "`narrows.compress`"
        )


def check_columns(model: _native.Model, given: pyarrow.Schema, what: str) -> None:
    """Checks that rows with these columns can be compressed.

    Raises
    ------
    ValueError
        If columns are missing, or of another type than in the fit.
    """
    check_present(model.names(), given.names, what)
    empty = pyarrow.schema([given.field(name) for name in model.names()]).empty_table()
    model.score(table_of(empty, what))


def rows_of(model: _native.Model, content: bytes, first: int | None = None, last: int | None = None) -> pyarrow.Table:
    """The rows of a compressed file.

    Raises
    ------
    ValueError
        If it is damaged, or of another model.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.nrw"
        path.write_bytes(content)
        return pyarrow.table(model.decompress(os.fspath(path), first, last))
