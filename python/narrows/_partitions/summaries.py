"""Summaries of parts: each worker makes that of its rows, and they join in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow

from .. import _native
from .columns import check_present, listed
from .work import table_of

__all__ = ["Summarising", "conformed", "joined"]

_SOURCE = "X"
"""What the rows are called in the report, as those of a frame are, so that models are the same."""


@dataclass(frozen=True)
class Summarising:
    """Makes the summary of a part of the rows."""

    rows: int
    seed: int
    key: list[str]
    expected: int | None = None
    """Rows in all, where they are known."""

    def expecting(self, rows: int) -> Summarising:
        """The same for a part of so many rows in all."""
        return replace(self, expected=rows)

    def run(self, parts: Iterable[pyarrow.Table], first_row: int, name: str) -> bytes:
        """The summary as bytes.

        Raises
        ------
        ValueError
            If the rows do not fit together; the message says in which part, by its `name`.
        """
        summary = _native.Summary(self.rows, self.seed, self.key, self.expected)
        n_rows = 0
        try:
            for part in parts:
                summary.add(table_of(part, _SOURCE), first_row + n_rows)
                n_rows += part.num_rows
            return summary.to_bytes()
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def joined(summaries: Iterable[bytes]) -> bytes:
    """The summary of the rows of all of them, at least one."""
    whole, *others = (_native.Summary.from_bytes(summary) for summary in summaries)
    for other in others:
        whole.join(other)
    return whole.to_bytes()


def conformed(part: pyarrow.Table, schema: pyarrow.Schema, name: str) -> pyarrow.Table:
    """A part with the columns of the whole.

    Raises
    ------
    ValueError
        If it has other columns, or cells of another kind; the message says which part, by its `name`.
    """
    check_present(schema.names, part.column_names, name)
    further = [column for column in part.column_names if column not in schema.names]
    if further:
        raise ValueError(f"{name}: expected the columns {listed(schema.names)}, got also {listed(further)}")
    columns = []
    for field in schema:
        cells = part.column(field.name)
        try:
            columns.append(cells.cast(field.type))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{name}: column `{field.name}`: expected {field.type} as elsewhere, got {cells.type}: {error}"
            ) from error
    return pyarrow.table(columns, schema=schema)
