"""Compression of tables, series and images by a fitted model, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from . import _native
from ._fitted import FittedMixin
from ._frames import kind_of, refuse_input, to_table
from ._image_arrays import given_images, stacked
from ._output import OUTPUTS, frame_of
from ._series_input import series_table

#: Bounds on errors: one for all columns, or one a column.
MaxError = str | float | Mapping[str, str | float]

_ImageType = Literal["uint8", "uint16", "float32"]
_IMAGE_TYPES: tuple[_ImageType, ...] = ("uint8", "uint16", "float32")


def compress(
    model: Any,
    data: Any,
    path: str | os.PathLike[str],
    *,
    max_error: MaxError | None = None,
    lossless: bool = False,
    bits: float | None = None,
    quality: int | None = None,
    chunk_rows: int | None = None,
    verify: bool = False,
) -> dict[str, Any]:
    """Compresses data with a model that was fitted to data like it.

    By default only codes are stored, quantised as finely as the model's error justifies. With `max_error`, residuals are
    stored too, so that no number is off by more; text, flags, missing cells, and columns that the model does not know are
    kept exactly. The preset made for it is `compressing`.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder
        A fitted estimator.
    data : frame, array of shape (n_rows, n_columns), images, or path
        Data of the model's kind, in any form in which the estimator takes it. The index of a pandas frame is left out.
    path : str or path
        The file to write; an existing one is replaced once the new one is complete.
    max_error : str, float or mapping, default=None
        Largest absolute error: a number in the unit of the data, or as text with `%` a share of the column's range in
        training, such as `"0.5%"`. For images in levels of 255, or with `%` a share of white. Single columns have bounds
        of their own in a mapping, `{"amount": "1%", "temp": 0.1}`, whose other columns are compressed without loss, or in
        text, `"0.5%,temp=0.1"`.
    lossless : bool, default=False
        Every cell comes back as it was.
    bits : float, default=None
        Store only codes, with about this many bits for a code unit.
    quality : int, default=None
        Store only codes, with a quality from 1, the smallest file, to 10, the smallest error; 5 if nothing else is given.
    chunk_rows : int, default=None
        Rows of a part of the file that can be read alone; more of them compress better.
    verify : bool, default=False
        Decompress the file and compare it with the data before it takes its place.

    Returns
    -------
    dict
        The summary: sizes, errors, and what other methods make of the same data.

    Raises
    ------
    ValueError
        If the data do not fit the model, or more than one of `max_error`, `lossless`, `bits`, `quality` is given.
    TypeError
        If the model is of a kind that has no code, such as a restorer.

    Examples
    --------
    >>> import os, tempfile, narrows
    >>> from narrows import datasets
    >>> frame = datasets.wide(500)
    >>> model = narrows.AutoEncoder(preset="compressing", max_steps=20).fit(frame)
    >>> path = os.path.join(tempfile.mkdtemp(), "wide.nrw")
    >>> summary = narrows.compress(model, frame, path, max_error="0.5%")
    >>> narrows.decompress(model, path).shape == frame.shape
    True
    """
    native = _native_model(model)
    options = fidelity(max_error=max_error, lossless=lossless, bits=bits, quality=quality)
    refuse_input(path, data)
    summary = native.compress(
        _data(native, data),
        os.fspath(path),
        **options,
        chunk_rows=chunk_rows,
        verify=verify,
    )
    told: dict[str, Any] = json.loads(summary)
    return told


def decompress(
    model: Any,
    path: str | os.PathLike[str],
    rows: range | slice | int | None = None,
    *,
    output: str | None = None,
) -> Any:
    """Reads a file that `compress` wrote, with the same model.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or ImageAutoEncoder
        The model that the file was written with.
    path : str or path
        The file.
    rows : range, slice or int, default=None
        Which rows, counted from 0, such as `range(1000, 1010)`; only their parts of the file are read. Tables and series
        only.
    output : str, default=None
        What to return. For tables `"pandas"`, `"polars"`, `"pyarrow"` or `"numpy"`; by default pandas if it is installed,
        else a dict of arrays. For images `"uint8"`, the default, `"uint16"`, or `"float32"` in [0, 1].

    Returns
    -------
    frame, or array of shape (n, height, width[, 3])
        The rows, or the images; a list of arrays if these differ in size.

    Raises
    ------
    ValueError
        If the file is damaged, of a later version, or of another model.
    """
    native = _native_model(model)
    if native.kind == "images":
        if rows is not None:
            raise ValueError("rows: expected a model of tables or series, got one of images, which have no rows")
        image_type = _image_type(output)
        _, images = native.decompress_images(os.fspath(path))
        return stacked([_levels(image, image_type) for image in images])
    if output in _IMAGE_TYPES:
        raise ValueError(f"output: expected one of {', '.join(OUTPUTS)}, got {output!r}, which is for images")
    first, end = _ends(rows)
    if first and end is None:
        # The number of rows is known only once all are read.
        table = native.decompress(os.fspath(path))
        first = min(first, table.n_rows)
        return frame_of(table.slice(first, table.n_rows - first), output)
    return frame_of(native.decompress(os.fspath(path), first, end), output)


def fidelity(*, max_error: MaxError | None, lossless: bool, bits: float | None, quality: int | None) -> dict[str, Any]:
    """How faithfully data is compressed, as arguments of the native function.

    Raises
    ------
    ValueError
        If more than one of them is given.
    """
    are_given = {
        "max_error": max_error is not None,
        "lossless": lossless,
        "bits": bits is not None,
        "quality": quality is not None,
    }
    given = [name for name, is_given in are_given.items() if is_given]
    if len(given) > 1:
        raise ValueError(f"expected at most one of max_error, lossless, bits and quality, got {', '.join(given)}")
    return {"max_error": _bounds(max_error), "lossless": lossless, "bits": bits, "quality": quality}


def _native_model(model: Any) -> _native.Model:
    if isinstance(model, _native.Model):
        native = model
    elif isinstance(model, FittedMixin):
        native = model._fitted()
    else:
        raise TypeError(f"model: expected a fitted estimator such as AutoEncoder, got {type(model).__name__}")
    if native.kind in ("restorer", "encoder"):
        raise TypeError(
            f"model: expected a model with a code and a decoder (AutoEncoder, SeriesAutoEncoder, ImageAutoEncoder), got "
            f"{type(model).__name__}"
        )
    return native


def _data(model: _native.Model, data: Any) -> _native.Table | _native.Images:
    if model.kind == "images":
        return given_images(data).native
    if isinstance(data, (str, os.PathLike)):
        return _native.Table.read([os.fspath(data)])[0]
    if model.kind == "series":
        return series_table(data, model.index_columns()).table
    # Columns that the model does not know are kept, too: only those of arrays need its names.
    names = model.names()
    is_array = kind_of(data) == "numpy" and np.shape(data)[-1:] == (len(names),)
    return to_table(data, names=names if is_array else None).table


def _bounds(max_error: MaxError | None) -> list[str]:
    match max_error:
        case None:
            return []
        case str():
            return max_error.split(",")
        case Mapping():
            if not max_error:
                raise ValueError("max_error: expected bounds of columns, got an empty mapping")
            return [f"{column}={_bound(bound)}" for column, bound in max_error.items()]
        case _:
            return [_bound(max_error)]


def _bound(max_error: str | float) -> str:
    if isinstance(max_error, bool) or not isinstance(max_error, (str, int, float, np.number)):
        raise TypeError(f"max_error: expected a number, or a text such as '0.5%', got {max_error!r}")
    return max_error if isinstance(max_error, str) else repr(float(max_error))


def _ends(rows: range | slice | int | None) -> tuple[int | None, int | None]:
    """The first row and the one after the last."""
    match rows:
        case None:
            return None, None
        case bool():
            pass
        case int() if rows >= 0:
            return rows, rows + 1
        case range() if rows.step == 1 and 0 <= rows.start < rows.stop:
            return rows.start, rows.stop
        case slice(start=start, stop=stop, step=None | 1) if (start or 0) >= 0 and (
            stop is None or stop > (start or 0)
        ):
            return (None, None) if not start and stop is None else (start or 0, stop)
    raise ValueError(f"rows: expected row numbers that follow each other, such as range(1000, 1010), got {rows!r}")


def _image_type(output: str | None) -> _ImageType:
    for known in _IMAGE_TYPES:
        if output == known or (output is None and known == "uint8"):
            return known
    raise ValueError(f"output: expected one of {', '.join(_IMAGE_TYPES)} for images, got {output!r}")


def _levels(image: Any, image_type: _ImageType) -> Any:
    if image_type == "float32":
        return image
    levels = np.clip(image, 0.0, 1.0) * np.float32(np.iinfo(image_type).max)
    return np.floor(levels.astype(np.float64) + 0.5).astype(image_type)
