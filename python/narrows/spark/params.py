"""The arguments of an estimator of tables as parameters of a stage of Spark's pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.ml.param import Param, Params, TypeConverters

from .. import _native

__all__ = ["FIT_PARAMS", "RESULT_PARAMS", "declared"]


def _as_it_is(value: Any) -> Any:
    return value


_TEXT = TypeConverters.toString
_COUNT = TypeConverters.toInt
_NUMBER = TypeConverters.toFloat


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(name) for name in value]


FIT_PARAMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "preset": (f"the preset to start from: {', '.join(_native.PRESETS)}", _TEXT),
    "recipe": ("a recipe as TOML text, over the preset", _TEXT),
    "settings": ("further fields of the recipe by path", _as_it_is),
    "code_size": ("units of the code", _COUNT),
    "max_steps": ("most steps of the training", _COUNT),
    "max_epochs": ("most passes over the rows of the training", _COUNT),
    "batch_size": ("rows of a step", _COUNT),
    "learning_rate": ("step size of the optimiser", _NUMBER),
    "threshold": ("the rule of the threshold, such as false_alarm_rate=0.01", _TEXT),
    "label": ("the column that tells normal rows from anomalies; only normal rows are fitted to", _TEXT),
    "normal": ("the label of normal rows", _TEXT),
    "columns": ("the columns to use alone, by name or pattern", _names),
    "ignore": ("the columns to leave out, by name or pattern", _names),
    "categorical": ("columns of categories, where inference would err", _names),
    "numeric": ("columns of numbers, where inference would err", _names),
    "text": ("columns of text, where inference would err", _names),
    "date": ("columns of dates, where inference would err", _names),
    "date_format": ("formats of dates that are text", _names),
    "missing": ("words that mean a missing cell", _names),
    "random_state": ("the seed", _COUNT),
    "sample_rows": ("rows of the sample that is fitted to", _COUNT),
    "rounds": ("rounds of training on the rows beyond the sample", _COUNT),
    "checkpoint": ("a file for the state after every round", _TEXT),
    "sample_key": ("columns that identify a row, so that the model does not depend on their order", _names),
}
"""Those of a fit, with what they are and what is made of their values."""

RESULT_PARAMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "score_col": ("the name of the column with scores", _TEXT),
    "p_value_col": ("the name of the column with p-values", _TEXT),
    "is_anomaly_col": ("the name of the column that says whether a row is an anomaly", _TEXT),
    "explain": ("reasons to name for each row, as columns reason_1, reason_2, ...", _COUNT),
}
"""Those of the results."""


def declared(params: dict[str, tuple[str, Callable[[Any], Any]]]) -> Callable[[type], type]:
    """Declares parameters of a class, each with a getter and a setter as Spark calls them: `getCodeSize`, `setCodeSize`."""

    def declare(cls: type) -> type:
        for name, (doc, convert) in params.items():
            setattr(cls, name, Param(Params._dummy(), name, doc, typeConverter=convert))
            word = "".join(part.capitalize() for part in name.split("_"))
            setattr(cls, f"get{word}", _getter(name, doc))
            setattr(cls, f"set{word}", _setter(name, doc))
        return cls

    return declare


def _getter(name: str, doc: str) -> Callable[[Any], Any]:
    def get(self: Any) -> Any:
        return self.getOrDefault(name) if self.isDefined(name) else None

    get.__doc__ = f"Gets {doc}; None if it is not set."
    return get


def _setter(name: str, doc: str) -> Callable[[Any, Any], Any]:
    def change(self: Any, value: Any) -> Any:
        return self._set(**{name: value})

    change.__doc__ = f"Sets {doc}."
    return change
