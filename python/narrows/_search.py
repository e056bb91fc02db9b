"""What a search of a recipe is about: an estimator, its data, and the fields that are held fixed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import _native
from ._frames import to_table
from ._image_arrays import given_images
from ._images import ImageAutoEncoder, image_recipe
from ._recipe import Recipe, _differences, build_recipe, words
from ._series import SeriesAutoEncoder
from ._series_arguments import series_recipe, series_roles
from ._series_input import series_table
from ._table import AutoEncoder

__all__ = ["Search", "search_of"]

_FIELDS = {
    "code_size": "backbone.code_size",
    "max_steps": "train.steps",
    "max_epochs": "train.epochs",
    "batch_size": "train.batch_size",
    "learning_rate": "train.learning_rate",
    "window": "data.window",
    "stride": "data.stride",
    "layout": "data.layout",
    "view": "data.view",
    "side": "data.side",
    "channels": "data.channels",
}
"""Arguments that are fields of the recipe."""
_TYPES = ("categorical", "numeric", "text", "date", "date_format", "missing")


@dataclass(frozen=True)
class Search:
    """A search, ready to begin."""

    estimator: Any
    base: _native.Recipe
    """The recipe from which it starts."""
    held: list[str]
    """Fields that are held fixed, by path."""
    data: _native.Table | _native.Images
    roles: dict[str, Any]

    def with_recipe(self, recipe: Recipe) -> Any:
        """An estimator with this recipe in place of the arguments that described another."""
        arguments = self.estimator.get_params(deep=False)
        replaced = {name: None for name in (*_FIELDS, "settings") if name in arguments}
        return type(self.estimator)(**{**arguments, **replaced, "recipe": recipe})


def search_of(X: Any, estimator: Any, goal: str, arguments: Mapping[str, Any]) -> Search:
    """The search for an estimator, or for one with these arguments that suits the data.

    Raises
    ------
    ValueError
        If there is neither such a goal nor such data.
    TypeError
        If the estimator is none, or arguments are given beside it.
    """
    if goal not in ("reconstruction", "detection"):
        raise ValueError(f"goal: expected 'reconstruction' or 'detection', got {goal!r}")
    if estimator is None:
        estimator = (ImageAutoEncoder if _are_images(X) else AutoEncoder)(**arguments)
    elif arguments:
        raise TypeError(
            f"expected arguments of a search beside an estimator, got {', '.join(arguments)}: give them to it"
        )
    if not isinstance(estimator, (AutoEncoder, SeriesAutoEncoder, ImageAutoEncoder)):
        got = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
        kinds = "AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder"
        raise TypeError(f"estimator: expected an {kinds}, got {got}")
    held = _held(estimator)
    roles: dict[str, Any]
    start = _start(estimator, goal)
    if isinstance(estimator, ImageAutoEncoder):
        normal = ",".join(words(estimator.normal, "normal")) or None
        return Search(estimator, image_recipe(start), held, given_images(X).native, {"normal": normal})
    if isinstance(estimator, SeriesAutoEncoder):
        roles = series_roles(estimator, X)
        named = [*roles["id"], *([roles["time"]] if roles["time"] else [])]
        return Search(estimator, series_recipe(start), held, series_table(X, named).table, roles)
    types = {name: words(getattr(estimator, name), name) for name in _TYPES}
    roles = {
        "label": estimator.label,
        "normal": None if estimator.normal is None else str(estimator.normal),
        "columns": words(estimator.columns, "columns"),
        "ignore": words(estimator.ignore, "ignore"),
        "sample_key": words(estimator.sample_key, "sample_key"),
    }
    return Search(estimator, build_recipe(start, kind="table", **types), held, to_table(X).table, roles)


def _are_images(X: Any) -> bool:
    if isinstance(X, (str, os.PathLike)):
        return Path(X).is_dir()
    members = X if isinstance(X, (list, tuple)) else []
    of_images = any(isinstance(member, np.ndarray) and member.ndim >= 2 for member in members)
    return (
        of_images or any(type(member).__module__.startswith("PIL.") for member in members) or getattr(X, "ndim", 0) > 2
    )


def _start(estimator: Any, goal: str) -> Any:
    """The arguments from which the search starts: the code of `auto` is wider than its input, so its size says nothing on
    the reconstruction."""
    arguments = estimator.get_params(deep=False)
    is_wide = arguments["preset"] == "auto" and arguments["recipe"] is None
    if goal == "reconstruction" and is_wide and not isinstance(estimator, ImageAutoEncoder):
        arguments["preset"] = "deep"
    return SimpleNamespace(**arguments, get_params=lambda deep=False: arguments)


def _held(estimator: Any) -> list[str]:
    """The fields that the arguments say something on."""
    held = [path for name, path in _FIELDS.items() if getattr(estimator, name, None) is not None]
    held += [str(path).replace("__", ".") for path in estimator.settings or {}]
    recipe = estimator.recipe
    if isinstance(recipe, Recipe):
        fields = recipe.to_dict()
        usual = Recipe.preset(fields["preset"], fields["data"]["kind"]).to_dict()
        held += [path.replace("__", ".") for path, _ in _differences(usual, fields)]
    elif recipe is not None:
        is_text = isinstance(recipe, str) and ("\n" in recipe or "=" in recipe)
        text = str(recipe) if is_text else Path(recipe).read_text(encoding="utf-8")
        held += _paths(tomllib.loads(text))
    return sorted(set(held) - {"preset", "seed"})


def _paths(fields: Mapping[str, Any], above: str = "") -> list[str]:
    found: list[str] = []
    for name, value in fields.items():
        path = f"{above}.{name}" if above else name
        found += _paths(value, path) if isinstance(value, Mapping) else [path]
    return found
