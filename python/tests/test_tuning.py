"""The search for a recipe: its result, what it holds fixed, its journal and callbacks, and what is refused."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import (
    AutoEncoder,
    ImageAutoEncoder,
    ImageRestorer,
    Recipe,
    SearchResult,
    SeriesAutoEncoder,
    datasets,
    tune,
)

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
STEPS = 20


@pytest.fixture(scope="module")
def frame() -> Any:
    return datasets.wide(400)


@pytest.fixture(scope="module")
def found(frame: Any) -> SearchResult:
    return tune(frame, trials=4, label="is_anomaly", max_steps=STEPS)


def test_every_trial_is_told(found: SearchResult) -> None:
    assert [trial["number"] for trial in found.trials] == [0, 1, 2, 3]
    for trial in found.trials:
        assert {"cost", "unexplained", "code_size", "parameters", "steps", "share", "seconds", "recipe"} <= set(trial)
        assert trial["recipe"]["train"]["steps"] == STEPS
    assert found.trials[0]["recipe"]["preset"] == "deep"
    assert (found.goal, found.ended) == ("reconstruction", "finished")
    assert found.n_held_out > 0


def test_the_best_is_no_worse_than_the_start(found: SearchResult) -> None:
    assert found.best["cost"] <= found.trials[0]["cost"]
    costs = [trial["cost"] for trial in found.ranked() if trial["share"] == 1.0]
    assert costs == sorted(costs)
    assert isinstance(found.recipe, Recipe)
    assert found.recipe.to_dict()["backbone"]["code_size"] == found.best["code_size"]


def test_the_curve_is_beside_pca(found: SearchResult) -> None:
    sizes = [point["code_size"] for point in found.curve]
    assert sizes == sorted(set(sizes))
    pca = [point["pca_unexplained"] for point in found.curve]
    assert pca == sorted(pca, reverse=True)
    assert found.elbow is None or found.elbow in sizes


def test_the_estimator_fits_the_recipe(found: SearchResult, frame: Any) -> None:
    estimator = found.estimator()
    assert isinstance(estimator, AutoEncoder)
    assert (estimator.label, estimator.max_steps) == ("is_anomaly", None)
    assert estimator.fit(frame).recipe_ == found.recipe


def test_the_same_seed_finds_the_same(found: SearchResult, frame: Any) -> None:
    again = tune(frame, trials=4, label="is_anomaly", max_steps=STEPS)
    assert again.recipe == found.recipe
    other = tune(frame, trials=4, label="is_anomaly", max_steps=STEPS, random_state=5)
    assert other.trials[1]["recipe"] != found.trials[1]["recipe"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"code_size": 3},
        {"settings": {"backbone.code_size": 3}},
        {"settings": {"backbone__code_size": 3}},
        {"recipe": Recipe.preset("deep").set(backbone__code_size=3)},
        {"recipe": "preset = 'deep'\n[backbone]\ncode_size = 3"},
    ],
)
def test_what_is_given_is_held_fixed(frame: Any, arguments: dict[str, Any]) -> None:
    held = tune(frame, AutoEncoder(label="is_anomaly", max_steps=STEPS, **arguments), trials=3)
    assert {trial["code_size"] for trial in held.trials} == {3}
    assert held.best["code_size"] == 3


def test_detection_starts_from_auto(frame: Any) -> None:
    found = tune(frame[:100], trials=1, goal="detection", label="is_anomaly", max_steps=1)
    assert found.trials[0]["recipe"]["preset"] == "auto"


def test_series_and_images_are_searched_by_their_estimator() -> None:
    wave = np.sin(np.arange(400) / 5)
    of_series = tune(wave, SeriesAutoEncoder(window=16, max_steps=STEPS), trials=2)
    assert {trial["recipe"]["data"]["window"] for trial in of_series.trials} == {16}
    assert isinstance(of_series.estimator(), SeriesAutoEncoder)
    assert of_series.estimator().fit(wave).window_ == 16
    images = datasets.parts(20, 1).train[:, ::4, ::4]
    of_images = tune(images, trials=2, max_steps=5, view="whole")
    assert isinstance(of_images.estimator(), ImageAutoEncoder)
    assert of_images.trials[0]["recipe"]["data"]["view"] == "whole"


def test_callbacks_hear_trials_and_end_the_search(frame: Any, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[dict[str, Any]] = []

    def stop(trial: dict[str, Any]) -> bool:
        heard.append(trial)
        return trial["number"] == 1

    found = tune(frame, trials=9, label="is_anomaly", max_steps=STEPS, callbacks=stop, verbose=1)
    assert [trial["number"] for trial in heard] == [0, 1]
    assert found.ended == "interrupted"
    assert len(found.trials) == 2
    assert capsys.readouterr().out.startswith("trial 0, 100 % of the steps: cost ")


def test_what_a_callback_raises_ends_the_search(frame: Any) -> None:
    def broken(trial: dict[str, Any]) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        tune(frame, trials=3, max_steps=STEPS, callbacks=[broken])


def test_a_search_goes_on_from_its_journal(found: SearchResult, frame: Any, tmp_path: Path) -> None:
    journal = tmp_path / "search.jsonl"
    arguments = {"label": "is_anomaly", "max_steps": STEPS, "journal": journal}
    tune(frame, trials=2, **arguments)
    recalled: list[bool] = []
    longer = tune(frame, trials=4, callbacks=lambda trial: recalled.append(trial["recalled"]), **arguments)
    assert recalled[:2] == [True, True]
    assert not recalled[-1]
    assert longer.recipe == found.recipe
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_journal_of_another_search_is_refused(frame: Any, tmp_path: Path) -> None:
    journal = tmp_path / "search.jsonl"
    tune(frame, trials=1, max_steps=STEPS, journal=journal)
    with pytest.raises(ValueError, match="search"):
        tune(frame, trials=1, max_steps=STEPS, label="is_anomaly", journal=journal)


@pytest.mark.parametrize("time", ["30s", "5m", "1.5h", 300, 2.5, dt.timedelta(minutes=5)])
def test_times_may_be_given_in_many_ways(frame: Any, time: Any) -> None:
    assert len(tune(frame, trials=1, time=time, max_steps=2).trials) == 1


def test_the_time_ends_a_search(frame: Any) -> None:
    found = tune(frame, trials=10_000, time="1s", label="is_anomaly", max_steps=50)
    assert found.ended == "time"
    assert 0 < len(found.trials) < 10_000


def test_a_result_is_shown(found: SearchResult) -> None:
    assert repr(found).startswith("SearchResult(trials=4, cost=")
    shown = found._repr_html_()
    assert "<table" in shown
    assert "detection" not in shown


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"trials": 0}, ValueError, "trials: expected at least 1"),
        ({"trials": 2.5}, TypeError, "trials: expected an integer, got 2.5"),
        ({"time": "soon"}, ValueError, "time: expected a time such as '30s', '5m' or '1h', got 'soon'"),
        ({"time": 0}, ValueError, "time: expected a time"),
        ({"time": "5 days"}, ValueError, "time: expected a time"),
        ({"time": []}, TypeError, "time: expected a time"),
        ({"goal": "glory"}, ValueError, "goal: expected 'reconstruction' or 'detection', got 'glory'"),
        ({"estimator": AutoEncoder}, TypeError, "estimator: expected an AutoEncoder, .* got AutoEncoder"),
        ({"estimator": ImageRestorer()}, TypeError, "got ImageRestorer"),
        (
            {"estimator": AutoEncoder(), "label": "is_anomaly"},
            TypeError,
            "beside an estimator, got label: give them to it",
        ),
        ({"callbacks": 3}, TypeError, "callbacks: expected functions of a trial, got 3"),
        ({"label": "fraud"}, ValueError, "fraud"),
        ({"magic": 1}, TypeError, "magic"),
    ],
)
def test_bad_arguments_are_refused(frame: Any, arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        narrows.tune(frame, **{"trials": 1, **arguments})
