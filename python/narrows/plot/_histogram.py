"""The distribution of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._labels import are_anomalies
from ._style import BLUE, VERMILION, axes, check_can, finish, noun_of, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 50


def scores(model: Any, X: Any, y: Any = None, *, ax: Any = None) -> Axes:
    """The distribution of the scores of data, with the threshold.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder
        Fitted.
    X : data
        In any form that the model scores.
    y : array of shape (n_samples,) or str, optional
        Labels, or the column of `X` with them: 1 among 0, -1 among +1, or what is not the normal label of the model,
        are anomalies. Without them, those above the threshold are coloured.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Scores are on a logarithmic axis; samples without a score are left out.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If the model has no scores.
    ValueError
        If no sample has a score, or labels do not fit.
    """
    check_can(model, "score_samples", "gives scores")
    ax = axes(ax)
    found = -model.score_samples(X)
    known = np.isfinite(found)
    if not known.any():
        raise ValueError("X: expected samples that have a score, got none")
    threshold = float(model.threshold_)
    is_flagged = found > threshold
    is_anomaly = is_flagged if y is None else are_anomalies(model, X, y, len(found))
    least = max(float(found[known].min()), 1e-6)
    positive = np.maximum(found[known], least)
    # The threshold is an edge, so that no bin is on both sides of it.
    edges = np.geomspace(least, max(float(positive.max()), least * 1.001), _BINS + 1)
    if edges[0] < threshold < edges[-1]:
        edges = np.unique(np.append(edges, threshold))
    parts = [positive[~is_anomaly[known]], positive[is_anomaly[known]]]
    names = (
        ["not above the threshold", "above the threshold"] if y is None else ["labelled normal", "labelled anomalies"]
    )
    bars = [f"{name} ({len(part):,})" for name, part in zip(names, parts, strict=True)]
    ax.hist(parts, bins=edges.tolist(), stacked=True, color=[BLUE, VERMILION], label=bars)
    ax.axvline(threshold, color="black", linestyle="--", linewidth=1.2, label=f"threshold {threshold:.4g}")
    ax.set_xscale("log")
    plain_log(ax.xaxis)
    ax.legend(frameon=False, fontsize="small")
    noun = noun_of(model)
    flagged = int(is_flagged.sum())
    title = f"{flagged:,} of {int(known.sum()):,} {noun} score above the threshold"
    return finish(ax, title, "score (1 is typical)", noun)
