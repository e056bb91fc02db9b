"""Labels given beside a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _native

__all__ = ["with_label"]

_COLUMN = "label"


def with_label(table: _native.Table, y: Any, fitted: str | None) -> tuple[_native.Table, str, str | None]:
    """A table with its labels, the column that holds them, and the label of normal rows if it is evident.

    Parameters
    ----------
    table : Table
    y : array of shape (n_rows,), str or None
        Labels, or the name of their column, by default `fitted`.

    Raises
    ------
    ValueError
        If there are no labels, or not one a row.
    """
    if y is None or isinstance(y, str):
        column = y if y is not None else fitted
        if column is None:
            raise ValueError("y: expected labels or the name of a column with them, got None")
        if column not in table.names:
            raise ValueError(f"y: expected a column `{column}` with labels, got {', '.join(table.names)}")
        return table, column, None
    labels = np.asarray(y)
    if labels.shape != (table.n_rows,):
        raise ValueError(f"y: expected {table.n_rows} labels, one a row, got an array of the shape {labels.shape}")
    missing = np.array([value is None or value != value for value in labels], dtype=bool)
    kinds = set(labels[~missing].tolist())
    normal = "1" if kinds <= {-1, 1} and -1 in kinds else None
    texts = [None if gone else _text(value) for value, gone in zip(labels.tolist(), missing, strict=True)]
    names = [name for name in table.names if name != _COLUMN]
    columns = [table.column(table.names.index(name)) for name in names]
    return _native.Table.from_columns([*names, _COLUMN], [*columns, texts], "X"), _COLUMN, normal


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
