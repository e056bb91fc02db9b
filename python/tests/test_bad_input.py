"""Bad input: every error says what was expected and what was got, in the words of Python."""

import json
import pickle
import struct
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from samples import QUICK, matrix, pandas_frame

import narrows

pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")


@pytest.fixture(scope="module")
def of_frame():
    return narrows.AutoEncoder(**QUICK).fit(pandas_frame())


@pytest.fixture(scope="module")
def of_array():
    return narrows.AutoEncoder(**QUICK).fit(matrix())


def refused(X, error, message, **arguments):
    with pytest.raises(error, match=message):
        narrows.AutoEncoder(**{**QUICK, **arguments}).fit(X)


# Not fitted.


@pytest.mark.parametrize("method", [
    "predict", "score_samples", "decision_function", "p_values", "scores", "explain", "transform", "inverse_transform",
    "reconstruct", "vary", "between", "score",
])  # fmt: skip
def test_a_method_that_needs_a_fit_says_so(method):
    with pytest.raises(ValueError, match="this AutoEncoder is not fitted yet: call `fit` first") as caught:
        getattr(narrows.AutoEncoder(), method)(matrix())
    assert type(caught.value).__name__ == "NotFittedError"
    assert isinstance(caught.value, AttributeError)


def test_so_do_those_without_data(tmp_path):
    model = narrows.AutoEncoder()
    for call in (
        model.sample,
        model.report,
        model.encoder,
        model.get_feature_names_out,
        lambda: model.save(tmp_path / "m"),
    ):
        with pytest.raises(ValueError, match="not fitted yet"):
            call()
    assert not hasattr(model, "threshold_")


# Columns.


def test_missing_columns_are_named(of_frame):
    with pytest.raises(ValueError, match="seen at fit time, yet now missing:\n- shop\n"):
        of_frame.predict(pandas_frame().drop(columns="shop"))
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- Shop\n.*now missing:\n- shop\n"):
        of_frame.predict(pandas_frame().rename(columns={"shop": "Shop"}))


def test_missing_columns_of_files_are_named(of_frame, tmp_path):
    pandas_frame().drop(columns="shop").to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(ValueError, match=r"new\.csv: column `shop` missing\nhint: the input has `amount`"):
        of_frame.predict(tmp_path / "new.csv")


def test_columns_in_another_order_are_refused(of_frame):
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        of_frame.predict(pandas_frame().iloc[:, ::-1])


def test_further_columns_are_passed_over(of_frame):
    frame = pandas_frame()
    more = frame.assign(more=1)[["more", *frame.columns]]
    assert np.array_equal(of_frame.predict(more), of_frame.predict(frame))


def test_the_number_of_columns_of_arrays_is_checked(of_array):
    with pytest.raises(ValueError, match="X has 3 features, but AutoEncoder is expecting 4 features as input"):
        of_array.predict(matrix()[:, :3])
    with pytest.raises(ValueError, match=r"X: expected codes of \d columns, got 9"):
        of_array.inverse_transform(np.zeros((2, 9)))


def test_columns_of_another_type_are_refused(of_frame):
    with pytest.raises(ValueError, match="column `amount`: expected numbers, got text such as `a lot`"):
        of_frame.predict(pandas_frame().assign(amount="a lot"))
    with pytest.raises(ValueError, match="column `when`: expected dates, got numbers"):
        of_frame.predict(pandas_frame().assign(when=1.5))


def test_names_that_occur_twice_are_refused():
    refused(pd.DataFrame(matrix(), columns=list("abca")), ValueError, "column `a`: the name occurs more than once")
    refused(pd.DataFrame(matrix(), columns=[1, "1", 2, 3]), ValueError, "column `1`: the name occurs more than once")


def test_names_that_are_not_text_are_supported():
    frame = pd.DataFrame(matrix())
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    assert not hasattr(model, "feature_names_in_"), "as in scikit-learn"
    assert model.reconstruct(frame).columns.tolist() == [0, 1, 2, 3]
    assert np.array_equal(model.predict(frame), model.predict(matrix()))
    mixed = frame.rename(columns={0: "a"})
    assert narrows.AutoEncoder(**QUICK).fit(mixed).transform(mixed).shape[0] == 200


def test_a_duplicated_index_is_supported(of_frame):
    frame = pandas_frame()
    twice = frame.set_index(pd.Index([0, 1] * 100))
    assert of_frame.scores(twice).index.equals(twice.index)
    assert np.array_equal(of_frame.scores(twice)["score"], of_frame.scores(frame)["score"])
    assert of_frame.explain(twice, top=1).rows == [0, 1] * 100


# Cells.


def test_dicts_and_lists_in_cells_are_refused():
    refused(pandas_frame().assign(d=[{"a": 1}] * 200), TypeError, "column `d`.*string or a real number, not 'dict'")
    refused(pandas_frame().assign(d=[[1]] * 200), TypeError, "column `d`.*string or a real number, not 'list'")
    refused(np.array([[{"a": 1}, 1.0]] * 20, object), TypeError, "must be a string or a real number, not 'dict'")


def test_complex_numbers_are_refused():
    refused(matrix() + 1j, ValueError, "Complex data not supported: give real and imaginary parts as two columns")
    refused((matrix() + 1j).astype(object), ValueError, "Complex data not supported")
    refused(pandas_frame().assign(z=1j), ValueError, "column `z`: Complex data not supported")


def test_sparse_matrices_are_refused(of_array):
    sparse = pytest.importorskip("scipy.sparse")
    message = r"Sparse data was passed for X, but dense data is required: use `X\.toarray\(\)`"
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.dok_matrix, sparse.coo_array):
        refused(make(matrix()), TypeError, message)
        with pytest.raises(TypeError, match=message):
            of_array.predict(make(matrix()))


def test_sparse_columns_of_pandas_are_supported():
    sparse = pytest.importorskip("scipy.sparse")
    X = np.round(matrix())
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X))
    assert np.array_equal(
        narrows.AutoEncoder(**QUICK).fit(frame).predict(X), narrows.AutoEncoder(**QUICK).fit_predict(X)
    )


def test_infinite_cells_are_missing_in_the_fit_and_strange_later(of_array):
    X = matrix()
    X[3, 0], X[4, 1], X[5, 2] = np.inf, -np.inf, np.nan
    model = narrows.AutoEncoder(**QUICK).fit(X)
    assert model.notes_ == [f"column `x{i}`: 1 infinite cells taken as missing while training" for i in (0, 1)]
    scores = of_array.scores(X)
    assert scores["is_anomaly"][3:5].all()
    assert np.isfinite(scores["score"]).all()


def test_columns_without_information_are_refused_if_there_are_no_others():
    refused(
        matrix() * np.nan, ValueError, "no column is left to learn from: column `x0` left out: all cells are missing"
    )
    same = narrows.AutoEncoder("simple", max_steps=20, random_state=0).fit(matrix() * 0)
    assert same.notes_[0].startswith("no column varies")


# Shapes.


def test_what_is_not_two_dimensional_is_refused(of_array):
    refused(matrix()[0], ValueError, "Expected 2D array, got 1D array instead")
    refused(matrix()[None], ValueError, "Expected 2D array, got 3D array instead")
    refused(pandas_frame()["amount"], ValueError, r"Expected 2D array, got 1D array.*`\.to_frame\(\)`")
    with pytest.raises(ValueError, match=r"Reshape your data either using array\.reshape"):
        of_array.predict(matrix()[0])


def test_no_rows_no_columns_and_one_row_are_refused():
    refused(matrix()[:0], ValueError, r"0 sample\(s\) \(shape=\(0, 4\)\) while a minimum of 2 is required")
    refused(pandas_frame()[:0], ValueError, r"0 sample\(s\) \(shape=\(0, 5\)\) while a minimum of 2 is required")
    refused(matrix()[:, :0], ValueError, r"0 feature\(s\) \(shape=\(200, 0\)\) while a minimum of 1 is required")
    refused(pandas_frame()[[]], ValueError, r"0 feature\(s\) \(shape=\(200, 0\)\)")
    refused(matrix()[:1], ValueError, "1 sample")
    refused(pandas_frame()[:1], ValueError, "1 sample")
    refused(matrix()[:9], ValueError, "expected at least 10 rows to fit, got 9")


def test_one_row_is_scored(of_frame, of_array):
    assert of_array.predict(matrix()[:1]).shape == (1,)
    assert of_frame.transform(pandas_frame()[:1]).shape[0] == 1
    assert len(of_frame.explain(pandas_frame()[:1])) == 1


@pytest.mark.parametrize(("X", "got"), [
    (None, "got None"), (3, "got 3"), (b"a", "got b'a'"), ({"a": [1.0]}, "got a dict: make a frame of it"),
    ((row for row in matrix()), "got a generator"), (np.zeros(20, [("a", float)]), "got a structured one"),
])  # fmt: skip
def test_what_is_no_table_is_refused(X, got):
    refused(X, TypeError, f"X: expected .*{got}")


def test_validation_rows_need_the_same_columns():
    for X, valid in [(pandas_frame(), pandas_frame()[["amount", "count", "when"]]), (matrix(), matrix()[:, :2])]:
        with pytest.raises(ValueError, match="X_valid: expected the columns of `X`, but it lacks `"):
            narrows.AutoEncoder(**QUICK).fit(X, X_valid=valid)


# Arguments.


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"preset": "dep"}, ValueError, "preset: expected one of auto, .*got `dep`\nhint: did you mean deep"),
    ({"preset": 3}, TypeError, "preset: expected a name such as 'auto', got 3"),
    ({"code_size": 0}, ValueError, "code_size: expected a width from 1 to 65536, got 0"),
    ({"max_steps": -1}, ValueError, "max_steps: expected an integer of at least 1, got -1"),
    ({"max_epochs": 2.5}, ValueError, "max_epochs: expected an integer of at least 1, got 2.5"),
    ({"batch_size": "x"}, ValueError, "batch_size: expected `auto` or a value, got `x`"),
    ({"learning_rate": -1}, ValueError, "learning_rate: expected a finite number above 0, got -1"),
    ({"contamination": 0.7}, ValueError, r"contamination: expected 'auto' or a number in \(0, 0.5\], got 0.7"),
    ({"contamination": "all"}, ValueError, r"contamination: expected 'auto' or a number in \(0, 0.5\], got 'all'"),
    ({"contamination": 0.1, "threshold": "max"}, ValueError, "either `contamination` or `threshold`, got both"),
    ({"contamination": 0.1, "label": "shop"}, ValueError, "the rows of the fit are normal: use `threshold` instead"),
    ({"threshold": "quantil=0.9"}, ValueError, "threshold: expected one of .*got `quantil=0.9`"),
    ({"label": "fraud"}, ValueError, "column `fraud` does not exist\nhint: columns: amount, count"),
    ({"label": "shop"}, ValueError, "expected the value of `shop` in normal rows.*\nhint: name it with `normal`"),
    ({"normal": "0"}, ValueError, "normal: expected a label column beside it\nhint: name it with `label`"),
    ({"ignore": "fraud"}, ValueError, "column `fraud` does not exist"),
    ({"categorical": "fraud"}, ValueError, "there is no column `fraud`"),
    ({"columns": 3}, TypeError, "columns: expected a name or a list of names, got 3"),
    ({"random_state": -1}, ValueError, "random_state: expected an integer from 0 to"),
    ({"random_state": 1.5}, ValueError, "random_state: expected None, an integer or a generator of NumPy, got 1.5"),
    ({"n_jobs": 0}, ValueError, "n_jobs: expected None or an integer other than 0, got 0"),
    ({"callbacks": 3}, TypeError, r"callbacks: expected functions or objects with a method `on_epoch\(history\)`, got 3"),
    ({"verbose": "yes"}, TypeError, "verbose: expected 0, 1 or 2, got 'yes'"),
    ({"recipe": 3}, TypeError, r"recipe: expected a narrows\.Recipe, TOML text or a path, got 3"),
    ({"recipe": "[train]\nstepz = 3"}, ValueError, "unknown field `stepz` of `train`\nhint: did you mean steps"),
    ({"recipe": '[data]\nkind = "series"'}, ValueError, r"recipe: .*got one of series: use narrows\.SeriesAutoEncoder"),
    ({"settings": {"train.stepz": 1}}, ValueError, "unknown field `stepz` of `train`\nhint: did you mean steps"),
    ({"settings": [1]}, TypeError, r'settings: expected a dict such as \{"train.batch_size": 64\}, got \[1\]'),
    ({"settings": {"train.steps": None}}, TypeError, "a list or a dict as a setting, got None"),
])  # fmt: skip
def test_invalid_arguments_are_named_in_the_fit(arguments, error, message):
    refused(pandas_frame(), error, message, **arguments)


def test_no_message_speaks_of_the_command():
    texts = []
    for arguments in ({"label": "shop"}, {"normal": "0"}, {"settings": {"train.stepz": 1}}, {"categorical": "fraud"}):
        with pytest.raises(ValueError) as caught:
            narrows.AutoEncoder(**QUICK, **arguments).fit(pandas_frame())
        texts.append(str(caught.value))
    assert not [text for text in texts if "--" in text]


def test_arguments_of_methods_are_checked(of_frame):
    frame = pandas_frame()
    for call, message in [
        (lambda: of_frame.explain(frame, top=0), "top: expected an integer of at least 1, got 0"),
        (lambda: of_frame.sample(0), "n_samples: expected an integer of at least 1, got 0"),
        (lambda: of_frame.evaluate(frame), "y: expected labels or the name of a column with them, got None"),
        (lambda: of_frame.evaluate(frame, "fraud"), "y: expected a column `fraud` with labels"),
        (
            lambda: of_frame.evaluate(frame, [1, 2]),
            r"y: expected 200 labels, one a row, got an array of the shape \(2,\)",
        ),
        (lambda: of_frame.with_threshold("often"), "threshold: expected one of false_alarm_rate"),
        (lambda: of_frame.inverse_transform(frame), "columns `code_0`.*missing"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


# Files.


def test_a_damaged_model_file_is_told(of_frame, tmp_path):
    path = tmp_path / "m.narrows"
    whole = of_frame.model_.to_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for damaged, message in [
        (whole[: len(whole) // 2], "expected a Narrows model, got another or a damaged file"),
        (bytes(flipped), "the file is damaged: expected the checksum"),
        (b"hello", "expected a Narrows model"),
    ]:
        path.write_bytes(damaged)
        with pytest.raises(narrows.ModelFileError, match=rf"m\.narrows: .*{message}"):
            narrows.load(path)


def test_a_model_of_a_newer_version_is_told(of_frame, tmp_path):
    whole = of_frame.model_.to_bytes()
    [length] = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    document = json.loads(header["__metadata__"]["narrows"])
    header["__metadata__"]["narrows"] = json.dumps({**document, "format": document["format"] + 1})
    text = json.dumps(header).encode()
    (tmp_path / "m.narrows").write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    with pytest.raises(narrows.ModelFileError, match=r"format|version|newer") as caught:
        narrows.load(tmp_path / "m.narrows")
    assert "m.narrows" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_missing_model_file_is_an_oserror(of_frame, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.narrows"):
        narrows.load(tmp_path / "nothing.narrows")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        of_frame.save(tmp_path / "nowhere" / "m.narrows")


def test_a_corrupted_pickle_is_told(of_frame):
    model = of_frame.model_.to_bytes()
    dumped = pickle.dumps(of_frame)
    place = dumped.index(model)
    for offset in (20, len(model) // 2):
        damaged = bytearray(dumped)
        damaged[place + offset] ^= 255
        with pytest.raises(narrows.ModelFileError, match="the pickled model is damaged: "):
            pickle.loads(bytes(damaged))
    with pytest.raises(pickle.UnpicklingError, match="truncated"):
        pickle.loads(dumped[: place + 100])


# Packages that are not installed.

WITHOUT = """
    import sys

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in {packages}:
                raise ImportError(f"{{name}} is blocked")

    sys.meta_path.insert(0, Blocked())
    import pickle, warnings
    import numpy as np
    import narrows

    warnings.simplefilter("ignore")
    X = np.random.default_rng(0).normal(size=(100, 3))
"""


def run_without(packages, code):
    script = textwrap.dedent(WITHOUT.format(packages=packages)) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_but_the_integration_works_without_other_packages(tmp_path):
    packages = ["sklearn", "scipy", "pandas", "polars", "pyarrow", "tqdm", "joblib", "matplotlib"]
    out = run_without(
        packages,
        f"""
        model = narrows.AutoEncoder("deep", max_steps=20, verbose=1)
        try:
            model.predict(X)
        except ValueError as error:
            assert isinstance(error, AttributeError)
            assert "not fitted yet" in str(error)
        assert set(model.fit_predict(X)) <= {{-1, 1}}
        assert model.fit_transform(X).shape[0] == 100
        assert repr(model) == "AutoEncoder(preset='deep', max_steps=20, verbose=1)"
        assert model.get_params()["max_steps"] == 20
        again = pickle.loads(pickle.dumps(model.set_params(n_jobs=1)))
        assert (again.score_samples(X) == model.score_samples(X)).all()
        assert again.n_jobs == 1
        model.save({str(tmp_path / "m.narrows")!r})
        loaded = narrows.load({str(tmp_path / "m.narrows")!r})
        assert (loaded.predict(X) == model.predict(X)).all()
        assert model.scores(X).dtype.names == ("score", "p_value", "is_anomaly")
        assert len(model.explain(X[:3], top=2)) == 3
        assert list(model.get_feature_names_out())[0] == "code_0"
        try:
            model.set_params(code=3)
        except ValueError as error:
            assert "Invalid parameter 'code'" in str(error)
        print("done")
    """,
    )
    assert out == "done\n"


def test_frames_of_pandas_need_no_pyarrow():
    out = run_without(
        ["pyarrow"],
        """
        import pandas as pd
        frame = pd.DataFrame(X, columns=list("abc"), index=range(5, 105))
        frame["shop"] = pd.Categorical(["x", "y"] * 50)
        frame["when"] = pd.date_range("2024-01-01", periods=100, tz="Europe/Berlin")
        model = narrows.AutoEncoder("deep", max_steps=20).fit(frame)
        print(model.reconstruct(frame).dtypes["shop"], model.scores(frame).index[0])
    """,
    )
    assert out == "category 5\n"
