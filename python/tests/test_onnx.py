"""Models of tables as ONNX files: ONNX Runtime scores as the model does."""

import numpy as np
import pandas as pd
import pytest
from onnx_graphs import compare_scores, metadata, onnx, run
from samples import matrix, mixed

import narrows

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


def compare(model, X, inputs="columns"):
    """Holds the graph of a model against the model."""
    graph = model.to_onnx(inputs=inputs)
    found = run(graph, model.onnx_feeds(X, inputs=inputs))
    compare_scores(found, model.scores(X), model.threshold_)
    return graph, found


def table(rows=300, seed=0):
    """Columns of all kinds with missing cells, rare and unseen words, a constant, and dates of several years."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(mixed(rows, seed))
    frame = frame.astype({"shop": object, "is_new": "boolean", "count": float})
    frame.loc[frame.index[5::40], "shop"] = [f"rare {i}" for i in range(len(frame.index[5::40]))]
    frame.loc[frame.index[3::29], "shop"] = None
    days = generator.integers(-9_000, 20_000, rows).astype("timedelta64[D]")
    frame["born"] = (np.datetime64("1970-01-01", "us") + days).astype("datetime64[us]")
    frame.loc[frame.index[7::31], "born"] = pd.NaT
    frame["unit"] = np.array(["mm"] * rows, dtype=object)
    frame["scale"] = 2.5
    return frame


def strange(rows=200, seed=1):
    """New rows of such a table, with what its rows never had."""
    frame = table(rows, seed)
    frame.loc[0, "shop"] = "elsewhere"
    frame.loc[1, "amount"] = 1e9
    frame.loc[2, "amount"] = -np.inf
    frame.loc[3, "unit"] = "inch"
    frame.loc[4, "scale"] = 2.5 * (1 + 1e-12)
    frame.loc[5, "scale"] = 3.0
    frame.loc[6, ["unit", "scale"]] = [None, np.nan]
    frame.loc[7, "count"] = np.nan
    frame.loc[8, list(frame.columns)] = None
    frame.loc[9, ["shop", "amount", "when", "born"]] = None
    frame.loc[10, "when"] = pd.Timestamp("1966-05-04T03:02:01.5")
    frame.loc[11, "born"] = pd.Timestamp("2000-12-31")
    frame.loc[12, "born"] = pd.Timestamp("2000-02-29")
    frame.loc[13, "born"] = pd.Timestamp("1900-03-01")
    return frame


def fit(preset, **settings):
    return narrows.AutoEncoder(preset, max_steps=30, random_state=0, settings=settings).fit(table())


@pytest.mark.parametrize("preset", ["auto", "simple", "sparse", "deep", "denoising", "variational", "compressing"])
def test_every_preset_scores_alike(preset):
    model = fit(preset)
    graph, found = compare(model, strange())
    assert found["embedding"].shape == (200, model.model_.code_size)
    np.testing.assert_allclose(found["embedding"], model.transform(strange()), rtol=1e-3, atol=1e-5)
    # Rows that the model was fitted to are their own neighbours.
    compare(model, table())
    assert onnx.load_model_from_string(graph).opset_import[0].version == 19


@pytest.mark.parametrize("scaling", ["auto", "standard", "robust", "minmax", "quantile", "shape", "none"])
def test_every_scaling_is_prepared_alike(scaling):
    compare(fit("deep", **{"prep.scaling": scaling}), strange())


@pytest.mark.parametrize("score", ["residual", "neighbour", "mahalanobis", "mix"])
def test_every_score_is_alike(score):
    compare(fit("deep", **{"detect.score": score}), strange())


@pytest.mark.parametrize("scope", ["local", "global", "both"])
def test_every_scope_is_alike(scope):
    compare(fit("auto", **{"detect.scope": scope}), strange())


def test_calibrated_weights_are_alike():
    compare(fit("deep", **{"detect.weighting": "calibrated"}), strange())


def test_numbers_alone_need_older_operators_only():
    X = matrix(400)
    model = narrows.AutoEncoder("auto", max_steps=30).fit(X)
    graph, found = compare(model, matrix(100, seed=5))
    model_proto = onnx.load_model_from_string(graph)
    assert (model_proto.opset_import[0].version, model_proto.ir_version) == (17, 8)
    assert found["feature_score"].shape == (100, 4)
    # A strange value shows in its column.
    X[:1, 3] = 30
    found = run(graph, model.onnx_feeds(X[:1]))
    assert found["feature_score"].argmax() == 3
    assert found["label"][0, 0] == 1


def test_ties_and_few_rows_are_alike():
    generator = np.random.default_rng(0)
    for rows in (12, 30):
        X = generator.integers(0, 3, size=(rows, 2)).astype(float)
        compare(narrows.AutoEncoder("auto", max_steps=10).fit(X), X)


@pytest.mark.parametrize("seed", range(6))
def test_random_shapes_are_alike(seed):
    generator = np.random.default_rng(seed)
    rows, columns = int(generator.integers(40, 400)), int(generator.integers(1, 30))
    X = generator.normal(size=(rows, columns)) * 10.0 ** generator.integers(-4, 6, columns)
    X[generator.random(X.shape) < generator.choice([0, 0.05])] = np.nan
    X[:, 0] = generator.integers(0, 2, rows)
    compare(narrows.AutoEncoder("auto", max_steps=10, random_state=seed).fit(X), X[: rows // 2] * 1.1)


def test_a_matrix_of_prepared_rows_scores_as_columns_do():
    frame = table().drop(columns=["unit", "scale"])
    frame["amount"] = frame["amount"].fillna(50)
    for preset in ("auto", "variational"):
        model = narrows.AutoEncoder(preset, max_steps=30).fit(frame)
        rows = model.onnx_feeds(frame, inputs="matrix")["rows"]
        assert rows.dtype == np.float32
        graph, found = compare(model, frame, inputs="matrix")
        assert found["reconstruction"].shape == rows.shape
        prepared = metadata(graph)["narrows.prepared"]
        assert sum(block["width"] for block in prepared) == rows.shape[1]


def test_a_row_alone_scores_as_in_a_batch():
    model = fit("auto")
    feeds = model.onnx_feeds(strange())
    graph = model.to_onnx()
    whole = run(graph, feeds)["scores"]
    alone = run(graph, {name: values[9:10] for name, values in feeds.items()})["scores"]
    np.testing.assert_allclose(alone, whole[9:10], rtol=1e-9)


def test_metadata_say_what_inputs_mean_and_names_do_not_collide():
    frame = pd.DataFrame({"label": np.arange(60.0) % 7, "scores": ["a", "b", "c"] * 20, "label_": np.arange(60.0) % 5})
    model = narrows.AutoEncoder("deep", max_steps=5).fit(frame)
    graph, _ = compare(model, frame)
    entries = metadata(graph)
    assert entries["narrows.kind"] == "table"
    assert [entry["column"] for entry in entries["narrows.inputs"]] == ["label", "scores", "label_"]
    assert [entry["input"] for entry in entries["narrows.inputs"]] == ["label__", "scores_", "label_"]
    assert [entry["element"] for entry in entries["narrows.inputs"]] == ["double", "string", "double"]
    assert entries["narrows.threshold"]["threshold"] == model.threshold_
    assert entries["narrows.features"] == ["label", "scores", "label_"]


def test_an_encoder_gives_its_codes():
    model = fit("deep")
    encoder = model.encoder()
    found = run(encoder.to_onnx(), encoder.onnx_feeds(strange()))
    assert list(found) == ["embedding"]
    np.testing.assert_allclose(found["embedding"], encoder.transform(strange()), rtol=1e-3, atol=1e-5)


def test_a_file_is_written_whole_and_is_the_same_each_time(tmp_path):
    model = fit("deep")
    assert model.to_onnx(tmp_path / "m.onnx") is None
    assert (tmp_path / "m.onnx").read_bytes() == model.to_onnx() == model.to_onnx()
    with pytest.raises(ValueError, match="expected `columns` or `matrix`, got `rows`"):
        model.to_onnx(inputs="rows")
    with pytest.raises(ValueError, match="not fitted"):
        narrows.AutoEncoder().to_onnx()
