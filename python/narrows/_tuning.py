"""Search for a good recipe."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import _native
from ._listener import warn
from ._recipe import Recipe, threads_of
from ._search import Search, search_of

__all__ = ["SearchResult", "searched", "tune"]

_LOG = logging.getLogger("narrows")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
Trial = dict[str, Any]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    recipe : Recipe
        The best recipe.
    best : dict
        Its measurements: `number` of its trial, `cost` (the criterion, lower is better), `unexplained` (share of the
        variance of held-out samples), `standard_error`, `code_size`, `parameters` and `steps`. The size of the code may be
        another than the trial's: one of the curve, where that is better.
    trials : list of dict
        The recipes that were tried, by number; the first is the one from which the search started. The same
        measurements, `share` of the training steps (below 1 if it was stopped early), `seconds`, `error` if the
        training failed, and `recipe`.
    curve : list of dict
        The error by size of the code, all else as in the best recipe: `code_size`, `unexplained`, `pca_unexplained` and
        `cost`.
    elbow : int or None
        The size of the code at the elbow of the curve.
    goal : str
        ``"reconstruction"`` or ``"detection"``.
    ended : str
        ``"finished"``, ``"time"`` or ``"interrupted"``.
    n_held_out : int
        Held-out samples on which trials are compared.
    """

    recipe: Recipe
    best: Trial
    trials: list[Trial]
    curve: list[dict[str, Any]]
    elbow: int | None
    goal: str
    ended: str
    n_held_out: int
    _search: Search

    def estimator(self) -> Any:
        """An estimator like the one that was searched for, not fitted, with the best recipe."""
        return self._search.with_recipe(self.recipe)

    def ranked(self) -> list[Trial]:
        """The trials, the best first; those that were not stopped early before the others."""

        def key(trial: Trial) -> tuple[bool, float, int]:
            cost = trial["cost"]
            return trial["share"] < 1.0, float("inf") if cost is None else cost, trial["number"]

        return sorted(self.trials, key=key)

    def __repr__(self) -> str:
        return (
            f"SearchResult(trials={len(self.trials)}, cost={self.best['cost']:.4g}, "
            f"code_size={self.best['code_size']}, ended={self.ended!r})"
        )

    def _repr_html_(self) -> str:
        from ._html import search_html

        return search_html(self)


def tune(
    X: Any,
    estimator: Any = None,
    *,
    trials: int = 20,
    time: str | float | dt.timedelta | None = None,
    goal: str = "reconstruction",
    journal: str | os.PathLike[str] | None = None,
    callbacks: Callable[[Trial], Any] | list[Callable[[Trial], Any]] | None = None,
    verbose: int = 0,
    **arguments: Any,
) -> SearchResult:
    """Searches size of the code, layers, loss, corruption and learning rate for the data.

    Recipes are drawn at random, and bad ones are stopped early. They are compared on held-out samples with which no fit
    of the same `random_state` calibrates, so that the guarantee of a threshold stays.

    Parameters
    ----------
    X : data
        What the estimator is fitted to.
    estimator : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder, default=None
        Whose recipe is searched, not fitted. Arguments of it that say something on the recipe are held fixed. By default
        an `AutoEncoder`, or for images an `ImageAutoEncoder`.
    trials : int, default=20
        Number of recipes; the first is the one from which the search starts.
    time : str, float or timedelta, default=None
        Limit of time, such as ``"30s"``, ``"5m"`` or ``"1h"``; a number is in seconds.
    goal : {"reconstruction", "detection"}, default="reconstruction"
        A small code with a low error of reconstruction, or to find anomalies; neither needs labels.
    journal : str or path, default=None
        A file of every training, from which a search goes on that was interrupted; by default there is none.
    callbacks : callable or list, default=None
        Called with every trial that has ended; True ends the search.
    verbose : int, default=0
        1 prints a line a trial.
    **arguments
        Those of `AutoEncoder`, such as ``label="is_fraud"``, if no estimator is given; or of `ImageAutoEncoder`.

    Returns
    -------
    SearchResult

    Raises
    ------
    ValueError
        If an argument is out of range, or the data do not fit.
    TypeError
        If the data or an argument has a wrong type.

    Examples
    --------
    >>> import narrows
    >>> frame = narrows.datasets.wide(400)
    >>> found = narrows.tune(frame, trials=2, label="is_anomaly", max_steps=20)
    >>> model = found.estimator().fit(frame)
    """
    search = search_of(X, estimator, goal, arguments)
    return searched(search, goal, trials=trials, time=time, journal=journal, callbacks=callbacks, verbose=verbose)


def searched(
    search: Search,
    goal: str,
    *,
    trials: int,
    time: str | float | dt.timedelta | None,
    journal: str | os.PathLike[str] | None,
    callbacks: Any,
    verbose: int,
    runner: Any = None,
) -> SearchResult:
    """The result of a search; a `runner` trains its runs elsewhere."""
    heard = _Heard(callbacks, verbose)
    if isinstance(trials, bool) or not isinstance(trials, int):
        raise TypeError(f"trials: expected an integer, got {trials!r}")
    if trials < 1:
        raise ValueError(f"trials: expected at least 1, the recipe that the search starts from, got {trials}")
    native, told = _native.tune(
        search.base,
        search.data,
        goal=goal,
        held=search.held,
        trials=trials,
        seconds=_seconds(time),
        threads=threads_of(search.estimator.n_jobs),
        listener=heard,
        journal=None if journal is None else os.fspath(journal),
        runner=runner,
        **search.roles,
    )
    found = json.loads(told)
    if found["ended"] == "interrupted" and not heard.stopped:
        warn(["the search was interrupted: its result is the best recipe so far"])
    return SearchResult(
        recipe=Recipe(native),
        best={"number": found["best_trial"], **found["best"]},
        trials=[_trial(trial) for trial in found["trials"]],
        curve=found["curve"]["points"],
        elbow=found["curve"]["elbow"],
        goal=found["goal"],
        ended=found["ended"],
        n_held_out=found["held_out"],
        _search=search,
    )


def _seconds(time: str | float | dt.timedelta | None) -> float | None:
    wrong = f"time: expected a time such as '30s', '5m' or '1h', got {time!r}"
    match time:
        case None:
            return None
        case dt.timedelta():
            seconds = time.total_seconds()
        case str():
            found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([smh])\s*", time)
            if found is None:
                raise ValueError(wrong)
            seconds = float(found[1]) * _UNITS[found[2]]
        case bool():
            raise TypeError(wrong)
        case int() | float():
            seconds = float(time)
        case _:
            raise TypeError(wrong)
    if not 0 < seconds < 1e9:
        raise ValueError(wrong)
    return seconds


def _measured(outcome: dict[str, Any]) -> dict[str, Any]:
    """The measurements of a run, or why there are none."""
    if "done" in outcome:
        return dict(outcome["done"])
    names = ("cost", "unexplained", "standard_error", "code_size", "parameters", "steps")
    return {**dict.fromkeys(names), "error": outcome["failed"]}


def _trial(told: dict[str, Any]) -> Trial:
    others = {name: told[name] for name in ("share", "seconds", "recipe")}
    return {"number": told["number"], **_measured(told["outcome"]), **others}


class _Heard:
    """Tells callbacks and the log what has been tried."""

    def __init__(self, callbacks: Any, verbose: int) -> None:
        several = callbacks if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
        for callback in several:
            if not callable(callback):
                raise TypeError(f"callbacks: expected functions of a trial, got {callback!r}")
        self._callbacks = several
        self._verbose = verbose
        self.stopped = False

    def __call__(self, event: str, data: dict[str, Any]) -> bool:
        if event != "run" or data["stage"] != "trial":
            return self.stopped
        others = {name: data[name] for name in ("share", "seconds", "recalled", "recipe")}
        trial = {"number": data["trial"], **_measured(data["outcome"]), **others}
        outcome = trial.get("error") or f"cost {trial['cost']:.4g}, code of {trial['code_size']}"
        line = f"trial {trial['number']}, {100 * trial['share']:.0f} % of the steps: {outcome}"
        _LOG.info(line)
        if self._verbose > 0:
            print(line)
        if any(callback(trial) is True for callback in self._callbacks):
            self.stopped = True
        return self.stopped
