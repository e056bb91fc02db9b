"""The estimator of images: forms of input and output, scores, heat maps, codes, samples, files, and what is refused."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import ImageAutoEncoder

SIDE = 12
SMALL = {
    "code_size": 4,
    "max_steps": 150,
    "batch_size": 8,
    "learning_rate": 0.01,
    "settings": {"backbone.channels": [4, 8]},
}
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


def good(n: int, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Images of a bright bar of varying brightness on grey ground."""
    random = np.random.default_rng(seed)
    images = np.full((n, side, side), 60.0) + random.normal(scale=3, size=(n, side, side))
    images[:, side // 3 : side // 2] += random.uniform(90, 140, size=(n, 1, 1))
    return images.clip(0, 255).astype(np.uint8)


def bad(n: int) -> np.ndarray:
    """The same with a dark spot."""
    images = good(n, seed=9)
    images[:, 8:10, 8:10] = 255
    return images


@pytest.fixture(scope="module")
def fitted() -> ImageAutoEncoder:
    return ImageAutoEncoder(**SMALL).fit(good(60))


def test_images_with_a_spot_score_higher(fitted: ImageAutoEncoder) -> None:
    ordinary, spotted = fitted.score_samples(good(10, 1)), fitted.score_samples(bad(10))
    assert ordinary.shape == spotted.shape == (10,)
    assert ordinary.dtype == np.float64
    assert spotted.max() < ordinary.min()
    assert fitted.predict(bad(10)).tolist() == [-1] * 10
    assert fitted.p_values(bad(10)).max() < 0.2


def test_verdicts_follow_from_the_decision(fitted: ImageAutoEncoder) -> None:
    mixed = np.concatenate([good(10, 1), bad(3)])
    decision = fitted.decision_function(mixed)
    assert np.array_equal(decision, fitted.score_samples(mixed) - fitted.offset_)
    assert np.array_equal(fitted.predict(mixed), np.where(decision >= 0, 1, -1))
    assert fitted.with_threshold("fixed=1e9").predict(mixed).tolist() == [1] * 13


def test_scores_are_a_frame(fitted: ImageAutoEncoder) -> None:
    pd = pytest.importorskip("pandas")
    scores = fitted.scores(bad(2))
    assert isinstance(scores, pd.DataFrame)
    assert list(scores.columns) == ["image", "score", "p_value", "is_anomaly"]
    assert scores.image.tolist() == ["0", "1"]
    assert np.array_equal(scores.score, -fitted.score_samples(bad(2)))


def test_heat_maps_are_hottest_where_the_spot_is(fitted: ImageAutoEncoder) -> None:
    maps = fitted.heatmaps(bad(3))
    assert (maps.shape, maps.dtype) == ((3, SIDE, SIDE), np.float32)
    assert maps.min() >= 0
    for one in maps:
        y, x = np.unravel_index(one.argmax(), one.shape)
        assert 8 <= y < 10
        assert 8 <= x < 10
    assert fitted.heatmaps(bad(1)[0]).shape == (SIDE, SIDE)
    assert np.array_equal(fitted.heatmaps(list(bad(3))), maps)


def test_drift_names_the_measures_that_have_moved(fitted: ImageAutoEncoder) -> None:
    same = fitted.drift(good(60, seed=5))
    assert not same["has_drifted"]
    assert same["unit"] == "image"
    assert same["rows"] == 60
    found = fitted.drift((good(60, seed=5) // 2).astype(np.uint8))
    assert found["has_drifted"]
    assert "brightness" in [column["column"] for column in found["columns"] if column["has_drifted"]]
    with pytest.raises(ValueError, match="expected a number between 0 and 1"):
        fitted.drift(good(3), level=2)


def test_overlays_are_in_colour(fitted: ImageAutoEncoder) -> None:
    overlays = fitted.overlays(bad(2))
    assert (overlays.shape, overlays.dtype) == ((2, SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_reconstructions_come_as_the_images_came(fitted: ImageAutoEncoder, dtype: Any) -> None:
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    images = (good(2) / 255.0 * top).astype(dtype)
    rebuilt = fitted.reconstruct(images)
    assert (rebuilt.shape, rebuilt.dtype) == (images.shape, dtype)
    assert np.abs(rebuilt / top - good(2) / 255.0).mean() < 0.1
    with_axis = fitted.reconstruct(images[..., None])
    assert with_axis.shape == (2, SIDE, SIDE, 1)
    assert np.array_equal(with_axis[..., 0], rebuilt)


def test_pil_images_are_as_good_as_arrays(fitted: ImageAutoEncoder) -> None:
    Image = pytest.importorskip("PIL.Image")
    images = [Image.fromarray(image) for image in bad(3)]
    assert np.array_equal(fitted.score_samples(images), fitted.score_samples(bad(3)))
    rebuilt = fitted.reconstruct(images)
    assert all(isinstance(image, Image.Image) and image.mode == "L" for image in rebuilt)
    assert np.array_equal(np.stack([np.asarray(image) for image in rebuilt]), fitted.reconstruct(bad(3)))


def test_files_have_the_scores_of_arrays(fitted: ImageAutoEncoder, tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    for i, image in enumerate(bad(3)):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    expected = fitted.score_samples(bad(3))
    assert np.array_equal(fitted.score_samples(tmp_path), expected)
    assert np.array_equal(fitted.score_samples(str(tmp_path / "*.png")), expected)
    assert np.array_equal(fitted.score_samples([tmp_path / f"{i}.png" for i in range(3)]), expected)
    assert [Path(name).name for name in fitted.scores(tmp_path)["image"]] == ["0.png", "1.png", "2.png"]
    np.save(tmp_path / "all.npy", bad(3))
    assert np.array_equal(fitted.score_samples(tmp_path / "all.npy"), expected)


def test_a_fit_to_files_is_one_to_arrays(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    images = good(30)
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i:02}.png")
    arguments = {**SMALL, "max_steps": 5}
    of_files, of_array = (ImageAutoEncoder(**arguments).fit(X) for X in (tmp_path, images))
    assert np.array_equal(of_files.score_samples(bad(3)), of_array.score_samples(bad(3)))


def test_folders_of_good_images_are_named(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    for folder, images in (("ok", good(30)), ("spotted", bad(6))):
        (tmp_path / folder).mkdir()
        for i, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / folder / f"{i:02}.png")
    model = ImageAutoEncoder(normal="ok", **SMALL).fit(tmp_path)
    assert model.report_["rows"]["not_normal"] == 6
    assert model.evaluate(tmp_path, normal="ok")["auc_roc"] == 1.0
    with pytest.raises(ValueError, match="expected images in a folder `fine`"):
        model.evaluate(tmp_path, normal="fine")


def test_codes_and_back(fitted: ImageAutoEncoder) -> None:
    codes = fitted.transform(good(5))
    assert (codes.shape, codes.dtype) == ((5, 4), np.float64)
    images = fitted.inverse_transform(codes)
    assert (images.shape, images.dtype) == ((5, SIDE, SIDE), np.float32)
    assert np.array_equal(np.round(images * 255), fitted.reconstruct(good(5)).astype(np.float32))
    assert fitted.get_feature_names_out().tolist() == ["code_0", "code_1", "code_2", "code_3"]
    assert np.array_equal(ImageAutoEncoder(**SMALL).fit_transform(good(60)), fitted.transform(good(60)))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((2, 3)), "expected codes of 4 units, got 3"),
        (np.zeros(4), r"expected codes of the shape \(n, 4\), got \(4,\)"),
        (np.full((1, 4), np.nan), "expected finite codes, got NaN"),
    ],
)
def test_codes_of_another_shape_are_refused(fitted: ImageAutoEncoder, codes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fitted.inverse_transform(codes)


def test_samples_follow_from_the_seed(fitted: ImageAutoEncoder) -> None:
    three = fitted.sample(3, random_state=1)
    assert three.shape == (3, SIDE, SIDE)
    assert three.min() >= 0
    assert three.max() <= 1
    assert np.array_equal(three[:2], fitted.sample(2, random_state=1))
    assert not np.array_equal(three, fitted.sample(3, random_state=2))
    with pytest.raises(ValueError, match="n_samples: expected an integer of at least 1, got 0"):
        fitted.sample(0)


def test_images_of_any_size_are_seen_in_pieces() -> None:
    model = ImageAutoEncoder(view="pieces", side=8, **{**SMALL, "max_steps": 20}).fit([*good(20), *good(10, 1, 16)])
    assert model.sees_patches_
    new = [good(1, 2)[0], good(1, 3, 20)[0]]
    maps = model.heatmaps(new)
    assert [one.shape for one in maps] == [(SIDE, SIDE), (20, 20)]
    codes = model.transform(new)
    assert all(code.shape[1] == 4 for code in codes)
    assert len(codes[1]) > len(codes[0])
    assert [image.shape for image in model.reconstruct(new)] == [(SIDE, SIDE), (20, 20)]


def test_images_of_another_size_are_refused_or_resized(fitted: ImageAutoEncoder) -> None:
    for method in (fitted.score_samples, fitted.heatmaps, fitted.reconstruct, fitted.transform, fitted.overlays):
        with pytest.raises(ValueError, match="image 0: expected images of 12 x 12 pixels, as in training, got 20 x 20"):
            method(good(2, side=20))
    resizing = pickle.loads(pickle.dumps(fitted)).set_params(resize=True)
    assert resizing.score_samples(good(2, side=20)).shape == (2,)
    assert resizing.heatmaps(good(2, side=20)).shape == (2, 20, 20)


def test_colour_images_of_a_grey_model_count_as_grey(fitted: ImageAutoEncoder) -> None:
    grey = good(3)
    colour = np.repeat(grey[..., None], 3, axis=3)
    assert fitted.score_samples(colour) == pytest.approx(fitted.score_samples(grey), rel=1e-3)
    assert fitted.reconstruct(colour).shape[:3] == grey.shape


def test_colour_is_learnt() -> None:
    colour = np.stack([good(30), good(30, 1), good(30, 2)], axis=3)
    model = ImageAutoEncoder(**{**SMALL, "max_steps": 10}).fit(colour)
    assert model.reconstruct(colour[:2]).shape == (2, SIDE, SIDE, 3)
    assert model.sample(2).shape == (2, SIDE, SIDE, 3)
    assert model.heatmaps(colour[:2]).shape == (2, SIDE, SIDE)
    assert model.reconstruct(good(2)).shape[:3] == (2, SIDE, SIDE)


def test_evaluate_with_labels_and_without(fitted: ImageAutoEncoder) -> None:
    images, labels = np.concatenate([good(10, 1), bad(5)]), np.repeat([0, 1], [10, 5])
    assert fitted.evaluate(images, labels)["auc_roc"] == 1.0
    assert fitted.evaluate(images, 1 - 2 * labels)["auc_roc"] == 1.0
    assert fitted.evaluate(good(10, 1))["model"]["psnr"] > 15
    with pytest.raises(ValueError, match="y: expected 15 labels, one an image"):
        fitted.evaluate(images, labels[:3])
    with pytest.raises(ValueError, match="y: expected labels of 0 and 1"):
        fitted.evaluate(images, labels + 5)


def test_saved_loaded_and_pickled_models_score_alike(fitted: ImageAutoEncoder, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert isinstance(loaded, ImageAutoEncoder)
    for other in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(other.score_samples(bad(3)), fitted.score_samples(bad(3)))
        assert other.threshold_ == fitted.threshold_


def test_the_same_seed_gives_the_same_bytes() -> None:
    arguments = {**SMALL, "max_steps": 5}
    one, two = (ImageAutoEncoder(random_state=3, **arguments).fit(good(30)).model_.to_bytes() for _ in range(2))
    assert one == two != ImageAutoEncoder(random_state=4, **arguments).fit(good(30)).model_.to_bytes()


def test_the_report_shows_images(fitted: ImageAutoEncoder, tmp_path: Path) -> None:
    assert fitted.report(tmp_path / "fit.html") is None
    assert "data:image/png" in (tmp_path / "fit.html").read_text()
    of_new = fitted.report(X=bad(3))
    assert of_new is not None
    assert "<html" in of_new


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "expected at least one image, got none"),
        (good(1), ValueError, "expected|images"),
        (good(30).astype(float), ValueError, r"image 0: expected values in \[0, 1\], got .*x.astype\('uint8'\)"),
        (np.where(good(30) > 250, np.nan, good(30) / 255.0) * np.nan, ValueError, "replace what is not finite"),
        (good(30).astype(int), TypeError, r"expected uint8, uint16 or floats in \[0, 1\], got the type int64"),
        (np.zeros((30, 3, 12, 12), np.uint8), ValueError, "channels come last here"),
        (None, TypeError, "expected images"),
        ("no such folder", (OSError, ValueError), "no such folder"),
    ],
)
def test_what_is_no_image_is_refused(images: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        ImageAutoEncoder(**SMALL).fit(images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"view": "half"}, "view: expected 'whole' or 'pieces', got 'half'"),
        ({"side": 2}, "side"),
        ({"channels": "cmyk"}, "channels: expected 'grey' or 'rgb', got 'cmyk'"),
        ({"preset": "restore", "settings": None, "code_size": None}, "use ImageRestorer"),
        ({"preset": "magic"}, "magic"),
        ({"code_size": 0}, "code_size"),
    ],
)
def test_bad_arguments_are_refused_in_the_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageAutoEncoder(**{**SMALL, **arguments}).fit(good(30))


def test_methods_need_a_fit() -> None:
    model = ImageAutoEncoder()
    for method in (
        "score_samples",
        "predict",
        "p_values",
        "scores",
        "heatmaps",
        "overlays",
        "reconstruct",
        "transform",
    ):
        with pytest.raises(ValueError, match="is not fitted yet"):
            getattr(model, method)(good(2))
    with pytest.raises(AttributeError, match="is not fitted yet"):
        model.sample()


def test_images_lie_in_memory_as_they_like(fitted: ImageAutoEncoder) -> None:
    images = good(6, 1)
    images[:, 2:5, 1:9] = 0.25  # not symmetric
    expected = fitted.score_samples(images)
    assert np.array_equal(fitted.score_samples(np.asfortranarray(images)), expected)
    flipped = images[:, ::-1, ::-1].copy()[:, ::-1, ::-1]
    assert np.array_equal(fitted.score_samples(flipped), expected)


def test_batches_of_any_size_have_the_scores_of_their_images(fitted: ImageAutoEncoder) -> None:
    images = np.tile(good(40, 2), (30, 1, 1))
    assert np.array_equal(fitted.score_samples(images), np.tile(fitted.score_samples(images[:40]), 30))
    assert np.array_equal(fitted.transform(images)[:3], fitted.transform(images[:3]))
