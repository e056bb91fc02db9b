"""Images in and out: which forms are accepted, that values are those of files, and that results go back as they came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from narrows import NarrowsWarning
from narrows._image_arrays import given_images

BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def floats(images: Any) -> list[np.ndarray]:
    held = given_images(images)
    return [held.native.get(i) for i in range(len(held))]


def test_bytes_are_divided_by_255_in_single_precision() -> None:
    (image,) = floats(BYTES[None])
    assert image.dtype == np.float32
    assert np.array_equal(image, BYTES.astype(np.float32) / np.float32(255))


def test_words_are_divided_by_65535() -> None:
    words = np.array([[0, 1, 2, 3], [65535, 300, 4, 5]], dtype=np.uint16)
    (image,) = floats([words])
    assert np.array_equal(image, words.astype(np.float32) / np.float32(65535))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are(dtype: Any) -> None:
    values = np.array([[0.0, 0.25], [0.5, 1.0]], dtype=dtype)
    (image,) = floats([values])
    assert image.tolist() == values.tolist()


def test_booleans_are_black_and_white() -> None:
    (image,) = floats([np.array([[True, False]])])
    assert image.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("shape", "n", "form"),
    [
        ((5, 8, 9), 5, "stack"),
        ((5, 8, 9, 1), 5, "stack"),
        ((5, 8, 9, 3), 5, "stack"),
        ((8, 9), 1, "one"),
        ((8, 9, 3), 1, "one"),
        ((8, 9, 1), 1, "one"),
    ],
)
def test_an_array_is_a_stack_or_one_image(shape: tuple[int, ...], n: int, form: str) -> None:
    held = given_images(np.zeros(shape, dtype=np.uint8))
    assert (len(held), held.form) == (n, form)
    back = held.give([held.native.get(i) for i in range(n)])
    assert (back.shape, back.dtype) == (shape, np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_results_have_the_type_and_values_of_what_came(dtype: Any) -> None:
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    stack = (np.linspace(0, 1, 2 * 5 * 6) * top).astype(dtype).reshape(2, 5, 6)
    held = given_images(stack)
    back = held.give([held.native.get(i) for i in range(2)])
    assert back.dtype == dtype
    assert np.array_equal(back, stack.astype(np.float32).astype(dtype) if dtype == np.float64 else stack)


def test_what_is_given_back_is_clipped_and_rounded_to_the_nearest_level() -> None:
    held = given_images(np.zeros((1, 2, 2), dtype=np.uint8))
    made = np.array([[-0.5, 1.5], [0.5, 0.1]], dtype=np.float32)
    assert held.give([made]).tolist() == [[[0, 255], [128, 26]]]
    floats = given_images(np.zeros((1, 2, 2), dtype=np.float32))
    assert floats.give([made]).min() == 0.0
    assert floats.give([made], clip=False).min() == -0.5


def test_a_list_of_sizes_comes_back_as_a_list() -> None:
    images = [np.zeros((4, 5), np.uint8), np.zeros((6, 7, 3), np.uint16), np.ones((3, 2, 1), np.float32)]
    held = given_images(images)
    back = held.give([held.native.get(i) for i in range(3)])
    assert [(x.shape, x.dtype) for x in back] == [(x.shape, x.dtype) for x in images]


def test_enlarged_images_of_a_stack_are_a_stack() -> None:
    held = given_images(np.zeros((2, 3, 4), dtype=np.uint8))
    assert held.give([np.zeros((6, 8), np.float32)] * 2).shape == (2, 6, 8)


def test_an_object_array_of_images_is_a_list() -> None:
    images = np.empty(2, dtype=object)
    images[0], images[1] = np.zeros((4, 5), np.uint8), np.zeros((6, 5), np.uint8)
    assert [x.shape for x in floats(images)] == [(4, 5), (6, 5)]


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA", "I;16", "F", "1", "P", "CMYK"])
def test_pil_images_come_back_as_pil_images(mode: str) -> None:
    Image = pytest.importorskip("PIL.Image")
    grey = Image.fromarray(BYTES)
    match mode:
        case "I;16":
            image = Image.fromarray(BYTES.astype(np.uint16) * 257)
        case "F":
            image = Image.fromarray(BYTES.astype(np.float32) / 255)
        case _:
            image = grey.convert("RGB").convert(mode)
    held = given_images([image])
    (back,) = held.give([held.native.get(0)])
    expected = {"1": "L", "P": "RGB", "CMYK": "RGB"}.get(mode, mode)
    assert (back.mode, back.size) == (expected, image.size)
    if mode in ("L", "RGB", "LA", "RGBA", "I;16", "F"):
        assert np.array_equal(np.asarray(back), np.asarray(image))


def test_alpha_of_a_pil_image_is_kept_and_enlarged() -> None:
    Image = pytest.importorskip("PIL.Image")
    image = Image.fromarray(BYTES).convert("RGB")
    image.putalpha(Image.fromarray(BYTES))
    image.info["dpi"] = (72, 72)
    held = given_images(image)
    back = held.give([np.zeros((32, 32, 3), np.float32)])
    assert (back.mode, back.size, back.info["dpi"]) == ("RGBA", (32, 32), (72, 72))
    assert np.asarray(back)[..., 3].max() > 200


def test_files_have_the_values_of_the_array_that_was_saved(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    for name in ("b", "a"):
        Image.fromarray(BYTES).save(tmp_path / f"{name}.png")
    for source in (tmp_path, str(tmp_path / "*.png"), [tmp_path / "a.png", tmp_path / "b.png"]):
        held = given_images(source)
        assert (len(held), held.form) == (2, "list")
        assert np.array_equal(held.native.get(0), floats([BYTES])[0])
    one = given_images(tmp_path / "a.png")
    assert one.form == "one"
    assert np.array_equal(one.give([one.native.get(0)]), BYTES)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "expected at least one image, got none"),
        (np.zeros((0, 4, 4), np.uint8), ValueError, "expected at least one image"),
        (np.zeros((2, 0, 4), np.uint8), ValueError, "expected at least one pixel"),
        (np.zeros(4, np.uint8), ValueError, r"expected an array of images, .* got \[4\]"),
        (np.zeros((2, 8, 8, 4), np.uint8), ValueError, r"alpha is not read from arrays: x\[\.\.\., :3\]"),
        (np.zeros((8, 8, 4), np.uint8), ValueError, "looks like one image of red, green, blue and alpha"),
        (np.zeros((2, 3, 8, 8), np.uint8), ValueError, r"channels come last here: x.transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 8, 8, 2), np.uint8), ValueError, r"got \[2, 8, 8, 2\]"),
        ([np.zeros((3, 8, 8), np.uint8)], ValueError, r"image 0: .*x.transpose\(1, 2, 0\)"),
        ([np.zeros((8, 8)), np.zeros(8)], ValueError, r"image 1: expected an array .* got \[8\]"),
        (np.zeros((2, 4, 4), np.int64), TypeError, r"got the type int64; convert it: x.astype\('uint8'\)"),
        (np.zeros((2, 4, 4), complex), TypeError, "got the type complex128$"),
        (np.full((2, 4, 4), np.nan), ValueError, "image 0: expected values in .*nan; replace what is not finite"),
        (np.full((2, 4, 4), np.inf), ValueError, "replace what is not finite"),
        ([np.zeros((2, 2)), np.full((2, 2), 255.0)], ValueError, r"image 1: .*got 255.0; from \[0, 255\]: x.astype"),
        (np.full((1, 2, 2), -1.0), ValueError, r"from \[-1, 1\]: \(x \+ 1\) / 2"),
        (np.full((1, 2, 2), 1e9), ValueError, "scale all images alike"),
        (3, TypeError, "expected images .* got a int"),
        (None, TypeError, "expected images .* got a NoneType"),
        ({"a": 1}, TypeError, "expected images .* got a dict"),
        ([np.zeros((2, 2)), "a.png"], TypeError, "image 1: .* give paths alone"),
    ],
)
def test_what_is_no_image_is_refused(images: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        given_images(images)


def test_files_that_cannot_be_read_are_left_out_and_told(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    Image.fromarray(BYTES).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("nothing to see")
    with pytest.warns(NarrowsWarning, match=r"b\.png is left out: expected an image .*, got text"):
        assert len(given_images(tmp_path)) == 1


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError), match="nothing"):
        given_images(tmp_path / "nothing")


def test_noise_beyond_black_and_white_is_taken_where_it_may_be() -> None:
    noisy = np.array([[[-0.3, 1.4]]], dtype=np.float32)
    assert given_images(noisy, noisy=True).native.get(0).tolist() == noisy[0].tolist()
    with pytest.raises(ValueError, match="expected values in"):
        given_images(noisy)
    with pytest.raises(ValueError, match=r"got 25.0"):
        given_images(np.full((1, 2, 2), 25.0), noisy=True)
