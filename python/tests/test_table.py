"""Autoencoders of tables: scores, verdicts, codes, reconstruction, generation, files, and how they are trained."""

import json
import logging
import subprocess
import threading

import numpy as np
import pytest
from samples import QUICK, matrix, mixed, pandas_frame, polars_frame

import narrows
from narrows._table import _flagging

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


def strange(rows=200):
    """Rows of which every twentieth breaks the dependence between columns."""
    X = matrix(rows)
    X[::20, 3] += 6
    return X


@pytest.fixture(scope="module")
def model():
    return narrows.AutoEncoder("deep", max_steps=300, random_state=1).fit(matrix())


# Scores and verdicts.


def test_scores_have_the_sense_of_scikit_learn(model):
    X = strange()
    scores = model.scores(X)["score"]
    assert np.array_equal(model.score_samples(X), -scores)
    assert model.offset_ == -model.threshold_
    assert np.array_equal(model.decision_function(X), model.score_samples(X) - model.offset_)
    assert np.array_equal(model.predict(X), np.where(scores > model.threshold_, -1, 1))
    assert np.array_equal(model.predict(X) == -1, model.decision_function(X) < 0)
    assert np.median(model.scores(matrix())["score"]) == pytest.approx(1, rel=0.3)


def test_strange_rows_are_found(model):
    verdicts = model.predict(strange())
    assert (verdicts[::20] == -1).all()
    assert (verdicts == -1).sum() < 30


def test_p_values_are_small_for_strange_rows_and_those_of_the_frame(model):
    X = strange()
    p = model.p_values(X)
    assert ((p > 0) & (p <= 1)).all()
    assert p[::20].max() < p[1::20].mean() / 5
    assert np.array_equal(p, model.scores(X)["p_value"])


def test_a_row_scores_alone_as_among_others(model):
    X = strange()
    assert np.array_equal(
        np.concatenate([model.score_samples(X[i : i + 1]) for i in range(20)]), model.score_samples(X)[:20]
    )


def test_scores_of_no_rows_are_none(model):
    assert model.score_samples(np.empty((0, 4))).shape == (0,)
    frame_model = narrows.AutoEncoder(**QUICK).fit(pandas_frame())
    assert frame_model.scores(pandas_frame()[:0]).shape == (0, 3)


@pytest.mark.parametrize("share", [0.005, 0.1, 0.123, 0.5])
def test_contamination_flags_exactly_that_share_of_the_rows(share):
    X = strange()
    model = narrows.AutoEncoder(**QUICK, contamination=share).fit(X)
    assert (model.predict(X) == -1).sum() == round(share * 200)


def test_contamination_finds_a_cluster_among_the_rows_of_the_fit():
    random = np.random.default_rng(0)
    normal = random.normal(size=(400, 5)) + random.choice([-4.0, 4.0], size=(400, 1))
    X = np.concatenate([normal, random.normal(30.0, 0.1, size=(16, 5))])
    model = narrows.AutoEncoder(max_steps=60, contamination=0.04).fit(X)
    assert (model.predict(X)[400:] == -1).all()
    assert model.recipe_.to_dict()["train"]["contamination"] == 0.04
    given = narrows.AutoEncoder(max_steps=60, contamination=0.04, settings={"train.contamination": 0.01}).fit(X)
    assert given.recipe_.to_dict()["train"]["contamination"] == 0.01


def test_contamination_is_in_the_saved_file(tmp_path):
    X = strange()
    model = narrows.AutoEncoder(**QUICK, contamination=0.1).fit(X)
    model.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert loaded.threshold_ == model.threshold_
    assert np.array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(("scores", "share", "flagged"), [
    ([1.0, 2.0, 3.0, 4.0], 0.25, 1),
    ([1.0, 2.0, 3.0, 4.0], 0.5, 2),
    ([1.0, 2.0], 0.01, 1),
    ([1.0, np.nextafter(1.0, 2), 1.0], 0.3, 1),
    ([1.0, 1.0, 1.0], 0.3, 0),
])  # fmt: skip
def test_the_threshold_of_a_share(scores, share, flagged):
    assert (np.array(scores) > _flagging(np.array(scores), share)).sum() == flagged


def test_the_threshold_can_be_moved_without_a_fit(model):
    X = strange()
    other = model.with_threshold(2.5)
    assert other.threshold_ == 2.5
    assert np.array_equal(other.score_samples(X), model.score_samples(X))
    assert np.array_equal(other.predict(X) == -1, other.scores(X)["score"] > 2.5)
    assert model.with_threshold("quantile=0.9").threshold_ < model.threshold_
    assert model.threshold_ != 2.5


def test_a_rule_of_the_threshold_is_followed():
    model = narrows.AutoEncoder(**QUICK, threshold="fixed=1.25").fit(matrix())
    assert model.threshold_ == 1.25
    assert narrows.AutoEncoder(**QUICK, threshold=1.25).fit(matrix()).threshold_ == 1.25


# Explanation and evaluation.


def test_an_explanation_names_the_columns_of_strange_rows(model):
    X = strange()
    explanation = model.explain(X[:1], top=2)
    assert len(explanation) == 1
    assert len(explanation[0]) == 2
    first = explanation[0][0]
    assert first.column in ("x0", "x1", "x3")
    assert 0 < first.share <= 1


def test_an_explanation_keeps_labels_and_scores():
    frame = pandas_frame()
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    explanation = model.explain(frame.iloc[3:5], top=1)
    assert explanation.rows == ["r3", "r4"]
    assert np.array_equal(explanation.scores, -model.score_samples(frame.iloc[3:5]))


def test_evaluation_takes_labels_as_scikit_learn_has_them(model):
    y = np.where(np.arange(200) % 20 == 0, -1, 1)
    metrics = model.evaluate(strange(), y)
    assert metrics["auc_roc"] > 0.99
    assert metrics["n_anomalies"] == 10
    for labels in (y < 0, (y < 0).astype(int), (y < 0).astype(float), np.where(y < 0, "fraud", "normal")):
        assert model.evaluate(strange(), labels)["auc_roc"] == metrics["auc_roc"]
    assert model.evaluate(strange(), np.where(y < 0, "a", "b"), normal="b")["auc_roc"] == metrics["auc_roc"]


def test_evaluation_takes_the_column_of_labels():
    frame = pandas_frame()
    frame["fraud"] = (np.arange(200) % 20 == 0).astype(int)
    model = narrows.AutoEncoder(**QUICK, label="fraud").fit(frame)
    assert model.evaluate(frame)["n_anomalies"] == 10
    again = narrows.AutoEncoder(**QUICK).fit(frame.drop(columns="fraud"))
    assert again.evaluate(frame, "fraud")["n_anomalies"] == 10


def test_only_normal_rows_are_fitted_to_and_the_label_may_be_absent():
    frame = pandas_frame()
    frame["kind"] = np.where(np.arange(200) % 4 == 0, "odd", "fine")
    model = narrows.AutoEncoder(**QUICK, label="kind", normal="fine").fit(frame)
    assert model.report_["rows"]["not_normal"] == 50
    assert "kind" not in model.feature_names_in_
    assert np.array_equal(model.predict(frame.drop(columns="kind")), model.predict(frame))


# Codes, reconstruction, generation.


def test_codes_lead_back_to_the_reconstruction(model):
    X = matrix()
    codes = model.transform(X)
    assert codes.shape == (200, model.model_.code_size)
    assert np.allclose(model.inverse_transform(codes), model.reconstruct(X))
    assert list(model.get_feature_names_out()) == [f"code_{i}" for i in range(codes.shape[1])]


def test_code_size_is_that_of_the_codes():
    assert narrows.AutoEncoder(**QUICK, code_size=2).fit_transform(matrix()).shape == (200, 2)


def test_reconstruction_is_in_original_units():
    X = 1000 + 50 * matrix()
    model = narrows.AutoEncoder("deep", code_size=3, max_steps=500).fit(X)
    rebuilt = model.reconstruct(X)
    assert rebuilt.mean() == pytest.approx(1000, rel=0.05)
    assert model.score(X) > 0.7
    spread = np.sum((X - X.mean(axis=0)) ** 2, axis=0)
    assert model.score(X) == pytest.approx(float(np.mean(1 - np.sum((X - rebuilt) ** 2, axis=0) / spread)))


def test_a_reconstructed_frame_has_the_kinds_of_its_columns():
    frame = pandas_frame()
    rebuilt = narrows.AutoEncoder(**QUICK).fit(frame).reconstruct(frame)
    assert set(rebuilt["shop"]) <= {"north", "south", "west"}
    assert rebuilt["amount"].notna().all()
    assert rebuilt.index.equals(frame.index)


def test_samples_are_those_of_the_seed_and_their_first_rows_do_not_depend_on_their_number(model):
    rows = model.sample(50, random_state=3)
    assert rows.shape == (50, 4)
    assert np.array_equal(model.sample(20, random_state=3), rows[:20])
    assert not np.array_equal(model.sample(50, random_state=4), rows)
    assert np.array_equal(model.sample(5), model.sample(5, random_state=1)), "the seed of the model"
    assert np.array_equal(
        model.sample(5, random_state=np.random.default_rng(0)), model.sample(5, random_state=np.random.default_rng(0))
    )
    assert np.abs(rows.mean(axis=0)).max() < 1


def test_variations_stay_near_their_rows(model):
    X = matrix()[:5]
    assert np.allclose(model.vary(X, spread=0), model.reconstruct(X))
    assert model.vary(X, 12, random_state=0).shape == (12, 4)
    assert not np.array_equal(model.vary(X, random_state=0), model.vary(X, random_state=1))


def test_rows_between_two_rows_begin_and_end_there(model):
    X = matrix()
    way = model.between(X, 2, -1, steps=5)
    assert way.shape == (5, 4)
    assert np.allclose(way[[0, -1]], model.reconstruct(X)[[2, 199]])
    with pytest.raises(ValueError, match="expected positions among 200 rows, got 200"):
        model.between(X, 0, 200)


# Files.


def test_a_saved_model_is_the_same(model, tmp_path):
    model.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert isinstance(loaded, narrows.AutoEncoder)
    assert np.array_equal(loaded.score_samples(matrix()), model.score_samples(matrix()))
    assert loaded.model_.to_bytes() == (tmp_path / "m.narrows").read_bytes()
    assert loaded.history_ == model.history_
    assert loaded.n_features_in_ == 4
    assert not hasattr(loaded, "feature_names_in_")


def test_a_loaded_estimator_fits_the_same_model_again(tmp_path):
    frame = pandas_frame()
    frame["fraud"] = 0
    arguments = {"categorical": "count", "label": "fraud", "normal": "0", "ignore": "w*", "random_state": 5}
    model = narrows.AutoEncoder(**QUICK, **arguments).fit(frame)
    model.save(tmp_path / "m.narrows")
    loaded = narrows.load(tmp_path / "m.narrows")
    assert loaded.label == "fraud"
    assert list(loaded.feature_names_in_) == list(mixed(1))[:4]
    again = loaded.fit(frame)
    assert again.model_.to_bytes() == model.model_.to_bytes()


def test_the_encoder_alone_gives_the_codes(tmp_path):
    frame = pandas_frame()
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    model.encoder().save(tmp_path / "e.narrows")
    encoder = narrows.load(tmp_path / "e.narrows")
    assert encoder.transform(frame).equals(model.transform(frame))
    assert (tmp_path / "e.narrows").stat().st_size < len(model.model_.to_bytes())
    assert repr(encoder).startswith("Encoder('table', code_size=")


def test_reports_are_files_on_the_fit_and_on_new_data(tmp_path):
    frame = pandas_frame()
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    assert model.report(tmp_path / "fit.html") is None
    html = (tmp_path / "fit.html").read_text(encoding="utf-8")
    assert html == model.report()
    assert model.report()._repr_html_().startswith("<iframe srcdoc=")
    assert html.startswith("<!DOCTYPE html>")
    assert "amount" in html
    new = model.report(X=frame)
    assert new != html
    assert new.startswith("<!DOCTYPE html>")


def test_the_report_is_also_data(model):
    assert model.report_["rows"]["read"] == 200
    assert [column["name"] for column in model.report_["columns"]] == ["x0", "x1", "x2", "x3"]
    json.dumps(model.report_)
    constant = matrix()
    constant[:, 2] = 1
    assert narrows.AutoEncoder(**QUICK).fit(constant).notes_ == []
    assert set(model.report_["verdict"]) == {"grade", "sentence", "concerns"}


# Seeds, threads and the command.


def fitted(X=None, **arguments):
    return narrows.AutoEncoder(**{**QUICK, **arguments}).fit(matrix() if X is None else X).model_.to_bytes()


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads():
    assert fitted() == fitted(random_state=0) == fitted(random_state=np.int64(0), n_jobs=1) == fitted(n_jobs=-1)
    assert fitted() != fitted(random_state=1)
    generators = [fitted(random_state=np.random.RandomState(7)) for _ in range(2)]
    assert generators[0] == generators[1] != fitted()


def test_a_recipe_keeps_its_seed():
    recipe = narrows.Recipe.preset("deep").set(seed=4, train__steps=30)
    assert fitted(recipe=recipe, preset="auto", max_steps=None) == fitted(random_state=4)
    assert fitted(recipe=recipe, random_state=1) == fitted(random_state=1)


@pytest.mark.parametrize("form", ["object", "text", "file"])
def test_a_recipe_may_be_an_object_text_or_a_file(form, tmp_path):
    text = 'preset = "deep"\n[train]\nsteps = 30\n'
    (tmp_path / "r.toml").write_text(text)
    recipe = {"object": narrows.Recipe.from_toml(text), "text": text, "file": tmp_path / "r.toml"}[form]
    assert fitted(recipe=recipe, preset="auto", max_steps=None) == fitted()


def test_settings_are_fields_of_the_recipe():
    settings = {"train.batch_size": 16, "backbone__nodes": [8, 4], "corruption": "gaussian"}
    recipe = narrows.AutoEncoder(**QUICK, settings=settings, learning_rate=0.01).fit(matrix()).recipe_.to_dict()
    assert recipe["train"]["batch_size"] == 16
    assert recipe["train"]["learning_rate"] == pytest.approx(0.01)
    assert recipe["backbone"]["nodes"] == [8, 4]
    assert recipe["corruption"]["kind"] == "gaussian"


def test_the_command_makes_the_same_model_and_the_same_scores(command, tmp_path):
    frame = polars_frame()
    frame.write_parquet(tmp_path / "d.parquet")
    arguments = ["--preset", "deep", "--set", "train.steps=30", "--set", "seed=3", "-q", "-f"]
    subprocess.run([command, "fit", "d.parquet", "-o", "m.narrows", *arguments], cwd=tmp_path, check=True)
    model = narrows.AutoEncoder(**QUICK, random_state=3).fit(tmp_path / "d.parquet")
    of_command = narrows.load(tmp_path / "m.narrows")
    assert np.array_equal(of_command.score_samples(frame), model.score_samples(frame))
    model.save(tmp_path / "p.narrows")
    score = [command, "score", "p.narrows", "d.parquet", "-o", "scores.parquet", "-q"]
    subprocess.run(score, cwd=tmp_path, check=True)
    pl = pytest.importorskip("polars")
    scores = pl.read_parquet(tmp_path / "scores.parquet")
    assert np.array_equal(scores["score"], model.scores(frame)["score"])
    assert np.array_equal(scores["is_anomaly"], model.predict(frame) == -1)


# Training.


def test_callbacks_see_the_history_and_may_stop():
    seen = []

    class Stop:
        def on_epoch(self, history):
            seen.append(len(history))
            return len(history) == 4

    model = narrows.AutoEncoder("deep", max_steps=50, callbacks=[Stop(), lambda history: None]).fit(matrix())
    assert seen == [1, 2, 3, 4]
    assert model.n_iter_ < 50
    assert set(model.history_[0]) == {"member", "step", "epoch", "train_loss", "validation_loss", "learning_rate"}
    assert model.predict(matrix()).shape == (200,)


def test_watching_does_not_change_the_model():
    assert fitted(callbacks=lambda history: None, verbose=1) == fitted()


def test_what_a_callback_raises_ends_the_fit():
    def fail(history):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        narrows.AutoEncoder(**QUICK, callbacks=fail).fit(matrix())


def test_progress_is_shown_if_asked_for(capsys, monkeypatch):
    narrows.AutoEncoder(**QUICK).fit(matrix())
    assert capsys.readouterr().err == ""
    narrows.AutoEncoder(**QUICK, verbose=1).fit(matrix())
    assert "30/30" in capsys.readouterr().err
    narrows.AutoEncoder(max_steps=10, verbose=1).fit(matrix())
    assert "20/20" in capsys.readouterr().err, "both members of the ensemble"
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    narrows.AutoEncoder(**QUICK, verbose=1).fit(matrix())
    assert "AutoEncoder  100 %" in capsys.readouterr().err


def test_checks_are_logged(caplog):
    with caplog.at_level(logging.DEBUG, logger="narrows"):
        narrows.AutoEncoder(**QUICK).fit(matrix())
    assert any("validation loss" in message for message in caplog.messages)


def test_warnings_are_warnings_of_python():
    with pytest.warns(narrows.NarrowsWarning, match="a false-alarm rate of 0.01 needs 99 held-out rows") as caught:
        narrows.AutoEncoder(**QUICK).fit(matrix())
    assert caught[0].filename == __file__
    assert len({str(warning.message) for warning in caught}) == len(caught)


def test_validation_rows_may_be_given():
    X, valid = matrix(), matrix(60, seed=9)
    model = narrows.AutoEncoder(**QUICK).fit(X, X_valid=valid)
    assert model.report_["rows"]["validation"] == 60
    assert model.report_["rows"]["train"] > narrows.AutoEncoder(**QUICK).fit(X).report_["rows"]["train"]
    frame = pandas_frame()
    assert narrows.AutoEncoder(**QUICK).fit(frame, X_valid=pandas_frame(30, 1)).report_["rows"]["validation"] == 30


def test_kinds_of_columns_can_be_told():
    model = narrows.AutoEncoder(**QUICK, categorical="count", ignore=["w*"]).fit(pandas_frame())
    kinds = {column["name"]: (column["kind"], column["role"]) for column in model.report_["columns"]}
    assert kinds["count"] == ("category", "feature")
    assert kinds["when"][1] == "ignored"
    chosen = narrows.AutoEncoder(**QUICK, columns=["amount", "count"]).fit(pandas_frame())
    assert list(chosen.feature_names_in_) == ["amount", "count"]
    assert chosen.predict(pandas_frame()[["amount", "count"]]).shape == (200,)


def test_threads_score_with_one_model(model):
    X, results = strange(), []
    threads = [threading.Thread(target=lambda: results.append(model.score_samples(X))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(result, model.score_samples(X)) for result in results)


def test_the_docstring_example_holds():
    X = np.random.default_rng(0).normal(size=(500, 4))
    X[:, 3] = X[:, 0] + X[:, 1]
    detector = narrows.AutoEncoder("deep", max_steps=200, random_state=0).fit(X)
    assert detector.predict([[1.0, 1.0, 0.0, -9.0]]).tolist() == [-1]


# Drift.


def test_drift_names_the_columns_that_have_moved(model):
    same = model.drift(matrix(300, seed=5))
    assert not same["has_drifted"]
    assert same["findings"] == []
    assert same["threshold"]["stands"]
    moved = matrix(300, seed=5)
    moved[:, 1] += 1
    found = model.drift(moved)
    assert found["has_drifted"]
    assert found["rows"] == 300
    assert [column["column"] for column in found["columns"] if column["has_drifted"]] == ["x1"]
    with pytest.raises(ValueError, match="expected a number between 0 and 1"):
        model.drift(moved, level=2)
