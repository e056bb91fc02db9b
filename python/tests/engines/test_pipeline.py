"""Stages of Spark's pipelines: parameters, results, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import narrows

from .cluster import Engine, columns


@pytest.fixture
def df(spark: Any, table: pa.Table) -> Any:
    import narrows.spark

    return Engine("spark", spark, narrows.spark).data(table, 2)


def test_a_pipeline_fits_scores_and_comes_back_from_its_files(df: Any, table: pa.Table, tmp_path: Path) -> None:
    from pyspark.ml import Pipeline, PipelineModel

    from narrows.spark import NarrowsEstimator, NarrowsModel

    stage = NarrowsEstimator(preset="deep", max_steps=20, label="is_fraud", ignore=["payment_id"], score_col="oddity")
    assert (stage.getPreset(), stage.getMaxSteps(), stage.getCodeSize()) == ("deep", 20, None)
    assert stage.setCodeSize(4).getCodeSize() == 4
    pipeline = Pipeline(stages=[stage])
    pipeline.write().overwrite().save(str(tmp_path / "pipeline"))
    fitted = Pipeline.load(str(tmp_path / "pipeline")).fit(df)
    arguments: dict[str, Any] = {"max_steps": 20, "label": "is_fraud", "ignore": ["payment_id"], "code_size": 4}
    alone = narrows.AutoEncoder("deep", **arguments).fit(table)
    model = fitted.stages[0]
    assert isinstance(model, NarrowsModel)
    assert model.model.model_.to_bytes() == alone.model_.to_bytes()
    expected = pa.table(alone.scores(table)).to_pydict()
    scored = columns(fitted.transform(df))
    assert scored["oddity"] == expected["score"]
    assert scored["is_anomaly"] == expected["is_anomaly"]
    fitted.write().overwrite().save(str(tmp_path / "model"))
    back = PipelineModel.load(str(tmp_path / "model"))
    assert columns(back.transform(df))["oddity"] == expected["score"]
    file = next((tmp_path / "model").rglob("model.narrows"))
    assert narrows.load(file).model_.to_bytes() == alone.model_.to_bytes()
    assert back.stages[0].uid == model.uid
    assert isinstance(model.copy({model.explain: 1}), NarrowsModel)


def test_a_model_of_elsewhere_is_a_stage(df: Any, model: Any, scores: Any, tmp_path: Path) -> None:
    from narrows.spark import NarrowsModel

    stage = NarrowsModel(model, explain=1)
    scored = columns(stage.transform(df))
    assert scored["score"] == scores["score"]
    assert "reason_1" in scored
    renamed = df.withColumnRenamed("payment_id", "score")
    with pytest.raises(ValueError, match="it has `score` already"):
        stage.transform(renamed)
    assert columns(NarrowsModel(model, score_col="s").transform(renamed))["s"] == scores["score"]
    with pytest.raises(ValueError, match="expected a model, got none"):
        NarrowsModel().transform(df)
    with pytest.raises(TypeError, match="expected parameters among"):
        NarrowsModel(model, scores="s")
    stage.save(str(tmp_path / "stage"))
    assert NarrowsModel.load(str(tmp_path / "stage")).getExplain() == 1
