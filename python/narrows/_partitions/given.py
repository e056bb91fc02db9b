"""Models as they are given: estimators and files."""

from __future__ import annotations

import os
from typing import Any

from .. import _native
from .._encoder import Encoder
from .._fitted import FittedMixin
from .._recipe import threshold_rule

__all__ = ["given_model"]


def given_model(model: Any, threshold: str | float | None = None) -> _native.Model:
    """The native model of an estimator or a file, with another threshold if one is given.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is a model of images, which are not rows.
    NotFittedError
        If the estimator is not fitted.
    """
    if isinstance(model, _native.Model):
        native = model
    elif isinstance(model, FittedMixin):
        native = model._fitted()
    elif isinstance(model, Encoder):
        native = model.model_
    elif isinstance(model, (str, os.PathLike)):
        native = _native.Model.load(os.fspath(model))
    else:
        got = model.__name__ if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model: expected a fitted estimator such as AutoEncoder, or the path of a model, got {got}")
    if native.kind == "encoder" and not native.names():
        raise ValueError("model: expected a model of tables or series, got the encoder of images")
    if native.kind in ("images", "restorer"):
        raise ValueError(f"model: expected a model of tables or series, got one of images ({native.kind})")
    return native if threshold is None else native.with_threshold(str(threshold_rule(threshold)))
