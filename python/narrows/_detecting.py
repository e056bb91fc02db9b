"""What estimators share that find anomalies in series and images: scores, verdicts and the threshold between them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import _native
from ._base import DetectorBase
from ._fitted import FittedMixin

__all__ = ["DetectingMixin", "Floats"]

Floats = npt.NDArray[np.float64]


class DetectingMixin(DetectorBase, FittedMixin):
    """Scores as scikit-learn has them: higher is more ordinary, and a decision below 0 is an anomaly.

    Attributes
    ----------
    threshold_ : float
        The score of the library above which a sample is an anomaly; 1 is ordinary.
    offset_ : float
        Minus the threshold: ``decision_function = score_samples - offset_``.
    """

    threshold_: float
    offset_: float

    def _set_model(self, model: _native.Model) -> None:
        super()._set_model(model)
        self.threshold_ = model.threshold
        self.offset_ = -model.threshold

    def _scored(self, X: Any) -> _native.Scores:
        raise NotImplementedError

    def score_samples(self, X: Any) -> Floats:
        """Minus the score of each sample, so that higher is more ordinary.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        array of shape (n_samples,)
            At most 0; -1 is ordinary. NaN for a sample without a score.
        """
        return -self._scored(X).score

    def decision_function(self, X: Any) -> Floats:
        """`score_samples` less `offset_`: below 0 for anomalies.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        array of shape (n_samples,)
            NaN for a sample without a score.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """+1 for ordinary samples, and for those without a score; -1 for anomalies.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        array of shape (n_samples,)
        """
        return np.where(self._scored(X).is_anomaly, -1, 1).astype(np.int64)

    def p_values(self, X: Any) -> Floats:
        """The share of the calibration's samples that score at least as high, valid for fresh ordinary ones.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        array of shape (n_samples,)
            In (0, 1]; NaN for a sample without a score.
        """
        return self._scored(X).p_value

    def with_threshold(self, rule: str) -> Self:
        """A copy with another threshold; nothing is trained.

        Parameters
        ----------
        rule : str
            Such as ``"false_alarm_rate=0.01"``, ``"quantile=0.99"`` or ``"fixed=3.2"``.

        Raises
        ------
        ValueError
            If there is no such rule, or its value is out of range.
        """
        return self._with_model(self._fitted().with_threshold(rule))
