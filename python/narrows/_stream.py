"""Points of series, scored as they arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict, cast

import numpy as np

from . import _native
from ._frames import to_table


class PointReason(TypedDict):
    """A channel that contributes to the score of a point."""

    column: str
    expected: str
    """In the unit of the channel, as text; of a broken invariant what all training rows kept."""
    got: str
    share: float
    direction: str | None
    """`above`, `below`, `broken` for a channel or column that never changed in training, or None."""


class PointScore(TypedDict):
    """The score of a point that has just arrived."""

    series: str
    """The series of the point; empty if there is only one."""
    time: str | None
    """Its time; None if there is no time column."""
    score: float
    """1 is ordinary, higher is stranger; NaN while there is none, see `flag`."""
    p_value: float
    is_anomaly: bool
    flag: str | None
    """`warm_up`, `missing`, `after_gap`, `duplicate` or None."""
    reasons: list[PointReason]
    """At most three channels, the largest contribution first."""


class Stream:
    """Scores points one by one, as `SeriesAutoEncoder.stream` starts it.

    A point is scored by the window that ends with it, so the first points of a series have no score, until a window is
    full; `remember` takes rows that come before the stream. A score is not that of `score` on the whole series, where
    later points count, too, and has a threshold of its own. Memory grows with the number of series only.

    Times must increase within a series; series may alternate. A row that is refused leaves the stream as it was.

    Attributes
    ----------
    columns : list of str
        The order in which `push` takes a row without names: time and id, if there are any, then the channels.
    """

    def __init__(self, model: _native.Model) -> None:
        self._native = model.stream()
        index = model.index_columns()
        self.columns: list[str] = index + [name for name in model.names() if name not in index]

    def push(self, row: Any) -> PointScore:
        """Scores the next point.

        Parameters
        ----------
        row : dict, pandas Series, frame of one row, or sequence
            The cells by column, or in the order of `columns`. None and NaN are missing.

        Returns
        -------
        dict
            `series`, `time`, `score`, `p_value`, `is_anomaly`, `flag` and `reasons`.

        Raises
        ------
        ValueError
            If the row does not fit the model, or its time is not after that of the last one of its series.
        TypeError
            If it is no row, or a cell has a type that no column has.

        Examples
        --------
        >>> import numpy as np, narrows
        >>> wave = np.sin(np.arange(400) / 3)
        >>> model = narrows.SeriesAutoEncoder(preset="simple", window=16, max_steps=20).fit(wave)
        >>> stream = model.stream()
        >>> stream.remember(wave[:15])
        >>> stream.push([wave[15]])["flag"] is None
        True
        """
        table = self._table(row)
        if table.n_rows != 1:
            raise ValueError(f"expected one row at a time, got {table.n_rows}")
        told = self._native.push(table)
        for name in ("score", "p_value"):
            told[name] = np.nan if told[name] is None else told[name]
        return cast(PointScore, told)

    def remember(self, rows: Any) -> None:
        """Takes rows that come before the stream, so that its first points have a full window; they are not scored.

        Parameters
        ----------
        rows : frame, array of shape (points,) or (points, channels), row as in `push`, or list of such rows
            In the order of time.
        """
        for table in self._tables(rows):
            for i in range(table.n_rows):
                self._native.remember(table.slice(i, 1))

    @property
    def counts(self) -> dict[str, Any]:
        """What was filled, clipped or ignored so far, such as `rows`, `missing`, `gaps`, `unscored`, `unknown_series`."""
        return self._native.counts

    def __repr__(self) -> str:
        return f"Stream(columns={self.columns!r}, rows={self.counts.get('rows', 0)})"

    def _tables(self, rows: Any) -> Iterable[_native.Table]:
        if isinstance(rows, np.ndarray) and rows.dtype.kind in "fiub":
            rows = rows[:, None] if rows.ndim == 1 else rows
            yield self._of_matrix(rows)
        elif isinstance(rows, (list, tuple)) and any(_is_row(row) for row in rows):
            for row in rows:
                yield self._table(row)
        else:
            yield self._table(rows)

    def _table(self, row: Any) -> _native.Table:
        if isinstance(row, Mapping):
            if not row:
                raise ValueError(f"expected the columns {', '.join(self.columns)}, got none")
            return _of_cells([str(name) for name in row], list(row.values()))
        if _is_series(row):
            return _of_cells([str(name) for name in row.index], list(row))
        if isinstance(row, _native.Table):
            return row
        if isinstance(row, np.ndarray) and row.ndim == 2:
            return self._of_matrix(row)
        if isinstance(row, (Sequence, np.ndarray)) and not isinstance(row, (str, bytes)):
            cells = list(row)
            if len(cells) != len(self.columns):
                names = ", ".join(self.columns)
                raise ValueError(f"expected {len(self.columns)} values ({names}), got {len(cells)}")
            return _of_cells(self.columns, cells)
        if isinstance(row, (int, float, np.number)):
            return self._table([row])
        return to_table(row).table

    def _of_matrix(self, rows: Any) -> _native.Table:
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            names = ", ".join(self.columns)
            raise ValueError(f"expected rows of {len(self.columns)} values ({names}), got the shape {rows.shape}")
        return _native.Table.from_matrix(np.ascontiguousarray(rows, dtype=np.float64), self.columns, "stream")


def _of_cells(names: Sequence[str], cells: Sequence[Any]) -> _native.Table:
    return _native.Table.from_columns(
        names, [_column(name, cell) for name, cell in zip(names, cells, strict=True)], "stream"
    )


def _column(name: str, cell: Any) -> Any:
    """A column of this cell."""
    match cell:
        case None:
            return [None]
        case str():
            return [str(cell)]
        case bool() | np.bool_():
            return np.array([cell], dtype=np.bool_)
        case int() | np.integer() if -(2**63) <= cell < 2**63:
            return np.array([cell], dtype=np.int64)
        case int() | np.integer() | float() | np.floating() | Decimal():
            return np.array([float(cell)], dtype=np.float64)
        case np.datetime64():
            return [None if np.isnat(cell) else str(cell)]
        case dt.datetime() | dt.date():
            # As text, which says whether there is a time zone. A missing time of pandas is a datetime, too.
            return [None if cell != cell else cell.isoformat()]
    if type(cell).__name__ == "NAType":
        return [None]
    raise TypeError(f"column `{name}`: expected a number, a text or a time, got {cell!r} ({type(cell).__name__})")


def _is_row(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple, np.ndarray)) or _is_series(value)


def _is_series(value: Any) -> bool:
    return type(value).__name__ == "Series" and hasattr(value, "index") and hasattr(value, "items")
