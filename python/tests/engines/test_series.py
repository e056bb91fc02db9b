"""Series on an engine: rows are grouped by series and put in order; results are those of one machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import narrows

from .cluster import ENGINES, columns, engine_of

POINTS = 240


@pytest.fixture(scope="module")
def series() -> pa.Table:
    """Three series, side by side, with a spike in one."""
    generator = np.random.default_rng(0)
    times = np.datetime64("2024-01-01T00:00:00", "us") + np.arange(POINTS) * np.timedelta64(3_600_000_000, "us")
    parts = []
    for i, name in enumerate(["north", "south", "west"]):
        values = np.sin(np.arange(POINTS) / 4 + i) + generator.normal(0, 0.05, POINTS)
        if name == "south":
            values[150] += 5
        stamps = pa.array(times, pa.timestamp("us", "UTC"))
        parts.append(pa.table({"site": [name] * POINTS, "at": stamps, "load": values, "note": ["x"] * POINTS}))
    return pa.concat_tables(parts).combine_chunks()


@pytest.fixture(scope="module")
def model(series: pa.Table) -> narrows.SeriesAutoEncoder:
    arguments: dict[str, Any] = {"window": 24, "max_steps": 30, "id": "site", "time": "at", "ignore": "note"}
    return narrows.SeriesAutoEncoder("simple", **arguments).fit(series)


@pytest.mark.parametrize("name", ENGINES)
def test_points_have_the_scores_of_one_machine(
    request: pytest.FixtureRequest, name: str, series: pa.Table, model: narrows.SeriesAutoEncoder
) -> None:
    engine = engine_of(request, name)
    shuffled = series.take(np.random.default_rng(1).permutation(series.num_rows))
    scored = columns(engine.api.score(engine.data(shuffled, 3), model, keep=["site", "at"]))
    expected = pa.table(model.scores(series)).to_pydict()
    keys = list(zip(series.column("site").to_pylist(), series.column("at").to_pylist(), strict=True))
    order = {key: i for i, key in enumerate(zip(scored["site"], scored["at"], strict=True))}
    is_scored = [score == score for score in expected["score"]]
    for column in ("score", "p_value", "is_anomaly", "flag"):
        got = [scored[column][order[key]] for key in keys]
        # Points without a score have no number and no verdict.
        cells = zip(expected[column], is_scored, strict=True)
        assert got == [cell if known or column == "flag" else None for cell, known in cells], column
    assert sum(flag is True for flag in scored["is_anomaly"]) > 0


@pytest.mark.parametrize("name", ENGINES)
def test_codes_are_those_of_windows(
    request: pytest.FixtureRequest, name: str, series: pa.Table, model: narrows.SeriesAutoEncoder
) -> None:
    engine = engine_of(request, name)
    codes = columns(engine.api.transform(engine.data(series, 3), model))
    expected = pa.table(model.model_.encode(model._incoming(series).table)).to_pydict()
    assert list(codes)[:2] == ["site", "at"]
    rows = sorted(zip(*codes.values(), strict=True))
    first = [series.column("at")[row].as_py() for row in expected["row"]]
    names = [key for key in expected if key.startswith("code_")]
    wanted = sorted(zip(expected["site"], first, *(expected[key] for key in names), strict=True))
    assert rows == wanted
    with pytest.raises(ValueError, match="keep: expected none for a model of series"):
        engine.api.transform(engine.data(series, 1), model, keep="note")


@pytest.mark.parametrize("name", ENGINES)
def test_series_without_ids_are_refused_with_the_reason(
    request: pytest.FixtureRequest, name: str, series: pa.Table
) -> None:
    engine = engine_of(request, name)
    one = series.slice(0, POINTS).drop_columns(["site", "note"])
    single = narrows.SeriesAutoEncoder("simple", window=24, max_steps=5, time="at").fit(one)
    with pytest.raises(ValueError, match="its points need their neighbours"):
        engine.api.score(engine.data(one, 2), single)
    with pytest.raises(ValueError, match="compress a series with"):
        engine.api.compress(engine.data(one, 2), single)
    waves = series.column("load").to_numpy()[:POINTS]
    timeless = narrows.SeriesAutoEncoder("simple", window=24, max_steps=5).fit(waves)
    with pytest.raises(ValueError, match="got one of a single series"):
        engine.api.score(engine.data(pa.table({"x0": waves}), 2), timeless)
