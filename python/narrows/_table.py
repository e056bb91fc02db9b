"""Autoencoders of tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from . import _native
from ._coding import CodingMixin
from ._columns import fitted_columns, fitted_columns_of_report, table_to_score
from ._detecting import DetectingMixin, Floats
from ._drift import DriftMixin
from ._frames import Form, Incoming, refuse_input, to_table
from ._labels import with_label
from ._recipe import build_recipe, count_of, words
from ._report_page import Report

if TYPE_CHECKING:
    from ._explanation import Explanation

__all__ = ["AutoEncoder"]

# The field of the recipe is below a half.
_MOST_CONTAMINATION = 0.49


class AutoEncoder(CodingMixin, DriftMixin, DetectingMixin):
    """Autoencoder of tables: anomaly detection, codes, reconstruction and generation.

    It takes tables as they are: numbers, categories, dates and missing cells, as frames of pandas, polars, pyarrow or
    DuckDB, as arrays, and as files. What it infers of the columns is in `report_`.

    Parameters
    ----------
    preset : str, default="auto"
        The preset to start from: ``"auto"``, ``"simple"``, ``"sparse"``, ``"deep"``, ``"denoising"``,
        ``"variational"`` or ``"compressing"``.
    code_size : int, optional
        Units of the code; chosen from the data by default.
    recipe : Recipe, str or path, optional
        A recipe, as an object, as TOML text or as a file of it, applied over the preset.
    settings : dict, optional
        Further fields of the recipe by path, such as ``{"backbone.nodes": [64, 16]}``.
    max_steps, max_epochs : int, optional
        Most steps, and most passes over the data, of the training. One given alone lifts the limit of the other.
    batch_size : int, optional
        Rows of a step.
    learning_rate : float, optional
        Step size of the optimiser.
    contamination : float or "auto", default="auto"
        Share of the rows given to `fit` that are anomalies, in (0, 0.5]. The model is fitted for such data (the field
        ``train.contamination`` of the recipe, at most 0.49), and exactly that share has scores above the threshold. With
        ``"auto"``, `threshold` decides.
    threshold : str or float, optional
        Rule of the threshold, or a fixed one; by default ``"false_alarm_rate=0.01"``: of rows like those of the fit, no
        more than that share is flagged, as far as held-out rows can guarantee it.
    label : str, optional
        Column that distinguishes normal rows from anomalies; never a feature. Only normal rows are used.
    normal : str, optional
        Value of the label in normal rows, several separated by commas; by default the evident one, such as ``0``.
    columns, ignore : str or list of str, optional
        Columns to use alone, or to leave out, by name or by pattern such as ``"x*"``.
    categorical, numeric, text, date : str or list of str, optional
        Columns of these kinds, where inference would err.
    date_format, missing : str or list of str, optional
        Formats of dates; words that mean a missing cell.
    sample_key : str or list of str, optional
        Columns that identify a row. A fit of more than 2,000,000 rows (``settings={"train.sample_rows": ...}``) uses a
        uniform sample of them; with a key, which rows these are does not depend on their order.
    random_state : int, RandomState, Generator or None, default=None
        Seed of all randomness; None is the seed of the recipe, 0 by default. The same seed gives the same model.
    n_jobs : int or None, default=None
        Threads; None and -1 are all cores. Results do not depend on it.
    callbacks : callable, object with ``on_epoch``, or list of them, optional
        Each is called with the history so far, a list of dictionaries, after every check of the training; one that
        returns True stops it, and the best weights so far stay.
    verbose : int, default=0
        1 shows a progress bar, by tqdm if it is installed; 2 also logs every check as information (logger ``narrows``).

    Attributes
    ----------
    threshold_ : float
        Rows with a higher score are anomalies; 1 is the score of a typical row.
    offset_ : float
        Minus `threshold_`.
    n_features_in_ : int
        Columns of the fit, without those that are only its label, or left out.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if they have any.
    history_ : list of dict
        Checks of the training: member, step, epoch, train_loss, validation_loss, learning_rate.
    report_ : dict
        What the fit found.
    recipe_ : Recipe
        Every setting of the fit.
    notes_ : list of str
        What was noted about the data.
    n_iter_ : int
        Steps of training.

    Examples
    --------
    >>> import numpy as np
    >>> from narrows import AutoEncoder
    >>> X = np.random.default_rng(0).normal(size=(500, 4))
    >>> X[:, 3] = X[:, 0] + X[:, 1]
    >>> detector = AutoEncoder("deep", code_size=3, max_steps=200, random_state=0).fit(X)
    >>> detector.predict([[1.0, 1.0, 0.0, -9.0]])
    array([-1])
    >>> detector.transform(X).shape
    (500, 3)
    """

    _model_kind: ClassVar[str] = "table"

    def __init__(
        self,
        preset: str = "auto",
        *,
        code_size: int | None = None,
        recipe: Any = None,
        settings: dict[str, Any] | None = None,
        max_steps: int | None = None,
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        contamination: float | str = "auto",
        threshold: str | float | None = None,
        label: str | None = None,
        normal: str | None = None,
        columns: str | list[str] | None = None,
        ignore: str | list[str] | None = None,
        categorical: str | list[str] | None = None,
        numeric: str | list[str] | None = None,
        text: str | list[str] | None = None,
        date: str | list[str] | None = None,
        date_format: str | list[str] | None = None,
        missing: str | list[str] | None = None,
        sample_key: str | list[str] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.code_size = code_size
        self.recipe = recipe
        self.settings = settings
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.contamination = contamination
        self.threshold = threshold
        self.label = label
        self.normal = normal
        self.columns = columns
        self.ignore = ignore
        self.categorical = categorical
        self.numeric = numeric
        self.text = text
        self.date = date
        self.date_format = date_format
        self.missing = missing
        self.sample_key = sample_key
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.verbose = verbose

    # Fit.

    def fit(self, X: Any, y: Any = None, X_valid: Any = None) -> Self:
        """Fits the model.

        Parameters
        ----------
        X : frame, array of shape (n_rows, n_columns), path or list of paths
            The data. NaN and None are missing cells.
        y : ignored
            As in scikit-learn's detectors.
        X_valid : like `X`, optional
            Rows that choose the weights and stop the training, instead of a share of `X`.

        Returns
        -------
        AutoEncoder
            Itself. Ctrl-C ends the training, and the best weights so far stay.

        Raises
        ------
        ValueError
            If an argument or the data is invalid.
        TypeError
            If `X` is of an unsupported type.
        """
        share = self._contamination()
        recipe = self._recipe(share)
        incoming = to_table(X, sample=self._sample(recipe))
        return self._fit_incoming(recipe, share, incoming, None if X_valid is None else _validation(incoming, X_valid))

    def _fit_incoming(
        self,
        recipe: _native.Recipe,
        share: float | None,
        incoming: Incoming,
        validation: _native.Table | None = None,
        fit: Callable[..., tuple[_native.Model, bool]] = _native.fit,
        stacklevel: int = 5,
    ) -> Self:
        """Fits to a table, which may be a sample."""
        _check_enough_rows(incoming)
        self._read_notes = incoming.notes
        self._fit_native(
            recipe,
            incoming.table,
            incoming.warnings,
            label=None if self.label is None else str(self.label),
            normal=None if self.normal is None else str(self.normal),
            columns=words(self.columns, "columns"),
            ignore=words(self.ignore, "ignore"),
            validation=validation,
            sample_key=words(self.sample_key, "sample_key"),
            fit=fit,
            stacklevel=stacklevel,
        )
        self._form: Form = replace(incoming.form, index=None)
        fitted_columns(self, incoming, self.report_)
        if share is not None:
            scores = self.model_.score(incoming.table).score
            self._set_model(self.model_.with_threshold(f"fixed={_flagging(scores, share)!r}"))
        return self

    def _recipe(self, share: float | None) -> _native.Recipe:
        recipe = build_recipe(
            self,
            kind="table",
            # Which rows are above the threshold is then decided by all rows of the fit.
            threshold=self.threshold if share is None else f"quantile={1 - share!r}",
            categorical=words(self.categorical, "categorical"),
            numeric=words(self.numeric, "numeric"),
            text=words(self.text, "text"),
            date=words(self.date, "date"),
            date_format=words(self.date_format, "date_format"),
            missing=words(self.missing, "missing"),
        )
        fields = json.loads(recipe.to_json())
        kind = fields["data"]["kind"]
        if kind != "table":
            other = {"series": "SeriesAutoEncoder", "images": "ImageAutoEncoder"}.get(kind, "another estimator")
            raise ValueError(f"recipe: expected one of tables, got one of {kind}: use narrows.{other}")
        if share is not None and fields["train"]["contamination"] == "auto":
            recipe = recipe.set(f"train.contamination={min(share, _MOST_CONTAMINATION)!r}")
        return recipe

    def _sample(self, recipe: _native.Recipe) -> tuple[int, int, list[str]] | None:
        """The rows of files that a fit takes; None for all, which rounds train on."""
        fields = json.loads(recipe.to_json())
        if fields["train"]["rounds"]["count"] > 0:
            return None
        return fields["train"]["sample_rows"], fields["seed"], words(self.sample_key, "sample_key")

    def _contamination(self) -> float | None:
        share = self.contamination
        if isinstance(share, str) and share == "auto":
            return None
        if isinstance(share, (str, bool)) or not isinstance(share, (int, float, np.number)) or not 0 < share <= 0.5:
            raise ValueError(f"contamination: expected 'auto' or a number in (0, 0.5], got {share!r}")
        if self.threshold is not None:
            raise ValueError("contamination: expected either `contamination` or `threshold`, got both")
        if self.label is not None:
            raise ValueError("contamination: with `label`, the rows of the fit are normal: use `threshold` instead")
        return float(share)

    @classmethod
    def _from_model(cls, model: _native.Model) -> Self:
        estimator = super()._from_model(model)
        estimator._form = Form("files")
        fitted_columns_of_report(estimator, estimator.report_)
        return estimator

    @classmethod
    def _arguments_of(cls, model: _native.Model) -> dict[str, Any]:
        report = json.loads(model.report_json())
        arguments = super()._arguments_of(model)
        label = report.get("label")
        if label:
            normal = [value["value"] for value in label["values"] if value["is_normal"]]
            arguments |= {"label": label["column"], "normal": ",".join(normal)}
        ignored = [column["name"] for column in report["columns"] if column["role"] == "ignored"]
        return {**arguments, "ignore": ignored} if ignored else arguments

    # Detection.

    def scores(self, X: Any) -> Any:
        """All about the rows' scores.

        Returns
        -------
        frame like `X`
            Columns `score` (1 is typical, higher is stranger), `p_value` and `is_anomaly`; for arrays, a structured
            array.
        """
        incoming = self._incoming(X)
        scores = self.model_.score(incoming.table)
        columns = {"score": scores.score, "p_value": scores.p_value, "is_anomaly": scores.is_anomaly}
        return incoming.give_columns(columns)

    def explain(self, X: Any, top: int = 3) -> Explanation:
        """The columns that make rows strange.

        Parameters
        ----------
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths
        top : int, default=3
            Columns to name for each row.

        Returns
        -------
        Explanation
            For each row its `top` columns: row, rank, column, expected, got, share, direction.
        """
        top = count_of(top, "top")
        from ._explanation import Explanation

        incoming = self._incoming(X)
        scores, reasons = self.model_.explain(incoming.table, top)
        return Explanation(reasons, incoming, scores.score)

    def evaluate(self, X: Any, y: Any = None, *, normal: str | None = None) -> dict[str, Any]:
        """How well scores find known anomalies, beside PCA and an isolation forest.

        Parameters
        ----------
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths
        y : array of shape (n_rows,) or str, optional
            Labels, or the column with them; by default the label of the fit. Labels of -1 are anomalies among +1.
        normal : str, optional
            Value of the label in normal rows; by default the evident one, such as ``0``.

        Returns
        -------
        dict
            `auc_roc`, `auc_pr`, `precision`, `recall`, `f1`, `confusion`, `baselines` and more.
        """
        incoming = self._incoming(X, with_label=y if isinstance(y, str) else self.label if y is None else None)
        table, label, usual = with_label(incoming.table, y, self.label)
        normal = normal if normal is not None else usual if usual is not None else self.normal
        metrics: dict[str, Any] = json.loads(self.model_.evaluate(table, label, normal))
        return metrics

    def report(self, path: str | os.PathLike[str] | None = None, X: Any = None) -> Report | None:
        """Writes the report on the fit, or on new data, as an HTML file that needs nothing else.

        Parameters
        ----------
        path : str or path, optional
            The file; if None, the HTML is returned, as text that a notebook shows.
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths, optional
            New data to report on: its anomalies, and how it differs from that of the fit. If it has the label of the
            fit, with metrics.
        """
        refuse_input(path, X)
        model = self._fitted()
        if X is None:
            return self._write_report(path, model.report_html())
        return self._write_report(path, model.new_data_html(*self._new_data(X)))

    def _new_data(self, X: Any) -> tuple[_native.Table, str | None, str | None]:
        table = self._incoming(X, with_label=self.label).table
        return table, self.label if self.label in table.names else None, self.normal

    # scikit-learn.

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        return tags

    def _compared(self, X: Any) -> _native.Table:
        return self._incoming(X).table

    def _incoming(self, X: Any, with_label: str | None = None) -> Incoming:
        model = self._fitted()
        return table_to_score(self, X, model, with_label)

    def _scored(self, X: Any) -> _native.Scores:
        return self._fitted().score(self._incoming(X).table)


def _check_enough_rows(incoming: Incoming) -> None:
    """What scikit-learn says of a table of at most one row."""
    if incoming.n_rows < 2:
        shape = (incoming.n_rows, len(incoming.table.names))
        count = f"{incoming.n_rows} sample{'(s)' if incoming.n_rows == 0 else ''}"
        raise ValueError(f"Found array with {count} (shape={shape}) while a minimum of 2 is required.")


def _validation(incoming: Incoming, X_valid: Any) -> _native.Table:
    """Validation rows with the columns of the others."""
    table = to_table(X_valid).table
    missing = [name for name in incoming.table.names if name not in table.names]
    if missing:
        raise ValueError(f"X_valid: expected the columns of `X`, but it lacks {', '.join(f'`{n}`' for n in missing)}")
    return table.select(incoming.table.names)


def _flagging(scores: Floats, share: float) -> float:
    """A threshold that exactly a share of scores is above, but for ties."""
    ordered = np.sort(scores)
    last = len(ordered) - min(max(1, round(share * len(ordered))), len(ordered) - 1) - 1
    middle = float((ordered[last] + ordered[last + 1]) / 2)
    return middle if middle < ordered[last + 1] else float(ordered[last])
