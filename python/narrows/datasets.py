"""Data that the project makes itself, to try things on: no download, and the same for the same `random_state` everywhere.

Every row is made from the seed and its number alone, so more rows start with the fewer ones; only the times of day differ.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _native
from ._output import frame_of

__all__ = ["Parts", "heartbeat", "machines", "parts", "payments", "scenes", "wide"]

Pixels = npt.NDArray[np.uint8]


class Parts(NamedTuple):
    """Images of machined parts, to find defects in."""

    train: Pixels
    """Good parts, of the shape (n, 64, 64)."""
    test: Pixels
    """Other good parts, then scratched or dented ones."""
    labels: npt.NDArray[np.int64]
    """Of each of `test`: 0 for a good part, 1 for one with a defect."""
    masks: Pixels
    """Of each of `test`, where its defect is, as shares of pixels from 0 to 255."""


def payments(n_samples: int = 6000, *, random_state: int = 0, output: str | None = None) -> Any:
    """Card payments, one a row: amounts, shops, countries, times, missing cells, and some fraud.

    Parameters
    ----------
    n_samples : int, default=6000
        Number of rows.
    random_state : int, default=0
        Another number gives other data.
    output : {"pandas", "polars", "pyarrow", "numpy"}, default=None
        What to return; by default pandas if it is installed, else a dict of arrays.

    Returns
    -------
    frame
        With the label `is_fraud`, 1 for fraud and else 0.

    Examples
    --------
    >>> from narrows import datasets
    >>> frame = datasets.payments(100)
    >>> len(frame), "amount" in frame
    (100, True)
    """
    return _frame("payments", n_samples, random_state, output)


def machines(n_samples: int = 6000, *, random_state: int = 0, output: str | None = None) -> Any:
    """Machines with three sensors each, a point every five minutes, with gaps, and with faults towards the end.

    Parameters
    ----------
    n_samples : int, default=6000
        Number of points of all machines together, of which a few are lost in gaps.
    random_state : int, default=0
        Another number gives other data.
    output : {"pandas", "polars", "pyarrow", "numpy"}, default=None
        What to return; by default pandas if it is installed, else a dict of arrays.

    Returns
    -------
    frame
        `time`, `machine`, the sensors, and the label `anomaly`, 1 during a fault and else 0.
    """
    return _frame("machines", n_samples, random_state, output)


def heartbeat(n_samples: int = 2000, *, random_state: int = 0, output: str | None = None) -> Any:
    """Heartbeats, one a row: 140 points in millivolts at 200 a second, some of them abnormal.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of beats.
    random_state : int, default=0
        Another number gives other data.
    output : {"pandas", "polars", "pyarrow", "numpy"}, default=None
        What to return; by default pandas if it is installed, else a dict of arrays.

    Returns
    -------
    frame
        Columns `t000` to `t139`, and `class`, which is `normal` for normal beats.
    """
    return _frame("heartbeat", n_samples, random_state, output)


def wide(n_samples: int = 10_000, *, random_state: int = 0, output: str | None = None) -> Any:
    """Numbers near a curved surface, with anomalies off it; for measuring speed.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of rows.
    random_state : int, default=0
        Another number gives other data.
    output : {"pandas", "polars", "pyarrow", "numpy"}, default=None
        What to return; by default pandas if it is installed, else a dict of arrays.

    Returns
    -------
    frame
        Columns `x0` to `x28`, and the label `is_anomaly`, 1 for anomalies and else 0.
    """
    return _frame("wide", n_samples, random_state, output)


def parts(n_train: int = 120, n_test: int = 40, *, random_state: int = 0) -> Parts:
    """Images of machined rings with bolt holes; some of those to test are scratched or dented.

    Parameters
    ----------
    n_train : int, default=120
        Number of good parts to fit to.
    n_test : int, default=40
        Number of parts to test on, of which every second one, rounded down, has a defect.
    random_state : int, default=0
        Another number gives other images.

    Returns
    -------
    Parts
        Grey images of 64 x 64 pixels, uint8, with labels and masks.

    Examples
    --------
    >>> from narrows import datasets
    >>> made = datasets.parts(n_train=4, n_test=2)
    >>> made.train.shape, made.labels.tolist()
    ((4, 64, 64), [0, 1])
    """
    _check_count("n_train", n_train)
    _check_count("n_test", n_test)
    n_bad = n_test // 2
    n_good = n_test - n_bad
    spoilt_from = n_train + n_good
    good = _images("parts", n_train + n_good, 0, random_state)
    test, masks = [good[n_train:]], [np.zeros_like(good[n_train:])]
    if n_bad > 0:
        test.append(_images("scratched", n_bad, spoilt_from, random_state))
        masks.append(_images("scratches", n_bad, spoilt_from, random_state))
    labels = np.repeat(np.array([0, 1], dtype=np.int64), [n_good, n_bad])
    return Parts(good[:n_train], np.concatenate(test), labels, np.concatenate(masks))


def scenes(n_samples: int = 80, *, random_state: int = 0) -> Pixels:
    """Small colour images, landscapes and still lifes, to corrupt and restore.

    Parameters
    ----------
    n_samples : int, default=80
        Number of images.
    random_state : int, default=0
        Another number gives other images.

    Returns
    -------
    array of shape (n_samples, 96, 96, 3), uint8
    """
    _check_count("n_samples", n_samples)
    return _images("scenes", n_samples, 0, random_state)


def _frame(name: str, n_samples: int, random_state: int, output: str | None) -> Any:
    _check_count("n_samples", n_samples)
    return frame_of(_native.demo_table(name, n_samples, random_state), output)


def _images(name: str, n: int, first: int, random_state: int) -> Pixels:
    images = _native.demo_images(name, n, random_state, first)
    return np.stack([np.floor(images.get(i).astype(np.float64) * 255.0 + 0.5).astype(np.uint8) for i in range(n)])


def _check_count(name: str, n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"expected a whole number for {name}, got {n!r}")
    if n < 1:
        raise ValueError(f"expected at least 1 for {name}, got {n}")
