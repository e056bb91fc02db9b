"""Which rows are anomalies, for plots."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["are_anomalies"]


def are_anomalies(model: Any, X: Any, y: Any, n: int) -> npt.NDArray[np.bool_]:
    """Where labels say anomaly.

    Parameters
    ----------
    model : estimator
        Whose label of normal rows decides on text.
    X : data
        Where `y` is looked up if it is the name of a column.
    y : array of shape (n,) or str
        1 or True among 0 is an anomaly, -1 among +1; of other labels, what is not the normal one of the model.

    Raises
    ------
    ValueError
        If there is not one label a row, or it is not evident which are normal.
    """
    if isinstance(y, str):
        y = _column(X, y)
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"y: expected {n} labels, one a row, got an array of the shape {labels.shape}")
    kinds = set(labels.tolist())
    if kinds <= {0, 1}:
        return np.asarray(labels == 1)
    if kinds <= {-1, 1}:
        return np.asarray(labels == -1)
    normal = ((getattr(model, "report_", None) or {}).get("label") or {}).get("normal")
    if normal is None:
        shown = ", ".join(sorted(map(str, kinds))[:5])
        raise ValueError(f"y: expected labels of 0 and 1, or of +1 and -1 for anomalies, got {shown}")
    normals = {word.strip() for word in str(normal).split(",")}
    return np.array([str(label) not in normals for label in labels.tolist()], dtype=bool)


def _column(X: Any, name: str) -> Any:
    from .._frames import to_table

    table = to_table(X).table
    if name not in table.names:
        raise ValueError(f"y: expected a column of X ({', '.join(table.names)}), got `{name}`")
    return table.column(table.names.index(name))
