"""What all estimators share once they are fitted: the model, its report, files, pickles."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from typing import Any, ClassVar, Self

from . import _native
from ._base import EstimatorBase
from ._errors import ModelFileError, not_fitted
from ._hub import HubMixin
from ._listener import Listener, history_of, trainings_of, warn
from ._onnx import OnnxMixin
from ._recipe import Recipe, seed_of, threads_of, threshold_rule
from ._report_page import Report

__all__ = ["FittedMixin"]


class FittedMixin(OnnxMixin, HubMixin, EstimatorBase):
    """A fitted model of any kind.

    Attributes
    ----------
    model_ : object
        The native model.
    recipe_ : Recipe
        Every setting of the fit.
    report_ : dict
        What the fit found: rows, columns, network, training, detection.
    history_ : list of dict
        The checks of the training: member, step, epoch, train_loss, validation_loss, learning_rate.
    notes_ : list of str
        What was noted about the data.
    n_iter_ : int
        Steps of training, of the longest member.
    threshold_ : float
        Scores above it are anomalies; models that restore images have none.
    offset_ : float
        Minus `threshold_`, as scikit-learn's scores are higher for ordinary rows.
    """

    _model_kind: ClassVar[str]
    n_jobs: int | None

    model_: _native.Model
    recipe_: Recipe
    report_: dict[str, Any]
    history_: list[dict[str, Any]]
    notes_: list[str]
    n_iter_: int
    threshold_: float
    offset_: float

    def _set_model(self, model: _native.Model) -> None:
        """Holds a model, and what follows from it."""
        self.model_ = model.with_threads(threads_of(self.n_jobs))
        self.recipe_ = Recipe(model.recipe)
        self.report_ = json.loads(model.report_json())
        verdict = model.verdict()
        if verdict is not None:
            self.report_["verdict"] = json.loads(verdict)
        self.history_ = history_of(self.report_)
        self.notes_ = [*getattr(self, "_read_notes", []), *(self.report_.get("notes") or [])]
        steps = [training.get("steps", 1) for training in trainings_of(self.report_)]
        self.n_iter_ = max([1, *steps])
        if model.kind in ("table", "series", "images"):
            self.threshold_ = model.threshold
            self.offset_ = -self.threshold_

    def with_threshold(self, rule: str | float) -> Self:
        """A copy that draws the line between ordinary and anomalous elsewhere; nothing is trained.

        Parameters
        ----------
        rule : str or float
            A rule such as ``"false_alarm_rate=0.01"``, ``"quantile=0.99"`` or ``"fixed=3.5"``; a number is a fixed
            threshold.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If there is no such rule, or the model cannot follow it.
        """
        return self._with_model(self._fitted().with_threshold(str(threshold_rule(rule))))

    def _fit_native(
        self,
        recipe: _native.Recipe,
        data: _native.Table | _native.Images,
        heard: list[str],
        *,
        fit: Callable[..., tuple[_native.Model, bool]] = _native.fit,
        stacklevel: int = 4,
        **roles: Any,
    ) -> None:
        """Fits, tells what is to be told, and holds the model. `heard` are warnings of the reading; `fit` is called as
        that of the native module; `stacklevel` leads warnings to the caller's line."""
        with Listener(self._callbacks(), getattr(self, "verbose", 0), type(self).__name__) as listener:
            model, interrupted = fit(recipe, data, threads=threads_of(self.n_jobs), listener=listener, **roles)
        self._set_model(model)
        told = [*heard, *(self.report_.get("warnings") or []), *listener.warnings]
        if interrupted and not any("interrupted" in text for text in told):
            told.append("the training was interrupted: the model has the best weights so far")
        warn(told, stacklevel=stacklevel)

    def _callbacks(self) -> Any:
        return getattr(self, "callbacks", None)

    @classmethod
    def _from_model(cls, model: _native.Model) -> Self:
        """An estimator of a model that was fitted elsewhere."""
        estimator = cls(**cls._arguments_of(model))
        estimator._set_model(model)
        return estimator

    @classmethod
    def _arguments_of(cls, model: _native.Model) -> dict[str, Any]:
        """The arguments with which a fit would make such a model."""
        return {"recipe": Recipe(model.recipe)}

    def _fitted(self) -> _native.Model:
        """The model.

        Raises
        ------
        NotFittedError
            If there is none.
        """
        model: _native.Model | None = self.__dict__.get("model_")
        if model is None:
            raise not_fitted(self)
        return model

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in self.__dict__

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves the model as a file that `narrows.load` and the command ``narrows`` read.

        Parameters
        ----------
        path : str or path
            The file, by custom with the extension ``.narrows``.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        OSError
            If the file cannot be written.
        """
        self._fitted().save(os.fspath(path))

    def _with_model(self, model: _native.Model) -> Self:
        """A copy of the estimator with another model."""
        other = copy.copy(self)
        other._set_model(model)
        return other

    def _seed(self, random_state: Any) -> int:
        """The seed of new samples; by default the model's."""
        seed = seed_of(random_state)
        return int(self.recipe_.to_dict()["seed"]) if seed is None else seed

    def _write_report(self, path: str | os.PathLike[str] | None, html: str) -> Report | None:
        if path is None:
            return Report(html)
        _native.write_file(os.fspath(path), html.encode())
        return None

    def _repr_html_(self) -> str:
        from . import _html

        html: str = _html.estimator_html(self)
        return html

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        model = state.pop("model_", None)
        if model is not None:
            for name in ("recipe_", "report_", "history_", "notes_", "n_iter_", "threshold_", "offset_"):
                state.pop(name, None)
            state["_model_bytes"] = model.to_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        model = state.pop("_model_bytes", None)
        super().__setstate__(state)  # type: ignore[misc, unused-ignore]
        if model is None:
            return
        try:
            self._set_model(_native.Model.from_bytes(model))
        except (ModelFileError, TypeError) as error:
            raise ModelFileError(f"the pickled model is damaged: {error}") from error
