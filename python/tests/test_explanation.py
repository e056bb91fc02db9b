"""Explanations: as frames of the data's kind, as sequences of rows, as text, and for shap."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import AutoEncoder, Explanation, _native
from narrows._frames import Form

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
FIELDS = ["row", "rank", "column", "expected", "got", "share", "direction"]


def columns(n: int = 200) -> dict[str, Any]:
    """Numbers that follow from one another, and a category; row 3 is wrong in `double`, row 5 lacks `size`."""
    size = np.random.default_rng(1).normal(10, 2, n)
    double = 2 * size
    double[3] = 90.0
    kind = np.where(size > 10, "large", "small").tolist()
    size = size.copy()
    size[5] = np.nan
    return {"size": size, "double": double, "kind": kind}


@pytest.fixture(scope="module")
def frame() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(columns(), index=[f"r{i}" for i in range(200)])


@pytest.fixture(scope="module")
def model(frame: Any) -> AutoEncoder:
    return AutoEncoder("deep", max_steps=60).fit(frame)


@pytest.fixture(scope="module")
def explained(model: AutoEncoder, frame: Any) -> Explanation:
    return model.explain(frame.iloc[:8], top=3)


def test_a_pandas_frame_gives_one_with_its_labels(explained: Explanation, frame: Any) -> None:
    pandas = pytest.importorskip("pandas")
    found = explained.frame
    assert isinstance(found, pandas.DataFrame)
    assert list(found.columns) == FIELDS
    assert found["row"].unique().tolist() == frame.index[:8].tolist()
    # What is as expected is no reason.
    assert found["rank"].tolist() == [reason.rank for reasons in explained for reason in reasons]
    assert np.allclose(found.groupby("row")["share"].sum(), 1)
    first = found[found["row"] == "r3"].iloc[0]
    assert (first["column"], first["got"], first["direction"]) == ("double", "90", "above")
    assert first["share"] > 0.9


def test_a_polars_frame_gives_one(model: AutoEncoder) -> None:
    polars = pytest.importorskip("polars")
    found = model.explain(polars.DataFrame(columns(8)), top=2).frame
    assert isinstance(found, polars.DataFrame)
    assert found.columns == FIELDS
    assert found["row"].to_list() == [i for i in range(8) for _ in range(2)]
    assert found.schema["share"] == polars.Float64


def test_an_arrow_table_gives_one(model: AutoEncoder) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    found = model.explain(pyarrow.table(columns(8)), top=1).frame
    assert isinstance(found, pyarrow.Table)
    assert (found.column_names, found.num_rows) == (FIELDS, 8)


def test_an_array_gives_a_structured_array() -> None:
    X = np.random.default_rng(0).normal(size=(100, 3))
    X[:, 2] = X[:, 0] + X[:, 1]
    found = AutoEncoder("deep", max_steps=20).fit(X).explain(X[:4], top=2).frame
    assert isinstance(found, np.ndarray)
    assert list(found.dtype.names) == FIELDS
    assert found["row"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(found["column"]) <= {"x0", "x1", "x2"}
    assert found["share"].dtype == np.float64


def test_names_that_are_not_text_come_back_as_they_are() -> None:
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=[7, 8])
    found = AutoEncoder("simple", max_steps=5).fit(X).explain(X.iloc[:2], top=2)
    assert {reason.column for reasons in found for reason in reasons} == {7, 8}
    assert set(found.frame["column"]) == {7, 8}


def test_it_is_a_sequence_of_rows(explained: Explanation) -> None:
    assert len(explained) == 8
    assert explained.rows == [f"r{i}" for i in range(8)]
    assert [reason.rank for reason in explained[3]] == [1, 2, 3][: len(explained[3])]
    assert explained[-1] == explained[7]
    assert list(explained) == [explained[i] for i in range(8)]
    reason = explained[3][0]
    assert (reason.row, reason.column, reason.got) == ("r3", "double", "90")
    assert str(reason).startswith("double: expected about ")
    assert " (share " in str(reason)
    assert str(reason).endswith(" %)")


def test_a_missing_cell_is_told_with_what_is_expected_there(explained: Explanation) -> None:
    missing = next(reason for reason in explained[5] if reason.column == "size")
    assert (missing.got, missing.direction) == ("missing", "other")
    assert 5 < float(missing.expected) < 15
    assert str(missing).startswith("size: expected ")


def test_a_slice_explains_its_rows(explained: Explanation) -> None:
    part = explained[6:0:-3]
    assert part.rows == ["r6", "r3"]
    assert part[1] == explained[3]
    assert part.frame["row"].tolist() == ["r6"] * len(part[0]) + ["r3"] * len(part[1])
    assert part.scores is not None
    assert explained.scores is not None
    assert part.scores.tolist() == explained.scores[[6, 3]].tolist()
    assert len(explained[:0].frame) == 0


def test_a_row_is_found_by_its_label(explained: Explanation) -> None:
    assert explained.of("r3") == explained[3]
    with pytest.raises(ValueError, match="label: expected that of one row, got 'r99', which 0 rows have"):
        explained.of("r99")


def test_a_row_that_is_not_there_is_told(explained: Explanation) -> None:
    with pytest.raises(IndexError, match="row: expected a position among 8 rows, got 8"):
        explained[8]
    with pytest.raises(TypeError, match="row: expected the position of a row, or a slice, got 'r3'"):
        explained["r3"]  # type: ignore[call-overload]


def test_scores_are_the_model_s(explained: Explanation, model: AutoEncoder, frame: Any) -> None:
    assert explained.scores is not None
    assert np.array_equal(explained.scores, -model.score_samples(frame.iloc[:8]))


def test_the_text_names_rows_scores_and_cells(explained: Explanation) -> None:
    lines = repr(explained).splitlines()
    assert lines[0] == "Explanation of 8 rows, up to 3 columns each"
    assert lines[1].startswith("row r0, score ")
    assert any("double" in line and "got 90" in line and line.strip()[0].isdigit() for line in lines)
    assert lines[-1] == "... 3 more rows; all are in `frame`"


def test_a_row_without_a_score_has_no_reasons() -> None:
    table = _native.Table.from_columns(
        FIELDS,
        [np.array([1]), np.array([1]), ["a"], ["1"], ["2"], np.array([1.0]), ["above"]],
        "test",
    )
    explained = Explanation(table, Form("numpy"), rows=np.arange(2))
    assert explained[0] == []
    assert explained[1][0].column == "a"
    assert "no score" in repr(explained)


def test_a_pickle_explains_alike(explained: Explanation) -> None:
    other = pickle.loads(pickle.dumps(explained))
    assert list(other) == list(explained)
    assert other.frame.equals(explained.frame)


def test_channels_of_series_are_explained_point_by_point() -> None:
    wave = np.sin(np.arange(400) / 5)
    X = np.column_stack([wave, np.cos(np.arange(400) / 5)])
    model = narrows.SeriesAutoEncoder("simple", window=32, max_steps=30).fit(X)
    X[200, 1] = 8.0
    explained = model.explain(X, top=1)
    assert len(explained) == 400
    assert explained[200][0].column == "x1"
    assert explained[200][0].got == "8.00"


def test_values_for_shap_add_up_to_the_score(explained: Explanation) -> None:
    pytest.importorskip("shap")
    values = explained.to_shap()
    assert values.values.shape == (8, 3)
    assert np.allclose(values.values.sum(axis=1) + values.base_values, explained.scores)
    assert sorted(values.feature_names) == ["double", "kind", "size"]
    double = values.feature_names.index("double")
    assert values.data[3, double] == 90.0
    assert values.display_data[3, double] == "90"
    share = next(reason.share for reason in explained[3] if reason.column == "double")
    assert explained.scores is not None
    assert values.values[3, double] == pytest.approx(share * explained.scores[3])


def test_signed_values_for_shap_are_negative_below_what_is_expected(explained: Explanation) -> None:
    pytest.importorskip("shap")
    plain, signed = explained.to_shap(), explained.to_shap(signed=True)
    assert np.array_equal(np.abs(signed.values), plain.values)
    for row, reasons in enumerate(explained):
        for reason in reasons:
            value = signed.values[row, signed.feature_names.index(reason.column)]
            assert (value < 0) == (reason.direction == "below" and value != 0)


def test_what_never_changed_in_training_comes_first_and_has_no_share() -> None:
    def rows(n: int, states: list[str]) -> dict[str, Any]:
        return {**{name: cells[:n] for name, cells in columns().items() if name != "kind"}, "raid": states}

    polars = pytest.importorskip("polars")
    model = AutoEncoder("deep", max_steps=60).fit(polars.DataFrame(rows(200, ["ok"] * 200)))
    new = polars.DataFrame(rows(3, ["ok", "FAILED", "ok"]))
    assert {column["name"]: column["role"] for column in model.report_["columns"]}["raid"] == "invariant"
    assert "raid" in model.feature_names_in_
    explained = model.explain(new, top=3)
    first = explained[1][0]
    assert (first.column, first.got, first.direction, first.share) == ("raid", "FAILED", "broken", 0)
    assert str(first).startswith("raid: always ok in ")
    assert str(first).endswith(" training rows, got FAILED")
    assert "always ok in " in repr(explained)
    assert "always ok in " in explained._repr_html_()
    assert sum(reason.share for reason in explained[1]) == pytest.approx(1)
    assert explained.scores is not None
    assert explained.scores[1] >= 1e6
    pytest.importorskip("shap")
    values = explained.to_shap()
    assert values.values[1].sum() == pytest.approx(explained.scores[1])
    assert values.values[1, values.feature_names.index("raid")] == pytest.approx(explained.scores[1])


def test_shap_needs_all_columns(model: AutoEncoder, frame: Any) -> None:
    pytest.importorskip("shap")
    with pytest.raises(ValueError, match="needs the shares of all columns: explain with a larger `top`"):
        model.explain(frame.iloc[:3], top=1).to_shap()


def test_plots_of_shap_take_it(explained: Explanation) -> None:
    shap = pytest.importorskip("shap")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    values = explained.to_shap()
    ax = shap.plots.bar(values, show=False)
    means = np.abs(values.values).mean(axis=0)
    assert ax.patches[0].get_width() == pytest.approx(means.max())
    pyplot.close("all")
    ax = shap.plots.waterfall(values[3], show=False)
    assert any("double" in label.get_text() for label in ax.get_yticklabels())
    pyplot.close("all")


def test_without_shap_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['shap'] = None\n"
        "import numpy, narrows, warnings; warnings.simplefilter('ignore')\n"
        "X = numpy.random.default_rng(0).normal(size=(50, 2))\n"
        "narrows.AutoEncoder('simple', max_steps=2).fit(X).explain(X, top=2).to_shap()"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: to_shap needs shap: `pip install shap`" in found.stderr
