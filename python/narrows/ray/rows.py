"""What a model makes of the rows of a Dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._partitions.arguments import check_reason_form, kept_of_windows, reasons_of
from .._partitions.given import given_model
from .._partitions.groups import SeriesGroups, WindowEncoding
from .._partitions.work import Encoding, Reconstruction, Scoring
from .._recipe import count_of
from .jobs import check_dataset, mapped

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["explain", "reconstruct", "score", "transform"]


def score(
    ds: Dataset,
    model: Any,
    *,
    explain: int = 0,
    reason_form: str = "text",
    keep: str | Sequence[str] | None = None,
    threshold: str | float | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Dataset:
    """Scores rows; the same as ``narrows score``, bit for bit.

    Points of series are scored within their series: rows are grouped by the columns that the model was fitted with as
    `id`, and ordered by their time.

    Parameters
    ----------
    ds : Dataset
        Rows with the columns of the model. Others are not sent to workers unless they are kept.
    model : AutoEncoder, SeriesAutoEncoder, or path
        A fitted estimator, or the file of one.
    explain : int, default=0
        Name so many columns for each row that contribute most to its score.
    reason_form : {"text", "columns", "objects"}, default="text"
        The form of these reasons: columns `reason_1`, ... of text; a column for each field of a reason; or a column
        `reasons` with a list of structs.
    keep : str or list of str, optional
        Columns of `ds` to keep; all by default.
    threshold : str or float, optional
        Another rule of the threshold, such as ``"quantile=0.99"``, or a fixed one.
    batch_size : int, optional
        Rows of a call; by default whole blocks.
    **options
        Those of ``Dataset.map_batches`` on resources, such as ``num_cpus`` (whose whole number is the threads of a task)
        and ``concurrency``.

    Returns
    -------
    Dataset
        Columns `score` (1 is typical, higher is stranger), `p_value` and `is_anomaly` beside those that are kept, of
        series also `flag`. It is computed when Ray needs it.

    Raises
    ------
    ValueError
        If columns are missing, of another type than in the fit, or called as results are; before a task runs.
    TypeError
        If `ds` is no Dataset of Ray, or `model` no model.

    Examples
    --------
    >>> import narrows, narrows.ray, ray
    >>> frame = narrows.datasets.payments(300)
    >>> model = narrows.AutoEncoder("deep", max_steps=20, label="is_fraud").fit(frame)
    >>> scored = narrows.ray.score(ray.data.from_pandas(frame), model, explain=1, keep="amount")
    >>> scored.schema().names
    ['amount', 'score', 'p_value', 'is_anomaly', 'reason_1']
    """
    check_dataset(ds)
    native = given_model(model, threshold)
    check_reason_form(reason_form)
    work = Scoring(reasons_of(explain), reason_form)
    return mapped(ds, native, work, keep, SeriesGroups.of(native), batch_size, options)


def explain(
    ds: Dataset,
    model: Any,
    *,
    top: int = 3,
    keep: str | Sequence[str] | None = None,
    threshold: str | float | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Dataset:
    """Scores rows and gives the columns that contribute most to the scores, as a list of structs.

    Parameters
    ----------
    ds, model, keep, threshold, batch_size, **options
        As for `score`.
    top : int, default=3
        Columns to name for each row.

    Returns
    -------
    Dataset
        As of `score`, with a column `reasons`: for each row a list of `column`, `expected`, `got`, `share` and
        `direction`.
    """
    top = count_of(top, "top")
    return score(
        ds,
        model,
        explain=top,
        reason_form="objects",
        keep=keep,
        threshold=threshold,
        batch_size=batch_size,
        **options,
    )


def transform(
    ds: Dataset,
    model: Any,
    *,
    keep: str | Sequence[str] | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Dataset:
    """Codes of rows.

    Parameters
    ----------
    ds, keep, batch_size, **options
        As for `score`.
    model : AutoEncoder, SeriesAutoEncoder, Encoder, or path

    Returns
    -------
    Dataset
        Columns `code_0`, `code_1`, ... beside those that are kept. Of series a row is a window: the columns that tell the
        series apart, the time of its first point, and its code.

    Raises
    ------
    ValueError
        As for `score`; also if columns of series are to be kept, whose windows are not rows.
    """
    check_dataset(ds)
    native = given_model(model)
    groups = SeriesGroups.of(native)
    if groups is None:
        return mapped(ds, native, Encoding(), keep, None, batch_size, options)
    return mapped(ds, native, WindowEncoding(groups), kept_of_windows(keep), groups, batch_size, options)


def reconstruct(
    ds: Dataset,
    model: Any,
    *,
    keep: str | Sequence[str] | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Dataset:
    """What the model makes of rows: encoded and decoded, in their own units.

    Parameters
    ----------
    ds, model, batch_size, **options
        As for `score`.
    keep : str or list of str, optional
        Columns of `ds` to keep; by default all that the model does not read.

    Returns
    -------
    Dataset
        The columns of the model beside those that are kept.
    """
    check_dataset(ds)
    native = given_model(model)
    return mapped(ds, native, Reconstruction(), keep, SeriesGroups.of(native), batch_size, options)
