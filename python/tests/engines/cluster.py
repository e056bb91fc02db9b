"""The engines by one interface, for tests that hold for all."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyarrow as pa
import pytest

ENGINES = ["spark", "ray"]
PARTS = [1, 2, 3, 7]
_WEIGHTS = {1: [1], 2: [1, 4], 3: [5, 1, 2], 7: [3, 1, 0, 5, 2, 1, 2]}


@dataclass(frozen=True)
class Engine:
    """An engine, and the module of the package for it."""

    name: str
    session: Any
    api: Any

    def data(self, table: pa.Table, parts: int) -> Any:
        """A table in uneven parts, in its order; of seven parts one is empty."""
        pieces = [table.slice(start, length) for start, length in cuts(table.num_rows, parts)]
        if self.name == "ray":
            return self.session.data.from_arrow(pieces)
        empty = self.session.createDataFrame(table.slice(0, 0))
        rows = [[tuple(row.values()) for row in piece.to_pylist()] for piece in pieces]
        numbers = self.session.sparkContext.parallelize(range(parts), parts)
        return self.session.createDataFrame(numbers.flatMap(lambda i: rows[i]), empty.schema)

    def n_rows(self, data: Any) -> int:
        """The number of rows."""
        return int(data.count())


def engine_of(request: pytest.FixtureRequest, name: str) -> Engine:
    """The engine of this name; the test is skipped where it is not installed."""
    return Engine(name, request.getfixturevalue(name), import_module(f"narrows.{name}"))


def cuts(n: int, parts: int) -> list[tuple[int, int]]:
    """Uneven parts of rows 0..n, as offset and length."""
    weights = _WEIGHTS[parts]
    ends = [n * sum(weights[: i + 1]) // sum(weights) for i in range(parts)]
    return [(start, end - start) for start, end in zip([0, *ends], ends, strict=False)]


def columns(data: Any) -> dict[str, list[Any]]:
    """The cells of a result by column."""
    if hasattr(data, "toArrow"):
        table = data.toArrow()
    else:
        from ray import get

        table = pa.concat_tables(part for part in get(data.to_arrow_refs()) if part.num_columns)
    found: dict[str, list[Any]] = table.to_pydict()
    return found
