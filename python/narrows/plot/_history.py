"""The course of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._html import trainings
from ._style import BLUE, GREY, VERMILION, axes, finish, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training(model: Any, *, ax: Any = None) -> Axes:
    """The loss over the steps of the training, with the weights that were kept.

    Parameters
    ----------
    model : estimator
        Fitted, of any kind.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        The loss is on a logarithmic axis. Of an ensemble, all members.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    NotFittedError
        If the model is not fitted.
    """
    model._fitted()
    ax = axes(ax)
    members = trainings(model.report_)
    faint = 1.0 if len(members) == 1 else 0.6
    for i, member in enumerate(members):
        history = member["history"]
        steps = [check["step"] for check in history]
        first = i == 0
        for name, colour, style in (("train", GREY, ":"), ("validation", BLUE, "-")):
            losses = [check[f"{name}_loss"] for check in history]
            heights = [float("nan") if loss is None or loss <= 0 else loss for loss in losses]
            word = {"train": "training", "validation": "validation"}[name]
            ax.plot(steps, heights, style, color=colour, alpha=faint, label=word if first else "_")
        best = member["best"]
        if best < len(history) and history[best]["validation_loss"] is not None:
            kept = history[best]
            ax.plot(kept["step"], kept["validation_loss"], "o", color=VERMILION, label="kept" if first else "_")
    ax.set_yscale("log")
    plain_log(ax.yaxis)
    ax.legend(frameon=False, fontsize="small")
    stopped = {"early": "stopped early", "finished": "all steps done", "interrupted": "interrupted"}
    ends = ", ".join(dict.fromkeys(stopped.get(member["stopped"], str(member["stopped"])) for member in members))
    several = f"{len(members)} members, " if len(members) > 1 else ""
    most = max(member["steps"] for member in members)
    return finish(ax, f"{several}{most:,} steps: {ends}", "step", "loss", grid="both")
