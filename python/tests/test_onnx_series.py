"""Models of series as ONNX files: ONNX Runtime scores windows as the model does."""

import numpy as np
import pytest
from onnx_graphs import RELATIVE, compare_scores, metadata, run

from narrows import SeriesAutoEncoder
from narrows._encoder import Encoder

pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")

STEPS = 24


def beats(n=160, seed=0):
    """Rows of a wave of its own phase and level, one of five with a spike if the seed is not 0."""
    generator = np.random.default_rng(seed)
    phase = generator.uniform(0, 6, size=(n, 1)) + 0.5 * np.arange(STEPS)
    rows = 20 + 3 * np.sin(phase) + generator.normal(size=(n, 1)) + 0.1 * generator.normal(size=(n, STEPS))
    if seed:
        rows[::5, 7] += generator.uniform(2, 20, size=len(rows[::5]))
    return pd.DataFrame(rows, columns=[f"t{i}" for i in range(STEPS)])


def points(n=500, seed=0):
    """Points of two channels, with a fault if the seed is not 0."""
    generator = np.random.default_rng(seed)
    phase = 0.4 * np.arange(n)
    a = np.sin(phase) + 0.05 * generator.normal(size=n)
    b = 1e4 + 3 * np.cos(phase) + 0.05 * generator.normal(size=n)
    if seed:
        a[n // 2 : n // 2 + 4] += 4
    times = pd.date_range("2026-03-02", periods=n, freq="5min")
    return pd.DataFrame({"ts": times, "a": a, "b": b})


def fit_rows(preset="deep", rows=None, **settings):
    model = SeriesAutoEncoder(preset, layout="rows", max_steps=20, settings=settings)
    return model.fit(beats() if rows is None else rows)


def fit_points(preset="deep", **settings):
    return SeriesAutoEncoder(preset, time="ts", window=16, max_steps=20, settings=settings).fit(points())


def compare_rows(model, rows):
    graph = model.to_onnx()
    feeds = model.onnx_feeds(rows)
    assert feeds["windows"].dtype == np.float64
    found = run(graph, feeds)
    compare_scores(found, model.scores(rows), model.threshold_)
    np.testing.assert_allclose(found["embedding"], model.transform(rows), rtol=1e-3, atol=2e-5)
    return graph, found


def compare_windows(model, data):
    """Holds the scores of complete windows against those of the model."""
    graph = model.to_onnx()
    feeds = model.onnx_feeds(data)
    found = run(graph, feeds)
    expected = model.model_.window_scores(model._compared(data))
    complete = np.isfinite(feeds["windows"]).all(axis=(1, 2))
    assert complete.sum() > 5
    scores = found["scores"].ravel()
    assert np.isnan(scores[~complete]).all()
    np.testing.assert_allclose(scores[complete], expected[complete], rtol=RELATIVE)
    return graph, found, complete


@pytest.mark.parametrize(
    "preset", ["auto", "simple", "sparse", "deep", "denoising", "variational", "compressing", "seq2seq", "conv"]
)
def test_every_preset_scores_rows_and_windows_alike(preset):
    model = fit_rows(preset)
    graph, found = compare_rows(model, beats(60, seed=1))
    assert found["reconstruction"].shape == (60, STEPS, 1)
    np.testing.assert_allclose(
        found["reconstruction"][..., 0], model.reconstruct(beats(60, seed=1)), rtol=1e-4, atol=1e-4
    )
    assert found["feature_score"].shape == (60, STEPS)
    entries = metadata(graph)
    assert entries["narrows.kind"] == "series"
    names = [f"t{i}" for i in range(STEPS)]
    entry = {"input": "windows", "element": "double", "layout": "rows", "points": STEPS, "steps": names}
    assert entries["narrows.inputs"] == [entry]

    graph, found, _ = compare_windows(fit_points(preset), points(320, seed=1))
    assert sorted(found) == ["embedding", "feature_score", "reconstruction", "scores"]
    assert found["feature_score"].shape == (20, 2)
    # The fault is in channel a.
    assert found["feature_score"][found["scores"].argmax()].argmax() == 0
    assert metadata(graph)["narrows.inputs"][0]["channels"] == ["a", "b"]


@pytest.mark.parametrize("transform", ["none", "difference", "centre", "detrend", "standardise"])
def test_every_transform_is_alike(transform):
    model = fit_rows(**{"data.transform": transform})
    compare_rows(model, beats(60, seed=1))
    model = fit_points(**{"data.transform": transform})
    _, found, complete = compare_windows(model, points(320, seed=1))
    # Where differences are taken, the first window has no point before it.
    assert complete.all() == (transform != "difference")
    assert found["reconstruction"].shape == (20, 16, 2)


@pytest.mark.parametrize("scaling", ["standard", "robust", "minmax", "quantile", "none"])
def test_every_scaling_is_alike(scaling):
    model = fit_rows(**{"prep.scaling": scaling})
    rows = beats(60, seed=1)
    _, found = compare_rows(model, rows)
    np.testing.assert_allclose(found["reconstruction"][..., 0], model.reconstruct(rows), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("score", ["residual", "neighbour", "mahalanobis", "mix"])
def test_every_score_is_alike(score):
    compare_rows(fit_rows(**{"detect.score": score}), beats(60, seed=1))


def test_a_window_with_a_gap_has_no_score():
    model = fit_rows("seq2seq")
    rows = beats(20, seed=1)
    rows.iloc[3, 4] = np.nan
    rows.iloc[5, 2] = np.inf
    found = run(model.to_onnx(), model.onnx_feeds(rows))
    scores = found["scores"].ravel()
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3, 5]
    assert found["label"][[3, 5]].ravel().tolist() == [0, 0]
    assert np.isnan(found["p_values"][[3, 5]]).all()
    others = np.delete(np.arange(20), [3, 5])
    np.testing.assert_allclose(scores[others], np.asarray(model.scores(rows)["score"])[others], rtol=RELATIVE)


def test_a_step_that_never_changed_is_a_step_as_others_are():
    rows = beats()
    rows["t3"] = 5.0
    new = beats(40, seed=1)
    new["t3"] = 5.0
    new.loc[8, "t3"] = 6.0
    compare_rows(fit_rows(rows=rows), new)


def test_an_encoder_gives_the_codes_of_windows():
    for model, data in [(fit_rows("conv"), beats(30, seed=1)), (fit_points("seq2seq"), points(160, seed=1))]:
        encoder = Encoder(model.model_.encoder())
        found = run(encoder.to_onnx(), encoder.onnx_feeds(data))
        assert list(found) == ["embedding"]
        codes = model.transform(data)
        codes = codes[[f"code_{i}" for i in range(encoder.model_.code_size)]].to_numpy()
        np.testing.assert_allclose(found["embedding"], codes, rtol=1e-3, atol=2e-5)


def test_scales_of_single_series_are_refused_by_name():
    both = pd.concat([points().assign(id="p"), points(seed=2).assign(id="q")])
    model = SeriesAutoEncoder("deep", time="ts", id="id", window=16, max_steps=2, settings={"data.scale": "each"})
    with pytest.raises(ValueError, match="series have scales of their own"):
        model.fit(both).to_onnx()
