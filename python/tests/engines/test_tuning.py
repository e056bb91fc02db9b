"""Searches with trials on Ray: the result and the journal of one machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def runs(journal: Path) -> list[Any]:
    """The lines of a journal, without the seconds that runs took."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_a_search_is_that_of_one_machine(ray: Any, tmp_path: Path) -> None:
    import narrows.ray

    frame = narrows.datasets.wide(400)
    arguments: dict[str, Any] = {"trials": 5, "label": "is_anomaly", "max_steps": 900, "code_size": 3}
    arguments["settings"] = {"train.patience": 2}
    alone = narrows.tune(frame, journal=tmp_path / "alone.jsonl", **arguments)
    heard: list[int] = []
    callbacks = [lambda trial: heard.append(trial["number"])]
    together = narrows.ray.tune(frame, journal=tmp_path / "together.jsonl", callbacks=callbacks, **arguments)
    assert runs(tmp_path / "together.jsonl") == runs(tmp_path / "alone.jsonl")
    assert together.recipe == alone.recipe
    assert together.best == alone.best
    assert together.curve == alone.curve
    assert len(heard) > 5
    # A search goes on from its journal: nothing is trained again.
    again = narrows.ray.tune(ray.data.from_pandas(frame), journal=tmp_path / "together.jsonl", **arguments)
    assert again.best == alone.best


def test_a_recipe_that_cannot_be_trained_is_an_error_as_on_one_machine(ray: Any) -> None:
    import narrows.ray

    frame = narrows.datasets.wide(100)
    for tune in (narrows.tune, narrows.ray.tune):
        with pytest.raises(ValueError, match=r"backbone\.nodes"):
            tune(frame, trials=2, label="is_anomaly", settings={"backbone.nodes": [0]})
        with pytest.raises(ValueError, match="trials: expected at least 1"):
            tune(frame, trials=0)
    with pytest.raises(ValueError, match="num_cpus: expected a number of cores"):
        narrows.ray.tune(frame, num_cpus=0)
