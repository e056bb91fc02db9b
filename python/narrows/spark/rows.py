"""What a model makes of the rows of a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._partitions.arguments import check_reason_form, kept_of_windows, reasons_of
from .._partitions.given import given_model
from .._partitions.groups import SeriesGroups, WindowEncoding
from .._partitions.work import Encoding, Reconstruction, Scoring
from .._recipe import count_of
from .jobs import check_dataframe, mapped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["explain", "reconstruct", "score", "transform"]


def score(
    df: DataFrame,
    model: Any,
    *,
    explain: int = 0,
    reason_form: str = "text",
    keep: str | Sequence[str] | None = None,
    threshold: str | float | None = None,
) -> DataFrame:
    """Scores rows; the same as ``narrows score``, bit for bit.

    Points of series are scored within their series: rows are grouped by the columns that the model was fitted with as
    `id`, and ordered by their time.

    Parameters
    ----------
    df : DataFrame
        Rows with the columns of the model. Others are not sent to Python unless they are kept.
    model : AutoEncoder, SeriesAutoEncoder, or path
        A fitted estimator, or the file of one.
    explain : int, default=0
        Name so many columns for each row that contribute most to its score.
    reason_form : {"text", "columns", "objects"}, default="text"
        The form of these reasons: columns `reason_1`, ... of text; a column for each field of a reason; or a column
        `reasons` with a list of structs.
    keep : str or list of str, optional
        Columns of `df` to keep; all by default.
    threshold : str or float, optional
        Another rule of the threshold, such as ``"quantile=0.99"``, or a fixed one.

    Returns
    -------
    DataFrame
        Columns `score` (1 is typical, higher is stranger), `p_value` and `is_anomaly` beside those that are kept, of
        series also `flag`. It is computed when Spark needs it.

    Raises
    ------
    ValueError
        If columns are missing, of another type than in the fit, or called as results are; before a job runs.
    TypeError
        If `df` is no DataFrame of Spark, or `model` no model.

    Examples
    --------
    >>> import narrows, narrows.spark
    >>> from pyspark.sql import SparkSession
    >>> spark = SparkSession.builder.master("local[2]").getOrCreate()
    >>> frame = narrows.datasets.payments(300)
    >>> model = narrows.AutoEncoder("deep", max_steps=20, label="is_fraud").fit(frame)
    >>> scored = narrows.spark.score(spark.createDataFrame(frame), model, explain=1, keep="amount")
    >>> scored.columns
    ['amount', 'score', 'p_value', 'is_anomaly', 'reason_1']
    """
    check_dataframe(df)
    native = given_model(model, threshold)
    check_reason_form(reason_form)
    return mapped(df, native, Scoring(reasons_of(explain), reason_form), keep, SeriesGroups.of(native))


def explain(
    df: DataFrame,
    model: Any,
    *,
    top: int = 3,
    keep: str | Sequence[str] | None = None,
    threshold: str | float | None = None,
) -> DataFrame:
    """Scores rows and gives the columns that contribute most to the scores, as a list of structs.

    Parameters
    ----------
    df, model, keep, threshold
        As for `score`.
    top : int, default=3
        Columns to name for each row.

    Returns
    -------
    DataFrame
        As of `score`, with a column `reasons`: for each row a list of `column`, `expected`, `got`, `share` and
        `direction`.
    """
    return score(df, model, explain=count_of(top, "top"), reason_form="objects", keep=keep, threshold=threshold)


def transform(df: DataFrame, model: Any, *, keep: str | Sequence[str] | None = None) -> DataFrame:
    """Codes of rows.

    Parameters
    ----------
    df, keep
        As for `score`.
    model : AutoEncoder, SeriesAutoEncoder, Encoder, or path

    Returns
    -------
    DataFrame
        Columns `code_0`, `code_1`, ... beside those that are kept. Of series a row is a window: the columns that tell the
        series apart, the time of its first point, and its code.

    Raises
    ------
    ValueError
        As for `score`; also if columns of series are to be kept, whose windows are not rows.
    """
    check_dataframe(df)
    native = given_model(model)
    groups = SeriesGroups.of(native)
    if groups is None:
        return mapped(df, native, Encoding(), keep, None)
    return mapped(df, native, WindowEncoding(groups), kept_of_windows(keep), groups)


def reconstruct(df: DataFrame, model: Any, *, keep: str | Sequence[str] | None = None) -> DataFrame:
    """What the model makes of rows: encoded and decoded, in their own units.

    Parameters
    ----------
    df, model
        As for `score`.
    keep : str or list of str, optional
        Columns of `df` to keep; by default all that the model does not read.

    Returns
    -------
    DataFrame
        The columns of the model beside those that are kept.
    """
    check_dataframe(df)
    native = given_model(model)
    return mapped(df, native, Reconstruction(), keep, SeriesGroups.of(native))
