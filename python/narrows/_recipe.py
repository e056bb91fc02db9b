"""Recipes: every setting of a model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import _native

__all__ = ["Recipe", "build_recipe", "count_of", "seed_of", "threads_of", "threshold_rule", "words"]


class Recipe:
    """All choices that, together with the data, determine a model; immutable.

    Give one to an estimator as ``recipe=``. Fields are the command's (``narrows inspect model --json | jq .recipe``).

    Examples
    --------
    >>> from narrows import Recipe
    >>> recipe = Recipe.preset("deep").set(backbone__code_size=4, corruption="gaussian")
    >>> recipe.to_dict()["backbone"]["code_size"]
    4
    """

    def __init__(self, native: _native.Recipe | None = None) -> None:
        self._native = native if native is not None else _native.Recipe.build()

    @classmethod
    def preset(cls, name: str, kind: str | None = None) -> Recipe:
        """The recipe of a preset.

        Parameters
        ----------
        name : str
            Such as ``"auto"``, ``"deep"`` or ``"variational"``; an error lists all.
        kind : {"table", "series", "images"}, optional
            The kind of data; by default the usual one of the preset.

        Raises
        ------
        ValueError
            If there is no such preset or kind.
        """
        return cls(_native.Recipe.build(preset=name, kind=kind))

    @classmethod
    def from_toml(cls, text: str | os.PathLike[str]) -> Recipe:
        """A recipe of TOML text, or of a file of it: a preset, by default ``auto``, and changes to it.

        Raises
        ------
        ValueError
            If it is not TOML, or has unknown fields or invalid values.
        OSError
            If the file cannot be read.
        """
        return cls(_native.Recipe.build(toml=_toml(text)))

    def set(self, settings: Mapping[str, Any] | None = None, /, **fields: Any) -> Recipe:
        """A copy with fields changed.

        Parameters
        ----------
        settings : mapping, optional
            Values by path, such as ``{"train.batch_size": 64}``.
        **fields
            The same as keywords, with ``__`` for each dot: ``train__batch_size=64``.

        Raises
        ------
        ValueError
            If there is no such field (similar names are told), or its value is invalid.
        """
        native = self._native
        for assignment in _assignments({**(settings or {}), **fields}):
            native = native.set(assignment)
        return Recipe(native)

    def check(self) -> None:
        """Checks that the fields fit together.

        Raises
        ------
        ValueError
            If they do not.
        """
        self._native.check()

    def to_toml(self) -> str:
        """The complete recipe as TOML."""
        return self._native.to_toml()

    def to_dict(self) -> dict[str, Any]:
        """The complete recipe as a dictionary."""
        fields: dict[str, Any] = json.loads(self._native.to_json())
        return fields

    def __eq__(self, other: object) -> bool:
        return self.to_toml() == other.to_toml() if isinstance(other, Recipe) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_toml())

    def __reduce__(self) -> tuple[Any, ...]:
        return Recipe.from_toml, (self.to_toml(),)

    def __repr__(self) -> str:
        fields = self.to_dict()
        preset = fields["preset"]
        kind = fields["data"]["kind"]
        usual = Recipe.preset(preset, kind).to_dict()
        changed = "".join(f", {path}={value!r}" for path, value in _differences(usual, fields))
        return f"Recipe({preset!r}, {kind!r}{changed})"


def _differences(usual: Any, fields: Any, path: str = "") -> list[tuple[str, Any]]:
    """The fields that differ, by keyword."""
    found: list[tuple[str, Any]] = []
    for name, value in fields.items():
        full = f"{path}__{name}" if path else name
        other = usual.get(name)
        if isinstance(value, dict) and isinstance(other, dict) and value.get("kind") == other.get("kind"):
            found += _differences(other, value, full)
        elif value != other:
            found.append((full, value))
    return found


def _toml(recipe: str | os.PathLike[str]) -> str:
    """TOML text, of a file if it is a path."""
    if isinstance(recipe, str) and ("\n" in recipe or "=" in recipe or not recipe.strip()):
        return recipe
    return Path(recipe).read_text(encoding="utf-8")


def _value(value: Any) -> str:
    """A value as the library parses those of assignments."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_quoted(item)}" for name, item in value.items()) + " }"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    raise TypeError(f"expected text, a number, True or False, a list or a dict as a setting, got {value!r}")


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _value(value)


def _assignments(settings: Mapping[str, Any]) -> list[str]:
    if not isinstance(settings, Mapping):
        message = f'settings: expected a dict such as {{"train.batch_size": 64}}, got {settings!r}'
        raise TypeError(message)
    return [f"{str(path).replace('__', '.')}={_value(value)}" for path, value in settings.items()]


def words(value: Any, argument: str) -> list[str]:
    """A word or several as a list.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping) or not hasattr(value, "__iter__"):
        raise TypeError(f"{argument}: expected a name or a list of names, got {value!r}")
    return [str(word) for word in value]


def count_of(value: Any, argument: str) -> int:
    """A number of things, at least one.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{argument}: expected an integer of at least 1, got {value!r}")
    return int(value)


def seed_of(random_state: Any) -> int | None:
    """The seed of a ``random_state``: an int as it is, one draw from a generator, None as it is."""
    if random_state is None:
        return None
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        if not 0 <= random_state < 2**64:
            raise ValueError(f"random_state: expected an integer from 0 to 2**64 - 1, got {random_state}")
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    raise ValueError(f"random_state: expected None, an integer or a generator of NumPy, got {random_state!r}")


def threads_of(n_jobs: int | None) -> int | None:
    """The threads of scikit-learn's ``n_jobs``; None is all cores."""
    if n_jobs is None or n_jobs == -1:
        return None
    if not isinstance(n_jobs, (int, np.integer)) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(f"n_jobs: expected None or an integer other than 0, got {n_jobs!r}")
    if abs(int(n_jobs)) > _MOST_THREADS:
        raise ValueError(f"n_jobs: expected at most {_MOST_THREADS} threads, got {n_jobs}")
    return int(n_jobs) if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + int(n_jobs))


def threshold_rule(threshold: Any) -> str | None:
    """A rule of the threshold as text; a number is a fixed threshold."""
    if isinstance(threshold, (int, float, np.number)) and not isinstance(threshold, bool):
        return f"fixed={float(threshold)!r}"
    return None if threshold is None else str(threshold)


_MOST_THREADS = 1024

_SHORT = {
    "code_size": "backbone.code_size",
    "max_steps": "train.steps",
    "max_epochs": "train.epochs",
    "batch_size": "train.batch_size",
    "learning_rate": "train.learning_rate",
}
_COUNTS = ("max_steps", "max_epochs")


def _refuse_both(settings: Mapping[str, Any] | None, name: str, path: str) -> None:
    """Refuses a field of the recipe that is given twice."""
    if settings and any(str(given).replace("__", ".") == path for given in settings):
        raise ValueError(f"{name}: expected either `{name}` or settings={{{path!r}: ...}}, got both")


def build_recipe(estimator: Any, *, kind: str | None, **more: Any) -> _native.Recipe:
    """The recipe that the arguments of an estimator describe.

    Parameters
    ----------
    estimator : object
        Its attributes ``preset``, ``recipe``, ``settings``, ``code_size``, ``max_steps``, ``max_epochs``,
        ``batch_size``, ``learning_rate``, ``threshold`` and ``random_state`` are read, those that it has.
    kind : str or None
        The kind of data.
    **more
        Further arguments of the native function, such as ``categorical``, ``corrupt`` and ``layout``.
    """
    recipe = getattr(estimator, "recipe", None)
    if isinstance(recipe, Recipe):
        toml: str | None = recipe.to_toml()
    elif isinstance(recipe, (str, os.PathLike)):
        toml = _toml(recipe)
    elif recipe is None:
        toml = None
    else:
        message = f"recipe: expected a narrows.Recipe, TOML text or a path, got {recipe!r}"
        raise TypeError(message)
    assignments = _assignments(getattr(estimator, "settings", None) or {})
    for name, path in _SHORT.items():
        value = getattr(estimator, name, None)
        if value is not None:
            if name in _COUNTS:
                count_of(value, name)
            _refuse_both(getattr(estimator, "settings", None), name, path)
            assignments.append(f"{path}={_value(value)}")
    preset = getattr(estimator, "preset", None)
    if preset is not None and not isinstance(preset, str):
        raise TypeError(f"preset: expected a name such as 'auto', got {preset!r}")
    threshold = more.pop("threshold", getattr(estimator, "threshold", None))
    return _native.Recipe.build(
        kind=kind,
        preset=preset,
        toml=toml,
        assignments=assignments,
        seed=seed_of(getattr(estimator, "random_state", None)),
        threshold=threshold_rule(threshold),
        **more,
    )
