"""Loading model files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _native

if TYPE_CHECKING:
    from ._encoder import Encoder
    from ._images import ImageAutoEncoder
    from ._restorer import ImageRestorer
    from ._series import SeriesAutoEncoder
    from ._table import AutoEncoder

    Estimator: TypeAlias = AutoEncoder | SeriesAutoEncoder | ImageAutoEncoder | ImageRestorer | Encoder

__all__ = ["estimator_of", "load"]


def load(path: str | os.PathLike[str]) -> Estimator:
    """Loads a model that was saved by `save` or by the command ``narrows``.

    Parameters
    ----------
    path : str or path
        The model file.

    Returns
    -------
    AutoEncoder, SeriesAutoEncoder, ImageAutoEncoder, ImageRestorer or Encoder
        The fitted estimator of the model's kind.

    Raises
    ------
    OSError
        If the file cannot be read.
    ModelFileError
        If it is no model file, damaged, or of a newer version.

    Examples
    --------
    >>> import narrows, numpy as np, os, tempfile
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> path = os.path.join(tempfile.mkdtemp(), "m.narrows")
    >>> narrows.AutoEncoder("deep", max_steps=5).fit(X).save(path)
    >>> type(narrows.load(path)).__name__
    'AutoEncoder'
    """
    return estimator_of(_native.Model.load(os.fspath(path)))


def estimator_of(model: _native.Model) -> Estimator:
    """The estimator of a native model."""
    return _class_of(model)._from_model(model)  # type: ignore[no-any-return]


def _class_of(model: _native.Model) -> Any:
    kind = model.kind
    if kind == "table":
        from ._table import AutoEncoder

        return AutoEncoder
    if kind == "series":
        from ._series import SeriesAutoEncoder

        return SeriesAutoEncoder
    if kind == "images":
        from ._images import ImageAutoEncoder

        return ImageAutoEncoder
    if kind == "restorer":
        from ._restorer import ImageRestorer

        return ImageRestorer
    from ._encoder import Encoder

    return Encoder
