"""Autoencoders of tables."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from . import _native
from ._base import HAS_SKLEARN, TransformerBase
from ._columns import fitted_columns, fitted_columns_of_report, table_to_score
from ._detecting import DetectingMixin, Floats
from ._encoder import Encoder
from ._frames import Form, Incoming, to_table
from ._labels import with_label
from ._recipe import build_recipe, seed_of, words

if TYPE_CHECKING:
    from ._explanation import Explanation

__all__ = ["AutoEncoder"]


class AutoEncoder(TransformerBase, DetectingMixin):
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
        Most steps, and most passes over the data, of the training.
    batch_size : int, optional
        Rows of a step.
    learning_rate : float, optional
        Step size of the optimiser.
    contamination : float or "auto", default="auto"
        Share of the rows given to `fit` that are anomalies, in (0, 0.5]: exactly that share has scores above the
        threshold. With ``"auto"``, `threshold` decides.
    threshold : str, optional
        Rule of the threshold, by default ``"false_alarm_rate=0.01"``: of rows like those of the fit, no more than that
        share is flagged, as far as held-out rows can guarantee it.
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
    random_state : int, RandomState, Generator or None, default=None
        Seed of all randomness; None is the seed of the recipe, 0 by default. The same seed gives the same model.
    n_jobs : int or None, default=None
        Threads; None and -1 are all cores. Results do not depend on it.
    callbacks : callable, object with ``on_epoch``, or list of them, optional
        Each is called with the history so far, a list of dictionaries, after every check of the training; one that
        returns True stops it, and the best weights so far stay.
    verbose : int, default=0
        1 shows a progress bar, by tqdm if it is installed; 2 also logs every check.

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
    >>> detector = AutoEncoder("deep", max_steps=200, random_state=0).fit(X)
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
        threshold: str | None = None,
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
        incoming = to_table(X)
        _check_enough_rows(incoming)
        validation = None if X_valid is None else _validation(incoming, X_valid)
        self._fit_native(
            recipe,
            incoming.table,
            incoming.warnings,
            label=None if self.label is None else str(self.label),
            normal=None if self.normal is None else str(self.normal),
            columns=words(self.columns, "columns"),
            ignore=words(self.ignore, "ignore"),
            validation=validation,
        )
        self._form: Form = replace(incoming.form, index=None)
        fitted_columns(self, X, incoming, self.report_)
        if share is not None:
            scores = self.model_.score(incoming.table).score
            self._set_model(self.model_.with_threshold(f"fixed={_flagging(scores, share)!r}"))
        self.notes_ = [*incoming.notes, *self.notes_]
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
        kind = json.loads(recipe.to_json())["data"]["kind"]
        if kind != "table":
            other = {"series": "SeriesAutoEncoder", "images": "ImageAutoEncoder"}.get(kind, "another estimator")
            raise ValueError(f"recipe: expected one of tables, got one of {kind}: use narrows.{other}")
        return recipe

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
            For each row its `top` columns: row, rank, column, expected, got, share of the score, direction.
        """
        if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or top < 1:
            raise ValueError(f"top: expected an integer of at least 1, got {top!r}")
        from ._explanation import Explanation

        incoming = self._incoming(X)
        scores, reasons = self.model_.explain(incoming.table, int(top))
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

    # Codes.

    def transform(self, X: Any) -> Any:
        """Codes of rows.

        Returns
        -------
        frame like `X`, or array, of shape (n_rows, code_size)
            Columns `code_0`, `code_1`, ...
        """
        incoming = self._incoming(X)
        codes = self.model_.encode(incoming.table)
        return codes.to_matrix() if self._gives_arrays() else incoming.give(codes)

    def encoder(self) -> Encoder:
        """The encoder alone, without scores and training rows."""
        return Encoder(self._fitted().encoder())

    def inverse_transform(self, X: Any) -> Any:
        """Rows of codes.

        Parameters
        ----------
        X : frame or array of shape (n_rows, code_size)
            Codes, as of `transform`.

        Returns
        -------
        frame like `X`, or array
            In original units.
        """
        model = self._fitted()
        names = [f"code_{i}" for i in range(model.code_size)]
        incoming = to_table(X)
        if incoming.kind == "numpy":
            if len(incoming.table.names) != len(names):
                got = len(incoming.table.names)
                raise ValueError(f"X: expected codes of {len(names)} columns, got {got}")
            incoming = to_table(X, names=names)
        return Form(incoming.kind, incoming.index, self._form.labels, {}).give(model.decode(incoming.table))

    def reconstruct(self, X: Any) -> Any:
        """What the model makes of rows: encoded and decoded, in original units.

        Returns
        -------
        frame like `X`, or array
        """
        incoming = self._incoming(X)
        return incoming.give(self.model_.reconstruct(incoming.table))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """New rows like those of the fit.

        Parameters
        ----------
        n_samples : int, default=1
            Rows to make.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is the seed of the model. The first rows do not depend on their number.

        Returns
        -------
        frame like that of the fit, or array, of `n_samples` rows
        """
        model = self._fitted()
        rows = model.generate(_count(n_samples, "n_samples"), 0, self._seed(random_state))
        return self._form.give(rows, aligned=False)

    def vary(self, X: Any, n_samples: int | None = None, *, spread: float = 0.3, random_state: Any = None) -> Any:
        """Variations of rows: their codes, moved.

        Parameters
        ----------
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths
        n_samples : int, optional
            Rows to make, by default one of each; the given rows are cycled.
        spread : float, default=0.3
            Standard deviation of the movement, relative to that of the codes.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is the seed of the model.

        Returns
        -------
        frame like `X`, or array
        """
        incoming = self._incoming(X)
        n = incoming.n_rows if n_samples is None else _count(n_samples, "n_samples")
        return incoming.give(self.model_.vary(incoming.table, n, 0, float(spread), self._seed(random_state)))

    def between(self, X: Any, first: int = 0, last: int = -1, *, steps: int = 8) -> Any:
        """Rows on the way between two rows, along the straight line between their codes.

        Parameters
        ----------
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths
        first, last : int
            Positions of the two rows in `X`; negative ones count from its end.
        steps : int, default=8
            Rows to make, both ends included.

        Returns
        -------
        frame like `X`, or array, of `steps` rows
        """
        incoming = self._incoming(X)
        ends = [position + incoming.n_rows if position < 0 else position for position in (first, last)]
        for position, given in zip(ends, (first, last), strict=True):
            if not 0 <= position < incoming.n_rows:
                raise ValueError(f"expected positions among {incoming.n_rows} rows, got {given}")
        rows = self.model_.between(incoming.table, ends[0], ends[1], _count(steps, "steps"))
        return incoming.give(rows, aligned=False)

    def score(self, X: Any, y: Any = None) -> float:
        """How well rows are reconstructed, for searches over arguments; comparable between models.

        Returns
        -------
        float
            The mean over columns of R2 for numbers, and of the share of cells that are right for all else; at most 1.
        """
        incoming = self._incoming(X)
        return _fidelity(incoming.table, self.model_.reconstruct(incoming.table))

    def report(self, path: str | os.PathLike[str] | None = None, X: Any = None) -> str | None:
        """Writes the report on the fit, or on new data, as an HTML file that needs nothing else.

        Parameters
        ----------
        path : str or path, optional
            The file; if None, the HTML is returned.
        X : frame, array of shape (n_rows, n_features_in_), path or list of paths, optional
            New data to report on: its anomalies, and how it differs from that of the fit. If it has the label of the
            fit, with metrics.
        """
        model = self._fitted()
        if X is None:
            return self._write_report(path, model.report_html())
        incoming = self._incoming(X, with_label=self.label)
        label = self.label if self.label in incoming.table.names else None
        return self._write_report(path, model.new_data_html(incoming.table, label, self.normal))

    # scikit-learn.

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str or None
            Only checked to be those of the fit.
        """
        model = self._fitted()
        if HAS_SKLEARN:
            from sklearn.utils.validation import _check_feature_names_in

            _check_feature_names_in(self, input_features, generate_names=False)
        return np.array([f"code_{i}" for i in range(model.code_size)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        return tags

    def _gives_arrays(self) -> bool:
        """Whether `set_output` will make a frame of an array."""
        if not HAS_SKLEARN:
            return False
        from sklearn.utils._set_output import _get_output_config

        return str(_get_output_config("transform", self)["dense"]) != "default"

    def _incoming(self, X: Any, with_label: str | None = None) -> Incoming:
        model = self._fitted()
        return table_to_score(self, X, model, with_label)

    def _scored(self, X: Any) -> _native.Scores:
        return self._fitted().score(self._incoming(X).table)

    def _seed(self, random_state: Any) -> int:
        seed = seed_of(random_state)
        return int(self.recipe_.to_dict()["seed"]) if seed is None else seed


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


def _count(n: Any, argument: str) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{argument}: expected an integer of at least 1, got {n!r}")
    return int(n)


def _fidelity(table: _native.Table, made: _native.Table) -> float:
    names = table.names
    qualities = []
    for i, (name, kind) in enumerate(zip(made.names, made.kinds(), strict=True)):
        given = table.column(names.index(name))
        rebuilt = made.column(i)
        if kind in ("bool", "int", "float") and not isinstance(given, list):
            a, b = np.asarray(given, dtype=np.float64), np.asarray(rebuilt, dtype=np.float64)
            present = np.isfinite(a) & np.isfinite(b)
            spread = float(np.sum((a[present] - a[present].mean()) ** 2)) if present.any() else 0.0
            if spread > 0:
                qualities.append(1 - float(np.sum((a[present] - b[present]) ** 2)) / spread)
        elif isinstance(given, list) and isinstance(rebuilt, list):
            pairs = [(x, y) for x, y in zip(given, rebuilt, strict=True) if x is not None]
            if pairs:
                qualities.append(sum(str(x) == str(y) for x, y in pairs) / len(pairs))
    return float(np.mean(qualities)) if qualities else float("nan")
