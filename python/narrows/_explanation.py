"""Why rows have their scores: the columns that contribute most to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from . import _native
from ._errors import missing_package
from ._frames import Form, Incoming

if TYPE_CHECKING:
    import shap

__all__ = ["Direction", "Explanation", "Reason"]

Direction = Literal["above", "below", "other", "broken"]
"""The side on which a cell lies."""

_FIELDS = ("row", "rank", "column", "expected", "got", "share", "direction")
_ROWS_SHOWN = 5
_COMPLETE = 0.9999
"""From this sum on, shares are those of all columns."""


class Reason(NamedTuple):
    """A column that departs from what is expected of it in a row."""

    row: Any
    """The row: its label in a pandas index, else its position."""
    rank: int
    """1 for the column that is farthest, in its own spread, from what is expected of it."""
    column: Any
    """The name of the column."""
    expected: str
    """The value that follows from the columns that fit, in units of the data; of a broken invariant what all training
    rows kept, such as `always ok in 400 training rows`."""
    got: str
    """The cell itself."""
    share: float
    """Its part of the row's squared distance from what is expected, in [0, 1]; those of all columns add up to 1. A broken
    invariant is no such distance and has 0."""
    direction: Direction
    """`above` or `below` what is expected; `other` for a category or a missing cell; `broken` for a column that all training
    rows agreed in: such reasons come first."""

    @property
    def words(self) -> str:
        """What was expected and what is there, in words."""
        if self.direction == "broken":
            return f"{self.expected}, got {self.got}"
        about = "" if self.direction == "other" else "about "
        return f"expected {about}{self.expected}, got {self.got}"

    def __str__(self) -> str:
        share = "" if self.direction == "broken" else f" (share {percent(self.share)})"
        return f"{self.column}: {self.words}{share}"


class Explanation(Sequence["list[Reason]"]):
    """The columns that contribute most to the scores of rows; the result of ``explain``.

    It is a sequence of the rows explained: ``explanation[3]`` lists the reasons of the fourth row, a slice is the
    explanation of these rows, and `frame` has all reasons as a frame of the kind of the data. A share tells where the
    reconstruction fails, not the cause: a column may contribute because another one is wrong that it is inferred from.

    Parameters
    ----------
    reasons : Table
        The native table of row, rank, column, expected, got, share and direction.
    give : Incoming
        The data, for the form of the result.
    scores : array of shape (n_rows,), optional
        The scores of the rows, where known.

    Examples
    --------
    >>> import numpy as np, narrows
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> X[:, 2] = X[:, 0] + X[:, 1]
    >>> model = narrows.AutoEncoder("deep", max_steps=50).fit(X)
    >>> explanation = model.explain(X[:10], top=2)
    >>> len(explanation), len(explanation[0]), len(explanation.frame)
    (10, 2, 20)
    """

    def __init__(
        self, reasons: _native.Table, give: Incoming | Form, scores: npt.ArrayLike | None = None, *, rows: Any = None
    ) -> None:
        self._reasons = reasons
        self._form = give.form if isinstance(give, Incoming) else give
        self._positions = np.asarray(reasons.column(reasons.names.index("row")), dtype=np.int64)
        if rows is None:
            known = give.n_rows if isinstance(give, Incoming) else int(self._positions.max(initial=-1)) + 1
            rows = np.arange(known)
        self._rows = np.asarray(rows, dtype=np.int64)
        self._scores = None if scores is None else np.asarray(scores, dtype=np.float64)

    # As a frame.

    @property
    def frame(self) -> Any:
        """All reasons, a row each, of the data's kind; for arrays a structured array.

        Columns `row` (of pandas the label in the index, else the position), `rank`, `column`, `expected`, `got`, `share`
        and `direction`.
        """
        table = self._shown()
        columns = {name: self._column(table, name) for name in _FIELDS}
        if self._form.kind == "numpy":
            columns = {name: np.asarray(values, dtype=_dtype(values)) for name, values in columns.items()}
        return self._form.give_columns(columns, aligned=False)

    @property
    def scores(self) -> npt.NDArray[np.float64] | None:
        """The scores of the rows explained, where known."""
        return None if self._scores is None else self._scores[self._rows]

    @property
    def rows(self) -> list[Any]:
        """The rows explained: their labels in a pandas index, else their positions."""
        return list(self._labels(self._rows))

    def _column(self, table: _native.Table, name: str) -> Any:
        values = table.column(table.names.index(name))
        if name == "row":
            return self._labels(values)
        if name == "column":
            return [self._form.labels.get(text, text) for text in values]
        return values

    def _shown(self) -> _native.Table:
        """The reasons of the rows explained, in their order."""
        spans: list[tuple[int, int]] = []
        for row in self._rows:
            first, last = self._span(int(row))
            if spans and spans[-1][1] == first:
                first = spans.pop()[0]
            spans.append((first, last))
        parts = [self._reasons.slice(first, last - first) for first, last in spans if last > first]
        if len(parts) > 1:
            return _native.Table.concat(parts)
        return parts[0] if parts else self._reasons.slice(0, 0)

    def _labels(self, positions: npt.NDArray[np.int64]) -> Any:
        index = self._form.index
        return positions if index is None else index.take(positions)

    # As a sequence of rows.

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, row: int) -> list[Reason]: ...
    @overload
    def __getitem__(self, row: slice) -> Explanation: ...
    def __getitem__(self, row: int | slice) -> list[Reason] | Explanation:
        if isinstance(row, slice):
            return Explanation(self._reasons, self._form, self._scores, rows=self._rows[row])
        if isinstance(row, bool) or not isinstance(row, (int, np.integer)):
            raise TypeError(f"row: expected the position of a row, or a slice, got {row!r}; labels are for `of`")
        if not -len(self) <= row < len(self):
            raise IndexError(f"row: expected a position among {len(self)} rows, got {row}")
        return self._listed(int(self._rows[row]))

    def __iter__(self) -> Iterator[list[Reason]]:
        return (self._listed(int(row)) for row in self._rows)

    def of(self, label: Any) -> list[Reason]:
        """The reasons of the row of this label in a pandas index; without one, of this position in the data.

        Raises
        ------
        ValueError
            If there is no such row, or more than one.
        """
        labels = self.rows
        found = [i for i, other in enumerate(labels) if other == label]
        if len(found) != 1:
            raise ValueError(f"label: expected that of one row, got {label!r}, which {len(found)} rows have")
        return self[found[0]]

    def _span(self, row: int) -> tuple[int, int]:
        first, last = np.searchsorted(self._positions, [row, row + 1])
        return int(first), int(last)

    def _listed(self, row: int) -> list[Reason]:
        first, last = self._span(row)
        part = self._reasons.slice(first, last - first)
        columns = [part.column(part.names.index(name)) for name in _FIELDS[1:]]
        label = self._labels(np.array([row]))[0]
        return [
            Reason(
                label,
                int(rank),
                self._form.labels.get(column, column),
                expected,
                got,
                float(share),
                direction or "other",
            )
            for rank, column, expected, got, share, direction in zip(*columns, strict=True)
        ]

    # For shap.

    def to_shap(self, *, signed: bool = False) -> shap.Explanation:
        """The contributions as values for the plots of ``shap``.

        The value of a column is its share of the row's score times this score (the share alone where scores are not
        known), so that values add up to the score from a base value of 0. These are no Shapley values: they are parts
        of the distance from what is expected. Of a row that breaks invariants, these share the score equally: they decide it.

        Parameters
        ----------
        signed : bool, default=False
            Whether cells below what is expected have negative values, which then no longer add up to the score.

        Returns
        -------
        shap.Explanation
            `values`, `base_values`, `data` (the cells; numbers as such), `display_data` (as they are written) and
            `feature_names`.

        Raises
        ------
        ImportError
            If shap is not installed.
        ValueError
            If not all columns are explained: use ``explain(X, top=n_columns)``.
        """
        try:
            from shap import Explanation as ShapExplanation
        except ImportError as error:
            raise missing_package("shap", "to_shap") from error
        rows = list(self)
        if any(0 < sum(reason.share for reason in reasons) < _COMPLETE for reasons in rows if not _breaks(reasons)):
            raise ValueError("to_shap needs the shares of all columns: explain with a larger `top`")
        names = self._names()
        scores = self.scores if self.scores is not None else np.ones(len(rows))
        places = {name: i for i, name in enumerate(names)}
        values = np.zeros((len(rows), len(places)))
        data = np.full((len(rows), len(places)), np.nan, dtype=object)
        shown = np.full((len(rows), len(places)), "", dtype=object)
        for i, (reasons, score) in enumerate(zip(rows, scores, strict=True)):
            broken = sum(reason.direction == "broken" for reason in reasons)
            for reason in reasons:
                share = reason.share if not broken else (reason.direction == "broken") / broken
                sign = -1.0 if signed and reason.direction == "below" else 1.0
                place = i, places[reason.column]
                values[place] = sign * share * score
                data[place], shown[place] = _number(reason.got), reason.got
        if all(isinstance(cell, float) for cell in data.flat):
            data = data.astype(np.float64)
        return ShapExplanation(
            values=values,
            base_values=np.zeros(len(rows)),
            data=data,
            display_data=shown,
            feature_names=[str(name) for name in places],
        )

    def _names(self) -> list[Any]:
        """The columns by what they contribute in all, the most first."""
        totals: dict[Any, float] = {}
        for reasons in self:
            for reason in reasons:
                totals[reason.column] = totals.get(reason.column, 0.0) + reason.share
        return sorted(totals, key=lambda name: -totals[name])

    # To look at.

    def __repr__(self) -> str:
        most = max((len(self[i]) for i in range(min(len(self), _ROWS_SHOWN))), default=0)
        lines = [f"Explanation of {counted(len(self), 'row')}, up to {counted(most, 'column')} each"]
        shown = self[:_ROWS_SHOWN]
        wide = max((len(str(reason.column)) for reasons in shown for reason in reasons), default=0)
        for label, score, reasons in zip(shown.rows, _or_none(shown), shown, strict=True):
            lines.append(f"row {label}" + ("" if score is None else f", score {score:.4g}"))
            for reason in reasons:
                share = "" if reason.direction == "broken" else percent(reason.share)
                lines.append(f"  {share:>9}  {reason.column!s:<{wide}}  {reason.words}")
            if not reasons:
                lines.append("             no score")
        if len(self) > _ROWS_SHOWN:
            lines.append(f"... {counted(len(self) - _ROWS_SHOWN, 'more row')}; all are in `frame`")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from ._html import explanation_html

        return explanation_html(self)

    def __getstate__(self) -> dict[str, Any]:
        columns = [self._reasons.column(i) for i in range(len(self._reasons.names))]
        return {**self.__dict__, "_reasons": (self._reasons.names, columns)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        names, columns = state["_reasons"]
        self.__dict__.update(state, _reasons=_native.Table.from_columns(names, columns, "explanation"))


def _breaks(reasons: Sequence[Reason]) -> bool:
    """Whether a row breaks an invariant, whose reasons come first."""
    return bool(reasons) and reasons[0].direction == "broken"


def percent(share: float) -> str:
    """A share as it is written: whole per cent, small ones not as none."""
    return "below 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def counted(n: int, noun: str) -> str:
    """A number of things."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _or_none(explanation: Explanation) -> Sequence[float | None]:
    scores = explanation.scores
    return [None] * len(explanation) if scores is None else [float(score) for score in scores]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _dtype(values: Any) -> Any:
    """Text of a structured array is of objects, as its length differs."""
    return object if isinstance(values, list) else np.asarray(values).dtype
