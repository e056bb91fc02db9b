"""Training in rounds: in each one every part trains on its own rows from common weights, and the changes are added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow
from pyarrow import fs

from .. import _native
from .model import HeldModel
from .work import table_of

__all__ = ["RoundTraining", "Rounds", "added"]


@dataclass(frozen=True)
class RoundTraining:
    """What is done with a part of the rows in a round."""

    held: HeldModel
    """The model of the sample."""
    job: Callable[[], bytes]
    """Gets the weights to start from, and which rows take part, from the engine."""

    def run(self, parts: Iterable[pyarrow.Table], first_row: int, name: str) -> bytes:
        """How the rows change the weights: the same bytes every time.

        Raises
        ------
        ValueError
            If the rows do not fit; the message says in which part, by its `name`.
        """
        part = _native.RoundPart(self.job())
        n_rows = 0
        try:
            for rows in parts:
                part.add(table_of(rows, "X"), first_row + n_rows)
                n_rows += rows.num_rows
            return part.train(self.held.get())
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def added(changes: Iterable[bytes]) -> bytes:
    """The sum of changes, at least one."""
    whole, *others = changes
    for other in others:
        whole = _native.add_changes(whole, other)
    return whole


@dataclass(frozen=True)
class Rounds:
    """A fit in rounds, as a function that is called as `_native.fit` is."""

    train: Callable[[_native.Model, bytes], bytes]
    """Does a round on the engine: of the model of the sample and a job, the sum of all changes."""
    checkpoint: str | None = None
    """A file for the state after every round, from which an interrupted fit goes on."""

    def __call__(
        self,
        recipe: _native.Recipe,
        data: _native.Table,
        *,
        validation: _native.Table | None = None,
        threads: int | None = None,
        listener: Any = None,
        **roles: Any,
    ) -> tuple[_native.Model, bool]:
        fit = _native.RoundsFit(recipe, data, threads=threads, listener=listener, **roles)
        state = None if self.checkpoint is None else _read(self.checkpoint)
        if state is not None:
            fit.resume(state)
        model = fit.model
        while (job := fit.job()) is not None:
            fit.end_round(self.train(model, job), listener)
            if self.checkpoint is not None:
                _write(self.checkpoint, fit.state())
        return fit.finish(listener)


def _place(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of a path or an address such as ``s3://bucket/state``, and the path there."""
    if "://" in path:
        system, place = fs.FileSystem.from_uri(path)
        return system, place
    return fs.LocalFileSystem(), path


def _read(path: str) -> bytes | None:
    system, place = _place(path)
    if system.get_file_info(place).type == fs.FileType.NotFound:
        return None
    with system.open_input_stream(place) as file:
        content: bytes = file.read()
        return content


def _write(path: str, content: bytes) -> None:
    """Writes a file whole: one that is there stays until the new one is complete."""
    system, place = _place(path)
    draft = f"{place}.tmp"
    with system.open_output_stream(draft) as file:
        file.write(content)
    system.move(draft, place)
