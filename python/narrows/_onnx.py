"""Models as ONNX files, and the inputs of their graphs."""

from __future__ import annotations

import os
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from . import _native

__all__ = ["OnnxMixin"]


class OnnxMixin:
    """What every model can be exported to."""

    def _fitted(self) -> _native.Model:
        raise NotImplementedError

    def _feeds(self, X: Any, inputs: str) -> list[tuple[str, Any]]:
        """The inputs of the graph; of texts lists."""
        return self._fitted().onnx_feeds(self._compared(X), inputs)

    def _compared(self, X: Any) -> _native.Table:
        """The rows that the model reads."""
        raise NotImplementedError

    @overload
    def to_onnx(self, path: None = None, *, inputs: Literal["columns", "matrix"] = "columns") -> bytes: ...
    @overload
    def to_onnx(self, path: str | os.PathLike[str], *, inputs: Literal["columns", "matrix"] = "columns") -> None: ...

    def to_onnx(
        self, path: str | os.PathLike[str] | None = None, *, inputs: Literal["columns", "matrix"] = "columns"
    ) -> bytes | None:
        """The model as an ONNX file: one graph from raw data to scores, for ONNX Runtime and other runtimes.

        The graph of a table has an input of shape (n, 1) for each column: numbers, flags (0 and 1) and moments (seconds
        since 1970, UTC) as doubles with NaN for missing cells, and words as text, empty for missing cells. It gives
        ``scores``, ``label`` (1 above the threshold), ``p_values``, ``reconstruction`` and ``embedding`` in prepared
        units, and ``feature_score``, the error of each column. That of images reads ``images``, (n, channels, height, width)
        in [0, 1], that of series ``windows``, (n, points, channels) in the units of the data; encoders give ``embedding``
        alone, restorers ``restored`` for images of any size.

        Parameters
        ----------
        path : str or path, optional
            The file. Without it the bytes are returned.
        inputs : {"columns", "matrix"}
            What the graph of a table reads: an input for each column, or one matrix of prepared rows, ``rows``.

        Returns
        -------
        bytes or None
            The file, if no path is given.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If a part of the model has no counterpart in ONNX.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import narrows, numpy as np
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> model = narrows.AutoEncoder("deep", max_steps=5).fit(X)
        >>> len(model.to_onnx()) > 1000
        True
        """
        graph = self._fitted().to_onnx(inputs)
        if path is None:
            return graph
        _native.write_file(os.fspath(path), graph)
        return None

    def onnx_feeds(self, X: Any, *, inputs: Literal["columns", "matrix"] = "columns") -> dict[str, npt.NDArray[Any]]:
        """The inputs of the graph of `to_onnx` for given data, as ONNX Runtime takes them.

        Parameters
        ----------
        X : frame, array, images or files
            Data in any form that the model takes. Points of series are cut into windows that follow each other; images have the
            size of the graph, or are cut where it reads patches.
        inputs : {"columns", "matrix"}
            What the graph reads, as given to `to_onnx`.

        Returns
        -------
        dict of str to ndarray
            An array for each input, by its name.

        Examples
        --------
        >>> import narrows, numpy as np
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> model = narrows.AutoEncoder("deep", max_steps=5).fit(X)
        >>> {name: values.shape for name, values in model.onnx_feeds(X[:2]).items()}
        {'x0': (2, 1), 'x1': (2, 1), 'x2': (2, 1)}
        """
        feeds = {}
        for name, values in self._feeds(X, inputs):
            feeds[name] = np.array(values, dtype=object).reshape(-1, 1) if isinstance(values, list) else values
        return feeds
