"""Why a row has its score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._style import BLACK, BLUE, GREY, VERMILION, axes, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .._explanation import Explanation

_DIRECTIONS = (
    ("above", VERMILION, "above expected"),
    ("below", BLUE, "below expected"),
    ("other", GREY, "category or missing"),
    ("broken", BLACK, "never so in training"),
)


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
    # Broken invariants decide the score, and have no share of the error: their bars are full.
    percents = [100.0 if reason.direction == "broken" else 100 * reason.share for reason in reasons]
    for direction, colour, words in _DIRECTIONS:
        chosen = [place for place in places if reasons[place].direction == direction]
        if chosen:
            ax.barh(chosen, [percents[place] for place in chosen], color=colour, height=0.6, label=words)
    longest = max(percents)
    for place, reason in enumerate(reasons):
        ax.text(percents[place] + 0.015 * longest, place, reason.words, va="center", fontsize="small")
    ax.set_yticks(places, [str(reason.column) for reason in reasons])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.9 * longest)
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= min(100, 1.001 * longest)] or [0])
    ax.legend(frameon=False, fontsize="small", loc="lower right")
    score = explanation[slice(row, row + 1 or None)].scores
    known = "" if score is None else f", score {score[0]:.4g}"
    return finish(ax, f"row {reasons[0].row}{known}", "share (%)", "column", grid="")
