"""Models as ONNX files in a second runtime, tract, by the scores of the first inputs of each kind."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from samples import matrix

import narrows

tract = pytest.importorskip("tract")
pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")

RELATIVE = 1e-5
TYPES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def run(graph: bytes, feeds: dict[str, npt.NDArray[Any]], folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Every output of a graph by its name, of inputs whose shape is set before."""
    path = folder / "m.onnx"
    path.write_bytes(graph)
    model = tract.onnx().load(path)
    names = [model.input_name(i) for i in range(model.input_count())]
    for i, name in enumerate(names):
        shape = ",".join(str(n) for n in feeds[name].shape)
        model.set_input_fact(i, f"{shape},{TYPES[feeds[name].dtype]}")
    outputs = [model.output_name(i).removeprefix("output/") for i in range(model.output_count())]
    found = model.into_model().into_runnable().run([feeds[name] for name in names])
    # Its interface has no whole numbers.
    floats = [(name, value) for name, value in zip(outputs, found, strict=True) if name != "label"]
    return {name: value.to_numpy() for name, value in floats}


def check(model: Any, data: Any, expected: npt.NDArray[np.float64], folder: Path) -> None:
    found = run(model.to_onnx(), model.onnx_feeds(data), folder)
    np.testing.assert_allclose(found["scores"].ravel(), expected, rtol=RELATIVE)


@pytest.mark.parametrize("preset", ["auto", "deep", "variational"])
def test_rows(preset: str, tmp_path: Path) -> None:
    X = matrix(300)
    X[::40, 1] = np.nan
    model = narrows.AutoEncoder(preset, max_steps=20).fit(X)
    check(model, X[:50], -model.score_samples(X[:50]), tmp_path)


def test_moments_before_and_after_1970(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    seconds = generator.integers(0, 120 * 86_400, 200).astype("timedelta64[s]")
    rows = pd.DataFrame({"a": generator.normal(size=200), "when": np.datetime64("1969-11-01T00:00:00", "us") + seconds})
    model = narrows.AutoEncoder("deep", max_steps=10).fit(rows)
    check(model, rows, -model.score_samples(rows), tmp_path)


@pytest.mark.parametrize("preset", ["auto", "seq2seq", "conv"])
def test_rows_of_series(preset: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    phase = generator.uniform(0, 6, size=(120, 1)) + 0.5 * np.arange(16)
    rows = pd.DataFrame(np.sin(phase) + 0.1 * generator.normal(size=phase.shape)).add_prefix("t")
    model = narrows.SeriesAutoEncoder(preset, layout="rows", max_steps=20).fit(rows)
    check(model, rows[:20], np.asarray(model.scores(rows[:20])["score"]), tmp_path)


@pytest.mark.parametrize("arguments", [{"preset": "simple"}, {"preset": "conv"}, {"preset": "conv", "view": "pieces"}])
def test_images(arguments: dict[str, Any], tmp_path: Path) -> None:
    parts = narrows.datasets.parts(n_train=30, n_test=4)
    model = narrows.ImageAutoEncoder(max_steps=10, **arguments).fit(parts.train)
    images = parts.test.astype(np.float32) / np.float32(255)
    check(model, images, np.asarray(model.scores(images)["score"]), tmp_path)


@pytest.mark.parametrize("corruption", ["gaussian:25", "grayscale"])
def test_restorers(corruption: str, tmp_path: Path) -> None:
    settings = {"backbone.channels": 8, "backbone.blocks": 2, "backbone.patch": 24}
    model = narrows.ImageRestorer(corruption, max_steps=10, settings=settings).fit(narrows.datasets.scenes(6))
    images = narrows.datasets.scenes(2)[:, :33, :50].astype(np.float32) / np.float32(255)
    damaged = images.mean(axis=3) if corruption == "grayscale" else images
    found = run(model.to_onnx(), model.onnx_feeds(damaged), tmp_path)
    np.testing.assert_allclose(np.moveaxis(found["restored"], 1, -1), model.restore(damaged), atol=1e-4)
