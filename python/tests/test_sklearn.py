"""scikit-learn: its own checks of estimators, and the tools that people use around them."""

import pickle

import numpy as np
import pytest
from samples import QUICK, matrix, pandas_frame, polars_frame

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

import narrows

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


@parametrize_with_checks(
    [narrows.AutoEncoder("deep", max_steps=60), narrows.AutoEncoder("deep", max_steps=60, contamination=0.1)]
)
def test_the_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


def test_a_pipeline_ends_in_it():
    pipeline = make_pipeline(StandardScaler(), narrows.AutoEncoder(**QUICK))
    verdicts = pipeline.fit_predict(matrix())
    assert set(verdicts) == {-1, 1}
    assert np.array_equal(pipeline.predict(matrix()), verdicts)
    assert pipeline.score_samples(matrix()).shape == (200,)


def test_a_pipeline_goes_through_its_codes():
    X = matrix()
    pipeline = make_pipeline(narrows.AutoEncoder("deep", code_size=3, max_steps=300), LinearRegression())
    assert pipeline.fit(X[:, :3], X[:, 3]).score(X[:, :3], X[:, 3]) > 0.5
    assert list(pipeline[:-1].get_feature_names_out()) == ["code_0", "code_1", "code_2"]


def test_a_column_transformer_names_its_codes():
    frame = pandas_frame()
    columns = ColumnTransformer([("ae", narrows.AutoEncoder(**QUICK, code_size=2), list(frame.columns))])
    columns.set_output(transform="pandas")
    codes = columns.fit_transform(frame)
    assert list(codes.columns) == ["ae__code_0", "ae__code_1"]
    assert codes.index.equals(frame.index)


def test_a_grid_search_finds_the_larger_code():
    search = GridSearchCV(narrows.AutoEncoder("deep", max_steps=300), {"code_size": [1, 3]}, cv=2)
    search.fit(matrix())
    assert search.best_params_ == {"code_size": 3}
    assert search.best_score_ > 0.5
    assert search.predict(matrix()).shape == (200,)


def test_cross_validation_scores_reconstruction():
    scores = cross_val_score(narrows.AutoEncoder("deep", code_size=3, max_steps=300), matrix(), cv=3)
    assert scores.shape == (3,)
    assert np.all((scores > 0.5) & (scores <= 1))


def test_cross_validation_takes_labels_with_a_scorer():
    X = matrix()
    X[::20] += 8
    y = np.where(np.arange(200) % 20 == 0, -1, 1)

    def auc(estimator, X, y):
        return estimator.evaluate(X, y)["auc_roc"]

    assert cross_val_score(narrows.AutoEncoder(**QUICK), X, y, cv=2, scoring=auc).min() > 0.9


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("make", [matrix, pandas_frame, polars_frame])
def test_set_output_makes_frames_of_codes(container, make):
    model = narrows.AutoEncoder(**QUICK, code_size=2).set_output(transform=container)
    X = make()
    codes = model.fit_transform(X)
    assert type(codes).__module__.split(".")[0] == container
    assert list(codes.columns) == ["code_0", "code_1"]
    if container == "pandas" and make is pandas_frame:
        assert codes.index.equals(X.index)
    plain = model.set_output(transform="default").transform(X)
    assert np.array_equal(np.asarray(codes), np.asarray(plain))


def test_a_clone_has_the_arguments_and_no_model():
    recipe = narrows.Recipe.preset("deep").set(train__steps=30)
    model = narrows.AutoEncoder(recipe=recipe, categorical=["shop"], random_state=3).fit(pandas_frame())
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.recipe == recipe
    with pytest.raises(
        NotFittedError, match=r"this AutoEncoder is not fitted yet: call `fit` first, or `narrows\.load`"
    ):
        copy.predict(pandas_frame())
    check_is_fitted(model)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)


def test_a_fitted_estimator_is_pickled_by_its_model():
    frame = pandas_frame()
    model = narrows.AutoEncoder(**QUICK, n_jobs=1).fit(frame)
    again = pickle.loads(pickle.dumps(model))
    assert again.get_params() == model.get_params()
    assert np.array_equal(again.score_samples(frame), model.score_samples(frame))
    assert again.model_.to_bytes() == model.model_.to_bytes()
    assert list(again.feature_names_in_) == list(frame.columns)
    assert again.threshold_ == model.threshold_
    assert again.history_ == model.history_
    assert type(again.sample(2)) is type(frame)


def test_an_unfitted_estimator_is_pickled_too():
    model = pickle.loads(pickle.dumps(narrows.AutoEncoder(**QUICK)))
    assert model.get_params() == narrows.AutoEncoder(**QUICK).get_params()
    assert not hasattr(model, "model_")


def test_joblib_carries_it_to_other_processes():
    joblib = pytest.importorskip("joblib")
    X = matrix()
    model = narrows.AutoEncoder(**QUICK).fit(X)
    with joblib.parallel_config("loky", n_jobs=2):
        parts = joblib.Parallel()(joblib.delayed(model.score_samples)(part) for part in (X[:100], X[100:]))
        fits = joblib.Parallel()(joblib.delayed(clone(model).fit)(X) for _ in range(2))
    assert np.array_equal(np.concatenate(parts), model.score_samples(X))
    assert all(fit.model_.to_bytes() == model.model_.to_bytes() for fit in fits)


def test_joblib_saves_it(tmp_path):
    joblib = pytest.importorskip("joblib")
    model = narrows.AutoEncoder(**QUICK).fit(matrix())
    joblib.dump(model, tmp_path / "m.joblib")
    assert np.array_equal(joblib.load(tmp_path / "m.joblib").predict(matrix()), model.predict(matrix()))


def test_its_names_are_the_features_of_the_fit():
    frame = pandas_frame()
    model = narrows.AutoEncoder(**QUICK, label="is_new", ignore="when").fit(frame)
    assert model.n_features_in_ == 3
    assert list(model.feature_names_in_) == ["amount", "count", "shop"]
    unnamed = narrows.AutoEncoder(**QUICK).fit(matrix())
    assert unnamed.n_features_in_ == 4
    assert not hasattr(unnamed, "feature_names_in_")
    unnamed.fit(frame)
    assert list(unnamed.feature_names_in_) == list(frame.columns)
    assert not hasattr(unnamed.fit(matrix()), "feature_names_in_")


def test_arrays_and_frames_are_matched_by_position_with_a_warning():
    pd = pytest.importorskip("pandas")
    X = matrix()
    frame = pd.DataFrame(X, columns=list("abcd"))
    of_frame, of_array = narrows.AutoEncoder(**QUICK).fit(frame), narrows.AutoEncoder(**QUICK).fit(X)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but AutoEncoder was fitted with"):
        scores = of_frame.score_samples(X)
    assert np.array_equal(scores, of_frame.score_samples(frame))
    with pytest.warns(UserWarning, match="X has feature names, but AutoEncoder was fitted without feature names"):
        scores = of_array.score_samples(frame)
    assert np.array_equal(scores, of_array.score_samples(X))


def test_the_number_of_steps_is_told():
    assert narrows.AutoEncoder("deep", max_steps=7).fit(matrix()).n_iter_ == 7
