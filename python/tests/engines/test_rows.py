"""Rows on an engine: results are those of one machine to the bit, for any cut; what does not fit is refused before."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import narrows

from .cluster import ENGINES, PARTS, Engine, columns, engine_of


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("name", ENGINES)
def test_scores_are_those_of_one_machine(
    request: pytest.FixtureRequest, name: str, parts: int, model: Any, table: pa.Table, scores: dict[str, list[Any]]
) -> None:
    engine = engine_of(request, name)
    scored = columns(engine.api.score(engine.data(table, parts), model, keep="payment_id"))
    assert list(scored) == ["payment_id", "score", "p_value", "is_anomaly"]
    assert scored["payment_id"] == table.column("payment_id").to_pylist()
    assert {key: scored[key] for key in scores} == scores


@pytest.mark.parametrize("name", ENGINES)
def test_scores_and_reasons_are_those_of_the_command(
    request: pytest.FixtureRequest,
    name: str,
    model: Any,
    table: pa.Table,
    parquet: Path,
    command: Path,
    tmp_path: Path,
) -> None:
    engine = engine_of(request, name)
    file, out = tmp_path / "m.narrows", tmp_path / "scores.parquet"
    model.save(file)
    for form in ("text", "columns", "objects"):
        flags = ["--explain", "2", "--reason-form", form, "--threshold", "quantile=0.9"]
        subprocess.run([command, "score", file, parquet, "-o", out, "--force", *flags], check=True, capture_output=True)
        expected = pq.read_table(out).drop_columns(["row"]).to_pydict()
        data = engine.data(table, 3)
        scored = engine.api.score(data, str(file), explain=2, reason_form=form, keep=[], threshold="quantile=0.9")
        assert columns(scored) == expected, form


@pytest.mark.parametrize("name", ENGINES)
def test_explain_gives_lists_of_reasons(request: pytest.FixtureRequest, name: str, model: Any, table: pa.Table) -> None:
    engine = engine_of(request, name)
    explained = columns(engine.api.explain(engine.data(table, 2), model, top=2, keep=[]))
    expected = [[(reason.column, reason.got, reason.share) for reason in row] for row in model.explain(table, top=2)]
    got = [[(reason["column"], reason["got"], reason["share"]) for reason in row] for row in explained["reasons"]]
    assert got == expected


@pytest.mark.parametrize("name", ENGINES)
def test_codes_and_reconstructions_are_those_of_one_machine(
    request: pytest.FixtureRequest, name: str, model: Any, table: pa.Table
) -> None:
    engine = engine_of(request, name)
    data = engine.data(table, 3)
    codes = pa.table(model.transform(table)).to_pydict()
    assert columns(engine.api.transform(data, model, keep=[])) == codes
    assert columns(engine.api.transform(data, model.encoder(), keep=[])) == codes
    made = columns(engine.api.reconstruct(data, model))
    expected = pa.table(model.reconstruct(table)).to_pydict()
    assert {key: made[key] for key in expected} == expected
    assert made["payment_id"] == table.column("payment_id").to_pylist()


@pytest.mark.parametrize("name", ENGINES)
def test_partitions_become_complete_files(
    request: pytest.FixtureRequest, name: str, table: pa.Table, command: Path, tmp_path: Path
) -> None:
    engine = engine_of(request, name)
    model = narrows.AutoEncoder("compressing", max_steps=20, ignore="is_fraud").fit(table)
    files = engine.api.compress(engine.data(table, 7), model, lossless=True, rows_per_file=200)
    told = columns(files)
    assert sum(told["rows"]) == table.num_rows
    assert max(told["rows"]) == 200
    # One of the seven parts is empty.
    assert len(set(told["partition"])) == 6
    assert [(partition, part) for partition, part in zip(told["partition"], told["part"], strict=True)] == sorted(
        zip(told["partition"], told["part"], strict=True)
    )
    back = columns(engine.api.decompress(files, model))
    assert back == {name: table.column(name).to_pylist() for name in back}
    assert list(back) == table.column_names
    (tmp_path / "part.nrw").write_bytes(told["file"][0])
    model.save(tmp_path / "m.narrows")
    arguments = [tmp_path / "m.narrows", tmp_path / "part.nrw", "-o", tmp_path / "part.parquet"]
    subprocess.run([command, "decompress", *arguments], check=True, capture_output=True)
    first = pq.read_table(tmp_path / "part.parquet").to_pydict()
    assert first["payment_id"] == table.column("payment_id").to_pylist()[: told["rows"][0]]


@pytest.mark.parametrize("name", ENGINES)
def test_what_does_not_fit_is_refused_before_a_job(
    request: pytest.FixtureRequest, name: str, model: Any, table: pa.Table
) -> None:
    engine = engine_of(request, name)

    def check(changed: pa.Table, expected: str, **arguments: Any) -> None:
        with pytest.raises(ValueError) as raised:
            engine.api.score(engine.data(changed, 2), model, **arguments)
        assert expected in str(raised.value), raised.value

    names = ["amounts" if column == "amount" else column for column in table.column_names]
    check(table.rename_columns(names), "expected the column `amount`, which it lacks; `amount` might be `amounts`")
    check(table.rename_columns(["score" if column == "currency" else column for column in names]), "`amount`")
    check(table.append_column("score", table.column("amount")), "it has `score` already")
    check(table.set_column(table.column_names.index("amount"), "amount", table.column("time")), "`amount`")
    check(table, "keep: expected the column `nothing`", keep="nothing")
    check(table, "explain: expected a number of reasons", explain=-1)
    check(table, "reason_form: expected one of text, columns, objects", reason_form="words")
    with pytest.raises(TypeError, match=r"got builtins\.int"):
        engine.api.score(3, model)
    with pytest.raises(TypeError, match="model: expected a fitted estimator"):
        engine.api.score(engine.data(table, 1), 3)
    with pytest.raises(ValueError, match="at most one of max_error"):
        engine.api.compress(engine.data(table, 1), model, lossless=True, quality=3)


@pytest.mark.parametrize("name", ENGINES)
def test_no_rows_give_no_rows(request: pytest.FixtureRequest, name: str, model: Any, table: pa.Table) -> None:
    engine = engine_of(request, name)
    scored = engine.api.score(engine.data(table.slice(0, 0), 2), model, keep=[])
    assert engine.n_rows(scored) == 0


@pytest.mark.parametrize("name", ENGINES)
def test_only_the_columns_that_are_needed_are_sent(
    request: pytest.FixtureRequest, name: str, model: Any, table: pa.Table
) -> None:
    engine: Engine = engine_of(request, name)
    from narrows._partitions.plan import planned
    from narrows._partitions.work import Scoring

    plan = planned(model.model_, Scoring(), table.column_names, lambda names: table.select(names).schema, [], "df")
    assert "payment_id" not in plan.columns
    assert "is_fraud" not in plan.columns
    # A column that never changed in training rows is compared, though the network does not read it.
    assert set(plan.columns) >= set(model.model_.names())
    scored = engine.api.score(engine.data(table.append_column("big", table.column("payment_id")), 2), model, keep=[])
    if name == "spark":
        text = scored._jdf.queryExecution().optimizedPlan().toString()
        assert "Project" in text
        sent = next(line for line in text.splitlines() if "Project" in line)
        assert "payment_id" not in sent
