"""Columns of an engine's data: which are needed, which are kept, and how they are checked before a job runs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import pyarrow

from .._recipe import words

__all__ = ["check_present", "check_unambiguous", "kept_columns", "plain", "plain_schema"]


_SIMILAR = 0.75
"""From here on a name may be meant by another."""


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for a message."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def check_present(wanted: Sequence[str], given: Sequence[str], what: str) -> None:
    """Checks that columns are there.

    Raises
    ------
    ValueError
        If some are not, with all of them and similar names.
    """
    missing = [name for name in wanted if name not in given]
    if not missing:
        return
    near = [
        f"`{name}` might be `{found[0]}`" for name in missing if (found := get_close_matches(name, given, 1, _SIMILAR))
    ]
    hint = ", ".join(near[:5]) if near else f"there are {listed(given)}" if given else "there are no columns"
    plural = "column" if len(missing) == 1 else "columns"
    raise ValueError(f"{what}: expected the {plural} {listed(missing)}, which it lacks; {hint}")


def check_unambiguous(given: Sequence[str], added: Sequence[str], what: str) -> None:
    """Checks that no column that is kept has the name of a result.

    Raises
    ------
    ValueError
        If one has.
    """
    twice = [name for name in added if name in given]
    if twice:
        raise ValueError(
            f"{what}: it has {listed(twice)} already, as results are called: name the columns to keep by `keep`, or "
            "rename it"
        )


def kept_columns(keep: str | Sequence[str] | None, given: Sequence[str], replaced: Sequence[str] = ()) -> list[str]:
    """The columns to keep beside results; by default all that these do not replace.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if keep is None:
        return [name for name in given if name not in replaced]
    kept = list(dict.fromkeys(words(keep, "keep")))
    check_present(kept, given, "keep")
    return kept


def plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    """A type that every engine has: signed numbers, text without dictionaries or views."""
    types = pyarrow.types
    if types.is_dictionary(kind):
        return plain(kind.value_type)
    if types.is_unsigned_integer(kind):
        return pyarrow.int64()
    if types.is_large_string(kind) or kind == pyarrow.string_view():
        return pyarrow.string()
    if types.is_large_binary(kind) or kind == pyarrow.binary_view():
        return pyarrow.binary()
    if types.is_timestamp(kind):
        return pyarrow.timestamp("us", kind.tz)
    if types.is_list(kind) or types.is_large_list(kind):
        return pyarrow.list_(plain(kind.value_type))
    if types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, plain(field.type)) for field in kind])
    if types.is_null(kind):
        return pyarrow.string()
    return kind


def plain_schema(schema: pyarrow.Schema) -> pyarrow.Schema:
    """A schema of such types."""
    return pyarrow.schema([pyarrow.field(field.name, plain(field.type)) for field in schema])
