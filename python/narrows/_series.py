"""Autoencoders of time series."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from . import _native
from ._detecting import DetectingMixin
from ._drift import DriftMixin
from ._frames import Form, Incoming, refuse_input, to_table
from ._labels import with_label
from ._output import frame_like
from ._recipe import Recipe, count_of
from ._series_arguments import series_recipe, series_roles
from ._series_input import series_table, with_times_of
from ._stream import Stream

if TYPE_CHECKING:
    from ._explanation import Explanation

__all__ = ["SeriesAutoEncoder"]


class SeriesAutoEncoder(DriftMixin, DetectingMixin):
    """Finds anomalous points and stretches of time series, by windows that an autoencoder reconstructs badly.

    Parameters
    ----------
    preset : str, default="auto"
        The recipe to start from, such as ``"auto"``, ``"deep"``, ``"conv"`` or ``"seq2seq"``.
    time : str, default=None
        The column with the time. By default the times in a pandas index, else the only column of dates, else rows are one
        step apart.
    id : str or list of str, default=None
        The column, or columns together, that tell which series a row belongs to; by default there is one series.
    layout : {"long", "rows"}, default=None
        ``"long"``: a row is a point in time, a column a channel. ``"rows"``: a row is a series of one channel. By default
        that of the recipe, else long.
    window : int, default=None
        Points that the network sees at once; by default from the period of the data.
    stride : int, default=None
        Points from one training window to the next; by default as small as gives enough windows.
    timezone : str, default=None
        The zone of times that have none, such as ``"Europe/Berlin"``; by default UTC.
    duplicates : {"first", "last", "mean", "error"}, default=None
        What to do with rows of a series at the same time; by default equal rows are one, and of a few others the first
        counts.
    label : str, default=None
        The column that tells normal rows from anomalies; never a channel. Only normal rows are fitted to.
    normal : str, default=None
        The value of the label in normal rows, several separated by commas; by default the evident one.
    date_format : str or list of str, default=None
        How dates are written that are text, such as ``"%d.%m.%Y %H:%M"`` or ``"day-first"``.
    columns, ignore : str or list of str, default=None
        Use only these columns, or leave these out; by name or by pattern such as ``"x*"``.
    code_size : int, default=None
        Units of the code; by default the preset's.
    recipe : Recipe, str or path, default=None
        A recipe, TOML text or a file of it, over the preset.
    settings : dict, default=None
        Single fields of the recipe by path, such as ``{"data.transform": "none"}``.
    max_steps, max_epochs, batch_size : int, default=None
        Limits of the training, and its batch; by default the preset's.
    learning_rate : float, default=None
        By default the preset's.
    threshold : str, default=None
        The rule of the threshold, such as ``"false_alarm_rate=0.01"`` or ``"quantile=0.99"``.
    random_state : int, Generator or RandomState, default=None
        The seed; None is 0, so that a fit gives the same bits every time.
    n_jobs : int, default=None
        Threads; None and -1 are all cores. Results do not depend on it.
    callbacks : callable or list, default=None
        Called with the history after every check of the validation loss; True stops the training.
    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    model_ : object
        The native model.
    threshold_, offset_ : float
        The score above which a point is an anomaly, and minus that.
    window_ : int
        Points of a window.
    time_ : str or None
        The column with the time, if there is one.
    columns_ : list of str
        The columns that the model reads: id and time, then the channels.
    recipe_, report_, history_, notes_, n_iter_
        See `AutoEncoder`.

    Examples
    --------
    >>> import numpy as np, narrows
    >>> wave = np.sin(np.arange(600) / 5)
    >>> model = narrows.SeriesAutoEncoder(preset="simple", window=32, max_steps=50).fit(wave)
    >>> new = wave.copy()
    >>> new[300] = 4.0
    >>> bool(model.predict(new)[300] == -1)
    True
    """

    _model_kind = "series"

    window_: int
    time_: str | None
    columns_: list[str]

    def __init__(
        self,
        preset: str = "auto",
        *,
        time: str | None = None,
        id: str | Sequence[str] | None = None,
        layout: str | None = None,
        window: int | None = None,
        stride: int | None = None,
        timezone: str | None = None,
        duplicates: str | None = None,
        date_format: str | Sequence[str] | None = None,
        label: str | None = None,
        normal: str | None = None,
        columns: str | Sequence[str] | None = None,
        ignore: str | Sequence[str] | None = None,
        code_size: int | None = None,
        recipe: Recipe | str | os.PathLike[str] | None = None,
        settings: dict[str, Any] | None = None,
        max_steps: int | None = None,
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        threshold: str | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.time = time
        self.id = id
        self.layout = layout
        self.window = window
        self.stride = stride
        self.timezone = timezone
        self.duplicates = duplicates
        self.date_format = date_format
        self.label = label
        self.normal = normal
        self.columns = columns
        self.ignore = ignore
        self.code_size = code_size
        self.recipe = recipe
        self.settings = settings
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.threshold = threshold
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits to series in which most points are ordinary.

        Parameters
        ----------
        X : frame, array of shape (points,) or (points, channels), path or list of paths
            The points, in the order of time within a series. An array has no times: it is one series, and rows are one
            step apart.
        y : ignored
            There for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is out of range, a column is missing, times do not increase, or there are too few points.
        TypeError
            If `X` is no data, or an argument has a wrong type.
        """
        roles = series_roles(self, X)
        recipe = series_recipe(self)
        named = [*roles["id"], *([roles["time"]] if roles["time"] else [])]
        incoming = series_table(X, named)
        self._fit_native(recipe, incoming.table, incoming.warnings, **roles)
        self._form: Form = replace(incoming.form, index=None)
        self.notes_ = [*incoming.notes, *self.notes_]
        return self

    def score(self, X: Any, y: Any = None) -> Any:
        """Scores points; the windows that cover a point decide on it together.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.
        y : ignored
            There for scikit-learn.

        Returns
        -------
        frame of as many rows as `X`, of its kind and with its index
            `score` (1 is ordinary, higher is stranger), `p_value`, `is_anomaly`, and `flag`: None, or ``"warm_up"`` and
            ``"missing"`` for points without a score, ``"after_gap"``, or ``"duplicate"`` for a row that shares its point
            with another one. For arrays a structured array.
        """
        return self.scores(X)

    def scores(self, X: Any) -> Any:
        """The same as `score`, under the name that all estimators have.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        frame of as many rows as `X`
            See `score`.
        """
        incoming = self._incoming(X)
        scores = self._fitted().score(incoming.table)
        return incoming.give_columns(
            {
                "score": scores.score,
                "p_value": scores.p_value,
                "is_anomaly": scores.is_anomaly,
                "flag": scores.flag,
            }
        )

    def events(self, X: Any) -> Any:
        """The anomalous stretches, series by series, in the order of time.

        Parameters
        ----------
        X : data
            In any form that `fit` takes, in the layout ``"long"``.

        Returns
        -------
        frame
            A row an event: `series` if there are several, `start` and `end` as times are in `X`, `points`, `first_row`,
            `last_row`, `peak_row`, `peak_score`, `p_value`, `channels` (at most three, the largest contribution first)
            and `reason`.
        """
        incoming = self._incoming(X)
        events = frame_like(self._fitted().events(incoming.table), incoming)
        return self._with_times(events, X, {"start": "first_row", "end": "last_row"})

    def explain(self, X: Any, top: int = 3) -> Explanation:
        """The channels that contribute most to the score of each point.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.
        top : int, default=3
            At most so many channels of a point.

        Returns
        -------
        Explanation
            For each point its channels: row, rank, column, expected, got, share, direction.
        """
        if isinstance(top, bool) or not isinstance(top, int) or top < 1:
            raise ValueError(f"top: expected an integer of at least 1, got {top!r}")
        from ._explanation import Explanation

        incoming = self._incoming(X)
        scores, reasons = self._fitted().explain(incoming.table, top)
        return Explanation(reasons, give=incoming, scores=scores.score)

    def reconstruct(self, X: Any) -> Any:
        """What the network makes of the series, in their own units.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        frame or array
            The columns of the model, of `X`'s kind.
        """
        incoming = self._incoming(X)
        return incoming.give(self._fitted().reconstruct(incoming.table))

    def transform(self, X: Any) -> Any:
        """The codes of the windows, one after the other; with the layout ``"rows"``, of the series.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.

        Returns
        -------
        frame
            Columns that tell the window (series and first point), then `code_0`, `code_1` and so on. Of arrays an array
            of shape (windows, code_size).
        """
        incoming = self._incoming(X)
        codes = self._fitted().encode(incoming.table)
        if incoming.kind == "numpy":
            codes = codes.select([name for name in codes.names if name.startswith("code_")])
        given = incoming.give(codes, aligned=self._is_rows())
        return given if self.time_ is None else self._with_times(given, X, {self.time_: "row"})

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fits, and gives the codes of the windows."""
        return self.fit(X, y).transform(X)

    def inverse_transform(self, codes: Any) -> Any:
        """The windows of codes, in the units of the data.

        Parameters
        ----------
        codes : frame with the columns `code_0`, ..., or array of shape (windows, code_size)
            As `transform` gives them.

        Returns
        -------
        frame or array
            The points of the windows.
        """
        model = self._fitted()
        names = [f"code_{i}" for i in range(model.code_size)]
        is_array = not hasattr(codes, "columns") and not hasattr(codes, "__arrow_c_stream__")
        incoming = to_table(codes, names=names if is_array else None)
        return incoming.give(model.decode(incoming.table), aligned=self._is_rows())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """New windows, or with the layout ``"rows"`` new series; the preset made for it is ``"variational"``.

        Parameters
        ----------
        n_samples : int, default=1
            Number of windows or series.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is the seed of the model. The first windows do not depend on their number.

        Returns
        -------
        frame like that of the fit, or array, of `n_samples` rows
            A window a row: its points, of each channel in turn.
        """
        model = self._fitted()
        n = count_of(n_samples, "n_samples")
        windows = model.generate(n, 0, self._seed(random_state))
        return self._form.give(windows, aligned=False)

    def stream(self) -> Stream:
        """Starts scoring points as they arrive.

        Returns
        -------
        Stream
            With `push` for the next point, and `remember` for those before the stream.
        """
        return Stream(self._fitted())

    def evaluate(self, X: Any, y: Any = None, *, normal: str | None = None) -> dict[str, Any]:
        """How well scores find labelled anomalies.

        Parameters
        ----------
        X : data
            In any form that `fit` takes.
        y : array of shape (n_points,) or str, default=None
            Labels, or the column with them; by default the label of the fit. Labels of -1 are anomalies among +1.
        normal : str, default=None
            Value of the label in normal points; by default the evident one, such as ``0``.

        Returns
        -------
        dict
            AUC-ROC, AUC-PR, VUS-PR and others, with intervals; those of the verdicts and of events; and of baselines.
        """
        incoming = self._incoming(X, whole=True)
        table, label, usual = with_label(incoming.table, y, self.label)
        normal = normal if normal is not None else usual if usual is not None else self.normal
        metrics: dict[str, Any] = json.loads(self._fitted().evaluate(table, label, normal))
        return metrics

    def report(self, path: str | os.PathLike[str] | None = None, X: Any = None) -> str | None:
        """Writes the report on the fit, or on new data, as an HTML file that needs nothing else.

        Parameters
        ----------
        path : str or path, default=None
            The file; if None, the HTML is returned.
        X : data, default=None
            New data to report on, in any form that `fit` takes. If it has the label of the fit, with metrics.
        """
        refuse_input(path, X)
        model = self._fitted()
        if X is None:
            return self._write_report(path, model.report_html())
        return self._write_report(path, model.new_data_html(*self._new_data(X)))

    def _new_data(self, X: Any) -> tuple[_native.Table, str | None, str | None]:
        table = self._incoming(X, whole=True).table
        return table, self.label if self.label in table.names else None, self.normal

    def _set_model(self, model: _native.Model) -> None:
        super()._set_model(model)
        index = model.index_columns()
        self.columns_ = index + [name for name in model.names() if name not in index]
        series = self.report_["series"]
        self.window_ = int(series["window"])
        self.time_ = None if series["step"] is None else index[-1]

    @classmethod
    def _from_model(cls, model: _native.Model) -> Self:
        estimator = super()._from_model(model)
        estimator._form = Form("files")
        return estimator

    @classmethod
    def _arguments_of(cls, model: _native.Model) -> dict[str, Any]:
        label = json.loads(model.report_json()).get("label")
        roles = {} if not label else {"label": label["column"], "normal": label["normal"]}
        return {**super()._arguments_of(model), **roles}

    def _compared(self, X: Any) -> _native.Table:
        return self._incoming(X, whole=True).table

    def _incoming(self, X: Any, whole: bool = False) -> Incoming:
        """New data; of files only what the model reads, unless `whole`."""
        model = self._fitted()
        incoming = series_table(X, model.index_columns(), None if whole else model)
        got, expected = len(incoming.table.names), len(model.names())
        if incoming.kind == "numpy" and got != expected:
            raise ValueError(f"X has {got} features, but SeriesAutoEncoder is expecting {expected} features as input.")
        return incoming

    def _scored(self, X: Any) -> _native.Scores:
        model = self._fitted()
        return model.score(self._incoming(X).table)

    def _with_times(self, found: Any, X: Any, rows: dict[str, str]) -> Any:
        return with_times_of(found, X, self._fitted().index_columns(), self.time_, rows)

    def _is_rows(self) -> bool:
        return bool(self.recipe_.to_dict()["data"].get("layout") == "rows")
