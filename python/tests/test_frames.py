"""Tables in and out: every form of data becomes the library's table with the same cells, and results go back alike."""

import datetime
import decimal
import warnings

import numpy as np
import pytest
from samples import QUICK, matrix, mixed, pandas_frame, polars_frame

import narrows
from narrows import _pandas
from narrows._frames import Incoming, kind_of, to_table

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")

EURO = decimal.Decimal("1.50")
NEW_YEAR = np.datetime64("2024-01-01T00:00:00", "us")


def cells(table):
    """The kind and the cells of the only column of a table; NaN and NaT as None."""
    [kind] = table.kinds()
    values = table.column(0)
    return kind, [None if value != value else value for value in getattr(values, "tolist", lambda: values)()]


def check(X, kind, expected):
    assert cells(to_table(X).table) == (kind, expected)


PANDAS = [
    (lambda: np.array([1, 2, 3], np.uint8), "int", [1, 2, 3]),
    (lambda: np.array([1, 2, 3], np.float16), "float", [1.0, 2.0, 3.0]),
    (lambda: [True, False, True], "bool", [True, False, True]),
    (lambda: pd.array([1, None, 3], dtype="Int64"), "number", [1.0, None, 3.0]),
    (lambda: pd.array([1.5, None, 3], dtype="Float32"), "float", [1.5, None, 3.0]),
    (lambda: pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int32())), "number", [1.0, None, 3.0]),
    (lambda: pd.array(["a", None, "b"], dtype="string"), "text", ["a", None, "b"]),
    (lambda: pd.array(["a", None, "b"], dtype="string[pyarrow]"), "text", ["a", None, "b"]),
    (lambda: pd.array(["a", None, "b"], dtype="string[python]"), "text", ["a", None, "b"]),
    (lambda: np.array(["a", None, "b"], object), "text", ["a", None, "b"]),
    (lambda: np.array([1, "a", None], object), "text", ["1", "a", None]),
    (lambda: pd.Categorical(["x", None, "y"]), "text", ["x", None, "y"]),
    (lambda: pd.Categorical([1, 2, 1]), "int", [1, 2, 1]),
    (lambda: pd.Categorical([1, None, 1]), "float", [1.0, None, 1.0]),
    (lambda: [EURO, None, decimal.Decimal(2)], "float", [1.5, None, 2.0]),
    (lambda: pd.to_timedelta([1, 2, 90], "s"), "float", [1.0, 2.0, 90.0]),
    (lambda: pd.arrays.SparseArray([0, 0, 5]), "int", [0, 0, 5]),
    (lambda: [datetime.time(7), None, datetime.time(8, 30)], "text", ["07:00:00", None, "08:30:00"]),
    (lambda: pd.cut([1, 2, 3], [0, 1, 3]), "text", ["(0, 1]", "(1, 3]", "(1, 3]"]),
]
TIMES = [
    (lambda: np.array(["2024-01-01", "NaT"], "datetime64[s]")),
    (lambda: np.array(["2024-01-01", "NaT"], "datetime64[ns]")),
    (lambda: [datetime.date(2024, 1, 1), None]),
    (lambda: [datetime.datetime(2024, 1, 1), None]),
    (lambda: pd.to_datetime(["2024-01-01T01:00", None]).tz_localize("Europe/Berlin")),
    (lambda: pd.PeriodIndex(["2024-01", None], freq="M")),
]
WITH_PYARROW = [pytest.param(True, id="pyarrow"), pytest.param(False, id="no-pyarrow")]


@pytest.fixture(params=WITH_PYARROW)
def maybe_pyarrow(request, monkeypatch):
    monkeypatch.setattr(_pandas, "_has_pyarrow", lambda: request.param)
    return request.param


@pytest.mark.parametrize(("column", "kind", "expected"), PANDAS)
def test_a_pandas_column_keeps_its_cells(column, kind, expected, maybe_pyarrow):
    frame = pd.DataFrame({"x": column()}, index=[4, 4, 2])
    kind = kind if kind != "number" else ("int" if maybe_pyarrow else "float")
    check(frame, kind, expected)


@pytest.mark.parametrize("column", TIMES)
def test_a_pandas_column_of_times_is_one_in_utc(column, maybe_pyarrow):
    kind, values = cells(to_table(pd.DataFrame({"x": column()})).table)
    assert kind == "time"
    assert values == [datetime.datetime(2024, 1, 1), None]


def test_a_pandas_flag_with_missing_cells_stays_one_or_becomes_the_words_of_a_file(maybe_pyarrow):
    kind, values = cells(to_table(pd.DataFrame({"x": pd.array([True, None, False], dtype="boolean")})).table)
    assert (kind, values) in [("bool", [True, None, False]), ("text", ["true", None, "false"])]


def test_the_index_of_pandas_is_no_column(maybe_pyarrow):
    frame = pandas_frame(5)
    frame.index.name = "key"
    assert to_table(frame).table.names == ["amount", "count", "is_new", "shop", "when"]


def test_a_frame_scores_the_same_with_pyarrow_and_without(monkeypatch):
    frame = pandas_frame()
    frame["is_new"] = frame["is_new"].astype("boolean").mask(frame["count"] == 3)
    frame["shop"] = frame["shop"].astype("category")
    with_pyarrow = narrows.AutoEncoder(**QUICK).fit(frame)
    scores = with_pyarrow.score_samples(frame)
    monkeypatch.setattr(_pandas, "_has_pyarrow", lambda: False)
    assert np.array_equal(with_pyarrow.score_samples(frame), scores)
    assert np.array_equal(narrows.AutoEncoder(**QUICK).fit(frame).score_samples(frame), scores)


def test_names_that_are_not_text_become_text_and_come_back():
    frame = pd.DataFrame(matrix(), columns=[0, 1, ("a", "b"), "d"])
    incoming = to_table(frame)
    assert incoming.table.names == ["0", "1", "a / b", "d"]
    back = incoming.give(incoming.table)
    assert list(back.columns) == [0, 1, ("a", "b"), "d"]
    pd.testing.assert_frame_equal(back, frame, check_names=False)


def test_columns_of_two_levels_come_back_as_such():
    frame = pd.DataFrame(matrix(), columns=pd.MultiIndex.from_product([["a", "b"], [1, 2]]))
    incoming = to_table(frame)
    assert incoming.table.names[0] == "a / 1"
    pd.testing.assert_frame_equal(incoming.give(incoming.table), frame)


def test_a_duplicated_index_comes_back():
    frame = pd.DataFrame(matrix(4), columns=list("abcd"), index=[7, 7, 7, 1])
    incoming = to_table(frame)
    pd.testing.assert_frame_equal(incoming.give(incoming.table), frame)


def test_categories_and_time_zones_come_back():
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["x", "y", None], categories=["y", "x", "z"], ordered=True),
            "t": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]).tz_localize("Asia/Tokyo").as_unit("us"),
        }
    )
    incoming = to_table(frame)
    pd.testing.assert_frame_equal(incoming.give(incoming.table), frame)


POLARS = [
    (lambda: pl.Series([1, None, 3], dtype=pl.Int16), "int", [1.0, None, 3.0]),
    (lambda: pl.Series([1, 2, 3], dtype=pl.Int128), "float", [1.0, 2.0, 3.0]),
    (lambda: pl.Series([EURO, None, decimal.Decimal(2)]), "float", [1.5, None, 2.0]),
    (lambda: pl.Series(["a", None, "a text too long to be stored in the view"]), "text", None),
    (lambda: pl.Series([None, None, None]), "text", [None, None, None]),
    (lambda: pl.Series([datetime.timedelta(seconds=90)] * 2), "float", [90.0, 90.0]),
    (lambda: pl.Series([datetime.date(2024, 1, 1), None]), "time", [datetime.datetime(2024, 1, 1), None]),
    (lambda: pl.Series([datetime.time(7), None]), "text", ["07:00:00", None]),
]


@pytest.mark.parametrize(("column", "kind", "expected"), POLARS)
def test_a_polars_column_keeps_its_cells(column, kind, expected):
    series = column()
    check(pl.DataFrame({"x": series}), kind, series.to_list() if expected is None else expected)


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["a", "b"])])
def test_a_polars_category_keeps_its_levels_and_comes_back(dtype):
    frame = pl.DataFrame({"x": pl.Series(["a", None, "b"], dtype=dtype)})
    incoming = to_table(frame)
    assert incoming.table.column(0) == ["a", None, "b"]
    assert incoming.give(incoming.table).equals(frame)


def test_a_polars_frame_of_several_chunks_keeps_its_rows():
    frame = pl.concat([polars_frame(5), polars_frame(3, seed=1)], rechunk=False)
    assert frame.n_chunks() == 2
    incoming = to_table(frame)
    assert incoming.give(incoming.table).equals(frame.with_columns(pl.col("when").cast(pl.Datetime("us"))))


def test_a_lazy_frame_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"polars LazyFrame: call `\.collect\(\)` first"):
        to_table(polars_frame(5).lazy())


ARROW = [
    (lambda: pa.array(["a", None, "b"], pa.large_string()), "text", ["a", None, "b"]),
    (lambda: pa.array(["a", None, "a text longer than twelve bytes"], pa.string_view()), "text", None),
    (lambda: pa.array(["a", None, "b", "a"]).dictionary_encode(), "text", ["a", None, "b", "a"]),
    (lambda: pa.chunked_array([["a"], ["b", None], []], pa.string()), "text", ["a", "b", None]),
    (lambda: pa.array(["z", "a", None, "c", "z"]).slice(1, 3), "text", ["a", None, "c"]),
    (lambda: pa.array([9, 1, None, 3]).slice(1), "int", [1.0, None, 3.0]),
    (lambda: pa.array([True, None, False, True]).slice(1, 2), "bool", [None, False]),
    (lambda: pa.array([EURO, None], pa.decimal128(5, 2)), "float", [1.5, None]),
    (lambda: pa.array([EURO, None], pa.decimal256(40, 2)), "float", [1.5, None]),
    (lambda: pa.array([1, None], pa.timestamp("ms", "Asia/Tokyo")), "time", None),
    (lambda: pa.array([], pa.float64()), "float", []),
    (lambda: pa.array([], pa.string_view()), "text", []),
    (lambda: pa.chunked_array([], pa.int64()), "int", []),
]


@pytest.mark.parametrize(("column", "kind", "expected"), ARROW)
def test_an_arrow_column_keeps_its_cells(column, kind, expected):
    array = column()
    table = pa.table({"x": array})
    got = cells(to_table(table).table)
    if expected is None:
        expected = [
            None if v is None else getattr(v, "replace", str)(tzinfo=None) if kind == "time" else v
            for v in array.cast(pa.timestamp("ms") if kind == "time" else pa.string()).to_pylist()
        ]
    assert got == (kind, expected)
    assert pa.table(to_table(table).table).num_rows == len(array)


def test_an_arrow_table_comes_back_as_one():
    table = polars_frame(8).to_arrow()
    model = narrows.AutoEncoder(**QUICK).fit(polars_frame().to_arrow())
    assert isinstance(model.reconstruct(table), pa.Table)
    assert model.transform(table).column_names[0] == "code_0"
    assert model.scores(table).column_names == ["score", "p_value", "is_anomaly"]


@pytest.mark.parametrize("name", ["duration", "binary", "list", "struct"])
def test_arrow_types_without_meaning_for_a_model_are_named(name):
    column = {
        "duration": pa.array([1] * 20, pa.duration("s")),
        "binary": pa.array([b"a"] * 20),
        "list": pa.array([[1]] * 20),
        "struct": pa.array([{"a": 1}] * 20),
    }[name]
    with pytest.raises(ValueError, match="column `x`: expected numbers, text, true or false, or dates"):
        narrows.AutoEncoder(**QUICK).fit(pa.table({"y": list(range(20)), "x": column}))


def test_such_a_column_can_be_ignored():
    table = pa.table({**dict(zip("abcd", matrix(60).T, strict=True)), "x": [[1]] * 60})
    model = narrows.AutoEncoder(**QUICK, ignore="x").fit(table)
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]
    assert model.predict(table.drop_columns("x")).tolist() == model.predict(table).tolist()


class OnlyAStream:
    """What knows no more than Arrow's protocol, and can be read but once."""

    def __init__(self, table):
        self.reader = table.to_reader(max_chunksize=50)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.reader.__arrow_c_stream__(requested_schema)


def test_a_stream_of_arrow_is_read_once():
    table = polars_frame().to_arrow()
    model = narrows.AutoEncoder(**QUICK).fit(OnlyAStream(table))
    assert list(model.feature_names_in_) == table.column_names
    assert model.predict(OnlyAStream(table)).tolist() == model.predict(table).tolist()
    with pytest.raises(ValueError, match="now missing:\n- shop\n"):
        model.predict(OnlyAStream(table.drop_columns("shop")))


def test_arrow_columns_are_matched_by_position_with_those_of_arrays():
    table = pa.table(dict(zip("abcd", matrix().T, strict=True)))
    model = narrows.AutoEncoder(**QUICK).fit(matrix())
    with pytest.warns(UserWarning, match="X has feature names, but AutoEncoder was fitted without"):
        assert np.array_equal(model.predict(table), model.predict(matrix()))


def test_a_relation_of_duckdb_is_read():
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql(
        "select i::int as i, 'n' || i as s, i % 2 = 0 as b, date '2024-01-01' + i::int as d, "
        "(i * 1.5)::decimal(5, 2) as e, nullif(i, 1) as m from range(3) t(i)"
    )
    table = to_table(relation).table
    assert table.names == ["i", "s", "b", "d", "e", "m"]
    assert table.kinds() == ["int", "text", "bool", "time", "float", "int"]
    assert table.column(1) == ["n0", "n1", "n2"]
    assert np.isnan(table.column(5)).tolist() == [False, True, False]
    frame = polars_frame()
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    assert np.array_equal(model.predict(duckdb.sql("select * from frame")), model.predict(frame))


ARRAYS = {
    "C": lambda x: np.ascontiguousarray(x),
    "Fortran": lambda x: np.asfortranarray(x),
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda x: x[::-1][::-1],
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "objects": lambda x: x.astype(object),
    "lists": lambda x: x.tolist(),
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays_of_any_layout_are_the_same_table(form):
    values = matrix(30)
    table = to_table(ARRAYS[form](values)).table
    assert table.names == ["x0", "x1", "x2", "x3"]
    assert np.array_equal(table.to_matrix(), values)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, np.float32, bool])
def test_arrays_of_other_numbers_keep_their_values(dtype):
    values = (np.arange(12).reshape(4, 3) % 2).astype(dtype)
    assert np.array_equal(to_table(values).table.to_matrix(), values)


def test_missing_cells_of_arrays():
    masked = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    expected = [[1.0, np.nan], [3.0, 4.0]]
    for X in (np.array(expected), masked, np.array([[1.0, None], [3.0, 4.0]], object)):
        assert np.array_equal(to_table(X).table.to_matrix(), expected, equal_nan=True)


def test_arrays_of_objects_may_hold_text_and_dates():
    X = np.array([[1, "a", datetime.date(2024, 1, 1)], [2.5, None, None]], object)
    table = to_table(X).table
    assert table.kinds() == ["float", "text", "time"]
    assert table.column(1) == ["a", None]
    assert table.column(2)[0] == NEW_YEAR


def test_an_array_scores_as_the_file_of_it(tmp_path):
    X = matrix()
    np.save(tmp_path / "x.npy", X)
    model = narrows.AutoEncoder(**QUICK).fit(X)
    of_file = narrows.AutoEncoder(**QUICK).fit(tmp_path / "x.npy")
    assert np.array_equal(model.score_samples(X), of_file.score_samples(X))
    assert np.array_equal(model.score_samples(X), model.score_samples(str(tmp_path / "x.npy")))


def test_files_are_read_as_the_command_reads_them(tmp_path):
    frame = polars_frame()
    frame[:120].write_csv(tmp_path / "a.csv")
    frame[120:].write_csv(tmp_path / "b.csv")
    frame.write_parquet(tmp_path / "all.parquet")
    paths = [tmp_path / "a.csv", str(tmp_path / "b.csv")]
    model = narrows.AutoEncoder(**QUICK).fit(paths)
    assert any("separated by commas" in note for note in model.notes_)
    expected = model.score_samples(frame)
    assert np.allclose(model.score_samples(paths), expected, rtol=1e-6)
    assert np.array_equal(model.score_samples(tmp_path / "all.parquet"), expected)
    assert isinstance(model.scores(paths), pd.DataFrame)


def test_a_missing_file_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        to_table(tmp_path / "nothing.csv")


def buffers(column):
    """The addresses of the values of an Arrow column of one chunk."""
    [chunk] = column.chunks
    return chunk.buffers()[1].address + chunk.offset * 8


def test_numbers_of_frames_are_not_copied():
    values = np.random.default_rng(0).normal(size=1000)
    table = pa.table({"x": pa.array(values)})
    assert buffers(pa.table(to_table(table).table)["x"]) == values.ctypes.data
    frame = pd.DataFrame({"x": values}, copy=False)
    assert buffers(pa.table(to_table(frame).table)["x"]) == frame["x"].to_numpy().ctypes.data
    of_polars = pl.DataFrame({"x": values})
    assert buffers(pa.table(to_table(of_polars).table)["x"]) == of_polars["x"].to_numpy().ctypes.data


def test_a_slice_is_not_copied():
    values = np.arange(1000.0)
    table = pa.table({"x": pa.array(values)}).slice(100, 50)
    taken = to_table(table).table
    assert buffers(pa.table(taken)["x"]) == values.ctypes.data + 800
    assert taken.column(0)[0] == 100.0


def test_the_data_is_left_as_it_was():
    frame, X = pandas_frame(), matrix()
    before, values = frame.copy(deep=True), X.copy()
    narrows.AutoEncoder(**QUICK).fit(frame).reconstruct(frame)
    narrows.AutoEncoder(**QUICK).fit(X).reconstruct(X)
    pd.testing.assert_frame_equal(frame, before)
    assert np.array_equal(X, values)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, lambda: polars_frame().to_arrow()])
def test_results_come_back_as_the_data_came(make):
    frame = make()
    model = narrows.AutoEncoder(**QUICK).fit(frame)
    names = list(mixed(1))
    for result, columns in [
        (model.transform(frame), [f"code_{i}" for i in range(model.model_.code_size)]),
        (model.reconstruct(frame), names),
        (model.inverse_transform(model.transform(frame)), names),
        (model.scores(frame), ["score", "p_value", "is_anomaly"]),
        (model.sample(5), names),
    ]:
        assert type(result) is type(frame)
        assert list(getattr(result, "column_names", getattr(result, "columns", None))) == columns
    if isinstance(frame, pd.DataFrame):
        assert model.transform(frame).index.equals(frame.index)
        assert model.scores(frame).index.equals(frame.index)
        assert model.reconstruct(frame).index.equals(frame.index)
        assert list(model.sample(3).index) == [0, 1, 2]


def test_new_rows_have_the_types_of_the_fit_and_match_a_condition():
    random = np.random.default_rng(0)
    n = 600
    checkin = np.datetime64("2023-01-01") + random.integers(0, 400, n).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            "booking": [f"B-{i:04d}" for i in range(n)],
            "checkin": checkin.astype("datetime64[us]"),
            "checkout": (checkin + random.integers(1, 9, n).astype("timedelta64[D]")).astype("datetime64[us]"),
            "stars": random.choice([1, 2, 4, 5], n),
            "price": np.round(np.exp(random.normal(4, 1, n)), 2),
            "shop": "main",
        }
    )
    model = narrows.AutoEncoder(preset="variational", max_steps=300, random_state=0).fit(frame)
    rows = model.sample(200)
    assert list(rows.columns) == list(frame.columns)
    assert rows["stars"].dtype == frame["stars"].dtype
    assert set(rows["stars"]) <= {1, 2, 4, 5}
    assert rows["checkin"].dtype.kind == "M"
    assert (rows["checkin"] < rows["checkout"]).all()
    assert rows["booking"].iloc[0] == "B-0600"
    assert set(rows["shop"]) == {"main"}
    many = model.sample(50, where="stars = 5 and price > 40")
    assert len(many) == 50
    assert (many["stars"] == 5).all()
    assert (many["price"] > 40).all()
    with pytest.raises(ValueError, match="there is no column `star`"):
        model.sample(5, where="star = 5")


def test_arrays_come_back_as_arrays():
    X = matrix()
    model = narrows.AutoEncoder(**QUICK).fit(X)
    for result in (
        model.transform(X),
        model.reconstruct(X),
        model.sample(5),
        model.inverse_transform(model.transform(X)),
    ):
        assert isinstance(result, np.ndarray)
        assert result.dtype == np.float64
    assert model.scores(X).dtype.names == ("score", "p_value", "is_anomaly")


def test_the_forms_are_told_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kind_of(pandas_frame(2)) == "pandas"
        assert kind_of(polars_frame(2)) == "polars"
        assert kind_of(polars_frame(2).to_arrow()) == "pyarrow"
        assert kind_of("a.csv") == kind_of(["a.csv", "b.csv"]) == "files"
        assert kind_of([[1.0], [2.0]]) == kind_of(matrix(2)) == "numpy"
    assert isinstance(to_table(matrix(2)), Incoming)
