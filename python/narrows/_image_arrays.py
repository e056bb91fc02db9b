"""Images in and out: arrays, lists of arrays, PIL images and files become the library's, and results go back as they came.

The library turns integers into fractions as it does those of files, so an array and the file that holds it have the same
scores.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._listener import warn

FloatImage = npt.NDArray[np.float32]

_SHAPES = "[n, height, width] or [n, height, width, 1 or 3]"
_SHAPES_OF_ONE = "[height, width] or [height, width, 1 or 3]"
_TYPES = "uint8, uint16 or floats in [0, 1]"
# Noise that is not clipped leaves [0, 1]; beyond this range, values are rather on another scale.
_NOISY = (-1.0, 2.0)


@dataclass(frozen=True)
class Look:
    """How an image came, so that what is made of it goes back alike."""

    kind: Literal["array", "pil", "file"]
    dtype: np.dtype[Any]
    has_axis: bool = False
    """Whether a grey array had an axis for its one channel."""
    alpha: Any = None
    """The alpha channel of a PIL image, as a PIL image."""
    info: dict[str, Any] | None = None
    """What a PIL image knew beside its pixels."""

    def give(self, image: FloatImage, clip: bool = True) -> Any:
        """An image of the library in the form and type of this one."""
        values = _in_type(image, self.dtype, clip)
        if self.kind == "pil":
            return self._pil(values)
        return values[..., None] if self.has_axis and values.ndim == 2 else values

    def _pil(self, values: npt.NDArray[Any]) -> Any:
        image_class = _pil_module()
        if values.ndim == 3 and values.dtype != np.uint8:
            # PIL has colours of 8 bits only.
            white = np.float32(65_535 if values.dtype == np.uint16 else 1)
            values = _in_type(np.asarray(values / white, np.float32), np.dtype(np.uint8), True)
        image = image_class.fromarray(values)
        if self.alpha is not None and image.mode in ("L", "RGB"):
            alpha = self.alpha if self.alpha.size == image.size else self.alpha.resize(image.size)
            image.putalpha(alpha)
        image.info = dict(self.info or {})
        return image


@dataclass(frozen=True)
class GivenImages:
    """Images as the library takes them, and how they came."""

    native: _native.Images
    form: Literal["one", "stack", "list"]
    looks: Sequence[Look]
    arrays: Sequence[npt.NDArray[Any]] | None = None
    """The images, if they are no files."""

    def name(self, i: int) -> str:
        """The name of a file, else the number."""
        return self.native.name(i) if self.looks[i].kind == "file" else str(i)

    def in_folders(self, folders: Sequence[str]) -> _native.Images:
        """The same images, each as if it were of a folder."""
        arrays = self.arrays if self.arrays is not None else [self.native.get(i) for i in range(len(self))]
        return _native.Images.of(arrays, [f"{folder}/{i}" for i, folder in enumerate(folders)])

    def __len__(self) -> int:
        return len(self.looks)

    def give(self, images: Sequence[FloatImage], clip: bool = True) -> Any:
        """Images of the library, one for each that came, in the form in which those came.

        A stack stays one if all images are of one size; integers are rounded, and with `clip` floats are limited to
        [0, 1].
        """
        given = [look.give(image, clip) for look, image in zip(self.looks, images, strict=True)]
        return given[0] if self.form == "one" else self._together(given)

    def give_maps(self, maps: Sequence[FloatImage]) -> Any:
        """Maps of numbers, such as heat maps: one array if all are of one size, else a list."""
        return maps[0] if self.form == "one" else stacked(maps)

    def _together(self, images: list[Any]) -> Any:
        if self.form == "stack" and len({image.shape for image in images}) == 1:
            return np.stack(images)
        return images


def given_images(images: Any, *, noisy: bool = False) -> GivenImages:
    """Images of any accepted form.

    Parameters
    ----------
    images : array, PIL image, path, or a sequence of these
        An array of n images, `[n, height, width]` or `[n, height, width, 1 or 3]`, or one image; of uint8, uint16, bool or
        floats in [0, 1]. A path names an image file, an array file, a folder or a pattern.
    noisy : bool
        Whether floats may lie somewhat outside of [0, 1], as noise does that is not clipped.

    Raises
    ------
    TypeError
        If this is not an image, or its values have another type.
    ValueError
        If there is none, or shape or values are not those of images.
    """
    if isinstance(images, GivenImages):
        return images
    if _is_path(images):
        return _of_files([images], is_one=True)
    if _is_pil(images):
        array, look = _of_pil(images, "image")
        return _held([array], [look], "one")
    if isinstance(images, np.ma.MaskedArray) and np.ma.is_masked(images):
        raise TypeError("expected images without missing pixels, got a masked array: fill it, or leave the image out")
    if isinstance(images, np.ndarray) or hasattr(images, "__array__"):
        return _of_array(np.asarray(images), noisy)
    if isinstance(images, (str, bytes, dict)) or not isinstance(images, Iterable):
        raise TypeError(_expected(f"a {type(images).__name__}"))
    members = list(images)
    if not members:
        raise ValueError("expected at least one image, got none")
    if all(_is_path(member) for member in members):
        return _of_files(members, is_one=False)
    parts = [_member(member, i, noisy) for i, member in enumerate(members)]
    return _held([array for array, _ in parts], [look for _, look in parts], "list")


def stacked(arrays: Sequence[FloatImage]) -> Any:
    """One array if all are of one shape, else a list of them."""
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else list(arrays)


def unsized(images: Sequence[FloatImage]) -> Any:
    """Images that the library made, of no form of their own: floats in [0, 1], one array if all are of one size."""
    return stacked([np.clip(image, 0.0, 1.0) for image in images])


def _held(arrays: list[npt.NDArray[Any]], looks: list[Look], form: Literal["one", "stack", "list"]) -> GivenImages:
    return GivenImages(_native.Images.of(arrays), form, looks, arrays)


def _of_files(paths: Sequence[Any], is_one: bool) -> GivenImages:
    sources = [os.fspath(path) for path in paths]
    native = _native.Images.open(sources)
    warn((f"{name} is left out: {reason}" for name, reason in native.skipped()), stacklevel=5)
    looks = [Look("file", np.dtype(f"uint{native.depth(i)}")) for i in range(len(native))]
    is_file = is_one and len(native) == 1 and os.path.isfile(sources[0])
    return GivenImages(native, "one" if is_file else "list", looks)


def _of_array(array: npt.NDArray[Any], noisy: bool) -> GivenImages:
    if array.dtype == object:
        return given_images(list(array), noisy=noisy)
    shape = array.shape
    form: Literal["one", "stack"]
    match shape:
        case (_, _):
            form = "one"
        case (height, width, 1 | 3) if height > 3 and width > 3:
            form = "one"
        case (_, _, _) | (_, _, _, 1 | 3) if not _looks_like_alpha(shape):
            form = "stack"
        case _:
            raise ValueError(f"expected an array of images, {_SHAPES}, got {list(shape)}{_shape_hint(shape)}")
    stack = array[None] if form == "one" else array
    if len(stack) == 0:
        raise ValueError(f"expected at least one image, got an array of the shape {list(shape)}")
    checked = _checked(stack, "image", noisy)
    look = Look("array", array.dtype, has_axis=checked.ndim == 4 and checked.shape[-1] == 1)
    return _held(list(checked), [look] * len(checked), form)


def _member(image: Any, i: int, noisy: bool) -> tuple[npt.NDArray[Any], Look]:
    place = f"image {i}"
    if _is_pil(image):
        return _of_pil(image, place)
    if _is_path(image):
        raise TypeError(f"{place}: expected an array or a PIL image as the ones before, got a path; give paths alone")
    array = np.asarray(image)
    match array.shape:
        case (_, _) | (_, _, 1 | 3):
            pass
        case shape:
            hint = _shape_hint_of_one(shape)
            raise ValueError(f"{place}: expected an array {_SHAPES_OF_ONE}, got {list(shape)}{hint}")
    look = Look("array", array.dtype, has_axis=array.ndim == 3 and array.shape[-1] == 1)
    return _checked(array[None], place, noisy)[0], look


def _of_pil(image: Any, place: str) -> tuple[npt.NDArray[Any], Look]:
    look = Look("pil", np.dtype(np.uint8), info=dict(image.info))
    match image.mode:
        case "L" | "RGB":
            array = np.asarray(image)
        case "LA" | "RGBA" | "PA" | "La" | "RGBa":
            whole = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
            look = replace(look, alpha=whole.getchannel("A"))
            array = np.asarray(whole.convert("L" if whole.mode == "LA" else "RGB"))
        case "1":
            array = np.asarray(image.convert("L"))
        case "I;16" | "I;16L" | "I;16B" | "I;16N" | "I":
            array = np.asarray(image)
            if array.size and (array.min() < 0 or array.max() > 65_535):
                raise ValueError(f"{place}: expected values from 0 to 65535, got {array.min()} to {array.max()}")
            array = array.astype(np.uint16)
            look = replace(look, dtype=array.dtype)
        case "F":
            array = np.asarray(image)
            look = replace(look, dtype=array.dtype)
        case "P" if "transparency" in image.info:
            whole = image.convert("RGBA")
            look = replace(look, alpha=whole.getchannel("A"))
            array = np.asarray(whole.convert("RGB"))
        case _:
            array = np.asarray(image.convert("RGB"))
    if array.size == 0:
        raise ValueError(f"{place}: expected at least one pixel, got {image.width} x {image.height}")
    return _checked(array[None], place, False)[0], look


def _checked(stack: npt.NDArray[Any], place: str, noisy: bool) -> npt.NDArray[Any]:
    """Images of values that the library takes; `stack` has an axis for its images."""
    if stack.size == 0:
        raise ValueError(f"{place}: expected at least one pixel, got {list(stack.shape[1:])}")
    if stack.dtype == np.bool_:
        return np.ascontiguousarray(stack, dtype=np.float32)
    if stack.dtype in (np.uint8, np.uint16):
        return stack.astype(stack.dtype.newbyteorder("="), copy=False)
    if stack.dtype.kind != "f":
        hint = "; convert it: x.astype('uint8')" if stack.dtype.kind in "iu" else ""
        raise TypeError(f"{place}: expected {_TYPES}, got the type {stack.dtype}{hint}")
    floats = np.ascontiguousarray(stack, dtype=np.float32)
    low, high = _NOISY if noisy else (0.0, 1.0)
    outside = ~((floats >= low) & (floats <= high))
    if outside.any():
        at = np.unravel_index(int(outside.argmax()), outside.shape)
        where = f"image {at[0]}" if len(floats) > 1 else place
        raise ValueError(f"{where}: expected values in [0, 1], got {floats[at]}; {_advice(floats)}")
    return floats


def _advice(floats: FloatImage) -> str:
    """What to do about values outside of [0, 1], by where all of them lie."""
    if not np.isfinite(floats).all():
        return "replace what is not finite, as by numpy.nan_to_num(x), or leave these images out"
    low, high = floats.min(), floats.max()
    for least, most, advice in (
        (-1.0, 1.0, "from [-1, 1]: (x + 1) / 2"),
        (0.0, 255.0, "from [0, 255]: x.astype('uint8')"),
        (0.0, 65_535.0, "from [0, 65535]: x.astype('uint16')"),
    ):
        if low >= least and high <= most:
            return advice
    return "scale all images alike: (x - x.min()) / (x.max() - x.min())"


def _in_type(image: FloatImage, dtype: np.dtype[Any], clip: bool) -> npt.NDArray[Any]:
    """Fractions of white in the type of the images that came."""
    if dtype.kind == "u":
        levels = np.clip(image, 0.0, 1.0) * np.float32(255 if dtype == np.uint8 else 65_535)
        # In double precision, where half a level is added without error.
        return np.floor(levels.astype(np.float64) + 0.5).astype(dtype)
    limited = np.clip(image, 0.0, 1.0) if clip else image
    return limited.astype(np.float32 if dtype == np.bool_ else dtype)


def _looks_like_alpha(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[-1] == 4 and min(shape[:2]) > 4


def _shape_hint(shape: tuple[int, ...]) -> str:
    match shape:
        case (_, _, 4):
            return ", which looks like one image of red, green, blue and alpha: x[..., :3]"
        case (_, _, _, 4):
            return "; alpha is not read from arrays: x[..., :3]"
        case (_, 1 | 3, _, _):
            return "; channels come last here: x.transpose(0, 2, 3, 1)"
        case _:
            return ""


def _shape_hint_of_one(shape: tuple[int, ...]) -> str:
    match shape:
        case (_, _, 4):
            return "; alpha is not read from arrays: x[..., :3]"
        case (1 | 3, _, _):
            return "; channels come last here: x.transpose(1, 2, 0)"
        case (1, _, _, _):
            return "; leave out the axis of images: x[0]"
        case _:
            return ""


def _expected(got: str) -> str:
    return f"expected images (an array, a PIL image, a path, or a sequence of these), got {got}"


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike)) and not isinstance(value, bytes)


def _is_pil(value: Any) -> bool:
    # Without importing PIL: who has such an image has it imported.
    return any(cls.__module__ == "PIL.Image" and cls.__name__ == "Image" for cls in type(value).__mro__)


def _pil_module() -> Any:
    from PIL import Image

    return Image
