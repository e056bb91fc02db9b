"""Series as they come: frames whose index holds the times, arrays without times, and everything that tables take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import _native
from ._frames import Incoming, is_paths, to_table
from ._listener import warn

__all__ = ["series_table", "time_in_index", "with_times_of"]

_TIME = "time"
"""What times of an index without a name are called."""


def time_in_index(X: Any) -> str | None:
    """The name for the times in the index of a pandas frame that has no other times, else None."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, (pandas.DataFrame, pandas.Series)):
        return None
    if isinstance(X.index, (pandas.DatetimeIndex, pandas.PeriodIndex)):
        columns = [X[name] for name in X.columns] if isinstance(X, pandas.DataFrame) and X.columns.is_unique else []
        if not any(getattr(column.dtype, "kind", "O") == "M" for column in columns):
            return _TIME if X.index.name is None else str(X.index.name)
    return None


def series_table(X: Any, index_columns: Sequence[str], wanted: _native.Model | None = None) -> Incoming:
    """Data of series as a table of the library.

    Parameters
    ----------
    X : frame, array of shape (points,) or (points, channels), path or list of paths
        The points, or with the layout `rows` the series.
    index_columns : sequence of str
        Columns that name the series and the time. Where a pandas frame has no column of such a name, its index is looked
        up.
    wanted : Model, optional
        Of files, only what this model reads.
    """
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(X, (pandas.DataFrame, pandas.Series)):
        frame = X.to_frame("value" if X.name is None else X.name) if isinstance(X, pandas.Series) else X
        return replace(to_table(_with_index(frame, index_columns)), index=frame.index)
    if polars is not None and isinstance(X, polars.Series):
        return to_table(X.to_frame(X.name or "value"))
    if is_paths(X):
        incoming = to_table(X, wanted=wanted)
        warn(incoming.warnings, stacklevel=5)
        return incoming
    if isinstance(X, (np.ndarray, list, tuple)):
        array = np.asarray(X)
        if array.ndim == 1 and array.dtype.kind in "fiub":
            return to_table(array[:, None])
    return to_table(X)


def with_times_of(found: Any, X: Any, index_columns: Sequence[str], time: str | None, rows: dict[str, str]) -> Any:
    """A frame of findings with times as they are in `X`, in place of text; for each column of `rows`, of the row there."""
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if time is None:
        return found
    if pandas is not None and isinstance(X, (pandas.DataFrame, pandas.Series)) and isinstance(found, pandas.DataFrame):
        frame = X.to_frame("value" if X.name is None else X.name) if isinstance(X, pandas.Series) else X
        frame = _with_index(frame, index_columns)
        if time in frame.columns:
            taken = {name: frame[time].iloc[found[row]].reset_index(drop=True) for name, row in rows.items()}
            return found.assign(**taken)
    elif polars is not None and isinstance(X, polars.DataFrame) and time in X.columns:
        return found.with_columns(X[time][found[row]].alias(name) for name, row in rows.items())
    return found


def _with_index(frame: Any, index_columns: Sequence[str]) -> Any:
    """The frame with the levels of its index as columns that are looked for and are in no column."""
    import pandas

    names = [str(name) for name in frame.columns]
    levels = [None if name is None else str(name) for name in frame.index.names]
    missing = [name for name in index_columns if name not in names]
    if not missing:
        return frame
    frame = frame.copy(deep=False)
    for name in missing:
        if name in levels:
            values = frame.index.get_level_values(levels.index(name))
        elif levels == [None] and isinstance(frame.index, (pandas.DatetimeIndex, pandas.PeriodIndex)):
            values = frame.index
        else:
            continue
        frame.insert(0, name, values)
    return frame
