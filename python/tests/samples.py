"""Data that several tests use: small, and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def matrix(rows: int = 200, seed: int = 0) -> npt.NDArray[np.float64]:
    """Four columns of numbers, of which the last follows from the first two."""
    values = np.random.default_rng(seed).normal(size=(rows, 4))
    values[:, 3] = values[:, 0] + values[:, 1] + 0.1 * values[:, 3]
    return values


def mixed(rows: int = 200, seed: int = 0) -> dict[str, Any]:
    """Columns of all kinds: numbers, a flag, a category and a time; some amounts are missing."""
    generator = np.random.default_rng(seed)
    amount = generator.normal(50, 10, rows)
    amount[::17] = np.nan
    start = np.datetime64("2024-01-01T00:00:00", "us")
    return {
        "amount": amount,
        "count": generator.integers(0, 20, rows),
        "is_new": generator.random(rows) < 0.3,
        "shop": [("north", "south", "west")[i] for i in generator.integers(0, 3, rows)],
        "when": start + generator.integers(0, 90 * 86_400, rows) * np.timedelta64(1_000_000, "us"),
    }


def pandas_frame(rows: int = 200, seed: int = 0) -> Any:
    """The columns of `mixed` as a pandas frame whose index is not 0, 1, 2, ..."""
    import pandas

    return pandas.DataFrame(mixed(rows, seed), index=[f"r{i}" for i in range(rows)])


def polars_frame(rows: int = 200, seed: int = 0) -> Any:
    """The columns of `mixed` as a polars frame, in which missing cells are null."""
    import polars

    return polars.DataFrame(mixed(rows, seed)).with_columns(polars.col("amount").fill_nan(None))


QUICK: dict[str, Any] = {"preset": "deep", "max_steps": 30}
"""Arguments of a fit that takes hundredths of a second."""
