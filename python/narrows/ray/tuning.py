"""Search for a good recipe, with trials on the workers of a cluster."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable
from typing import Any

import ray

from .. import _native
from .._recipe import count_of
from .._search import search_of
from .._tuning import SearchResult, Trial, searched
from .tables import whole_table

__all__ = ["tune"]

_POLL_SECONDS = 0.2
"""How long a search waits for a run before it looks whether it is to end, and what else can begin."""
_TRIALS: dict[str, _native.Trials] = {}
"""The samples of the search that this process works for."""


def _run(name: str, subject: Any, recipe: str, threads: int) -> tuple[str, Exception | None]:
    """Trains a recipe in a worker; its outcome, and the error that a fit would have raised."""
    trials = _TRIALS.get(name)
    if trials is None:
        search = search_of(*subject)
        _TRIALS.clear()
        goal = subject[2]
        trials = _TRIALS[name] = _native.Trials(search.base, search.data, goal=goal, threads=threads, **search.roles)
    try:
        return trials.run(recipe, True), None
    except ValueError as error:
        # That it cannot be trained is an outcome, but for the recipe that the user has given.
        return trials.run(recipe, False), error


class _Runner:
    """Has runs trained by tasks of Ray."""

    def __init__(self, subject: tuple[Any, ...], lookahead: int, num_cpus: float) -> None:
        self.lookahead = lookahead
        self._name = uuid.uuid4().hex
        self._subject = ray.put(subject)
        self._threads = max(1, int(num_cpus))
        self._task: Any = ray.remote(_run).options(num_cpus=num_cpus)
        self._refs: dict[str, Any] = {}
        self._ended: dict[str, tuple[str, Exception | None]] = {}

    def begin(self, recipes: list[str]) -> None:
        """Begins with the first ones, as many as there are workers."""
        for recipe in recipes:
            if recipe not in self._refs and recipe not in self._ended:
                self._refs[recipe] = self._task.remote(self._name, self._subject, recipe, self._threads)

    def known(self, recipe: str) -> str | None:
        """The outcome of a run that has ended."""
        ended = self._result(recipe, 0)
        return None if ended is None else ended[0]

    def wait(self, recipe: str, is_start: bool) -> str | None:
        """The outcome of a run, if it ends soon."""
        ended = self._result(recipe, _POLL_SECONDS)
        if ended is None:
            return None
        outcome, error = ended
        if is_start and error is not None:
            raise error
        return outcome

    def _result(self, recipe: str, seconds: float) -> tuple[str, Exception | None] | None:
        if recipe in self._ended:
            return self._ended[recipe]
        ref = self._refs.get(recipe)
        if ref is None or not ray.wait([ref], timeout=seconds)[0]:
            return None
        try:
            ended: tuple[str, Exception | None] = ray.get(ref)
        except ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else error from None
        self._ended[recipe] = ended
        del self._refs[recipe]
        return ended

    def close(self) -> None:
        """Ends the runs that nobody waits for."""
        for ref in self._refs.values():
            ray.cancel(ref)


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
    concurrency: int | None = None,
    num_cpus: float = 1,
    **arguments: Any,
) -> SearchResult:
    """Searches a recipe as `narrows.tune` does, with the trainings on the workers of a cluster.

    The result and the journal are those of one machine, save the seconds: recipes are drawn by number, runs are written
    down in the order in which one machine has them, and while one is waited for, those begin that will follow as far as
    can be foreseen. Without a limit of time, the result does not depend on the workers.

    Parameters
    ----------
    X : Dataset, or data
        What the estimator is fitted to, in any form that it takes; a Dataset of Ray becomes one table. Every worker gets
        all of it; paths are read there.
    estimator, trials, time, goal, journal, callbacks, verbose, **arguments
        As for `narrows.tune`.
    concurrency : int, optional
        Runs at the same time; by default as many as the cluster has cores for.
    num_cpus : float, default=1
        Cores of a run.

    Returns
    -------
    SearchResult

    Raises
    ------
    ValueError
        If an argument is out of range, or the data do not fit.

    Examples
    --------
    >>> import narrows, narrows.ray
    >>> frame = narrows.datasets.wide(400)
    >>> found = narrows.ray.tune(frame, trials=2, label="is_anomaly", max_steps=20)
    >>> model = found.estimator().fit(frame)
    """
    if not ray.is_initialized():
        ray.init()
    if isinstance(num_cpus, bool) or not isinstance(num_cpus, (int, float)) or not num_cpus > 0:
        raise ValueError(f"num_cpus: expected a number of cores above 0, got {num_cpus!r}")
    resources: Any = ray.cluster_resources
    cores = int(resources().get("CPU", 1) // num_cpus)
    several = max(1, cores) if concurrency is None else count_of(concurrency, "concurrency")
    X = whole_table(X)
    search = search_of(X, estimator, goal, arguments)
    runner = _Runner((X, estimator, goal, arguments), several, num_cpus)
    try:
        return searched(
            search,
            goal,
            trials=trials,
            time=time,
            journal=journal,
            callbacks=callbacks,
            verbose=verbose,
            runner=runner,
        )
    finally:
        runner.close()
