"""A plan: a model, what it does, the columns that it needs and the columns that it gives; checked before a job runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow

from .. import _native
from .columns import check_present, check_unambiguous, kept_columns, plain_schema
from .model import HeldModel
from .work import Reconstruction, Work, table_of

__all__ = ["Plan", "planned"]


@dataclass(frozen=True)
class Plan:
    """What is done with every part of the rows."""

    work: Work
    reads: list[str]
    """The columns that the model is given."""
    kept: list[str]
    """Those that are given back as they are."""
    added: pyarrow.Schema
    """The results, in types that every engine has."""
    held: HeldModel | None = None

    @property
    def columns(self) -> list[str]:
        """All columns that are sent to a worker."""
        return list(dict.fromkeys([*self.reads, *self.kept]))

    def on(self, held: HeldModel) -> Plan:
        """The plan with a model that an engine holds."""
        return replace(self, held=held)

    def run(self, part: pyarrow.Table, source: str = "rows") -> pyarrow.Table:
        """The results of a part, beside the columns that are kept.

        Raises
        ------
        ValueError
            If the part has other columns than the plan was made for; the message says which part.
        """
        assert self.held is not None, "a plan is run with a model"
        check_present(self.columns, part.column_names, source)
        made = pyarrow.table(self.work.results(self.held.get(), table_of(part.select(self.reads), source)))
        made = made.cast(self.added)
        if not self.kept:
            return made
        columns = {name: part.column(name) for name in self.kept}
        return pyarrow.table({**columns, **{name: made.column(name) for name in made.column_names}})


def planned(
    model: _native.Model,
    work: Work,
    given: Sequence[str],
    schema_of: Callable[[list[str]], pyarrow.Schema],
    keep: str | Sequence[str] | None,
    what: str,
) -> Plan:
    """The plan of a model's work on data with these columns.

    Parameters
    ----------
    model : Model
    work : Work
    given : sequence of str
        The columns of the data.
    schema_of : callable
        Gives the types of columns.
    keep : str, sequence of str or None
        The columns to keep; None keeps all.
    what : str
        What the data is called in messages, such as ``"df"``.

    Raises
    ------
    ValueError
        If columns are missing, of another type than in the fit, or called as results are.
    """
    required, read = work.needs(model)
    check_present(required, given, what)
    reads = [name for name in read if name in given]
    added = plain_schema(pyarrow.table(work.results(model, table_of(_probe(model, schema_of(reads)), what))).schema)
    kept = kept_columns(keep, given, replaced=added.names if isinstance(work, Reconstruction) else ())
    check_unambiguous(kept, added.names, what)
    return Plan(work, reads, kept, added)


def _probe(model: _native.Model, schema: pyarrow.Schema) -> pyarrow.Table:
    """Rows by which types are checked, and those of the results become known: one of a cell of each type, but for text, of
    which cells decide what it is; of series, which are more than a row, none."""
    if not model.rows_are_independent:
        return schema.empty_table()
    return pyarrow.table([pyarrow.array([_cell(field.type)]).cast(field.type) for field in schema], schema=schema)


def _cell(kind: pyarrow.DataType) -> Any:
    types = pyarrow.types
    if types.is_boolean(kind):
        return True
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_temporal(kind):
        return 0
    return None
