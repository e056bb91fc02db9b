"""Whether new data are still like those of the fit, for estimators of tables and of series."""

from __future__ import annotations

import json
from typing import Any

from . import _native
from ._fitted import FittedMixin

__all__ = ["DriftMixin"]


class DriftMixin(FittedMixin):
    """Compares new data with those of the fit."""

    def _compared(self, X: Any) -> _native.Table:
        raise NotImplementedError

    def drift(self, X: Any, *, level: float = 0.01) -> dict[str, Any]:
        """Whether new data are still like those of the fit.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.
        level : float, default=0.01
            Greatest probability that unchanged data are reported, over all tests together.

        Returns
        -------
        dict
            `has_drifted`, `findings` (what has, in words), `score`, `threshold` (whether its promise `stands`), `columns`
            and more.
        """
        model = self._fitted()
        found: dict[str, Any] = json.loads(model.drift(self._compared(X), level))
        return found
