"""Series: rows of one series belong together, in the order of time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow

from .. import _native
from .plan import Plan
from .work import Work

__all__ = ["SeriesGroups", "WindowEncoding"]


@dataclass(frozen=True)
class SeriesGroups:
    """Groups of rows, each a whole series."""

    ids: list[str]
    time: str

    @classmethod
    def of(cls, model: _native.Model) -> SeriesGroups | None:
        """How rows are to be grouped for a model; None if they are independent.

        Raises
        ------
        ValueError
            If the model has no column that tells series apart, or none with the time.
        """
        if model.rows_are_independent:
            return None
        if model.kind == "encoder":
            raise ValueError(
                "model: expected a model of tables, or of series with its decoder, got the encoder of series alone, which "
                "does not know the columns that tell them apart: give the model that it is of"
            )
        index = model.index_columns()
        has_time = json.loads(model.report_json())["series"]["step"] is not None
        ids = index[:-1] if has_time else index
        if not ids:
            raise ValueError(
                "model: expected one of several series, which are worked on side by side, got one of a single series: its "
                "points need their neighbours, so that all rows would go to one worker; use `narrows score` or the "
                "estimator's methods, or fit with `id`"
            )
        if not has_time:
            raise ValueError(
                "model: expected one with a column of times, by which the rows of a series are put in order again, got "
                "one without: fit with `time`"
            )
        return cls(ids, index[-1])

    def run(self, plan: Plan, part: pyarrow.Table) -> pyarrow.Table:
        """The results of one series."""
        return plan.run(part.sort_by(self.time), self._name(part))

    def _name(self, part: pyarrow.Table) -> str:
        cells = [part.column(name)[0].as_py() for name in self.ids] if part.num_rows else []
        return "the series " + ", ".join(f"{name}={cell}" for name, cell in zip(self.ids, cells, strict=False))


@dataclass(frozen=True)
class WindowEncoding(Work):
    """Codes of the windows of series, after the columns of `ids` and the time of the first point."""

    groups: SeriesGroups

    def needs(self, model: _native.Model) -> tuple[list[str], list[str]]:
        """The columns of the network, and those that tell points apart."""
        required = list(dict.fromkeys([*model.index_columns(), *model.names()]))
        return required, required

    def results(self, model: _native.Model, rows: _native.Table) -> Any:
        """Columns of the series and the time, as they are in the rows, then `code_0`, `code_1`, ..."""
        codes = pyarrow.table(model.encode(rows))
        given = pyarrow.table(rows)
        # Windows whose points are all missing begin with no row.
        at = codes.column("row")
        columns = {name: given.column(name).take(at) for name in [*self.groups.ids, self.groups.time]}
        return pyarrow.table({**columns, **{name: codes.column(name) for name in codes.column_names if _is_code(name)}})


def _is_code(name: str) -> bool:
    return name.startswith("code_") and name[5:].isdigit()
