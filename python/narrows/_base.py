"""Base classes of the estimators: scikit-learn's where it is installed, else the little of them that is needed.

Type checkers see the second, as scikit-learn has no types.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

__all__ = ["HAS_SKLEARN", "DetectorBase", "EstimatorBase", "TransformerBase"]


class _Estimator:
    """Arguments by name, as scikit-learn's ``BaseEstimator`` has them."""

    @classmethod
    def _argument_names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self, **params: Any) -> Self:
        """Changes arguments of the constructor."""
        names = self._argument_names()
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {names!r}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, parameter in parameters.items()
            if not _is_same(getattr(self, name), parameter.default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _Detector:
    """What scikit-learn's ``OutlierMixin`` adds."""

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Fits and gives +1 for ordinary rows and -1 for anomalies."""
        return self.fit(X, **kwargs).predict(X)  # type: ignore[attr-defined]


class _Transformer:
    """What scikit-learn's ``TransformerMixin`` adds."""

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fits and gives the codes."""
        return self.fit(X, y, **fit_params).transform(X)  # type: ignore[attr-defined]


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


HAS_SKLEARN = True
"""Whether the estimators are scikit-learn's."""

if TYPE_CHECKING:
    EstimatorBase = _Estimator
    DetectorBase = _Detector
    TransformerBase = _Transformer
else:
    try:
        from sklearn.base import BaseEstimator as EstimatorBase
        from sklearn.base import OutlierMixin as DetectorBase
        from sklearn.base import TransformerMixin as TransformerBase
    except ImportError:
        HAS_SKLEARN = False
        EstimatorBase, DetectorBase, TransformerBase = _Estimator, _Detector, _Transformer
