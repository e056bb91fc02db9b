"""Arguments of an estimator of series as those of the library."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from . import _native
from ._recipe import build_recipe, words
from ._series_input import time_in_index

__all__ = ["series_recipe", "series_roles"]

_DATA_FIELDS = ("window", "stride")
_TEXTS = ("time", "label", "normal", "timezone", "duplicates", "layout")


def series_recipe(estimator: Any) -> _native.Recipe:
    """The recipe that the arguments describe.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If one is of another type.
    """
    settings = dict(estimator.settings or {})
    for name in _DATA_FIELDS:
        if getattr(estimator, name) is not None:
            settings[f"data.{name}"] = getattr(estimator, name)
    arguments = SimpleNamespace(**{**estimator.get_params(deep=False), "settings": settings})
    date_format = words(estimator.date_format, "date_format")
    return build_recipe(arguments, kind="series", layout=estimator.layout, date_format=date_format)


def series_roles(estimator: Any, X: Any) -> dict[str, Any]:
    """The roles of the columns of `X`.

    Raises
    ------
    TypeError
        If the name of a column is no text.
    """
    for name in _TEXTS:
        value = getattr(estimator, name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name}: expected a text, got {value!r}")
    return {
        "time": estimator.time if estimator.time is not None else time_in_index(X),
        "id": words(estimator.id, "id"),
        "timezone": estimator.timezone,
        "duplicates": estimator.duplicates,
        "label": estimator.label,
        "normal": estimator.normal,
        "columns": words(estimator.columns, "columns"),
        "ignore": words(estimator.ignore, "ignore"),
    }
