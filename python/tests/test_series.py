"""The estimator of series: forms of input, scores and their flags, events, codes, files, and what is refused."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import SeriesAutoEncoder

pd = pytest.importorskip("pandas")

WINDOW = 16
SMALL = {"preset": "simple", "window": WINDOW, "max_steps": 40}
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


def wave(n: int = 400, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(n, 2))
    phase = 0.4 * np.arange(n)
    return np.column_stack([np.sin(phase), 10 + 3 * np.cos(phase)]) + noise


def frame(n: int = 400, machines: tuple[str, ...] = ("p", "q")) -> Any:
    """Points of several machines, one after the other in time."""
    parts = []
    for seed, machine in enumerate(machines):
        points = wave(n, seed)
        times = pd.date_range("2026-03-02", periods=n, freq="5min")
        parts.append(pd.DataFrame({"ts": times, "machine": machine, "a": points[:, 0], "b": points[:, 1]}))
    return pd.concat(parts).sort_values(["ts", "machine"], ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> SeriesAutoEncoder:
    return SeriesAutoEncoder(time="ts", id="machine", **SMALL).fit(frame())


@pytest.fixture(scope="module")
def of_array() -> SeriesAutoEncoder:
    return SeriesAutoEncoder(**SMALL).fit(wave())


def spoilt() -> Any:
    """A frame with a fault of machine q, a missing point of p, and a gap in p."""
    new = frame(120)
    new.loc[(new.machine == "q") & new.ts.between("2026-03-02 04:00", "2026-03-02 04:20"), "a"] += 6
    new.loc[new.index[(new.machine == "p")][30], ["a", "b"]] = np.nan
    p = new.index[new.machine == "p"]
    return new.drop(index=p[60:64])


def test_a_score_a_point_with_the_index_of_the_frame(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    scores = fitted.score(new)
    assert list(scores.columns) == ["score", "p_value", "is_anomaly", "flag"]
    assert scores.index.equals(new.index)
    fault = (new.machine == "q") & new.ts.between("2026-03-02 04:00", "2026-03-02 04:20")
    assert scores.is_anomaly[fault].all()
    assert scores.score[fault].min() > 2 * scores.score[~fault].median()
    assert scores.p_value.dropna().between(0, 1, inclusive="right").all()
    assert scores.equals(fitted.scores(new))


def test_points_without_a_score_are_nan_and_ordinary(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    scores = fitted.score(new)
    missing = new.a.isna().to_numpy()
    assert missing.sum() == 1
    assert (scores.flag[missing] == "missing").all()
    assert (scores.flag == "after_gap").sum() == 1
    for values in (fitted.score_samples(new), fitted.decision_function(new), fitted.p_values(new)):
        assert np.array_equal(np.isnan(values), missing)
    assert fitted.predict(new)[missing].tolist() == [1]


def test_verdicts_follow_from_the_decision(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    decision = fitted.decision_function(new)
    scored = ~np.isnan(decision)
    assert np.array_equal(decision[scored], (fitted.score_samples(new) - fitted.offset_)[scored])
    assert fitted.offset_ == -fitted.threshold_
    predicted = fitted.predict(new)
    assert predicted.dtype == np.int64
    assert np.array_equal(predicted[scored] == -1, decision[scored] < 0)
    assert np.array_equal(fitted.score(new).is_anomaly, predicted == -1)
    assert np.array_equal(fitted.score(new).score, -fitted.score_samples(new), equal_nan=True)


def test_too_few_points_for_a_window_are_warming_up(fitted: SeriesAutoEncoder) -> None:
    scores = fitted.score(frame(WINDOW - 1))
    assert set(scores.flag) == {"warm_up"}
    assert scores.score.isna().all()


def test_events_have_the_times_of_the_frame(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    events = fitted.events(new)
    of_q = events[events.series == "q"].sort_values("peak_score").iloc[-1]
    assert pd.Timestamp("2026-03-02 03:00") <= of_q.start <= pd.Timestamp("2026-03-02 04:00")
    assert pd.Timestamp("2026-03-02 04:20") <= of_q.end <= pd.Timestamp("2026-03-02 05:20")
    assert events.start.dtype == new.ts.dtype
    assert of_q.channels.split()[0] == "a"
    assert new.ts.iloc[of_q.first_row] == of_q.start
    assert of_q.peak_score == fitted.score(new).score.iloc[of_q.peak_row]


def test_times_of_findings_are_as_in_the_data() -> None:
    values = wave()[:, 0]
    values[200] = 9
    for times in (
        pd.date_range("2026-03-28", periods=400, freq="h", tz="Europe/Berlin"),
        pd.period_range("2026-03-28", periods=400, freq="h"),
        pd.Index(np.arange(400) * 0.5, name="seconds"),
        pd.Index(pd.date_range("2026-03-28", periods=400, freq="h").strftime("%d.%m.%Y %H:%M"), name="when"),
    ):
        series = pd.Series(values, index=times, name="load")
        model = SeriesAutoEncoder(time=times.name, date_format="%d.%m.%Y %H:%M", **SMALL).fit(series)
        assert model.time_ == (times.name or "time")
        event = model.events(series).sort_values("peak_score").iloc[-1]
        assert (event.start, event.end) == (times[event.first_row], times[event.last_row])
        codes = model.transform(series)
        assert codes[model.time_].tolist() == times[codes.row].tolist()


def test_series_without_times_are_told_by_their_id() -> None:
    model = SeriesAutoEncoder(id="machine", ignore="ts", **SMALL).fit(frame())
    assert model.time_ is None
    assert model.columns_ == ["machine", "a", "b"]
    events = model.with_threshold("fixed=0.1").events(frame(40))
    assert set(events.series) == {"p", "q"}
    assert events.start.astype(float).min() == 0


def test_no_events_are_an_empty_frame_with_the_columns(fitted: SeriesAutoEncoder) -> None:
    events = fitted.with_threshold("fixed=1e9").events(frame(60))
    assert len(events) == 0
    assert {"series", "start", "end", "points", "peak_score", "p_value", "channels"} <= set(events.columns)


@pytest.mark.parametrize("index", [["ts"], ["machine", "ts"], ["ts", "machine"]])
def test_times_may_be_in_the_index(fitted: SeriesAutoEncoder, index: list[str]) -> None:
    new = spoilt()
    indexed = new.set_index(index)
    scores = fitted.score(indexed)
    assert scores.index.equals(indexed.index)
    assert np.array_equal(scores.score, fitted.score(new).score, equal_nan=True)
    assert fitted.events(indexed).equals(fitted.events(new))


def test_an_index_of_dates_is_the_time_without_saying() -> None:
    series = pd.Series(wave()[:, 0], index=pd.date_range("2026-03-02", periods=400, freq="h"), name="load")
    of_series = SeriesAutoEncoder(**SMALL).fit(series)
    assert of_series.columns_ == ["time", "load"]
    assert of_series.report_["series"]["step"] == "1 h"
    of_frame = SeriesAutoEncoder(**SMALL).fit(series.to_frame())
    assert of_frame.model_.to_bytes() == of_series.model_.to_bytes()
    scores = of_series.score(series[:50])
    assert scores.index.equals(series.index[:50])


def test_a_gap_of_an_index_of_dates_is_seen() -> None:
    series = pd.Series(wave()[:, 0], index=pd.date_range("2026-03-02", periods=400, freq="h", name="ts"), name="load")
    model = SeriesAutoEncoder(**SMALL).fit(series)
    flags = model.score(series.drop(series.index[100:103])).flag
    assert flags[series.index[103]] == "after_gap"


def test_arrays_have_no_times_and_are_one_series(of_array: SeriesAutoEncoder) -> None:
    assert of_array.columns_ == ["x0", "x1"]
    new = wave(60, 5)
    new[30] = [9, -9]
    scores = of_array.score(new)
    assert scores.dtype.names == ("score", "p_value", "is_anomaly", "flag")
    assert scores["is_anomaly"][30]
    assert of_array.reconstruct(new).shape == (60, 2)
    events = of_array.events(new)
    assert ((events.first_row <= 30) & (events.last_row >= 30)).any()
    assert "series" not in events.columns


def test_one_channel_may_be_a_vector_or_a_column() -> None:
    x = wave()[:, 0]
    of_vector = SeriesAutoEncoder(**SMALL).fit(x)
    assert of_vector.columns_ == ["x0"]
    scores = of_vector.score_samples(x)
    assert scores.shape == (400,)
    assert np.array_equal(scores, of_vector.score_samples(x[:, None]))
    assert np.array_equal(scores, of_vector.score_samples(x.tolist()))


def test_polars_and_arrow_come_back_as_they_came(fitted: SeriesAutoEncoder) -> None:
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    new = spoilt()
    expected = fitted.score(new).score
    of_polars = fitted.score(pl.from_pandas(new))
    assert isinstance(of_polars, pl.DataFrame)
    assert np.array_equal(of_polars["score"].to_numpy(), expected, equal_nan=True)
    of_arrow = fitted.score(pa.Table.from_pandas(new, preserve_index=False))
    assert isinstance(of_arrow, pa.Table)
    assert np.array_equal(of_arrow["score"].to_numpy(), expected, equal_nan=True)
    events = fitted.events(pl.from_pandas(new))
    assert isinstance(events, pl.DataFrame)
    assert events["start"].to_list() == fitted.events(new).start.to_list()


def test_a_file_has_the_scores_of_the_frame(fitted: SeriesAutoEncoder, tmp_path: Path) -> None:
    new = spoilt()
    path = tmp_path / "new.csv"
    new.to_csv(path, index=False)
    assert np.array_equal(fitted.score_samples(path), fitted.score_samples(new), equal_nan=True)


def test_explain_names_the_channel(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    explained = fitted.explain(new, top=1).frame
    row = int(np.nanargmin(fitted.score_samples(new)))
    (channel,) = explained[explained.row == row].column
    assert channel == "a"
    with pytest.raises(ValueError, match="top: expected an integer of at least 1, got 0"):
        fitted.explain(new, top=0)


def test_reconstructions_are_in_the_units_of_the_channels(fitted: SeriesAutoEncoder) -> None:
    new = frame(60)
    rebuilt = fitted.reconstruct(new)
    assert {"a", "b"} <= set(rebuilt.columns)
    assert rebuilt.index.equals(new.index)
    assert 7 < rebuilt.b.mean() < 13


def test_codes_of_windows_and_back(of_array: SeriesAutoEncoder) -> None:
    codes = of_array.transform(wave(64))
    assert codes.shape == (64 // WINDOW, of_array.model_.code_size)
    windows = of_array.inverse_transform(codes)
    assert windows.shape == (4, 2 * WINDOW)
    assert np.array_equal(SeriesAutoEncoder(**SMALL).fit_transform(wave()), of_array.transform(wave()))


def test_codes_of_frames_say_which_window(fitted: SeriesAutoEncoder) -> None:
    codes = fitted.transform(frame(64))
    assert list(codes.machine.unique()) == ["p", "q"]
    assert [name for name in codes if name.startswith("code_")] == [f"code_{i}" for i in range(fitted.model_.code_size)]


def test_samples_follow_from_the_seed(of_array: SeriesAutoEncoder) -> None:
    three = of_array.sample(3, random_state=1)
    assert three.shape == (3, 2 * WINDOW)
    assert np.array_equal(three[:2], of_array.sample(2, random_state=1))
    assert not np.array_equal(three, of_array.sample(3, random_state=2))
    with pytest.raises(ValueError, match="n_samples: expected an integer of at least 1, got 0"):
        of_array.sample(0)


def test_series_in_rows() -> None:
    beats = narrows.datasets.heartbeat(300)
    model = SeriesAutoEncoder("simple", layout="rows", label="class", normal="normal", max_steps=400).fit(beats)
    assert model.window_ == 140
    scores = model.score(beats)
    assert len(scores) == 300
    assert scores.flag.isna().all()
    abnormal = beats["class"] != "normal"
    assert scores.score[abnormal].median() > scores.score[~abnormal].median()
    assert model.evaluate(beats)["auc_roc"] > 0.6
    assert model.transform(beats).shape[0] == 300
    with pytest.raises(ValueError, match="layout"):
        model.events(beats)
    with pytest.raises(ValueError, match="layout"):
        model.stream()


def test_evaluate_takes_a_column_or_labels(fitted: SeriesAutoEncoder) -> None:
    new = spoilt()
    fault = ((new.machine == "q") & new.ts.between("2026-03-02 04:00", "2026-03-02 04:20")).astype(int)
    by_column = fitted.evaluate(new.assign(fault=fault), "fault")
    assert by_column["auc_roc"] > 0.9
    assert {"vus_pr", "events"} & set(by_column) or "vus_pr" in str(by_column)
    assert fitted.evaluate(new, fault.to_numpy())["auc_roc"] == by_column["auc_roc"]
    with pytest.raises(ValueError, match="y: expected"):
        fitted.evaluate(new)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = (SeriesAutoEncoder(random_state=3, **SMALL).fit(wave()) for _ in range(2))
    other = SeriesAutoEncoder(random_state=4, **SMALL).fit(wave())
    assert one.model_.to_bytes() == two.model_.to_bytes() != other.model_.to_bytes()


def test_saved_loaded_and_pickled_models_score_alike(fitted: SeriesAutoEncoder, tmp_path: Path) -> None:
    new = spoilt()
    fitted.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert isinstance(loaded, SeriesAutoEncoder)
    pickled = pickle.loads(pickle.dumps(fitted))
    for other in (loaded, pickled):
        assert np.array_equal(other.score_samples(new), fitted.score_samples(new), equal_nan=True)
        assert (other.window_, other.columns_, other.threshold_) == (WINDOW, fitted.columns_, fitted.threshold_)
    assert loaded.sample(2).shape == (2, 2 * WINDOW)


def test_local_times_are_read_in_their_zone() -> None:
    times = pd.date_range("2026-03-28", periods=400, freq="h", tz="UTC").tz_convert("Europe/Berlin").tz_localize(None)
    local = pd.DataFrame({"ts": times, "a": wave()[:, 0]})
    model = SeriesAutoEncoder(time="ts", timezone="Europe/Berlin", **SMALL).fit(local)
    assert model.report_["series"]["gaps"] == 0
    without = SeriesAutoEncoder(time="ts", **SMALL).fit(local)
    assert without.report_["series"]["gaps"] == 1


def test_duplicates_are_treated_as_asked() -> None:
    twice = pd.concat([frame(400, ("p",)), frame(400, ("p",)).assign(a=lambda f: f.a + 0.1)])
    twice = twice.sort_values("ts", kind="stable", ignore_index=True)
    with pytest.raises(ValueError, match="duplicates"):
        SeriesAutoEncoder(time="ts", ignore="machine", **SMALL).fit(twice)
    model = SeriesAutoEncoder(time="ts", ignore="machine", duplicates="mean", **SMALL).fit(twice)
    flags = model.score(twice).flag
    assert (flags == "duplicate").sum() == 400


def test_what_a_fit_says_is_a_warning_and_a_note() -> None:
    with pytest.warns(narrows.NarrowsWarning, match="independent held-out windows"):
        model = SeriesAutoEncoder(**SMALL).fit(wave())
    assert any("no column of times" in note for note in model.notes_)
    assert model.history_[0]["step"] == 1
    assert model.n_iter_ == 40


def test_a_callback_stops_the_fit() -> None:
    seen: list[int] = []

    def stop(history: list[dict[str, Any]]) -> bool:
        seen.append(len(history))
        return len(history) == 2

    model = SeriesAutoEncoder("simple", window=WINDOW, callbacks=stop).fit(wave())
    assert seen == [1, 2]
    assert model.n_iter_ < 200


def test_arguments_are_kept_as_given_and_can_be_changed() -> None:
    model = SeriesAutoEncoder(time="ts", window=8)
    assert model.get_params()["window"] == 8
    assert model.set_params(window=12).window == 12
    assert "window=12" in repr(model)
    sklearn = pytest.importorskip("sklearn.base")
    assert sklearn.clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"window": 0}, ValueError, "window"),
        ({"layout": "wide"}, ValueError, "layout|long"),
        ({"preset": "magic"}, ValueError, "magic"),
        ({"time": "when"}, ValueError, "when"),
        ({"id": "plant"}, ValueError, "plant"),
        ({"time": 3}, TypeError, "time: expected a text, got 3"),
        ({"id": 3}, TypeError, "id: expected a name or a list of names, got 3"),
        ({"timezone": "Mars/Olympus"}, ValueError, "Mars/Olympus"),
        ({"duplicates": "some"}, ValueError, "some"),
        ({"settings": {"data.windw": 3}}, ValueError, "windw"),
        ({"window": 10_000}, ValueError, "expected windows|points"),
    ],
)
def test_bad_arguments_are_refused_in_the_fit(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    model = SeriesAutoEncoder(**{"time": "ts", "id": "machine", **SMALL, **arguments})
    with pytest.raises(error, match=message):
        model.fit(frame())


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.zeros((5, 2, 2)), ValueError, "Expected 2D array"),
        (np.zeros((0, 2)), ValueError, "expected at least 10 rows to fit, got 0"),
        (wave()[:5], ValueError, "expected|points"),
        (None, TypeError, "expected a frame, an array or a path"),
        (3.0, TypeError, "expected a frame, an array or a path"),
        (wave().astype(complex), ValueError, "Complex data not supported"),
    ],
)
def test_what_is_no_series_is_refused(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SeriesAutoEncoder(**SMALL).fit(data)


def test_times_must_increase() -> None:
    shuffled = frame(400, ("p",)).sample(frac=1, random_state=0, ignore_index=True)
    with pytest.raises(ValueError, match="ts"):
        SeriesAutoEncoder(time="ts", id="machine", **SMALL).fit(shuffled)


@pytest.mark.parametrize("column", ["ts", "machine", "a"])
def test_a_column_that_is_missing_is_named(fitted: SeriesAutoEncoder, column: str) -> None:
    with pytest.raises(ValueError, match=f"`{column}`"):
        fitted.score(frame(50).drop(columns=column))


def test_arrays_of_other_widths_are_refused(of_array: SeriesAutoEncoder) -> None:
    with pytest.raises(ValueError, match="X has 1 features, but SeriesAutoEncoder is expecting 2 features as input"):
        of_array.score(wave()[:, :1])


def test_methods_need_a_fit() -> None:
    model = SeriesAutoEncoder()
    for method in ("score", "scores", "predict", "score_samples", "p_values", "events", "explain", "transform"):
        with pytest.raises(ValueError, match="is not fitted yet"):
            getattr(model, method)(wave())
    for method in ("stream", "sample"):
        with pytest.raises(AttributeError, match="is not fitted yet"):
            getattr(model, method)()


def test_data_are_left_as_they_were(fitted: SeriesAutoEncoder) -> None:
    new = spoilt().set_index("ts")
    before = new.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.score(new)
    pd.testing.assert_frame_equal(new, before)
