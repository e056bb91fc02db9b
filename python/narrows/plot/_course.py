"""The course of a channel of a series, for plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _native

__all__ = ["Course", "channel_at", "course_of", "long_table"]


@dataclass(frozen=True)
class Course:
    """A channel of one series."""

    rows: npt.NDArray[np.int64]
    """The rows of the data that belong to the series, in the order of time."""
    x: npt.NDArray[Any]
    """Times, or positions where there are none."""
    name: str
    """The series; empty if there is only one."""
    time: str
    """What `x` is, to label an axis."""

    def values(self, table: _native.Table, channel: str) -> npt.NDArray[np.float64]:
        """A column at the rows of the series."""
        column = np.asarray(table.column(table.names.index(channel)), dtype=np.float64)
        return column[self.rows]

    def place(self, row: int) -> int:
        """The position in the series of a row of the data."""
        return int(np.flatnonzero(self.rows == row)[0])


def long_table(model: Any, X: Any) -> _native.Table:
    """The data as a table of points.

    Raises
    ------
    ValueError
        If the model is not one of series with a point a row.
    """
    if model._fitted().kind != "series" or model._is_rows():
        raise ValueError("model: expected a SeriesAutoEncoder for data with a point a row")
    table: _native.Table = model._incoming(X).table
    return table


def course_of(model: Any, table: _native.Table, row: int) -> Course:
    """The series that a row belongs to."""
    index = [name for name in model.model_.index_columns() if name in table.names]
    time = next((name for name in index if _says_when(model, name)), None)
    ids = [name for name in index if name != time]
    is_same = np.ones(table.n_rows, dtype=bool)
    words = []
    for name in ids:
        cells = np.asarray(table.column(table.names.index(name)), dtype=object)
        is_same &= cells == cells[row]
        words.append(str(cells[row]))
    rows = np.flatnonzero(is_same)
    times = None if time is None else table.column(table.names.index(time))
    if time is None or not isinstance(times, np.ndarray):
        # There is no time, or it is text.
        return Course(rows, np.arange(len(rows)), ", ".join(words), "point")
    rows = rows[np.argsort(times[rows], kind="stable")]
    unit = f"{time} (UTC)" if times.dtype.kind == "M" else time
    return Course(rows, times[rows], ", ".join(words), unit)


def channel_at(model: Any, table: _native.Table, row: int, channel: str | None) -> str:
    """The channel asked for, or the one that contributes most to the score of a row.

    Raises
    ------
    ValueError
        If the model has no such channel.
    """
    index = model.model_.index_columns()
    channels = [name for name in model.model_.names() if name not in index]
    if channel is None:
        _, reasons = model.model_.explain(table, 1)
        rows = np.asarray(reasons.column(reasons.names.index("row")))
        found = np.flatnonzero(rows == row)
        return str(reasons.column(reasons.names.index("column"))[found[0]]) if len(found) else channels[0]
    if channel not in channels:
        raise ValueError(f"channel: expected one of {', '.join(channels)}, got {channel!r}")
    return channel


def _says_when(model: Any, name: str) -> bool:
    """Whether a column is the time, not what identifies the series."""
    columns = {column["name"]: column["words"] for column in model.report_.get("columns") or []}
    return str(columns.get(name, "")).startswith("says when")
