"""The encoders of models, without the rest: for programs that use the codes as features."""

from __future__ import annotations

import json
import os
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import _native
from ._errors import ModelFileError
from ._frames import Incoming, kind_of, to_table
from ._hub import HubMixin
from ._onnx import OnnxMixin
from ._recipe import Recipe

__all__ = ["Encoder"]


class Encoder(OnnxMixin, HubMixin):
    """The encoder of a fitted model: codes, but no scores and no training rows.

    It is made by the method `encoder` of an estimator, or loaded by `narrows.load`.

    Attributes
    ----------
    model_ : object
        The native model.
    recipe_ : Recipe
        Every setting of the fit.

    Examples
    --------
    >>> import narrows, numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> model = narrows.AutoEncoder("deep", max_steps=5).fit(X)
    >>> bool((model.encoder().transform(X) == model.transform(X)).all())
    True
    """

    def __init__(self, model: _native.Model) -> None:
        self.model_ = model
        self.recipe_ = Recipe(model.recipe)
        self._data_kind = str(self.recipe_.to_dict()["data"]["kind"])

    @classmethod
    def _from_model(cls, model: _native.Model) -> Self:
        return cls(model)

    @property
    def columns_(self) -> list[str]:
        """The columns that it reads; none for images."""
        return self.model_.names()

    def transform(self, X: Any) -> Any:
        """Codes.

        Parameters
        ----------
        X : data
            In any form that the `transform` of the model takes; arrays have the columns of `columns_`.

        Returns
        -------
        frame like `X`, or array, of shape (n_rows, code_size)
            Of images, an array of shape (n_images, code_size), or (n_images, n_pieces, code_size) where the model
            sees pieces of them.
        """
        if self._data_kind == "images":
            from ._image_arrays import given_images

            codes = self.model_.encode_images(given_images(X).native)
            return np.stack([code[0] if len(code) == 1 else code for code in codes])
        incoming = self._incoming(X)
        return incoming.give(self.model_.encode(incoming.table))

    def _incoming(self, X: Any) -> Incoming:
        if kind_of(X) == "files":
            return to_table(X, wanted=self.model_)
        return to_table(X, names=self.columns_ if kind_of(X) == "numpy" else None)

    def _fitted(self) -> _native.Model:
        return self.model_

    def _feeds(self, X: Any, inputs: str) -> list[tuple[str, Any]]:
        if self._data_kind == "images":
            from ._image_arrays import given_images

            return [*self.model_.onnx_image_feeds(given_images(X).native)]
        return super()._feeds(X, inputs)

    def _compared(self, X: Any) -> _native.Table:
        return self._incoming(X).table

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns of `transform`."""
        return np.array([f"code_{i}" for i in range(self.model_.code_size)], dtype=object)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves the encoder as a file that `narrows.load` and the command ``narrows`` read.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self.model_.save(os.fspath(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.model_.to_bytes(),)

    def __repr__(self) -> str:
        return f"Encoder({self._data_kind!r}, code_size={self.model_.code_size}, columns={json.dumps(self.columns_)})"


def _unpickled(model: bytes) -> Encoder:
    try:
        return Encoder(_native.Model.from_bytes(model))
    except (ModelFileError, TypeError) as error:
        raise ModelFileError(f"the pickled model is damaged: {error}") from error
