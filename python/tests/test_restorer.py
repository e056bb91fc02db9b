"""The restorer: that it restores, that images go back as they came, its corruptions and files, and what is refused."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import ImageRestorer, datasets

SMALL = {"settings": {"backbone.channels": 16, "backbone.blocks": 2, "backbone.patch": 24}, "batch_size": 4}
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return datasets.scenes(10)


@pytest.fixture(scope="module")
def fitted(clean: np.ndarray) -> ImageRestorer:
    return ImageRestorer("gaussian:40", max_steps=300, learning_rate=0.003, **SMALL).fit(clean[:8])


def fit_briefly(corruption: str, images: np.ndarray, **arguments: Any) -> ImageRestorer:
    return ImageRestorer(corruption, max_steps=2, **{**SMALL, **arguments}).fit(images)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image / 255.0 - truth / 255.0) ** 2)))


def test_noise_is_removed(fitted: ImageRestorer, clean: np.ndarray) -> None:
    noisy = fitted.corrupt(clean[8:])
    restored = fitted.restore(noisy)
    assert (restored.shape, restored.dtype) == (noisy.shape, np.uint8)
    assert psnr(restored, clean[8:]) > psnr(noisy, clean[8:]) + 1


def test_evaluate_compares_with_a_classical_method(fitted: ImageRestorer, clean: np.ndarray) -> None:
    found = fitted.evaluate(clean[8:])
    assert found["n"] == 2
    assert found["restored"]["psnr"] > found["input"]["psnr"] + 1
    assert found["baseline"]["name"] == "non-local means"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_images_go_back_in_their_type(fitted: ImageRestorer, clean: np.ndarray, dtype: Any) -> None:
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    images = (clean[8:] / 255.0 * top).astype(dtype)
    restored = fitted.restore(images)
    assert (restored.shape, restored.dtype) == (images.shape, dtype)
    assert restored.max() <= top
    assert np.abs(restored / top - clean[8:] / 255.0).mean() < 0.15


def test_one_image_gives_one_image(fitted: ImageRestorer, clean: np.ndarray) -> None:
    one = fitted.restore(clean[8])
    assert one.shape == clean[8].shape
    assert np.array_equal(one, fitted.restore(clean[8:])[0])


def test_grey_images_and_lists_of_sizes(fitted: ImageRestorer, clean: np.ndarray) -> None:
    grey = clean[8, :50, :70, 0]
    restored = fitted.restore([grey, clean[9], grey[..., None]])
    assert [image.shape for image in restored] == [(50, 70), clean[9].shape, (50, 70, 1)]
    assert np.array_equal(restored[0], fitted.restore(grey))


def test_pil_images_give_pil_images(fitted: ImageRestorer, clean: np.ndarray) -> None:
    Image = pytest.importorskip("PIL.Image")
    image = Image.fromarray(clean[8])
    assert np.array_equal(np.asarray(fitted.restore(image)), fitted.restore(clean[8]))
    alpha = Image.fromarray(clean[9, ..., 0])
    image.putalpha(alpha)
    (restored,) = fitted.restore([image])
    assert (restored.mode, restored.size) == ("RGBA", image.size)
    assert np.array_equal(np.asarray(restored.getchannel("A")), np.asarray(alpha))


def test_files_give_arrays_of_their_depth(fitted: ImageRestorer, clean: np.ndarray, tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    Image.fromarray(clean[8]).save(tmp_path / "a.png")
    Image.fromarray(clean[9, ..., 0].astype(np.uint16) * 257).save(tmp_path / "b.png")
    assert np.array_equal(fitted.restore(tmp_path / "a.png"), fitted.restore(clean[8]))
    both = fitted.restore(tmp_path)
    assert [image.dtype for image in both] == [np.uint8, np.uint16]


def test_noise_of_floats_is_not_clipped_and_taken(fitted: ImageRestorer, clean: np.ndarray) -> None:
    noisy = fitted.corrupt(clean[8:] / 255.0)
    assert noisy.dtype == np.float64
    assert noisy.min() < 0
    assert noisy.max() > 1
    restored = fitted.restore(noisy)
    assert restored.min() >= 0
    assert restored.max() <= 1


def test_corruption_follows_from_the_seed(fitted: ImageRestorer, clean: np.ndarray) -> None:
    one, same, other = (fitted.corrupt(clean[8:], random_state=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(ImageRestorer("blur:2").corrupt(clean[8]), clean[8])


def test_pixels_of_a_mask_are_filled_and_no_others(clean: np.ndarray) -> None:
    model = fit_briefly("blocks:0.1:4px", clean)
    mask = np.zeros(clean.shape[1:3], bool)
    mask[4:9, 3:8] = True
    holed = clean[:2].copy()
    holed[:, mask] = 0
    filled = model.restore(holed, mask=mask)
    assert (filled[:, ~mask] == holed[:, ~mask]).all()
    assert (filled[:, mask] != 0).any()
    with pytest.raises(ValueError, match="mask: expected one mask or one for each of 2 images, got 3"):
        model.restore(holed, mask=np.stack([mask] * 3))
    with pytest.raises(ValueError, match=r"mask: expected .* pixels for image 0"):
        model.restore(holed, mask=mask[1:])
    with pytest.raises(ValueError, match="expected a model of `blocks` or `masking`, got one of `gaussian"):
        fit_briefly("gaussian:25", clean).restore(holed, mask=mask)


def test_images_are_enlarged(clean: np.ndarray) -> None:
    model = fit_briefly("downscale:2", clean)
    small = model.corrupt(clean[:2])
    assert small.shape == (2, 48, 48, 3)
    assert model.restore(small).shape == (2, 96, 96, 3)


def test_grey_images_are_coloured(clean: np.ndarray) -> None:
    model = fit_briefly("grayscale", clean)
    grey = model.corrupt(clean[:2])
    assert model.restore(grey[..., 0] if grey.ndim == 4 else grey).shape == (2, 96, 96, 3)


def test_saved_loaded_and_pickled_models_restore_alike(
    fitted: ImageRestorer, clean: np.ndarray, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert isinstance(loaded, ImageRestorer)
    assert loaded.corruption == "gaussian:40"
    for other in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(other.restore(clean[8:]), fitted.restore(clean[8:]))
    assert np.array_equal(loaded.corrupt(clean[8:]), fitted.corrupt(clean[8:]))


def test_the_same_seed_gives_the_same_bytes(clean: np.ndarray) -> None:
    one, two = (fit_briefly("gaussian:25", clean, random_state=3).model_.to_bytes() for _ in range(2))
    assert one == two != fit_briefly("gaussian:25", clean, random_state=4).model_.to_bytes()


def test_a_fit_tells_its_training(fitted: ImageRestorer, tmp_path: Path) -> None:
    assert fitted.n_iter_ == 300
    assert fitted.history_[0]["step"] >= 1
    fitted.report(tmp_path / "fit.html")
    assert "<html" in (tmp_path / "fit.html").read_text()
    assert not hasattr(fitted, "predict")
    assert not hasattr(fitted, "threshold_")


@pytest.mark.parametrize(
    ("corruption", "error", "message"),
    [
        ("fog:3", ValueError, "fog"),
        ("gaussian:abc", ValueError, "abc"),
        ("downscale:99", ValueError, "99"),
        ("", ValueError, "corrupt"),
        (None, TypeError, "corruption: expected a text such as 'gaussian:25', got None"),
        (25, TypeError, "got 25"),
    ],
)
def test_unknown_corruptions_are_refused(
    clean: np.ndarray, corruption: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ImageRestorer(corruption, max_steps=2, **SMALL).fit(clean)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "expected at least one image, got none"),
        (np.zeros((2, 96, 96, 4), np.uint8), ValueError, r"alpha is not read from arrays: x\[\.\.\., :3\]"),
        (np.full((2, 96, 96), 128.0), ValueError, r"expected values in \[0, 1\], got 128.0; from \[0, 255\]"),
        (np.full((2, 96, 96), np.nan), ValueError, "replace what is not finite"),
        ("no such folder", (OSError, ValueError), "no such folder"),
    ],
)
def test_what_is_no_image_is_refused(fitted: ImageRestorer, images: Any, error: Any, message: str) -> None:
    for method in (fitted.restore, fitted.corrupt, fitted.evaluate, ImageRestorer(**SMALL).fit):
        with pytest.raises(error, match=message):
            method(images)


def test_presets_with_a_code_are_refused(clean: np.ndarray) -> None:
    with pytest.raises(ValueError, match="use ImageAutoEncoder"):
        ImageRestorer(preset="conv").fit(clean)


def test_methods_need_a_fit(clean: np.ndarray) -> None:
    for method in (ImageRestorer().restore, ImageRestorer().evaluate):
        with pytest.raises(ValueError, match="this ImageRestorer is not fitted yet"):
            method(clean)
