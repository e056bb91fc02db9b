"""Anomaly detection, image restoration, compression and generation with autoencoders, for tables, series and images.

The estimators follow scikit-learn; what they fit is saved in the files that the command ``narrows`` reads. Names are
imported on first use, as the estimators derive from scikit-learn's classes where scikit-learn is installed.

Examples
--------
>>> import numpy as np, narrows
>>> X = np.random.default_rng(0).normal(size=(200, 3))
>>> model = narrows.AutoEncoder("deep", max_steps=20).fit(X)
>>> model.predict(X).shape
(200,)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import datasets, plot
    from ._compression import compress, decompress
    from ._errors import ModelFileError, NarrowsWarning
    from ._explanation import Explanation
    from ._hub import from_pretrained
    from ._images import ImageAutoEncoder
    from ._load import load
    from ._native import __version__
    from ._recipe import Recipe
    from ._restorer import ImageRestorer
    from ._series import SeriesAutoEncoder
    from ._stream import Stream
    from ._table import AutoEncoder
    from ._tuning import SearchResult, tune

_PLACES = {
    "AutoEncoder": "_table",
    "Explanation": "_explanation",
    "ImageAutoEncoder": "_images",
    "ImageRestorer": "_restorer",
    "ModelFileError": "_errors",
    "NarrowsWarning": "_errors",
    "Recipe": "_recipe",
    "SearchResult": "_tuning",
    "SeriesAutoEncoder": "_series",
    "Stream": "_stream",
    "__version__": "_native",
    "compress": "_compression",
    "decompress": "_compression",
    "from_pretrained": "_hub",
    "load": "_load",
    "tune": "_tuning",
}
_MODULES = ("datasets", "mlflow", "plot", "pyod", "ray", "spark")

__all__ = [
    "AutoEncoder",
    "Explanation",
    "ImageAutoEncoder",
    "ImageRestorer",
    "ModelFileError",
    "NarrowsWarning",
    "Recipe",
    "SearchResult",
    "SeriesAutoEncoder",
    "Stream",
    "__version__",
    "compress",
    "datasets",
    "decompress",
    "from_pretrained",
    "load",
    "plot",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _PLACES:
        value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
