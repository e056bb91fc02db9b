"""What estimators share that find anomalies in series and images: scores, verdicts and the threshold between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._base import DetectorBase
from ._fitted import FittedMixin

__all__ = ["DetectingMixin", "Floats"]

Floats = npt.NDArray[np.float64]


class DetectingMixin(DetectorBase, FittedMixin):
    """Scores as scikit-learn has them: higher is more ordinary, and a decision below 0 is an anomaly."""

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
