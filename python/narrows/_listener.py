"""What happens while a model is fitted: progress, callbacks, the log."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from ._errors import NarrowsWarning

__all__ = ["Listener", "history_of", "trainings_of", "warn"]

_LOG = logging.getLogger("narrows")

History = list[dict[str, Any]]
"""One dictionary a check of the training: member, step, epoch, train_loss, validation_loss, learning_rate."""


def warn(texts: Iterable[str], stacklevel: int = 3) -> None:
    """Issues each text once as a `NarrowsWarning`."""
    for text in dict.fromkeys(texts):
        warnings.warn(text, NarrowsWarning, stacklevel=stacklevel)


def trainings_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The trainings in a report: one a member; a restorer has one network and one training."""
    trainings = report.get("training") or []
    return [trainings] if isinstance(trainings, dict) else trainings


def history_of(report: dict[str, Any]) -> History:
    """The checks of all trainings in a report."""
    return [
        {"member": member, **check}
        for member, training in enumerate(trainings_of(report))
        for check in training.get("history") or []
    ]


class Listener:
    """Hears the native module's events; given to it as ``listener=``.

    Parameters
    ----------
    callbacks : callable, object with `on_epoch`, or several of them
        Each is called with the history so far after every check of the validation loss; True stops the training with
        the best weights so far.
    verbose : int
        0: silent; 1: a progress bar, of tqdm if it is installed; 2: also every check, by the logger ``narrows``.
    title : str
        What the progress bar says.
    """

    def __init__(self, callbacks: Any = None, verbose: int = 0, title: str = "fit") -> None:
        self.history: History = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.stopped = False
        self._callbacks = [_callable(callback) for callback in _several(callbacks)]
        if not isinstance(verbose, (int, np.integer)):
            raise TypeError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
        self._verbose = int(verbose)
        self._bar = _bar(title) if self._verbose > 0 else None
        self._steps = 0
        self._done: dict[int, int] = {}
        """The steps that each member has done: they train together."""

    def __call__(self, event: str, data: dict[str, Any]) -> bool:
        """Hears an event; True asks to stop."""
        if event == "started":
            self._steps = data["steps"]
            if self._bar is not None:
                self._bar.start(data["members"] * self._steps)
        elif event == "checked":
            return self._checked(data)
        elif event == "finished":
            self._progress(data["member"], self._steps, None)
        elif event == "recovered":
            _LOG.info("the training diverged at step %s and went on with a smaller step", data.get("step"))
        elif event == "round_ended":
            values = (data["done"], data["rounds"], data["rows"], data["validation_loss"])
            _LOG.info("round %s of %s: %s rows, validation loss %s", *values)
        elif event == "noted":
            self.notes.append(data["text"])
            _LOG.info(data["text"])
        elif event == "warned":
            self.warnings.append(data["text"])
            _LOG.debug("warning: %s", data["text"])
        return False

    def _checked(self, data: dict[str, Any]) -> bool:
        check = {"member": data["member"], **{name: value for name, value in data.items() if name != "steps"}}
        self.history.append(check)
        level = logging.INFO if self._verbose > 1 else logging.DEBUG
        _LOG.log(
            level,
            "step %s: training loss %s, validation loss %s",
            *(check.get(name) for name in ("step", "train_loss", "validation_loss")),
        )
        loss = check.get("validation_loss")
        self._progress(data["member"], data["step"], check.get("train_loss") if loss is None else loss)
        answers = [callback(self.history) for callback in self._callbacks]
        if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            self.stopped = True
        return self.stopped

    def _progress(self, member: int, step: int, loss: float | None) -> None:
        self._done[member] = step
        if self._bar is not None:
            self._bar.at(sum(self._done.values()), loss)

    def close(self) -> None:
        """Ends the progress bar."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _several(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if callable(callbacks) or hasattr(callbacks, "on_epoch"):
        return [callbacks]
    try:
        return list(callbacks)
    except TypeError:
        raise _unfit(callbacks) from None


def _callable(callback: Any) -> Any:
    method = getattr(callback, "on_epoch", callback)
    if not callable(method):
        raise _unfit(callback)
    return method


def _unfit(callback: Any) -> TypeError:
    return TypeError(f"callbacks: expected functions or objects with a method `on_epoch(history)`, got {callback!r}")


class _Bar:
    """Progress as a line of text, where tqdm is not installed."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._total = 0
        self._told = 0

    def start(self, total: int) -> None:
        self._total = total

    def at(self, step: int, loss: float | None) -> None:
        percent = 100 * step // max(self._total, 1)
        if percent < self._told + 10:
            return
        self._told = percent - percent % 10
        losses = "" if loss is None else f"  loss {loss:.4g}"
        print(f"{self._title} {self._told:4d} %{losses}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class _Tqdm:
    """Progress as a bar of tqdm: in a terminal or in a notebook."""

    def __init__(self, title: str, tqdm: Any) -> None:
        self._title = title
        self._tqdm = tqdm
        self._bar: Any = None

    def start(self, total: int) -> None:
        if self._bar is None:
            self._bar = self._tqdm(total=total, desc=self._title, unit="step")

    def at(self, step: int, loss: float | None) -> None:
        if self._bar is None:
            return
        if loss is not None:
            self._bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        self._bar.update(max(0, step - self._bar.n))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(title: str) -> _Bar | _Tqdm:
    try:
        # Without ipywidgets, tqdm warns in a notebook and draws a bar of text.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return _Bar(title)
    return _Tqdm(title, tqdm)
