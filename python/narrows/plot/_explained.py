"""Why a row has its score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._style import BLUE, GREY, VERMILION, axes, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .._explanation import Explanation

_DIRECTIONS = (("above", VERMILION), ("below", BLUE), ("other", GREY))


def explanation(explanation: Explanation, row: int = 0, *, ax: Any = None) -> Axes:
    """The columns that contribute most to the score of a row, with what was expected there.

    Parameters
    ----------
    explanation : Explanation
        As ``explain`` gives it.
    row : int, default=0
        Position of the row in it.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        A bar a column; its colour says whether the cell is above or below what is expected.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    IndexError
        If there is no such row.
    ValueError
        If the row has no score.
    """
    reasons = explanation[row]
    if not reasons:
        raise ValueError(f"row: expected one that has a score, got {row}")
    ax = axes(ax, 7.0, 1.5 + 0.42 * len(reasons))
    places = list(range(len(reasons)))
    for direction, colour in _DIRECTIONS:
        chosen = [place for place in places if reasons[place].direction == direction]
        if chosen:
            words = {"above": "above expected", "below": "below expected", "other": "category or missing"}[direction]
            ax.barh(chosen, [100 * reasons[place].share for place in chosen], color=colour, height=0.6, label=words)
    longest = max(100 * reason.share for reason in reasons)
    for place, reason in enumerate(reasons):
        about = "" if reason.direction == "other" else "about "
        text = f"expected {about}{reason.expected}, got {reason.got}"
        ax.text(100 * reason.share + 0.015 * longest, place, text, va="center", fontsize="small")
    ax.set_yticks(places, [str(reason.column) for reason in reasons])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.9 * longest)
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= min(100, 1.001 * longest)] or [0])
    ax.legend(frameon=False, fontsize="small", loc="lower right")
    score = explanation[slice(row, row + 1 or None)].scores
    known = "" if score is None else f", score {score[0]:.4g}"
    return finish(ax, f"row {reasons[0].row}{known}", "share (%)", "column", grid="")
