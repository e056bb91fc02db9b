"""Tables in and out: data frames, Arrow tables, arrays and files become the library's, and results go back as they came."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import matrix_table
from ._pandas import pandas_table, special_types

__all__ = ["Form", "Incoming", "Kind", "column_names", "is_paths", "kind_of", "refuse_input", "to_table"]

Kind = Literal["numpy", "pandas", "polars", "pyarrow", "files"]
_PACKAGES: tuple[Kind, ...] = ("pandas", "polars", "pyarrow")


@dataclass(frozen=True)
class Form:
    """The form of a table, in which results go back."""

    kind: Kind
    index: Any = None
    """The index of a pandas frame."""
    labels: dict[str, Any] = field(default_factory=dict)
    """The names of columns that are not text, by their text."""
    dtypes: dict[str, Any] = field(default_factory=dict)
    """The categorical types and those with time zones of a pandas or polars frame, by column."""

    def give(self, table: _native.Table, *, aligned: bool | None = None) -> Any:
        """A result in this form.

        Parameters
        ----------
        table : Table
            The result.
        aligned : bool, optional
            Whether its rows are those of the data, so that an index of pandas is theirs too; by default, whether
            there are as many.

        Returns
        -------
        ndarray, pandas.DataFrame, polars.DataFrame or pyarrow.Table
            For NumPy an array of numbers; of objects if there are others.
        """
        if aligned is None:
            aligned = self.index is not None and len(self.index) == table.n_rows
        return _given(table, self, aligned=aligned)

    def give_columns(self, columns: dict[str, Any], *, aligned: bool = True) -> Any:
        """Columns of equal length, by default those of the data's rows; for NumPy as a structured array."""
        kind = self.shown_kind
        if kind == "numpy":
            arrays = {name: np.asarray(values) for name, values in columns.items()}
            length = next((len(array) for array in arrays.values()), 0)
            out = np.empty(length, [(name, array.dtype) for name, array in arrays.items()])
            for name, array in arrays.items():
                out[name] = array
            return out
        if kind == "pandas":
            import pandas

            return pandas.DataFrame(columns, index=self.index if aligned else None)
        if kind == "polars":
            import polars

            return polars.DataFrame({name: _plain(values) for name, values in columns.items()})
        import pyarrow

        return pyarrow.table({name: _plain(values) for name, values in columns.items()})

    @property
    def shown_kind(self) -> Kind:
        """The kind of what is given back: for files, of the package that is imported, else of one that is installed."""
        return self.kind if self.kind != "files" else _installed()


@dataclass(frozen=True)
class Incoming:
    """A table as the library holds it, and how it came."""

    table: _native.Table
    kind: Kind
    index: Any = None
    """The index of a pandas frame."""
    labels: dict[str, Any] = field(default_factory=dict)
    """The names of columns that are not text, by their text."""
    dtypes: dict[str, Any] = field(default_factory=dict)
    """The categorical types and those with time zones of a pandas or polars frame, by column."""
    notes: list[str] = field(default_factory=list)
    """What was noted while files were read."""
    warnings: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.table.n_rows

    @property
    def form(self) -> Form:
        """The form of the data."""
        return Form(self.kind, self.index, self.labels, self.dtypes)

    def give(self, table: _native.Table, *, aligned: bool | None = None) -> Any:
        """A result in the form of the data: `Form.give`."""
        return self.form.give(table, aligned=aligned)

    def give_columns(self, columns: dict[str, Any], *, aligned: bool = True) -> Any:
        """Columns in the form of the data: `Form.give_columns`."""
        return self.form.give_columns(columns, aligned=aligned)


def _plain(values: Any) -> Any:
    return np.asarray(values) if isinstance(values, np.ndarray) and values.dtype != object else list(values)


def to_table(
    X: Any,
    names: Sequence[str] | None = None,
    wanted: _native.Model | None = None,
    sample: tuple[int, int, Sequence[str]] | None = None,
) -> Incoming:
    """Data of any form as a table of the library, sharing its memory where types allow.

    Parameters
    ----------
    X : pandas, polars or pyarrow frame, object with ``__arrow_c_stream__``, array, lists, path or list of paths
        Arrays are [rows, columns]; their columns are called ``x0``, ``x1``, ... as those of ``.npy`` files are.
    names : sequence of str, optional
        Names of columns, instead of those of `X`.
    wanted : Model, optional
        Of files, only the columns that this model reads, in its types.
    sample : (int, int, sequence of str), optional
        Of files, at most so many rows, sampled with this seed and by this key, as a fit takes them.

    Raises
    ------
    TypeError
        If `X` is of another type, a sparse matrix, or has columns of unsupported types.
    ValueError
        If it cannot be read, or a name of a column occurs twice.
    """
    kind = kind_of(X)
    if kind == "files":
        paths = [os.fspath(path) for path in ([X] if isinstance(X, (str, os.PathLike)) else X)]
        table, notes, warnings = _native.Table.read([os.fsdecode(path) for path in paths], wanted, sample)
        return Incoming(table, "files", notes=notes, warnings=warnings)
    if kind == "pandas":
        table, labels = pandas_table(X, names)
        return Incoming(table, "pandas", X.index, labels, special_types(X, table.names))
    if kind == "polars":
        import polars

        frame = X if names is None else X.rename(dict(zip(X.columns, names, strict=True)))
        special = (polars.Categorical, polars.Enum)
        dtypes = {name: dtype for name, dtype in frame.schema.items() if isinstance(dtype, special)}
        return Incoming(_native.Table.from_arrow(_plain_polars(frame), "X"), "polars", dtypes=dtypes)
    if kind == "pyarrow":
        table = _native.Table.from_arrow(X, "X")
        return Incoming(table if names is None else _renamed(table, names), "pyarrow")
    return Incoming(matrix_table(X, names), "numpy")


def _plain_polars(frame: Any) -> Any:
    """A frame without the types that Arrow lacks, or that it writes in its own way."""
    import polars

    changes = []
    for name, dtype in frame.schema.items():
        if dtype in (polars.Null, polars.Time):
            changes.append(polars.col(name).cast(polars.String))
        elif isinstance(dtype, polars.Duration):
            changes.append(polars.col(name).dt.total_microseconds() / 1e6)
        elif str(dtype) in ("Int128", "UInt128"):
            changes.append(polars.col(name).cast(polars.Float64))
        elif dtype == polars.Object:
            raise TypeError(
                f"column `{name}`: expected numbers, text, true or false, or dates, got Python objects; "
                "make columns of numbers or text of it, or drop it"
            )
    return frame.with_columns(changes) if changes else frame


def _renamed(table: _native.Table, names: Sequence[str]) -> _native.Table:
    if table.names == list(names):
        return table
    if find_spec("pyarrow") is not None:
        import pyarrow

        return _native.Table.from_arrow(pyarrow.table(table).rename_columns(list(names)), "X")
    return _native.Table.from_columns(names, [table.column(i) for i in range(len(names))], "X")


def kind_of(X: Any) -> Kind:
    """The form of data.

    Raises
    ------
    TypeError
        If it is of none that the package reads, with what to do instead.
    """
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if is_paths(X):
        return "files"
    if pandas is not None and isinstance(X, pandas.DataFrame):
        return "pandas"
    if polars is not None and isinstance(X, polars.DataFrame):
        return "polars"
    if polars is not None and isinstance(X, polars.LazyFrame):
        raise TypeError("X: expected a frame, got a polars LazyFrame: call `.collect()` first")
    if (pandas is not None and isinstance(X, pandas.Series)) or (polars is not None and isinstance(X, polars.Series)):
        raise ValueError(
            "Expected 2D array, got 1D array instead: a column alone is a frame of one column by `.to_frame()`, a row "
            "alone is one by `frame.iloc[[i]]` or `frame[i]`."
        )
    if hasattr(X, "__arrow_c_stream__"):
        return "pyarrow"
    if hasattr(X, "nnz") and hasattr(X, "tocsr"):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required: use `X.toarray()` to convert it to a dense array."
        )
    if isinstance(X, dict):
        raise TypeError(
            "X: expected a frame or an array, got a dict: make a frame of it, such as `pandas.DataFrame(X)`"
        )
    if X is None or isinstance(X, (bytes, int, float)):
        raise TypeError(f"X: expected a frame, an array or a path, got {X!r}")
    return "numpy"


def is_paths(X: Any) -> bool:
    """Whether data is a path or a list of paths."""
    if isinstance(X, (str, os.PathLike)):
        return True
    return isinstance(X, (list, tuple)) and bool(X) and all(isinstance(path, (str, os.PathLike)) for path in X)


def refuse_input(path: str | os.PathLike[str] | None, X: Any) -> None:
    """Refuses to write a file over one that is read.

    Raises
    ------
    ValueError
        If `path` is among the files that `X` names.
    """
    if path is None or not is_paths(X) or not os.path.exists(path):
        return
    for given in [X] if isinstance(X, (str, os.PathLike)) else X:
        if os.path.exists(given) and os.path.samefile(path, given):
            raise ValueError(
                f"path: expected another file than the input, got `{os.fspath(path)}`, which it would replace"
            )


def column_names(X: Any) -> list[Any] | None:
    """The names of the columns of a frame as they are; None for arrays and files."""
    kind = kind_of(X)
    if kind in ("pandas", "polars"):
        return list(X.columns)
    if kind == "pyarrow":
        # Of what Arrow's protocol gives, only its data tells the names; a stream cannot be read twice.
        return _native.Table.from_arrow(X, "X").names
    return None


def _installed() -> Kind:
    """The form for what came from files: that of the first package imported, else of the first installed."""
    for package in _PACKAGES:
        if package in sys.modules:
            return package
    return next((package for package in _PACKAGES if find_spec(package) is not None), "numpy")


def _given(table: _native.Table, form: Form, *, aligned: bool) -> Any:
    kind = form.shown_kind
    if kind == "numpy":
        return _array(table)
    if kind == "pandas":
        from ._pandas import pandas_frame

        return pandas_frame(table, form.index if aligned else None, form.labels, form.dtypes)
    if kind == "polars":
        import polars

        frame = polars.DataFrame(table)
        for name, dtype in form.dtypes.items():
            # A model may say that a cell holds a rare level without saying which; that is none of the type's.
            with contextlib.suppress(polars.exceptions.InvalidOperationError):
                frame = frame.with_columns(polars.col(name).cast(dtype)) if name in frame.columns else frame
        return frame
    import pyarrow

    return pyarrow.table(table)


def _array(table: _native.Table) -> npt.NDArray[Any]:
    if all(kind in ("bool", "int", "float") for kind in table.kinds()):
        return table.to_matrix()
    out = np.empty((table.n_rows, len(table.names)), dtype=object)
    for i in range(len(table.names)):
        out[:, i] = table.column(i)
    return out
