"""Results that have no data to be like: in the form that is asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from . import _native
from ._errors import missing_package
from ._frames import Form, Incoming, Kind

__all__ = ["OUTPUTS", "frame_of", "frame_like"]

OUTPUTS: tuple[Kind, ...] = ("pandas", "polars", "pyarrow", "numpy")


def frame_of(table: _native.Table, output: str | None = None) -> Any:
    """A table of the library as a frame.

    Parameters
    ----------
    table : Table
        The result.
    output : {"pandas", "polars", "pyarrow", "numpy"}, optional
        By default pandas if it is installed, else a dict of arrays and lists by column.

    Raises
    ------
    ValueError
        If `output` is none of these.
    ImportError
        If its package is not installed.
    """
    if output is None:
        if find_spec("pandas") is None:
            return {name: table.column(i) for i, name in enumerate(table.names)}
        output = "pandas"
    for kind in OUTPUTS:
        if output == kind:
            if find_spec(kind) is None:
                raise missing_package(kind, f"output={kind!r}")
            return Form(kind).give(table, aligned=False)
    raise ValueError(f"output: expected one of {', '.join(OUTPUTS)}, got {output!r}")


def frame_like(table: _native.Table, incoming: Incoming) -> Any:
    """A table of other rows than the data's, with names that matter: a frame of the data's kind, of arrays as by default."""
    if incoming.kind == "numpy":
        return frame_of(table)
    return incoming.give(table, aligned=False)
