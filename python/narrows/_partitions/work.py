"""What a model makes of rows, as columns of Arrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow

from .. import _native

__all__ = ["Encoding", "Reconstruction", "Scoring", "Work"]


class Work(Protocol):
    """Makes columns of rows: one row each, save for windows of series."""

    def needs(self, model: _native.Model) -> tuple[list[str], list[str]]:
        """The columns without which nothing can be done, and all that are read."""

    def results(self, model: _native.Model, rows: _native.Table) -> Any:
        """The columns, as Arrow."""


def _read(model: _native.Model) -> tuple[list[str], list[str]]:
    index = [] if model.kind == "encoder" else model.index_columns()
    required = list(dict.fromkeys([*index, *model.names()]))
    return required, list(dict.fromkeys([*required, *model.columns_read()]))


@dataclass(frozen=True)
class Scoring(Work):
    """Scores, p-values and verdicts as of ``narrows score``, with reasons."""

    reasons: int = 0
    form: str = "text"
    names: dict[str, str] = field(default_factory=dict)
    """Other names for columns of the result."""

    def needs(self, model: _native.Model) -> tuple[list[str], list[str]]:
        """The columns of the model, and those that it compares with what all training rows kept."""
        return _read(model)

    def results(self, model: _native.Model, rows: _native.Table) -> Any:
        """Columns `score`, `p_value`, `is_anomaly`, of series `flag`, and those of the reasons."""
        scored = pyarrow.table(model.score_table(rows, self.reasons, self.form))
        return scored.rename_columns([self.names.get(name, name) for name in scored.column_names])


@dataclass(frozen=True)
class Encoding(Work):
    """Codes."""

    def needs(self, model: _native.Model) -> tuple[list[str], list[str]]:
        """The columns of the network."""
        required, _ = _read(model)
        return required, required

    def results(self, model: _native.Model, rows: _native.Table) -> _native.Table:
        """Columns `code_0`, `code_1`, ..."""
        return model.encode(rows)


@dataclass(frozen=True)
class Reconstruction(Work):
    """What the model makes of rows, in their own units."""

    def needs(self, model: _native.Model) -> tuple[list[str], list[str]]:
        """The columns of the network."""
        required, _ = _read(model)
        return required, required

    def results(self, model: _native.Model, rows: _native.Table) -> _native.Table:
        """The columns of the model."""
        return model.reconstruct(rows)


def table_of(rows: pyarrow.Table, source: str) -> _native.Table:
    """Rows of Arrow as a table of the library, which names them by `source` in messages."""
    return _native.Table.from_arrow(rows, source)
