"""Datasets as tables."""

from __future__ import annotations

from typing import Any

import pyarrow
import ray

__all__ = ["whole_table"]


def whole_table(X: Any) -> Any:
    """The rows of a Dataset as one table; other data as they are."""
    if not hasattr(X, "to_arrow_refs"):
        return X
    parts = [part for part in ray.get(X.to_arrow_refs()) if part.num_rows]
    if not parts:
        raise ValueError("X: expected rows, got an empty Dataset")
    return pyarrow.concat_tables(parts, promote_options="permissive")
