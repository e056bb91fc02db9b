"""Models of images as ONNX files: ONNX Runtime scores, reconstructs and restores as the model does."""

import numpy as np
import pytest
from onnx_graphs import compare_scores, metadata, run

import narrows
from narrows import ImageAutoEncoder, ImageRestorer, datasets
from narrows._encoder import Encoder

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")

RESTORER = {"settings": {"backbone.channels": 8, "backbone.blocks": 2, "backbone.patch": 24}, "batch_size": 4}


def floats(images):
    return images.astype(np.float32) / np.float32(255)


def bars(n, height, width, seed=0, channels=1):
    """Images of a bright bar on noisy ground; every third has a spot if the seed is not 0."""
    generator = np.random.default_rng(seed)
    images = 0.25 + 0.03 * generator.normal(size=(n, height, width, channels))
    images[:, height // 3 : height // 2] += generator.uniform(0.3, 0.5, size=(n, 1, 1, channels))
    if seed:
        images[::3, height // 4 : height // 4 + 5, 5:10] = 1
    images = images.clip(0, 1).astype(np.float32)
    return images[..., 0] if channels == 1 else images


def compare(model, images):
    """Holds the graph of a model against the model; returns the graph and its outputs."""
    graph = model.to_onnx()
    feeds = model.onnx_feeds(images)
    n, height, width = images.shape[:3]
    assert feeds["images"].shape[0] == n
    assert feeds["images"].shape[2:] == (height, width)
    found = run(graph, feeds)
    compare_scores(found, model.scores(images), model.threshold_)
    rebuilt = np.moveaxis(found["reconstruction"], 1, -1).reshape(images.shape)
    np.testing.assert_allclose(rebuilt, model.reconstruct(images), atol=2e-5)
    codes = model.transform(images)
    codes = np.stack(codes) if isinstance(codes, list) else codes
    np.testing.assert_allclose(found["embedding"].reshape(codes.shape), codes, rtol=1e-3, atol=2e-5)
    heat = model.heatmaps(images)
    np.testing.assert_allclose(found["feature_score"], heat, rtol=1e-3, atol=1e-4 * heat.max())
    return graph, found


@pytest.mark.parametrize(
    "preset", ["auto", "simple", "sparse", "deep", "conv", "denoising", "variational", "compressing"]
)
def test_every_preset_scores_alike(preset):
    settings = {"data.view": "whole"} if preset == "compressing" else {}
    model = ImageAutoEncoder(preset, max_steps=20, settings=settings).fit(bars(60, 16, 16))
    graph, _ = compare(model, bars(12, 16, 16, seed=1))
    entries = metadata(graph)
    assert entries["narrows.kind"] == "images"
    entry = {"input": "images", "element": "float", "height": 16, "width": 16, "channels": "grey"}
    assert entries["narrows.inputs"] == [{**entry, "sample": "image", "stride": None}]
    assert entries["narrows.threshold"]["threshold"] == model.threshold_


@pytest.mark.parametrize("loss", ["mse", "mae", "bce", "ssim"])
def test_every_loss_is_alike(loss):
    model = ImageAutoEncoder("conv", max_steps=20, settings={"loss": loss}).fit(bars(40, 16, 24))
    compare(model, bars(6, 16, 24, seed=1))


def test_local_patches_and_the_network_are_both_in_the_score():
    parts = datasets.parts(n_train=60, n_test=12)
    model = ImageAutoEncoder(max_steps=20).fit(parts.train)
    _, found = compare(model, floats(parts.test))
    # Defects are found where they are.
    assert found["scores"][parts.labels == 1].mean() > found["scores"][parts.labels == 0].mean()
    # An image of the memory is at its own patches.
    compare(model, floats(parts.train[:4]))
    alone = run(model.to_onnx(), model.onnx_feeds(floats(parts.test[3:4])))
    np.testing.assert_allclose(alone["scores"], found["scores"][3:4], rtol=1e-9)


@pytest.mark.parametrize("settings", [{"detect.score": "residual"}, {"detect.score": "patches"}])
def test_patches_of_large_images_are_cut_in_the_graph(settings):
    model = ImageAutoEncoder("conv", view="pieces", max_steps=10, settings=settings)
    model.fit(bars(30, 50, 71, channels=3))
    graph, found = compare(model, bars(6, 50, 71, seed=1, channels=3))
    assert metadata(graph)["narrows.inputs"][0]["sample"] == "patches"
    assert found["embedding"].ndim == 3


def test_whole_images_are_resized_in_the_graph():
    model = ImageAutoEncoder("conv", view="whole", side=16, max_steps=10).fit(bars(40, 20, 12))
    compare(model, bars(6, 20, 12, seed=1))


def test_a_model_of_patches_of_images_of_all_sizes_reads_patches():
    images = [*bars(20, 40, 52), *bars(20, 44, 36)]
    model = ImageAutoEncoder("conv", view="pieces", max_steps=10, settings={"detect.score": "residual"}).fit(images)
    graph, new = model.to_onnx(), [bars(3, 40, 52, seed=1)[0], bars(3, 33, 60, seed=1)[0]]
    assert metadata(graph)["narrows.inputs"][0]["sample"] == "patch"
    found = run(graph, model.onnx_feeds(new))
    counts = [len(codes) for codes in model.transform(new)]
    assert found["scores"].shape == (sum(counts), 1)
    # The score of an image is the highest of its patches.
    of_images = [part.max() for part in np.split(found["scores"].ravel(), np.cumsum(counts)[:-1])]
    np.testing.assert_allclose(of_images, np.asarray(model.scores(new)["score"]), rtol=1e-5)
    np.testing.assert_allclose(found["embedding"], np.concatenate(model.transform(new)), rtol=1e-3, atol=2e-5)


def test_local_patches_of_images_of_all_sizes_are_refused_by_name():
    images = [*bars(20, 60, 64), *bars(20, 64, 72)]
    model = ImageAutoEncoder(max_steps=2).fit(images)
    with pytest.raises(ValueError, match="expected images of one size in training, as local patches"):
        model.to_onnx()


def test_an_encoder_gives_its_codes():
    for view in ("whole", "pieces"):
        images = bars(12, 40, 40, seed=1)
        model = ImageAutoEncoder("conv", view=view, max_steps=10).fit(bars(40, 40, 40))
        encoder = Encoder(model.model_.encoder())
        found = run(encoder.to_onnx(), encoder.onnx_feeds(images))
        assert list(found) == ["embedding"]
        codes = encoder.transform(images).reshape(found["embedding"].shape)
        np.testing.assert_allclose(found["embedding"], codes, rtol=1e-3, atol=2e-5)


def test_images_of_another_size_are_refused_by_name():
    model = ImageAutoEncoder("conv", max_steps=2).fit(bars(40, 16, 16))
    with pytest.raises(ValueError, match="expected images of 16 x 16 pixels, got image 0 of 17 x 16"):
        model.onnx_feeds(bars(2, 17, 16))
    with pytest.raises(TypeError):
        narrows.AutoEncoder("deep", max_steps=2).fit(np.eye(40)).model_.onnx_image_feeds(np.zeros((2, 3)))


@pytest.mark.parametrize(
    "corruption",
    ["gaussian:25", "gaussian:25,grayscale", "grayscale", "downscale:2", "downscale:3", "masking:0.3:black"],
)
def test_restorers_restore_alike_in_every_size(corruption):
    clean = datasets.scenes(8)
    model = ImageRestorer(corruption, max_steps=20, learning_rate=0.003, **RESTORER).fit(clean)
    graph = model.to_onnx()
    assert metadata(graph)["narrows.kind"] == "restorer"
    for height, width in [(96, 96), (33, 50), (7, 61), (24, 1), (201, 12)]:
        whole = np.tile(floats(clean[:2]), (1, 3, 1, 1))[:, 3 : 3 + height, :width]
        damaged = whole.mean(axis=3) if "grayscale" in corruption else whole
        damaged = np.ascontiguousarray(damaged, dtype=np.float32)
        feeds = model.onnx_feeds(damaged)
        assert feeds["images"].shape[2:] == (height, width)
        found = run(graph, feeds)
        assert list(found) == ["restored"]
        restored = model.restore(damaged)
        np.testing.assert_allclose(np.moveaxis(found["restored"], 1, -1), restored, atol=1e-4)
        assert np.abs(restored).max() > 0.1


def test_grey_restorers_are_fed_grey():
    clean = datasets.scenes(6).mean(axis=3).astype(np.uint8)
    model = ImageRestorer("gaussian:10-50", max_steps=10, **RESTORER).fit(clean)
    noisy = model.corrupt(floats(clean[:3]))
    found = run(model.to_onnx(), model.onnx_feeds(noisy))
    np.testing.assert_allclose(found["restored"][:, 0], model.restore(noisy), atol=1e-4)


def test_what_is_done_outside_of_the_network_is_refused_by_name(tmp_path):
    logo = tmp_path / "logo.png"
    pixels = np.zeros((12, 24, 4), dtype=np.uint8)
    pixels[3:9, 3:21] = 255
    pytest.importorskip("PIL.Image").fromarray(pixels).save(logo)
    refused = {
        "blocks:0.2:8px": "holes of any colour are found",
        f"watermark:{logo}:0.4": "a known watermark is registered",
    }
    for corruption, why in refused.items():
        model = ImageRestorer(corruption, max_steps=2, **RESTORER).fit(datasets.scenes(6))
        with pytest.raises(ValueError, match=why):
            model.to_onnx()
