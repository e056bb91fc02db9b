"""Fits to rows that workers summarise: of the joined summary, the sample is fitted to by the driver."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from .. import _native
from .._frames import Incoming
from .._recipe import count_of, words
from .._table import AutoEncoder
from .columns import check_present
from .rounds import Rounds
from .summaries import Summarising

__all__ = ["Fit"]


class Fit:
    """A fit of an estimator to rows that others summarise."""

    def __init__(
        self, preset: str, sample_rows: int | None, rounds: int | None, checkpoint: Any, arguments: dict[str, Any]
    ) -> None:
        settings = dict(arguments.pop("settings", None) or {})
        for name, path, value in (
            ("sample_rows", "train.sample_rows", sample_rows),
            ("rounds", "train.rounds.count", rounds),
        ):
            if value is None:
                continue
            if any(str(given).replace("__", ".") == path for given in settings):
                raise ValueError(f"{name}: expected either `{name}` or settings={{{path!r}: ...}}, got both")
            settings[path] = count_of(value, name)
        self._estimator = AutoEncoder(preset, settings=settings or None, **arguments)
        self._share = self._estimator._contamination()
        self._recipe = self._estimator._recipe(self._share)
        fields = json.loads(self._recipe.to_json())
        key = words(self._estimator.sample_key, "sample_key")
        self.summarising = Summarising(fields["train"]["sample_rows"], fields["seed"], key)
        self._has_rounds = fields["train"]["rounds"]["count"] > 0
        self._checkpoint = None if checkpoint is None else os.fspath(checkpoint)
        if self._checkpoint is not None and not self._has_rounds:
            raise ValueError("checkpoint: expected `rounds`, after each of which there is something to save, got none")

    @property
    def has_key(self) -> bool:
        """Whether rows are identified by columns and not by their position."""
        return bool(self.summarising.key)

    def check(self, names: list[str], what: str) -> None:
        """Checks that columns are there which are named.

        Raises
        ------
        ValueError
            If one is not.
        """
        label = self._estimator.label
        check_present([*([] if label is None else [str(label)]), *self.summarising.key], names, what)

    def to(self, summary: bytes, train: Callable[[_native.Model, bytes], bytes]) -> AutoEncoder:
        """The fitted estimator; `train` does a round on the engine.

        Raises
        ------
        ValueError
            If there are no rows, or they cannot be fitted to.
        """
        incoming = Incoming(_native.Summary.from_bytes(summary).into_table(), "pyarrow")
        fit = Rounds(train, self._checkpoint) if self._has_rounds else _native.fit
        return self._estimator._fit_incoming(self._recipe, self._share, incoming, fit=fit, stacklevel=6)
