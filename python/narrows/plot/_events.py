"""Series with their anomalous stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._course import channel_at, course_of, long_table
from ._style import BLUE, VERMILION, axes, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def events(model: Any, X: Any, *, series: Any = None, channel: str | None = None, ax: Any = None) -> Axes:
    """A channel of a series, with its anomalous stretches shaded and their peaks marked.

    Parameters
    ----------
    model : SeriesAutoEncoder
        Fitted, with a point a row.
    X : data
        In any form that the model scores.
    series : str, optional
        The series to show, as `model.events` names it; by default that of the highest peak, else the first.
    channel : str, optional
        The channel; by default the one that contributes most to the highest peak.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Over the time, or over the points where there is none.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If the model is not one of series, or there is no such series or channel.
    """
    table = long_table(model, X)
    found = model.model_.events(table)
    columns = {name: found.column(i) for i, name in enumerate(found.names)}
    peaks = np.asarray(columns["peak_score"], dtype=np.float64)
    if series is None:
        row = int(columns["peak_row"][peaks.argmax()]) if len(peaks) else 0
    else:
        row = _row_of(model, table, str(series))
    course = course_of(model, table, row)
    is_here = np.isin(np.asarray(columns["first_row"], dtype=np.int64), course.rows)
    here = np.flatnonzero(is_here)
    if len(here):
        row = int(columns["peak_row"][here[peaks[here].argmax()]])
    name = channel_at(model, table, row, channel)
    ax = axes(ax, 9.0, 3.4)
    values = course.values(table, name)
    ax.plot(course.x, values, color=BLUE, linewidth=1.0, label=name)
    for i, event in enumerate(here):
        first, last, peak = (course.place(int(columns[part][event])) for part in ("first_row", "last_row", "peak_row"))
        label = "anomalous" if i == 0 else "_"
        # To the middle of the way to the neighbours, so that a stretch of one point is seen.
        left, right = _between(course.x, first - 1, first), _between(course.x, last, last + 1)
        ax.axvspan(left, right, color=VERMILION, alpha=0.22, linewidth=0, label=label)
        ax.plot(course.x[peak], values[peak], "^", color=VERMILION, label="highest score" if i == 0 else "_")
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="upper right", bbox_to_anchor=(1, 1.14))
    _dates(ax, course.x)
    who = f"{course.name}: " if course.name else ""
    count = f"{len(here)} anomalous stretch{'' if len(here) == 1 else 'es'}"
    return finish(ax, who + count, course.time, name)


def _row_of(model: Any, table: Any, series: str) -> int:
    """The first row of a series."""
    left = np.ones(table.n_rows, dtype=bool)
    known = []
    while left.any():
        row = int(left.argmax())
        course = course_of(model, table, row)
        if course.name == series:
            return row
        known.append(course.name)
        left[course.rows] = False
    raise ValueError(f"series: expected one of {', '.join(known)}, got {series!r}")


def _between(x: Any, i: int, j: int) -> Any:
    """The middle between two points; at an end the point that there is."""
    if i < 0 or j >= len(x):
        return x[max(i, 0)] if i >= 0 else x[j]
    return x[i] + (x[j] - x[i]) / 2


def _dates(ax: Axes, x: Any) -> None:
    """Short dates on the axis, if it has dates."""
    if np.asarray(x).dtype.kind == "M":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
