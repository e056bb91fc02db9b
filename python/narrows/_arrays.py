"""NumPy arrays and lists as tables of the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native

__all__ = ["matrix_of", "matrix_table"]


def matrix_of(X: Any) -> npt.NDArray[Any]:
    """A 2-D array of numbers, or of objects if there is text in it; with the messages of scikit-learn's checks.

    Raises
    ------
    TypeError
        For structured arrays and for cells that are neither numbers nor text.
    ValueError
        For complex numbers, and if it is not [rows, columns], with at least one column.
    """
    array = np.ma.filled(X, np.nan) if isinstance(X, np.ma.MaskedArray) else np.asarray(X)
    if array.ndim == 0 and array.dtype.kind == "O":
        raise TypeError(f"X: expected a frame, an array or a path, got a {type(X).__name__}")
    if array.dtype.names is not None:
        raise TypeError("X: expected a plain array, got a structured one: make a frame of it, `pandas.DataFrame(X)`")
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: give real and imaginary parts as two columns.")
    if array.ndim != 2:
        shape = "scalar array" if array.ndim == 0 else f"{array.ndim}D array"
        raise ValueError(
            f"Expected 2D array, got {shape} instead:\narray={np.array2string(array, threshold=8)}.\n"
            "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
            "array.reshape(1, -1) if it contains a single sample."
        )
    if array.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.dtype.kind == "O":
        return _objects(array)
    if array.dtype.kind in "US":
        return array.astype(str).astype(object)
    if array.dtype.kind in "Mm":
        return array.astype(object)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _objects(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Objects as numbers, where all are."""
    if any(isinstance(cell, complex) for cell in array.flat):
        raise ValueError("Complex data not supported: give real and imaginary parts as two columns.")
    try:
        # Raises TypeError for what is neither a number nor text, such as a dict.
        return array.astype(np.float64)
    except ValueError:
        return array
    except TypeError:
        if all(_is_cell(cell) for cell in array.flat):
            return array
        raise


def _is_cell(cell: Any) -> bool:
    from datetime import date

    return cell is None or isinstance(cell, (str, int, float, np.generic, date))


def matrix_table(X: Any, names: Sequence[str] | None = None) -> _native.Table:
    """An array, or lists of rows, as a table."""
    array = matrix_of(X)
    if names is None:
        names = [f"x{i}" for i in range(array.shape[1])]
    if array.dtype.kind != "O":
        native = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        return _native.Table.from_matrix(native, names, "X")
    return _native.Table.from_columns(names, [object_column(array[:, i]) for i in range(array.shape[1])], "X")


def object_column(values: npt.NDArray[Any]) -> Any:
    """A column of objects as numbers or times where all cells are, else as text."""
    missing = np.array([is_missing(value) for value in values], dtype=bool)
    present = values[~missing]
    if all(isinstance(value, (bool, np.bool_)) for value in present) and present.size and not missing.any():
        return values.astype(bool)
    if all(not isinstance(value, str) for value in present):
        try:
            return np.where(missing, np.nan, values).astype(np.float64)
        except (TypeError, ValueError):
            pass
        try:
            return np.where(missing, np.datetime64("NaT"), values).astype("datetime64[us]")
        except (TypeError, ValueError):
            pass
    return [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]


def is_missing(value: Any) -> bool:
    """Whether a cell is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return False
