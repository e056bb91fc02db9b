"""`narrows export --check`: the command runs a graph beside the model, of every kind with scores."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_graphs import onnxruntime

import narrows

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")

RUN = "import sys; sys.argv[0] = 'narrows'; from narrows._cli import main; main()"


def checked(model: Path, data: Path) -> str:
    """What the command tells."""
    arguments = ["export", str(model), "--onnx", "--check", str(data), "-o", str(model.with_suffix(".onnx"))]
    environment = {**os.environ, "NARROWS_PYTHON": sys.executable}
    ran = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, env=environment)
    return ran.stdout + ran.stderr


def test_rows_windows_and_images_are_checked(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = np.sin(generator.uniform(0, 6, size=(60, 1)) + 0.5 * np.arange(12)) + 0.1 * generator.normal(size=(60, 12))
    rows[3, 4] = np.nan
    names = ",".join(f"t{i}" for i in range(12))
    np.savetxt(tmp_path / "rows.csv", rows, fmt="%.6f", delimiter=",", header=names, comments="")
    points = np.column_stack([np.arange(300), np.sin(0.4 * np.arange(300)) + 0.05 * generator.normal(size=300)])
    np.savetxt(tmp_path / "points.csv", points, fmt="%.6f", delimiter=",", header="t,a", comments="")
    images = (60 + 20 * generator.random((40, 16, 16))).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)

    of_rows = narrows.SeriesAutoEncoder("deep", layout="rows", max_steps=10).fit(tmp_path / "rows.csv")
    of_points = narrows.SeriesAutoEncoder("deep", time="t", window=16, max_steps=10).fit(tmp_path / "points.csv")
    of_images = narrows.ImageAutoEncoder("conv", max_steps=10).fit(images)
    told = {}
    for name, model, data in [
        ("rows", of_rows, "rows.csv"),
        ("points", of_points, "points.csv"),
        ("images", of_images, "images.npy"),
    ]:
        model.save(tmp_path / f"{name}.narrows")
        told[name] = checked(tmp_path / f"{name}.narrows", tmp_path / data)
    by = f"by ONNX Runtime {onnxruntime.__version__}: largest relative difference of a score"
    assert f"60 rows {by}" in told["rows"]
    assert "0 labels differ" in told["rows"]
    assert f"19 windows {by}" in told["points"]
    assert "labels" not in told["points"]
    assert f"40 images {by}" in told["images"]


def test_models_without_scores_are_told(tmp_path: Path) -> None:
    settings = {"backbone.channels": 8, "backbone.blocks": 1, "backbone.patch": 16}
    model = narrows.ImageRestorer("gaussian:25", max_steps=2, settings=settings).fit(narrows.datasets.scenes(4))
    model.save(tmp_path / "r.narrows")
    np.save(tmp_path / "images.npy", narrows.datasets.scenes(2))
    assert "expected a model with scores to check" in checked(tmp_path / "r.narrows", tmp_path / "images.npy")
