"""What a model makes of a sample, beside the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _native
from ._course import channel_at, course_of, long_table
from ._events import _dates
from ._style import BLUE, GREY, VERMILION, axes, check_can, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEWEST_ROWS = 5
"""Of fewer rows, columns have no spread that is worth its name."""


def reconstruction(model: Any, X: Any, row: int = 0, *, channel: str | None = None, ax: Any = None) -> Axes:
    """A sample and its reconstruction.

    Of a table, the cells of a row and of its reconstruction; what `explain` expects may differ, as it is inferred from the
    columns that fit. Of series, a channel around a point, or the whole series where a row is one. Of images, the image, its
    reconstruction and the heat map of the error.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder
        Fitted.
    X : data
        In any form that the model reconstructs. Numbers of a table are drawn in standard deviations of their column in
        `X`, so give all rows, not the one alone.
    row : int, default=0
        Position of the row, point or image.
    channel : str, optional
        Of series, the channel; by default the one that contributes most to the score of the point.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    IndexError
        If there is no such row.
    TypeError
        If the model reconstructs nothing.
    ValueError
        If a table has fewer than 5 rows, or there is no such channel.
    """
    check_can(model, "reconstruct", "reconstructs")
    kind = model._fitted().kind
    if kind == "images":
        return _images(model, X, row, ax)
    if kind == "series":
        return _whole_series(model, X, row, ax) if model._is_rows() else _series(model, X, row, channel, ax)
    return _table(model, X, row, ax)


def _checked(row: Any, n: int) -> int:
    if isinstance(row, bool) or not isinstance(row, (int, np.integer)):
        raise TypeError(f"row: expected a position, got {row!r}")
    if not -n <= row < n:
        raise IndexError(f"row: expected a position among {n}, got {row}")
    return int(row) % n


def _table(model: Any, X: Any, row: int, ax: Any) -> Axes:
    incoming = model._incoming(X)
    table = incoming.table
    row = _checked(row, table.n_rows)
    if table.n_rows < _FEWEST_ROWS:
        raise ValueError(
            f"X: expected at least {_FEWEST_ROWS} rows, to draw each column to its scale, got {table.n_rows}"
        )
    one = table.slice(row, 1)
    made = model.model_.reconstruct(one)
    scores, explained = model.model_.explain(one, len(made.names))
    names = explained.column(explained.names.index("column"))
    ax = axes(ax, 8.0, 1.3 + 0.36 * len(names))
    drawn = []
    for place, name in enumerate(names):
        ends = _standardised(table, made, name, row)
        if ends is not None:
            ax.plot(ends, [place, place], color=GREY, linewidth=1.4, zorder=1)
            drawn.append((ends, place))
        text = f"{_cell(made, name)} → {_got(explained, place)}"
        ax.text(1.02, place, text, va="center", fontsize="small", transform=ax.get_yaxis_transform())
    for i, (word, colour, marker) in enumerate((("reconstructed", BLUE, "o"), ("got", VERMILION, "D"))):
        face = "white" if i == 0 else colour
        places = [place for _, place in drawn]
        x = [ends[i] for ends, _ in drawn]
        ax.scatter(
            x, places, s=34, marker=marker, facecolor=face, edgecolor=colour, linewidths=1.5, zorder=2, label=word
        )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(range(len(names)), [str(incoming.labels.get(name, name)) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.text(
        1.02,
        -0.75,
        "reconstructed → got",
        va="bottom",
        fontsize="small",
        color=GREY,
        transform=ax.get_yaxis_transform(),
    )
    ax.legend(frameon=False, fontsize="small", loc="lower right")
    label = row if incoming.index is None else incoming.index[row]
    title = f"row {label}, score {scores.score[0]:.4g}; the columns that contribute most first"
    return finish(ax, title, "distance from the column's mean (standard deviations)", "column", grid="both")


def _cell(made: Any, name: str) -> str:
    """The only cell of a column, as text."""
    value = made.column(made.names.index(name))[0]
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)


def _got(explained: Any, place: int) -> str:
    return str(explained.column(explained.names.index("got"))[place])


def _standardised(table: Any, made: Any, name: str, row: int) -> tuple[float, float] | None:
    """Reconstructed and actual value in standard deviations of the column; None if it is not of numbers, or missing."""
    i, j = table.names.index(name), made.names.index(name)
    if table.kinds()[i] not in ("int", "float") or made.kinds()[j] not in ("int", "float"):
        return None
    column = np.asarray(table.column(i), dtype=np.float64)
    column_known = column[np.isfinite(column)]
    spread = float(column_known.std()) if len(column_known) else 0.0
    got, rebuilt = float(column[row]), float(np.asarray(made.column(j), dtype=np.float64)[0])
    if spread == 0 or not np.isfinite([got, rebuilt]).all():
        return None
    middle = float(column_known.mean())
    return (rebuilt - middle) / spread, (got - middle) / spread


def _series(model: Any, X: Any, row: int, channel: str | None, ax: Any) -> Axes:
    table = long_table(model, X)
    row = _checked(row, table.n_rows)
    name = channel_at(model, table, row, channel)
    course = course_of(model, table, row)
    made = course.values(model.model_.reconstruct(table), name)
    given = course.values(table, name)
    at = course.place(row)
    first, last = max(0, at - model.window_), min(len(given), at + model.window_ + 1)
    x = course.x[first:last]
    ax = axes(ax, 9.0, 3.4)
    ax.plot(x, given[first:last], color=BLUE, linewidth=1.3, label="signal")
    ax.plot(x, made[first:last], color=VERMILION, linewidth=1.3, linestyle="--", label="reconstruction")
    ax.axvline(course.x[at], color=GREY, linewidth=0.9, linestyle=":", label=f"row {row}")
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="upper right", bbox_to_anchor=(1, 1.14))
    _dates(ax, x)
    score = float(model.model_.score(table).score[row])
    known = f"score {score:.4g}" if np.isfinite(score) else "no score"
    who = f"{course.name}, " if course.name else ""
    return finish(ax, f"{who}row {row}: {known}", course.time, name)


def _whole_series(model: Any, X: Any, row: int, ax: Any) -> Axes:
    """A series that is a row."""
    incoming = model._incoming(X)
    table = incoming.table
    row = _checked(row, table.n_rows)
    one = table.slice(row, 1)
    made = model.model_.reconstruct(one)
    names = [name for name in model.model_.names() if name in made.names and name in table.names]
    given = one.select(names).to_matrix()[0]
    ax = axes(ax, 9.0, 3.4)
    ax.plot(given, color=BLUE, linewidth=1.3, label="signal")
    ax.plot(made.select(names).to_matrix()[0], color=VERMILION, linewidth=1.3, linestyle="--", label="reconstruction")
    ax.legend(frameon=False, fontsize="small", ncols=2, loc="upper right", bbox_to_anchor=(1, 1.14))
    label = row if incoming.index is None else incoming.index[row]
    score = float(model.model_.score(one).score[0])
    return finish(ax, f"row {label}: score {score:.4g}", f"point, from {names[0]} to {names[-1]}", "value")


def _images(model: Any, X: Any, row: int, ax: Any) -> Axes:
    from .._image_arrays import given_images

    came = given_images(X)
    row = _checked(row, len(came))
    given = came.native.get(row)
    one = _native.Images.of([given])
    made = model.model_.reconstruct_images(one, model.resize)[0]
    scores, heats = model.model_.score_images(one, True, model.resize)
    height, width = made.shape[:2]
    gap = max(2, round(0.06 * width))
    ax = axes(ax, 9.0, 0.9 + 8.0 / 3 * height / width)
    panels = [(given, "image"), (np.clip(made, 0, 1), "reconstruction"), (heats[0], "squared error")]
    for k, (values, word) in enumerate(panels):
        left = k * (width + gap)
        extent = (left, left + width, height, 0)
        heat = k == 2
        drawn = ax.imshow(
            _shown(values), extent=extent, cmap="inferno" if heat else "gray", vmin=0, vmax=None if heat else 1
        )
        ax.text(left + width / 2, -0.03 * height, word, ha="center", va="bottom", fontsize="small")
        if heat:
            bar = ax.figure.colorbar(drawn, ax=ax, fraction=0.02, pad=0.02)
            bar.set_label("error (1 is a typical pixel's)")
    ax.set_xlim(0, 3 * width + 2 * gap)
    ax.set_ylim(height, -0.1 * height)
    ax.set_xticks([0, width], ["0", f"{width}"])
    ax.set_yticks([0, height], ["0", f"{height}"])
    ax.set_aspect("equal")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    title = f"image {came.name(row)}, score {float(scores.score[0]):.4g}"
    return finish(ax, title, "pixels", "pixels", grid="")


def _shown(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An image without the axis of a single channel."""
    return values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
