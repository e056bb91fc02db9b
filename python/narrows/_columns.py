"""The columns that an estimator of tables was fitted to, and those that it is given later."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from . import _native
from ._arrays import matrix_of
from ._frames import Incoming, column_names, kind_of, to_table

__all__ = ["fitted_columns", "fitted_columns_of_report", "table_to_score"]

_FEATURES = ("feature", "dropped", "invariant")


def fitted_columns(estimator: Any, incoming: Incoming, report: dict[str, Any]) -> None:
    """Notes the columns of a fit: `n_features_in_`, and `feature_names_in_` if they have names."""
    names = incoming.table.names
    if incoming.kind != "numpy":
        roles = {column["name"]: column["role"] for column in report.get("columns") or []}
        names = [name for name in names if roles.get(name, "feature") in _FEATURES]
    if incoming.kind == "files":
        has_names = not _are_numbered(names)
    else:
        has_names = incoming.kind != "numpy" and all(isinstance(incoming.labels.get(name, name), str) for name in names)
    _note(estimator, names, has_names=has_names)


def fitted_columns_of_report(estimator: Any, report: dict[str, Any]) -> None:
    """Notes the columns of a model that was loaded."""
    names = [column["name"] for column in report.get("columns") or [] if column["role"] in _FEATURES]
    _note(estimator, names, has_names=not _are_numbered(names))


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether columns are called as those of arrays."""
    return all(name == f"x{i}" for i, name in enumerate(names))


def _note(estimator: Any, names: Sequence[str], *, has_names: bool) -> None:
    import numpy as np

    estimator._columns = list(names)
    estimator.n_features_in_ = len(names)
    if has_names:
        estimator.feature_names_in_ = np.array(names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def table_to_score(estimator: Any, X: Any, model: _native.Model, label: str | None = None) -> Incoming:
    """New data with the columns of the fit: of frames by name, of arrays by position.

    Columns that the fit did not use, such as its label, may be absent or present; `label` is one that is needed.

    Raises
    ------
    ValueError
        If columns are missing, in another order, or not as many.
    TypeError
        As for `to_table`.
    """
    kind = kind_of(X)
    if kind == "files":
        # A label is not among the columns that the model reads.
        return to_table(X, wanted=model if label is None else None)
    expected: list[str] = estimator._columns
    is_named = hasattr(estimator, "feature_names_in_")
    name = type(estimator).__name__
    if kind == "pyarrow":
        # A stream can be read but once.
        X = to_table(X).table
    given = column_names(X)
    if given is None:
        array = matrix_of(X)
        if is_named:
            message = f"X does not have valid feature names, but {name} was fitted with feature names"
            warnings.warn(message, UserWarning, stacklevel=4)
        _check_count(array.shape[1], len(expected), name)
        return to_table(array, names=expected)
    texts = [str(column) for column in given]
    if is_named and all(isinstance(column, str) for column in given):
        _check_names(texts, expected)
        return to_table(X)
    known = set(expected)
    if [text for text in texts if text in known] == expected:
        return to_table(X)
    _check_count(len(texts), len(expected), name)
    if is_named:
        message = f"X does not have valid feature names, but {name} was fitted with feature names"
    else:
        message = f"X has feature names, but {name} was fitted without feature names"
    warnings.warn(message, UserWarning, stacklevel=4)
    return to_table(X, names=expected)


def _check_count(got: int, expected: int, name: str) -> None:
    if got != expected:
        raise ValueError(f"X has {got} features, but {name} is expecting {expected} features as input.")


def _check_names(given: Sequence[str], expected: Sequence[str]) -> None:
    """Scikit-learn's check, save that further columns are allowed: the library passes over them."""
    known, present = set(expected), set(given)
    missing = sorted(known - present)
    if missing:
        message = "The feature names should match those that were passed during fit.\n"
        unseen = sorted(present - known)
        message += _listed("Feature names unseen at fit time:\n", unseen)
        message += _listed("Feature names seen at fit time, yet now missing:\n", missing)
        raise ValueError(message)
    if [column for column in given if column in known] != list(expected):
        raise ValueError(
            "The feature names should match those that were passed during fit.\n"
            "Feature names must be in the same order as they were in fit.\n"
        )


def _listed(title: str, names: Sequence[str], most: int = 5) -> str:
    if not names:
        return ""
    shown = "".join(f"- {name}\n" for name in names[:most])
    return title + shown + ("- ...\n" if len(names) > most else "")
