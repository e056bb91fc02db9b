"""Compressed files: bounds that hold, exact columns, parts of files, images, and what is refused."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import AutoEncoder, ImageAutoEncoder, ImageRestorer, SeriesAutoEncoder, compress, datasets, decompress

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


@pytest.fixture(scope="module")
def frame() -> Any:
    return datasets.payments(600)


@pytest.fixture(scope="module")
def model(frame: Any) -> AutoEncoder:
    return AutoEncoder("compressing", label="is_fraud", max_steps=60).fit(frame)


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    random = np.random.default_rng(0)
    x = random.normal(size=(500, 2))
    return np.column_stack([x, x.sum(axis=1), x[:, 0] - x[:, 1]])


@pytest.fixture(scope="module")
def of_array(matrix: np.ndarray) -> AutoEncoder:
    return AutoEncoder("compressing", max_steps=60).fit(matrix)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return datasets.parts(24, 1).train[:, ::4, ::4]


@pytest.fixture(scope="module")
def of_images(images: np.ndarray) -> ImageAutoEncoder:
    return ImageAutoEncoder("compressing", code_size=8, max_steps=10, batch_size=8).fit(images)


def test_no_number_is_off_by_more_than_the_bound(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "d.nrw"
    summary = compress(of_array, matrix, path, max_error=0.01)
    back = decompress(of_array, path, output="numpy")
    assert back.shape == matrix.shape
    assert 0 < np.abs(back - matrix).max() <= 0.01
    assert summary["bytes"] == path.stat().st_size


def test_a_bound_may_be_a_share_of_the_range(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    compress(of_array, matrix, tmp_path / "d.nrw", max_error="1%", verify=True)
    back = decompress(of_array, tmp_path / "d.nrw", output="numpy")
    assert (np.abs(back - matrix).max(axis=0) <= 0.01 * np.ptp(matrix, axis=0)).all()


@pytest.mark.parametrize("bounds", [{"amount": "2%"}, "amount=2%"])
def test_columns_have_bounds_of_their_own(model: AutoEncoder, frame: Any, tmp_path: Path, bounds: Any) -> None:
    compress(model, frame, tmp_path / "d.nrw", max_error=bounds, verify=True)
    back = decompress(model, tmp_path / "d.nrw")
    errors = np.abs(back["amount"] - frame["amount"])
    assert 0 < errors.max() <= 0.02 * np.ptp(frame["amount"])
    pd.testing.assert_frame_equal(back.drop(columns="amount"), frame.drop(columns="amount"))


def test_lossless_is_every_cell_in_its_type(model: AutoEncoder, frame: Any, tmp_path: Path) -> None:
    odd = frame.assign(note=[f"n{i}" for i in range(600)], small=np.arange(600, dtype=np.int16))
    summary = compress(model, odd, tmp_path / "d.nrw", lossless=True, verify=True)
    back = decompress(model, tmp_path / "d.nrw")
    assert list(back.columns) == list(odd.columns)
    for name in odd.columns:
        assert back[name].isna().equals(odd[name].isna()), name
        assert back[name].dropna().tolist() == odd[name].dropna().tolist(), name
    assert summary["rows"] == 600


def test_codes_alone_are_what_reconstruct_gives(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    small, fine = tmp_path / "small.nrw", tmp_path / "fine.nrw"
    compress(of_array, matrix, small, quality=1)
    compress(of_array, matrix, fine, quality=10)
    assert small.stat().st_size < fine.stat().st_size
    rebuilt = of_array.reconstruct(matrix)
    errors = [np.abs(decompress(of_array, path, output="numpy") - rebuilt).mean() for path in (small, fine)]
    assert errors[1] < errors[0]
    assert errors[1] < 0.1


def test_more_bits_make_larger_files(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    sizes = []
    for bits in (2, 8):
        compress(of_array, matrix, tmp_path / "d.nrw", bits=bits)
        sizes.append((tmp_path / "d.nrw").stat().st_size)
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (range(100, 110), slice(100, 110)),
        (slice(100, 110), slice(100, 110)),
        (slice(None, 5), slice(0, 5)),
        (slice(490, None), slice(490, 500)),
        (7, slice(7, 8)),
        (None, slice(None)),
    ],
)
def test_parts_of_a_file_are_read(
    of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path, rows: Any, expected: slice
) -> None:
    compress(of_array, matrix, tmp_path / "d.nrw", max_error=0.001, chunk_rows=64)
    whole = decompress(of_array, tmp_path / "d.nrw", output="numpy")
    assert np.array_equal(decompress(of_array, tmp_path / "d.nrw", rows, output="numpy"), whole[expected])


@pytest.mark.parametrize("rows", [range(5, 5), range(0, 10, 2), slice(0, 10, 3), -1, "1-3", True, slice(-5, None)])
def test_rows_that_do_not_follow_each_other_are_refused(of_array: AutoEncoder, tmp_path: Path, rows: Any) -> None:
    with pytest.raises(ValueError, match=r"rows: expected row numbers that follow each other, such as range"):
        decompress(of_array, tmp_path / "d.nrw", rows)


def test_rows_beyond_the_end_are_an_error(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    compress(of_array, matrix, tmp_path / "d.nrw")
    with pytest.raises(ValueError, match="expected rows of 0 to 499, got 490 to 509"):
        decompress(of_array, tmp_path / "d.nrw", range(490, 510))


@pytest.mark.parametrize("output", ["pandas", "polars", "pyarrow"])
def test_the_form_of_the_result_is_asked_for(model: AutoEncoder, frame: Any, tmp_path: Path, output: str) -> None:
    pytest.importorskip(output)
    compress(model, frame, tmp_path / "d.nrw", lossless=True)
    back = decompress(model, tmp_path / "d.nrw", output=output)
    assert type(back).__module__.split(".")[0] == output
    assert back.shape == frame.shape


def test_other_forms_of_data_make_the_same_file(model: AutoEncoder, frame: Any, tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    for name, data in (("pandas", frame), ("polars", pl.from_pandas(frame))):
        compress(model, data, tmp_path / name, max_error="0.5%")
    backs = [decompress(model, tmp_path / name) for name in ("pandas", "polars")]
    pd.testing.assert_frame_equal(*backs)
    frame.to_csv(tmp_path / "d.csv", index=False)
    compress(model, tmp_path / "d.csv", tmp_path / "d.nrw", max_error="0.5%")
    assert len(decompress(model, tmp_path / "d.nrw")) == 600


def test_series_are_compressed(tmp_path: Path) -> None:
    wave = np.sin(np.arange(400) / 5) + np.random.default_rng(0).normal(scale=0.01, size=400)
    model = SeriesAutoEncoder("simple", window=16, max_steps=60).fit(wave)
    compress(model, wave, tmp_path / "d.nrw", max_error=0.01)
    back = decompress(model, tmp_path / "d.nrw", output="numpy")
    assert np.abs(back[:, 0] - wave).max() <= 0.01


def test_images_come_back_within_the_bound(of_images: ImageAutoEncoder, images: np.ndarray, tmp_path: Path) -> None:
    compress(of_images, images, tmp_path / "d.nrw", max_error=2, verify=True)
    back = decompress(of_images, tmp_path / "d.nrw")
    assert (back.shape, back.dtype) == (images.shape, np.uint8)
    assert np.abs(back.astype(int) - images).max() <= 2


def test_images_come_back_exactly(of_images: ImageAutoEncoder, images: np.ndarray, tmp_path: Path) -> None:
    compress(of_images, images, tmp_path / "d.nrw", lossless=True)
    assert np.array_equal(decompress(of_images, tmp_path / "d.nrw"), images)
    floats = decompress(of_images, tmp_path / "d.nrw", output="float32")
    assert np.array_equal(floats, images.astype(np.float32) / np.float32(255))
    with pytest.raises(ValueError, match="output: expected one of uint8, uint16, float32 for images, got 'pandas'"):
        decompress(of_images, tmp_path / "d.nrw", output="pandas")
    with pytest.raises(ValueError, match=r"rows: .* which have no rows"):
        decompress(of_images, tmp_path / "d.nrw", range(3))


def test_a_model_of_a_file_is_as_good(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    of_array.save(tmp_path / "m.narrows")
    compress(of_array, matrix, tmp_path / "d.nrw", max_error=0.01)
    loaded = narrows.load(tmp_path / "m.narrows")
    same = [decompress(model, tmp_path / "d.nrw", output="numpy") for model in (of_array, loaded)]
    assert np.array_equal(*same)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"max_error": "a lot"}, ValueError, "a lot"),
        ({"max_error": -1.0}, ValueError, "-1"),
        ({"max_error": True}, TypeError, "max_error: expected a number, or a text such as '0.5%', got True"),
        ({"max_error": {}}, ValueError, "bounds of columns, got an empty mapping"),
        ({"max_error": {"z": 1}}, ValueError, "column `z`"),
        ({"max_error": {"x0": True}}, TypeError, "max_error: expected a number"),
        ({"quality": 11}, ValueError, "quality: expected a whole number from 1 to 10, got 11|from 1 to 10"),
        ({"bits": -2}, ValueError, "bits"),
        ({"max_error": 0.1, "lossless": True}, ValueError, "at most one of .* got max_error, lossless"),
        ({"chunk_rows": 0}, ValueError, "chunk"),
    ],
)
def test_bad_arguments_are_refused(
    of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path, arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compress(of_array, matrix, tmp_path / "d.nrw", **arguments)
    assert not (tmp_path / "d.nrw").exists()


def test_data_of_other_columns_are_refused(model: AutoEncoder, frame: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="amount"):
        compress(model, frame.drop(columns="amount"), tmp_path / "d.nrw")


def test_another_model_is_refused(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path) -> None:
    compress(of_array, matrix, tmp_path / "d.nrw")
    other = AutoEncoder("compressing", max_steps=61).fit(matrix)
    with pytest.raises(ValueError, match="model"):
        decompress(other, tmp_path / "d.nrw")


def test_kinds_of_models_are_told_apart(
    of_array: AutoEncoder, of_images: ImageAutoEncoder, matrix: np.ndarray, images: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="Expected 2D array, got 3D array"):
        compress(of_array, images, tmp_path / "d.nrw")
    with pytest.raises(ValueError, match="expected values in"):
        compress(of_images, matrix, tmp_path / "d.nrw")
    compress(of_images, images, tmp_path / "i.nrw")
    with pytest.raises(ValueError, match="image"):
        decompress(of_array, tmp_path / "i.nrw")


def test_models_without_a_code_are_refused(tmp_path: Path, images: np.ndarray) -> None:
    scenes = datasets.scenes(4)
    settings = {"backbone.channels": 4, "backbone.blocks": 0}
    restorer = ImageRestorer(settings=settings, max_steps=1).fit(scenes)
    with pytest.raises(TypeError, match=r"expected a model with a code and a decoder .* got ImageRestorer"):
        compress(restorer, images, tmp_path / "d.nrw")


@pytest.mark.parametrize("model", [None, "m.narrows", object(), AutoEncoder])
def test_what_is_no_model_is_refused(model: Any, matrix: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="model: expected a fitted estimator such as AutoEncoder, got"):
        compress(model, matrix, tmp_path / "d.nrw")


def test_models_must_be_fitted(matrix: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not fitted yet"):
        compress(AutoEncoder(), matrix, tmp_path / "d.nrw")
    with pytest.raises(ValueError, match="is not fitted yet"):
        decompress(AutoEncoder(), tmp_path / "d.nrw")


@pytest.mark.parametrize("damage", ["empty", "foreign", "cut", "flipped", "newer", "missing"])
def test_damaged_files_are_refused(of_array: AutoEncoder, matrix: np.ndarray, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "d.nrw"
    compress(of_array, matrix, path, max_error=0.01)
    whole = bytearray(path.read_bytes())
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "foreign":
            path.write_bytes(b"PK\x03\x04 this is an archive of something else" * 9)
        case "cut":
            path.write_bytes(whole[: len(whole) // 2])
        case "flipped":
            whole[len(whole) // 2] ^= 0xFF
            path.write_bytes(whole)
        case "newer":
            shutil.copy(path, tmp_path / "copy.nrw")
            whole[4:8] = (250).to_bytes(4, "little")
            path.write_bytes(whole)
        case "missing":
            path.unlink()
    with pytest.raises(OSError if damage == "missing" else ValueError, match=r"d\.nrw"):
        decompress(of_array, path)
