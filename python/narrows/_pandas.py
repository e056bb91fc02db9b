"""pandas frames as tables of the library, with pyarrow or without, and back."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _native
from ._arrays import object_column

__all__ = ["pandas_frame", "pandas_table", "special_types"]

_MIXED = ("mixed", "mixed-integer", "bytes", "complex", "unknown-array")


def pandas_table(frame: Any, names: Sequence[str] | None = None) -> tuple[_native.Table, dict[str, Any]]:
    """A frame as a table, without its index; and the names of columns that are not text, by their text.

    Raises
    ------
    TypeError
        If a column holds objects that are neither numbers, text nor dates.
    ValueError
        If a name occurs twice, or cells are complex numbers.
    """
    given = list(frame.columns)
    texts = list(names) if names is not None else [_text(name) for name in given]
    if len(set(texts)) < len(texts):
        twice = next(name for i, name in enumerate(texts) if name in texts[:i])
        raise ValueError(f"column `{twice}`: the name occurs more than once")
    labels = {text: name for text, name in zip(texts, given, strict=True) if text is not name and text != name}
    columns = [_plain(text, frame.iloc[:, i]) for i, text in enumerate(texts)]
    if not columns:
        if len(frame) == 0:
            raise ValueError("Found array with 0 sample(s) (shape=(0, 0)) while a minimum of 1 is required.")
        shape = (len(frame), 0)
        raise ValueError(f"Found array with 0 feature(s) (shape={shape}) while a minimum of 1 is required.")
    if _has_pyarrow():
        import pandas

        plain = {text: column.reset_index(drop=True) for text, column in zip(texts, columns, strict=True)}
        return _native.Table.from_arrow(pandas.DataFrame(plain, copy=False), "X"), labels
    return _native.Table.from_columns(texts, [_values(column) for column in columns], "X"), labels


def special_types(frame: Any, names: Sequence[str]) -> dict[str, Any]:
    """The categorical types, and those with time zones, by column."""
    import pandas

    special = (pandas.CategoricalDtype, pandas.DatetimeTZDtype)
    return {name: dtype for name, dtype in zip(names, frame.dtypes, strict=True) if isinstance(dtype, special)}


def _text(name: Any) -> str:
    return " / ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


def _has_pyarrow() -> bool:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def _plain(name: str, column: Any) -> Any:
    """The column in a type that Arrow knows as the library does."""
    import pandas

    dtype = column.dtype
    if isinstance(dtype, pandas.SparseDtype):
        return column.sparse.to_dense()
    if isinstance(dtype, pandas.PeriodDtype):
        return column.dt.to_timestamp()
    if isinstance(dtype, pandas.IntervalDtype):
        return column.astype(str)
    if isinstance(dtype, pandas.CategoricalDtype):
        categories = dtype.categories
        if categories.dtype == object or isinstance(categories.dtype, (pandas.IntervalDtype, pandas.StringDtype)):
            return column.cat.rename_categories([str(category) for category in categories])
        # Numbers and times that happen to be categories: the library decides itself what they are.
        return (
            column.astype(categories.dtype) if not column.isna().any() else column.astype(_nullable(categories.dtype))
        )
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        message = f"column `{name}`: Complex data not supported: give real and imaginary parts as two columns"
        raise ValueError(message)
    if kind == "m":
        return column.dt.total_seconds()
    if dtype == np.dtype(object):
        return _of_objects(name, column)
    if dtype == np.float16:
        return column.astype(np.float32)
    return column


def _nullable(dtype: Any) -> Any:
    """A type of the same cells that can be missing."""
    return np.float64 if getattr(dtype, "kind", "O") in "iufb" else dtype


def _of_objects(name: str, column: Any) -> Any:
    import pandas

    found = pandas.api.types.infer_dtype(column, skipna=True)
    if found == "complex":
        message = f"column `{name}`: Complex data not supported: give real and imaginary parts as two columns"
        raise ValueError(message)
    if found in ("string", "empty"):
        return column.astype(object).where(column.notna(), None)
    if found in ("datetime", "datetime64", "date", "timedelta", "timedelta64", "decimal", "boolean"):
        converted = column.infer_objects()
        if found == "date":
            return pandas.to_datetime(column)
        if found == "decimal":
            return column.astype(np.float64)
        if found == "boolean" and column.isna().any():
            return column.astype("boolean")
        if found.startswith("timedelta"):
            return pandas.to_timedelta(column).dt.total_seconds()
        return pandas.to_datetime(column) if converted.dtype == object and found != "boolean" else converted
    if found in ("integer", "floating", "mixed-integer-float"):
        return column.astype(np.float64)
    present = column[column.notna()]
    for value in present:
        if not isinstance(value, (str, int, float, np.generic, datetime.time)) and type(value).__name__ != "Decimal":
            message = (
                f"column `{name}`: cells: argument must be a string or a real number, not {type(value).__name__!r}; "
                "make columns of numbers or text of it, or drop it"
            )
            raise TypeError(message)
    return pandas.Series(
        [None if gone else str(value) for value, gone in zip(column, column.isna(), strict=True)],
        index=column.index,
        dtype=object,
    )


def _values(column: Any) -> Any:
    """A column as the native module takes it where pyarrow is missing."""
    import pandas

    dtype: Any = column.dtype
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    kind = getattr(dtype, "kind", "O")
    if kind == "M":
        return column.to_numpy(dtype="datetime64[us]")
    if isinstance(dtype, np.dtype) and kind in "iuf":
        return _number(column.to_numpy())
    if isinstance(dtype, np.dtype) and kind == "b":
        return column.to_numpy()
    if kind in "iuf" and not isinstance(dtype, pandas.CategoricalDtype):
        if not column.isna().any():
            return _number(column.to_numpy(dtype=dtype.numpy_dtype))
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind == "b" and not column.isna().any():
        return column.to_numpy(dtype=bool)
    if kind == "b":
        missing = column.isna()
        return [None if gone else str(bool(value)).lower() for value, gone in zip(column, missing, strict=True)]
    return object_column(column.astype(object).to_numpy())


def _number(values: Any) -> Any:
    if values.dtype in (np.float32, np.float64, np.int64):
        return values
    return values.astype(np.int64 if values.dtype.kind in "iu" and values.dtype != np.uint64 else np.float64)


def pandas_frame(table: _native.Table, index: Any, labels: dict[str, Any], dtypes: dict[str, Any]) -> Any:
    """A table as a frame with an index, and with the names and categories of the frame that it was made from."""
    import pandas

    names = table.names
    columns = {i: _series(table, i, kind) for i, kind in enumerate(table.kinds())}
    frame = pandas.DataFrame(columns, index=None) if columns else pandas.DataFrame(index=range(table.n_rows))
    for i, name in enumerate(names):
        dtype = dtypes.get(name)
        if isinstance(dtype, pandas.CategoricalDtype):
            frame[i] = _category(frame[i], dtype)
        elif dtype is not None and getattr(dtype, "kind", "O") == "M" and frame[i].dtype.kind == "M":
            frame[i] = _in_zone(frame[i], getattr(dtype, "tz", None))
    frame.columns = _columns([labels.get(name, name) for name in names])
    if index is not None:
        frame.index = index
    return frame


def _in_zone(times: Any, zone: Any) -> Any:
    """Times in the zone of the data, or in none; times without a zone are UTC."""
    times = times.dt.tz_localize("UTC") if times.dt.tz is None else times
    return times.dt.tz_convert("UTC").dt.tz_localize(None) if zone is None else times.dt.tz_convert(zone)


def _columns(names: list[Any]) -> Any:
    import pandas

    if names and all(isinstance(name, tuple) for name in names):
        return pandas.MultiIndex.from_tuples(names)
    return pandas.Index(names)


def _series(table: _native.Table, i: int, kind: str) -> Any:
    import pandas

    integers = table.integers(i)
    if integers is not None:
        values, missing = integers
        return pandas.Series(pandas.arrays.IntegerArray(values, np.array(missing)) if any(missing) else values)
    values = table.column(i)
    zone = table.zone(i)
    if zone is not None:
        return pandas.Series(values).dt.tz_localize("UTC").dt.tz_convert(zone)
    if kind == "bool" and isinstance(values, list):
        return pandas.Series(values, dtype="boolean")
    if kind == "text":
        return pandas.Series(values, dtype="str") if _has_text_type() else pandas.Series(values, dtype=object)
    return pandas.Series(values)


def _has_text_type() -> bool:
    import pandas

    return int(pandas.__version__.split(".")[0]) >= 3


def _category(column: Any, dtype: Any) -> Any:
    """The column as a category of its old type, where all its values are known there."""
    texts = {str(category): category for category in dtype.categories}
    present = column.dropna().astype(str)
    if set(present) <= set(texts):
        return column.map(lambda value: texts.get(str(value)), na_action="ignore").astype(dtype)
    return column
