"""Plots: what the artists show, how axes are labelled, and what is refused."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib import pyplot

import narrows
from narrows import AutoEncoder, ImageAutoEncoder, SeriesAutoEncoder, plot

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
BLUE, VERMILION = "#0072B2", "#D55E00"


@pytest.fixture(autouse=True)
def no_figure_stays() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def rows() -> tuple[Any, Any]:
    """Rows near a plane, and labels: 10 of 250 are off it."""
    X = np.random.default_rng(0).normal(size=(250, 4))
    X[:, 3] = X[:, 0] + X[:, 1]
    X[:10, 3] += 9
    return X, np.r_[np.ones(10), np.zeros(240)].astype(int)


@pytest.fixture(scope="module")
def model(rows: Any) -> AutoEncoder:
    return AutoEncoder("deep", max_steps=80, code_size=3, contamination=0.04).fit(rows[0])


@pytest.fixture(scope="module")
def machines() -> Any:
    """Two series of two channels, with times; `b` has a jump in `load` at its points 200 to 209."""
    pandas = pytest.importorskip("pandas")
    times = pandas.date_range("2026-01-01", periods=300, freq="h")
    wave = np.sin(np.arange(300) / 5)
    parts = [
        pandas.DataFrame({"time": times, "machine": name, "load": wave * 10, "heat": np.cos(np.arange(300) / 5)})
        for name in ("a", "b")
    ]
    return pandas.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def series(machines: Any) -> SeriesAutoEncoder:
    return SeriesAutoEncoder("simple", id="machine", window=32, max_steps=60, threshold="quantile=0.99").fit(machines)


@pytest.fixture(scope="module")
def jump(machines: Any) -> Any:
    frame = machines.copy()
    frame.loc[500:509, "load"] += 40
    return frame


@pytest.fixture(scope="module")
def images() -> tuple[ImageAutoEncoder, Any]:
    parts = narrows.datasets.parts(n_train=24, n_test=6)
    return ImageAutoEncoder(code_size=4, max_steps=4).fit(parts.train), parts


def labels_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_scores_are_counted_on_both_sides_of_the_threshold(model: AutoEncoder, rows: Any) -> None:
    X, _ = rows
    ax = plot.scores(model, X)
    below, above = ax.containers
    assert sum(bar.get_height() for bar in below) == 240
    assert sum(bar.get_height() for bar in above) == 10
    assert ax.lines[0].get_xdata()[0] == model.threshold_
    assert labels_of(ax)[1:] == ["above the threshold (10)", f"threshold {model.threshold_:.4g}"]
    assert ax.get_title(loc="left") == "10 of 250 rows score above the threshold"
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("score (1 is typical)", "rows", "log")


def test_no_bin_of_scores_is_on_both_sides_of_the_threshold(model: AutoEncoder, rows: Any) -> None:
    ax = plot.scores(model, rows[0])
    flagged = [bar for bar in ax.containers[1] if bar.get_height() > 0]
    assert min(bar.get_x() for bar in flagged) >= model.threshold_ * (1 - 1e-9)


@pytest.mark.parametrize("form", ["0 and 1", "bool", "+1 and -1"])
def test_scores_are_coloured_by_labels(model: AutoEncoder, rows: Any, form: str) -> None:
    X, y = rows
    y = {"0 and 1": y, "bool": y == 1, "+1 and -1": 1 - 2 * y}[form]
    ax = plot.scores(model, X, y)
    assert labels_of(ax)[:2] == ["labelled normal (240)", "labelled anomalies (10)"]
    assert sum(bar.get_height() for bar in ax.containers[1]) == 10


def test_labels_are_a_column_or_of_the_fit() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.random.default_rng(0).normal(size=120), "state": ["ok"] * 110 + ["broken"] * 10})
    model = AutoEncoder("simple", max_steps=5, label="state", normal="ok").fit(frame)
    assert labels_of(plot.scores(model, frame, "state"))[1] == "labelled anomalies (10)"
    with pytest.raises(ValueError, match=r"y: expected a column of X .a, state., got `condition`"):
        plot.scores(model, frame, "condition")
    other = AutoEncoder("simple", max_steps=5).fit(frame[["a"]])
    with pytest.raises(
        ValueError, match=r"y: expected labels of 0 and 1, or of .1 and -1 for anomalies, got broken, ok"
    ):
        plot.scores(other, frame[["a"]], frame["state"])


def test_as_many_labels_as_rows_are_needed(model: AutoEncoder, rows: Any) -> None:
    with pytest.raises(ValueError, match=r"y: expected 250 labels, one a row, got an array of the shape .3,."):
        plot.scores(model, rows[0], [0, 1, 0])


def test_training_shows_the_losses_and_what_was_kept(model: AutoEncoder) -> None:
    ax = plot.training(model)
    train, validation, kept = ax.lines
    history = model.history_
    assert train.get_xdata().tolist() == [check["step"] for check in history]
    assert train.get_ydata().tolist() == [check["train_loss"] for check in history]
    assert validation.get_ydata().tolist() == [check["validation_loss"] for check in history]
    best = model.report_["training"][0]["best"]
    assert (kept.get_xdata()[0], kept.get_ydata()[0]) == (history[best]["step"], history[best]["validation_loss"])
    assert labels_of(ax) == ["training", "validation", "kept"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log")


def test_training_of_an_ensemble_shows_every_member(rows: Any) -> None:
    ax = plot.training(AutoEncoder(max_steps=4).fit(rows[0]))
    assert len(ax.lines) == 6
    assert ax.get_title(loc="left").startswith("2 members, ")
    assert len(labels_of(ax)) == 3


def test_an_explanation_has_a_bar_a_column(model: AutoEncoder, rows: Any) -> None:
    explained = model.explain(rows[0][:12], top=4)
    ax = plot.explanation(explained, 3)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [str(reason.column) for reason in explained[3]]
    shares = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for part in ax.containers for bar in part}
    assert [shares[i] for i in range(4)] == pytest.approx([100 * reason.share for reason in explained[3]])
    texts = [text.get_text() for text in ax.texts]
    first = explained[3][0]
    assert texts[0] == f"expected about {first.expected}, got {first.got}"
    assert explained.scores is not None
    assert ax.get_title(loc="left") == f"row 3, score {explained.scores[3]:.4g}"
    assert ax.get_xlabel() == "share (%)"


def test_the_last_row_is_explained_by_its_position_from_the_end(model: AutoEncoder, rows: Any) -> None:
    explained = model.explain(rows[0][:12])
    assert plot.explanation(explained, -1).get_title(loc="left").startswith("row 11, score ")
    with pytest.raises(IndexError, match="row: expected a position among 12 rows, got 12"):
        plot.explanation(explained, 12)


def test_colours_tell_above_from_below(model: AutoEncoder, rows: Any) -> None:
    from matplotlib.colors import to_hex

    explained = model.explain(rows[0][:12], top=4)
    ax = plot.explanation(explained, 0)
    for part in ax.containers:
        word = {"above expected": VERMILION, "below expected": BLUE}.get(part.get_label(), "#767676")
        assert {to_hex(bar.get_facecolor()).upper() for bar in part} == {word.upper()}


def test_the_reconstruction_of_a_row_is_in_standard_deviations(model: AutoEncoder, rows: Any) -> None:
    X, _ = rows
    ax = plot.reconstruction(model, X, 3)
    made = model.reconstruct(X[3:4])[0]
    columns = [int(label.get_text()[1:]) for label in ax.get_yticklabels()]
    expected, got = (points.get_offsets()[:, 0] for points in ax.collections)
    middle, spread = X.mean(axis=0), X.std(axis=0)
    assert got.tolist() == pytest.approx([(X[3, i] - middle[i]) / spread[i] for i in columns])
    assert expected.tolist() == pytest.approx([(made[i] - middle[i]) / spread[i] for i in columns])
    assert ax.texts[0].get_text().startswith(f"{made[columns[0]]:.4g} → ")
    assert ax.get_xlabel() == "distance from the column's mean (standard deviations)"


def test_categories_are_told_in_words() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.arange(60.0) % 7, "b": ["x", "y", "z"] * 20}, index=[f"r{i}" for i in range(60)])
    model = AutoEncoder("simple", max_steps=5).fit(frame)
    made = model.reconstruct(frame)["b"]
    row = int(np.flatnonzero(made != frame["b"])[0])
    ax = plot.reconstruction(model, frame, row)
    place = [label.get_text() for label in ax.get_yticklabels()].index("b")
    assert ax.texts[place].get_text() == f"{made.iloc[row]} → {frame['b'].iloc[row]}"
    assert len(ax.collections[0].get_offsets()) == 1
    assert ax.get_title(loc="left").startswith(f"row r{row}, score ")


def test_a_row_alone_has_no_scale(model: AutoEncoder, rows: Any) -> None:
    with pytest.raises(ValueError, match="X: expected at least 5 rows, to draw each column to its scale, got 1"):
        plot.reconstruction(model, rows[0][:1], 0)
    with pytest.raises(IndexError, match="row: expected a position among 250, got 250"):
        plot.reconstruction(model, rows[0], 250)


def test_the_reconstruction_of_a_point_shows_the_windows_around_it(series: SeriesAutoEncoder, jump: Any) -> None:
    ax = plot.reconstruction(series, jump, 505)
    signal, made, here = ax.lines
    assert ax.get_ylabel() == "load"
    assert ax.get_xlabel() == "time (UTC)"
    assert len(signal.get_xdata()) == 2 * 32 + 1
    assert signal.get_ydata()[32] == jump["load"].iloc[505]
    assert made.get_ydata()[32] == pytest.approx(series.reconstruct(jump)["load"].iloc[505])
    assert here.get_xdata()[0] == jump["time"].iloc[505].to_datetime64()
    assert ax.get_title(loc="left").startswith("b, row 505: score ")
    assert plot.reconstruction(series, jump, 505, channel="heat").get_ylabel() == "heat"


def test_events_are_shaded_in_the_series_of_the_highest_peak(series: SeriesAutoEncoder, jump: Any) -> None:
    from matplotlib.dates import date2num

    found = series.events(jump)
    here = found[found["series"] == "b"]
    ax = plot.events(series, jump)
    assert ax.get_title(loc="left").startswith("b: ")
    assert ax.get_ylabel() == "load"
    assert ax.lines[0].get_ydata().tolist() == jump["load"].iloc[300:].tolist()
    assert len(ax.patches) == len(here) > 0
    for patch, start, end in zip(ax.patches, here["start"], here["end"], strict=True):
        assert patch.get_x() <= date2num(start) <= patch.get_x() + patch.get_width()
        assert patch.get_x() <= date2num(end) <= patch.get_x() + patch.get_width()
    peak = here.loc[here["peak_score"].idxmax(), "peak_row"]
    marks = {line.get_ydata()[0] for line in ax.lines[1:]}
    assert jump["load"].iloc[peak] in marks


def test_a_series_and_a_channel_can_be_chosen(series: SeriesAutoEncoder, jump: Any) -> None:
    ax = plot.events(series, jump, series="a", channel="heat")
    assert ax.get_ylabel() == "heat"
    assert ax.get_title(loc="left").startswith("a: ")
    assert len(ax.patches) == (series.events(jump)["series"] == "a").sum()
    with pytest.raises(ValueError, match="series: expected one of a, b, got 'c'"):
        plot.events(series, jump, series="c")
    with pytest.raises(ValueError, match="channel: expected one of load, heat, got 'speed'"):
        plot.events(series, jump, channel="speed")


def test_a_series_that_is_a_row_is_shown_whole() -> None:
    pandas = pytest.importorskip("pandas")
    waves = np.sin(np.arange(24) / 3 + np.random.default_rng(0).random((60, 1)))
    frame = pandas.DataFrame(waves, columns=[f"t{i}" for i in range(24)]).assign(state=["ok"] * 55 + ["bad"] * 5)
    model = SeriesAutoEncoder("simple", layout="rows", max_steps=10, label="state", normal="ok").fit(frame)
    ax = plot.reconstruction(model, frame, 3)
    assert ax.lines[0].get_ydata().tolist() == waves[3].tolist()
    made = model.reconstruct(frame).iloc[3, :24].to_numpy(dtype=float)
    assert ax.lines[1].get_ydata().tolist() == pytest.approx(made.tolist())
    assert ax.get_xlabel() == "point, from t0 to t23"
    codes = plot.code_map(model, frame, "state")
    assert [len(points.get_offsets()) for points in codes.collections] == [55, 5]
    assert plot.scores(model, frame).get_ylabel() == "series"


def test_an_array_of_points_has_positions() -> None:
    wave = np.sin(np.arange(400) / 5)
    model = SeriesAutoEncoder("simple", window=32, max_steps=30).fit(wave)
    new = wave.copy()
    new[200] = 6.0
    ax = plot.events(model, new)
    assert ax.get_xlabel() == "point"
    assert ax.lines[0].get_ydata().tolist() == new.tolist()
    assert any(patch.get_x() <= 200 <= patch.get_x() + patch.get_width() for patch in ax.patches)


def test_events_need_series(model: AutoEncoder, rows: Any) -> None:
    with pytest.raises(ValueError, match="model: expected a SeriesAutoEncoder for data with a point a row"):
        plot.events(model, rows[0])


def test_codes_are_on_their_principal_components(model: AutoEncoder, rows: Any) -> None:
    X, y = rows
    ax = plot.code_map(model, X, y)
    codes = model.transform(X)
    normal, bad = (points.get_offsets() for points in ax.collections)
    assert (len(normal), len(bad)) == (240, 10)
    spread = np.linalg.svd(codes - codes.mean(axis=0))[1] ** 2
    assert ax.get_xlabel() == f"first principal component ({100 * spread[0] / spread.sum():.0f} % of the variance)"
    both = np.concatenate([bad, normal])
    assert np.sum(both[:, 0] ** 2) == pytest.approx(spread[0], rel=1e-6)
    assert np.sum(both[:, 1] ** 2) == pytest.approx(spread[1], rel=1e-6)
    assert ax.get_title(loc="left") == "codes of 3 units, of 250 rows"


def test_two_units_are_shown_as_they_are(rows: Any) -> None:
    X, _ = rows
    model = AutoEncoder("deep", code_size=2, max_steps=10, contamination=0.1).fit(X)
    ax = plot.code_map(model, X)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("code_0", "code_1")
    bad = model.predict(X) == -1
    assert np.allclose(ax.collections[1].get_offsets(), model.transform(X)[bad])
    assert labels_of(ax)[1] == "above the threshold (25)"


def test_codes_of_series_are_windows(series: SeriesAutoEncoder, machines: Any) -> None:
    ax = plot.code_map(series, machines)
    assert len(ax.collections[0].get_offsets()) == len(series.transform(machines))
    assert ax.get_title(loc="left").endswith(" windows")
    with pytest.raises(ValueError, match="y: a window of a series has no label"):
        plot.code_map(series, machines, np.zeros(600))


def test_an_image_is_beside_its_reconstruction_and_heat_map(images: Any) -> None:
    model, parts = images
    ax = plot.reconstruction(model, parts.test, 4)
    given, made, heat = (image.get_array() for image in ax.images)
    assert np.allclose(given, parts.test[4] / 255, atol=1e-6)
    assert np.allclose(made, model.reconstruct(parts.test[4:5] / 255.0)[0], atol=1e-5)
    assert np.allclose(heat, model.heatmaps(parts.test[4:5])[0], rtol=1e-5)
    assert [text.get_text() for text in ax.texts] == ["image", "reconstruction", "squared error"]
    lefts = [image.get_extent()[0] for image in ax.images]
    assert lefts[0] < lefts[1] - 63 < lefts[2] - 126
    assert ax.get_title(loc="left") == f"image 4, score {-model.score_samples(parts.test)[4]:.4g}"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pixels", "pixels")
    assert "typical pixel" in ax.figure.axes[1].get_ylabel()


def test_codes_of_images_take_labels(images: Any) -> None:
    model, parts = images
    ax = plot.code_map(model, parts.test, parts.labels)
    assert [len(points.get_offsets()) for points in ax.collections] == [
        int((parts.labels == 0).sum()),
        int(parts.labels.sum()),
    ]


def test_given_axes_are_drawn_into(model: AutoEncoder, rows: Any) -> None:
    X, _ = rows
    figure, axes = pyplot.subplots(2, 2)
    drawn = [
        plot.scores(model, X, ax=axes[0, 0]),
        plot.training(model, ax=axes[0, 1]),
        plot.code_map(model, X, ax=axes[1, 0]),
        plot.explanation(model.explain(X[:3]), 1, ax=axes[1, 1]),
    ]
    assert drawn == list(axes.ravel())
    assert pyplot.get_fignums() == [figure.number]
    with pytest.raises(TypeError, match="ax: expected matplotlib's Axes, got 'here'"):
        plot.training(model, ax="here")


def test_a_model_must_be_fitted_and_have_what_is_drawn(rows: Any) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        plot.training(AutoEncoder())
    for draw in (plot.scores, plot.code_map, plot.reconstruction):
        with pytest.raises(TypeError, match=r"model: expected one that .*, got ImageRestorer"):
            draw(narrows.ImageRestorer(), rows[0])


def test_without_matplotlib_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import numpy, narrows, warnings; warnings.simplefilter('ignore')\n"
        "X = numpy.random.default_rng(0).normal(size=(50, 2))\n"
        "narrows.plot.scores(narrows.AutoEncoder('simple', max_steps=2).fit(X), X)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: narrows.plot needs matplotlib: `pip install matplotlib`" in found.stderr
