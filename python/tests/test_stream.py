"""Points scored as they arrive: forms of rows, what comes before the stream, and what is refused."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from narrows import SeriesAutoEncoder, Stream

pd = pytest.importorskip("pandas")

WINDOW = 16
SMALL = {"preset": "simple", "window": WINDOW, "max_steps": 40}
START = dt.datetime(2026, 3, 2)
pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


def wave(n: int = 400) -> np.ndarray:
    phase = 0.4 * np.arange(n)
    return np.column_stack([np.sin(phase), 10 + 3 * np.cos(phase)]) + np.random.default_rng(0).normal(0, 0.05, (n, 2))


def frame(n: int = 400) -> Any:
    points = wave(n)
    times = [START + dt.timedelta(minutes=5 * i) for i in range(n)]
    return pd.DataFrame({"machine": "p", "ts": times, "a": points[:, 0], "b": points[:, 1]})


@pytest.fixture(scope="module")
def model() -> SeriesAutoEncoder:
    return SeriesAutoEncoder(time="ts", id="machine", **SMALL).fit(frame())


@pytest.fixture(scope="module")
def of_array() -> SeriesAutoEncoder:
    return SeriesAutoEncoder(**SMALL).fit(wave())


@pytest.fixture
def stream(model: SeriesAutoEncoder) -> Stream:
    """A stream that knows a window of points."""
    stream = model.stream()
    stream.remember(frame(WINDOW))
    return stream


def next_row(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = frame(WINDOW + 1).iloc[-1].to_dict()
    return {**row, **changes}


def test_the_first_points_wait_for_a_window(model: SeriesAutoEncoder) -> None:
    stream = model.stream()
    scores = [stream.push(row) for row in frame(WINDOW + 2).to_dict("records")]
    assert [score["flag"] for score in scores] == ["warm_up"] * (WINDOW - 1) + [None] * 3
    assert all(np.isnan(score["score"]) and np.isnan(score["p_value"]) for score in scores[: WINDOW - 1])
    assert all(score["score"] > 0 and 0 < score["p_value"] <= 1 for score in scores[WINDOW - 1 :])
    assert stream.counts["rows"] == WINDOW + 2
    assert stream.counts["unscored"] == WINDOW - 1


def test_rows_before_the_stream_fill_the_window(model: SeriesAutoEncoder) -> None:
    cold, warm = model.stream(), model.stream()
    for row in frame(WINDOW).to_dict("records"):
        cold.push(row)
    warm.remember(frame(WINDOW))
    assert warm.counts == {"rows": 0}
    assert warm.push(next_row()) == cold.push(next_row())


@pytest.mark.parametrize(
    "form",
    [
        lambda row: row,
        lambda row: pd.Series(row),
        lambda row: pd.DataFrame([row]),
        lambda row: list(row.values()),
        lambda row: tuple(row.values()),
        lambda row: {**row, "ts": row["ts"].isoformat()},
        lambda row: {**row, "ts": np.datetime64(row["ts"])},
        lambda row: {**row, "ts": row["ts"].to_pydatetime()},
        lambda row: {**row, "a": Decimal(repr(row["a"])), "b": np.float64(row["b"])},
        lambda row: {**row, "unknown": "left out"},
        lambda row: dict(reversed(list(row.items()))),
    ],
)
def test_rows_may_have_many_forms(model: SeriesAutoEncoder, form: Any) -> None:
    expected, stream = model.stream(), model.stream()
    for other in (expected, stream):
        other.remember(frame(WINDOW))
    assert stream.push(form(next_row())) == expected.push(next_row())


@pytest.mark.parametrize("form", ["polars", "pyarrow"])
def test_rows_may_be_frames_of_other_packages(model: SeriesAutoEncoder, form: str) -> None:
    pytest.importorskip(form)
    import polars as pl

    expected, stream = model.stream(), model.stream()
    expected.remember(frame(WINDOW))
    before = pl.from_pandas(frame(WINDOW))
    stream.remember(before if form == "polars" else before.to_arrow())
    row = pl.from_pandas(frame(WINDOW + 1).iloc[-1:])
    assert stream.push(row if form == "polars" else row.to_arrow()) == expected.push(next_row())


def test_a_point_is_told_with_its_series_time_and_reasons(stream: Stream) -> None:
    score = stream.push(next_row(a=9.0))
    assert (score["series"], score["is_anomaly"], score["flag"]) == ("p", True, None)
    assert score["time"] == "2026-03-02T01:20:00Z"
    reason = score["reasons"][0]
    assert (reason["column"], reason["got"], reason["direction"]) == ("a", "9.00", "above")
    assert 0.9 < reason["share"] <= 1


def test_numbers_need_no_names_where_there_are_no_times(of_array: SeriesAutoEncoder) -> None:
    stream = of_array.stream()
    assert stream.columns == ["x0", "x1"]
    stream.remember(wave(WINDOW))
    one, two = stream.push(wave()[WINDOW]), stream.push(wave()[WINDOW + 1].tolist())
    assert one["time"] is None
    assert one["flag"] is two["flag"] is None
    assert stream.push([9, -9])["is_anomaly"]
    assert stream.push(wave()[WINDOW + 3 : WINDOW + 4])["flag"] is None


def test_one_channel_takes_a_number() -> None:
    x = wave()[:, 0]
    stream = SeriesAutoEncoder(**SMALL).fit(x).stream()
    stream.remember(x[: WINDOW - 1])
    assert stream.push(float(x[WINDOW - 1]))["score"] > 0
    assert stream.push(np.float32(x[WINDOW]))["score"] > 0


def test_the_last_score_is_that_of_the_window_alone(of_array: SeriesAutoEncoder) -> None:
    rows = wave()
    last = 2 * WINDOW - 1
    scores = []
    for first in (0, WINDOW):
        stream = of_array.stream()
        stream.remember(rows[first:last])
        scores.append(stream.push(rows[last])["score"])
    assert scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_value_is_filled_and_counted(stream: Stream, missing: Any) -> None:
    score = stream.push(next_row(a=missing))
    assert score["flag"] is None
    assert score["score"] > 0
    assert stream.counts["missing"] == 1


def test_a_point_without_values_has_no_score(stream: Stream) -> None:
    score = stream.push(next_row(a=None, b=None))
    assert score["flag"] == "missing"
    assert np.isnan(score["score"])


def test_gaps_and_series_without_a_scale_are_told(stream: Stream) -> None:
    after = stream.push(next_row(ts=START + dt.timedelta(minutes=5 * (WINDOW + 2))))
    assert after["flag"] == "after_gap"
    assert stream.counts["gap_points"] == 2
    each = SeriesAutoEncoder(time="ts", id="machine", settings={"data.scale": "each"}, **SMALL).fit(frame())
    stream = each.stream()
    stream.push(next_row(machine="new"))
    assert stream.counts["unknown_series"] == ["new"]


def test_series_may_alternate(model: SeriesAutoEncoder) -> None:
    alone, mixed = model.stream(), model.stream()
    for row in frame(WINDOW + 3).to_dict("records"):
        expected = alone.push(row)
        assert mixed.push(row) == expected
        mixed.push({**row, "machine": "q", "a": 0.0})


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (next_row(ts=START), ValueError, "expected a time after 2026-03-02T01:15:00Z, the last one in series `p`"),
        (next_row(ts="yesterday"), ValueError, "ts"),
        (next_row(a="high"), ValueError, "column `a`.*high"),
        (next_row(a=[1]), TypeError, r"column `a`: expected a number, a text or a time, got \[1\] \(list\)"),
        (next_row(a=1j), TypeError, "column `a`: expected a number"),
        ({"machine": "p", "a": 1.0, "b": 2.0}, ValueError, "`ts`"),
        ({"machine": "p", "ts": START, "a": 1.0}, ValueError, "`b`"),
        ({"ts": START, "a": 1.0, "b": 2.0}, ValueError, "`machine`"),
        ({}, ValueError, "expected the columns machine, ts, a, b, got none"),
        ([1.0, 2.0], ValueError, r"expected 4 values \(machine, ts, a, b\), got 2"),
        (frame(2), ValueError, "expected one row at a time, got 2"),
        (None, TypeError, "expected a row|expected a frame"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_and_forgotten(
    stream: Stream, row: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        stream.push(row)
    assert stream.counts["rows"] == 0
    assert stream.push(next_row())["flag"] is None


def test_a_stream_shows_its_columns(stream: Stream) -> None:
    assert repr(stream) == "Stream(columns=['machine', 'ts', 'a', 'b'], rows=0)"
