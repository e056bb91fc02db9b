"""Codes in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _native
from ._labels import are_anomalies
from ._style import BLUE, VERMILION, axes, check_can, finish, noun_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def code_map(model: Any, X: Any, y: Any = None, *, ax: Any = None) -> Axes:
    """Codes as points: the two units of a code, or the first two principal components of more.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder
        Fitted.
    X : data
        In any form that the model encodes. Of series with a point a row, the codes are those of windows; of images in
        patches, the code of an image is the mean of its patches'.
    y : array of shape (n_samples,) or str, optional
        Labels, as for `scores`; not of windows. Without them, samples above the threshold are coloured.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        An axis of a component says its share of the variance of the codes.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If the model has no codes.
    ValueError
        If labels do not fit, or the codes have fewer than two units or rows.
    """
    check_can(model, "transform", "has codes")
    ax = axes(ax, 5.6, 4.8)
    codes = _codes(model, X)
    if codes.shape[0] < 2:
        raise ValueError(f"X: expected at least 2 samples, got {codes.shape[0]}")
    places, names = _places(codes)
    noun = noun_of(model, "windows")
    is_windows = noun == "windows"
    if is_windows and y is not None:
        raise ValueError("y: a window of a series has no label")
    if is_windows:
        ax.scatter(places[:, 0], places[:, 1], s=14, color=BLUE, alpha=0.6, linewidths=0)
    else:
        bad = model.predict(X) == -1 if y is None else are_anomalies(model, X, y, len(places))
        words = (
            ["not above the threshold", "above the threshold"]
            if y is None
            else ["labelled normal", "labelled anomalies"]
        )
        for chosen, word, colour, marker in ((~bad, words[0], BLUE, "o"), (bad, words[1], VERMILION, "^")):
            size, opacity = (12, 0.5) if marker == "o" else (26, 0.9)
            label = f"{word} ({int(chosen.sum()):,})"
            x, height = places[chosen, 0], places[chosen, 1]
            ax.scatter(x, height, s=size, color=colour, alpha=opacity, marker=marker, linewidths=0, label=label)
        ax.legend(frameon=False, fontsize="small")
    size = codes.shape[1]
    unit = "unit" if size == 1 else "units"
    return finish(ax, f"codes of {size} {unit}, of {len(places):,} {noun}", *names, grid="both")


def _codes(model: Any, X: Any) -> npt.NDArray[np.float64]:
    """Codes, a row each, of any kind of model."""
    kind = model._fitted().kind
    if kind == "images":
        codes = [np.asarray(code, dtype=np.float64) for code in model.transform(X)]
        return np.array([code.reshape(-1, code.shape[-1]).mean(axis=0) for code in codes])
    table: _native.Table = model.model_.encode(model._incoming(X).table)
    return table.select([name for name in table.names if name.startswith("code_")]).to_matrix()


def _places(codes: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], tuple[str, str]]:
    if codes.shape[1] == 1:
        order = np.arange(len(codes), dtype=np.float64)
        return np.column_stack([codes[:, 0], order]), ("code_0", "sample")
    if codes.shape[1] == 2:
        return codes, ("code_0", "code_1")
    middle = codes - codes.mean(axis=0)
    _, sizes, parts = np.linalg.svd(middle, full_matrices=False)
    # The sign of a component is free: its largest part is positive.
    parts = parts[:2]
    parts = parts * np.sign(parts[np.arange(len(parts)), np.abs(parts).argmax(axis=1)])[:, None]
    places = middle @ parts.T
    if places.shape[1] < 2:
        places = np.column_stack([places, np.zeros(len(places))])
    total = float((sizes**2).sum()) or 1.0
    shares = [100 * float(size) ** 2 / total for size in [*sizes, 0.0][:2]]
    first, second = (f"{word} principal component ({share:.0f} % of the variance)" for word, share in _numbered(shares))
    return places, (first, second)


def _numbered(shares: list[float]) -> list[tuple[str, float]]:
    return list(zip(("first", "second"), shares, strict=True))
