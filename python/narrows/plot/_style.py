"""The style that all plots share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import missing_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BLACK", "BLUE", "GREY", "VERMILION", "axes", "check_can", "finish", "noun_of", "plain_log"]

# Of the palette of Okabe and Ito.
BLACK = "#000000"
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREY = "#767676"


def axes(ax: Any, width: float = 7.0, height: float = 3.6) -> Axes:
    """The axes given, or those of a new figure of this size in inches.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If `ax` is something else.
    """
    try:
        from matplotlib import pyplot
        from matplotlib.axes import Axes
    except ImportError as error:
        raise missing_package("matplotlib", "narrows.plot") from error
    if ax is None:
        _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: expected matplotlib's Axes, got {ax!r}")
    return ax


def check_can(model: Any, method: str, what: str) -> None:
    """Checks that a model has a method.

    Raises
    ------
    TypeError
        If it has not, as a restorer of images has no scores.
    """
    if not hasattr(model, method):
        raise TypeError(f"model: expected one that {what}, got {type(model).__name__}")


def noun_of(model: Any, window: str = "points") -> str:
    """What a model scores; `window` is the word for parts of a series with a point a row."""
    kind = model._fitted().kind
    if kind == "series":
        return "series" if model._is_rows() else window
    return "images" if kind == "images" else "rows"


def plain_log(axis: Any) -> None:
    """A logarithmic axis with numbers as they are written, not as powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    within_a_decade = low > 0 and high < 30 * low
    axis.set_major_locator(
        LogLocator(subs=(1, 2, 3, 5, 7) if high < 8 * low else (1, 2, 5) if within_a_decade else (1, 3))
    )
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def finish(ax: Axes, title: str, x: str, y: str, grid: str = "y") -> Axes:
    """Labels the axes, and takes from them what is not data."""
    ax.set_title(title, loc="left", fontsize="medium")
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    if grid:
        ax.grid(axis=grid, color="#dddddd", linewidth=0.7)  # type: ignore[arg-type]
        ax.set_axisbelow(True)
    ax.tick_params(color=GREY)
    return ax
