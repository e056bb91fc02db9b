"""Fits on an engine: the same bytes as on one machine, for any cut, after lost tasks, and with keys in any order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import narrows

from .cluster import ENGINES, PARTS, engine_of

ARGUMENTS: dict[str, Any] = {"preset": "deep", "max_steps": 20, "label": "is_fraud"}
SAMPLE = 300
"""Fewer rows than there are."""


def bytes_of(model: narrows.AutoEncoder) -> bytes:
    return model.model_.to_bytes()


def sampled(table: pa.Table, **arguments: Any) -> bytes:
    """The model of a sample, fitted on one machine."""
    return bytes_of(narrows.AutoEncoder(settings={"train.sample_rows": SAMPLE}, **ARGUMENTS, **arguments).fit(table))


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("name", ENGINES)
def test_a_fit_has_the_bytes_of_one_machine(
    request: pytest.FixtureRequest, name: str, parts: int, table: pa.Table
) -> None:
    engine = engine_of(request, name)
    data = engine.data(table, parts)
    assert bytes_of(engine.api.fit(data, sample_rows=SAMPLE, **ARGUMENTS)) == sampled(table)


@pytest.mark.parametrize("name", ENGINES)
def test_all_rows_are_fitted_to_if_they_are_no_more_than_the_sample(
    request: pytest.FixtureRequest, name: str, table: pa.Table
) -> None:
    engine = engine_of(request, name)
    fitted = engine.api.fit(engine.data(table, 3), **ARGUMENTS)
    assert bytes_of(fitted) == bytes_of(narrows.AutoEncoder(**ARGUMENTS).fit(table))
    assert fitted.feature_names_in_.tolist() == [name for name in table.column_names if name != "is_fraud"]


@pytest.mark.parametrize("name", ENGINES)
def test_with_a_key_the_order_of_rows_does_not_matter(
    request: pytest.FixtureRequest, name: str, table: pa.Table
) -> None:
    engine = engine_of(request, name)
    expected = sampled(table, sample_key="payment_id")
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    arguments = {"sample_rows": SAMPLE, "sample_key": "payment_id", **ARGUMENTS}
    assert bytes_of(engine.api.fit(engine.data(shuffled, 7), **arguments)) == expected


@pytest.mark.parametrize("name", ENGINES)
def test_a_key_that_many_rows_share_is_no_harm(request: pytest.FixtureRequest, name: str, table: pa.Table) -> None:
    engine = engine_of(request, name)
    skewed = ["a" if i % 10 else f"b{i}" for i in range(table.num_rows)]
    table = table.append_column("shop", pa.array(skewed))
    arguments: dict[str, Any] = {"sample_key": "shop", "ignore": "shop"}
    expected = sampled(table, **arguments)
    data = engine.data(table, 3)
    assert bytes_of(engine.api.fit(data, sample_rows=SAMPLE, **arguments, **ARGUMENTS)) == expected


@pytest.mark.parametrize("name", ENGINES)
def test_what_does_not_fit_is_refused(request: pytest.FixtureRequest, name: str, table: pa.Table) -> None:
    engine = engine_of(request, name)
    data = engine.data(table, 2)
    with pytest.raises(ValueError, match="expected the column `fraud`, which it lacks"):
        engine.api.fit(data, label="fraud")
    with pytest.raises(ValueError, match="expected the column `id`"):
        engine.api.fit(data, sample_key="id")
    with pytest.raises(ValueError, match="sample_rows: expected an integer of at least 1, got 0"):
        engine.api.fit(data, sample_rows=0)
    with pytest.raises(ValueError, match="either `sample_rows` or settings"):
        engine.api.fit(data, sample_rows=10, settings={"train.sample_rows": 10})
    with pytest.raises(TypeError):
        engine.api.fit(data, steps=3)


def test_spark_repeats_a_task_that_is_killed(spark: Any, table: pa.Table, tmp_path: Path) -> None:
    engine = engine_of_spark(spark)
    marker = tmp_path / "was here"

    def dies_once(batches: Any) -> Any:
        for i, batch in enumerate(batches):
            if i == 1 and not marker.exists():
                marker.touch()
                os._exit(1)
            yield batch

    data = engine.data(table, 2)
    data = data.mapInArrow(dies_once, data.schema)
    assert bytes_of(engine.api.fit(data, sample_rows=SAMPLE, **ARGUMENTS)) == sampled(table)
    assert marker.exists()


def test_spark_says_if_rows_change_between_passes(spark: Any, table: pa.Table, tmp_path: Path) -> None:
    engine = engine_of_spark(spark)
    marker = tmp_path / "was here"

    def fewer_at_first(batches: Any) -> Any:
        for batch in batches:
            yield batch if marker.exists() else batch.slice(1)
        marker.touch()

    data = engine.data(table, 1)
    with pytest.raises(Exception, match=r"partition 0 of df: expected 69. rows as in the pass before, got 700"):
        engine.api.fit(data.mapInArrow(fewer_at_first, data.schema), **ARGUMENTS)


def test_ray_repeats_a_task_that_is_killed(ray: Any, table: pa.Table, tmp_path: Path) -> None:
    engine = engine_of_ray(ray)
    marker = tmp_path / "was here"

    def dies_once(rows: pa.Table) -> pa.Table:
        if not marker.exists():
            marker.touch()
            os._exit(1)
        return rows

    data = engine.data(table, 3).map_batches(dies_once, batch_format="pyarrow", batch_size=None)
    assert bytes_of(engine.api.fit(data, sample_rows=SAMPLE, **ARGUMENTS)) == sampled(table)
    assert marker.exists()


def test_ray_makes_blocks_again_that_a_worker_took_with_it(ray: Any, table: pa.Table, model: Any, scores: Any) -> None:
    engine = engine_of_ray(ray)

    @ray.remote(num_cpus=0)
    def process() -> int:
        return os.getpid()

    scored = engine.api.score(engine.data(table, 3), model, keep=[])
    os.kill(ray.get(process.remote()), 9)
    from .cluster import columns

    assert columns(scored) == scores


def test_ray_names_a_block_of_another_schema(ray: Any, table: pa.Table) -> None:
    api = engine_of_ray(ray).api
    whole, last = table.slice(0, 500), table.slice(500)
    lacking = ray.data.from_arrow([whole, last.drop_columns(["amount"])])
    with pytest.raises(ValueError, match=r"block 1 of ds: expected the column `amount`"):
        api.fit(lacking, **ARGUMENTS)
    words = pa.array(["much"] * last.num_rows)
    other = last.set_column(last.column_names.index("amount"), "amount", words)
    with pytest.raises(ValueError, match=r"block 1 of ds: column `amount`: expected double as elsewhere, got string"):
        api.fit(ray.data.from_arrow([whole, other]), **ARGUMENTS)


def engine_of_spark(spark: Any) -> Any:
    import narrows.spark

    from .cluster import Engine

    return Engine("spark", spark, narrows.spark)


def engine_of_ray(ray: Any) -> Any:
    import narrows.ray

    from .cluster import Engine

    return Engine("ray", ray, narrows.ray)


ROUNDS: dict[str, Any] = {"rounds": 3, "sample_rows": 200, **ARGUMENTS}


@pytest.mark.parametrize("name", ENGINES)
def test_rounds_on_one_partition_are_those_of_one_machine(
    request: pytest.FixtureRequest, name: str, table: pa.Table
) -> None:
    engine = engine_of(request, name)
    settings = {"train.sample_rows": 200, "train.rounds.count": 3}
    expected = bytes_of(narrows.AutoEncoder(settings=settings, **ARGUMENTS).fit(table))
    assert bytes_of(engine.api.fit(engine.data(table, 1), **ROUNDS)) == expected


@pytest.mark.parametrize("name", ENGINES)
def test_rounds_repeat_their_bits_and_go_on_from_a_checkpoint(
    request: pytest.FixtureRequest, name: str, table: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from narrows._partitions import rounds

    engine = engine_of(request, name)
    data = engine.data(table, 7)
    whole = engine.api.fit(data, **ROUNDS)
    state = tmp_path / "state"
    write = rounds._write

    def interrupted(path: str, content: bytes) -> None:
        write(path, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.api.fit(data, checkpoint=state, **ROUNDS)
    monkeypatch.undo()
    assert state.exists()
    assert bytes_of(engine.api.fit(data, checkpoint=state, **ROUNDS)) == bytes_of(whole)
    with pytest.raises(ValueError, match="checkpoint: expected `rounds`"):
        engine.api.fit(data, checkpoint=state, **ARGUMENTS)
