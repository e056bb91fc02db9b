"""Codes of tables: rows to codes and back, and new rows from moved codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._base import HAS_SKLEARN, TransformerBase
from ._encoder import Encoder
from ._fitted import FittedMixin
from ._frames import Form, Incoming, to_table
from ._recipe import count_of

__all__ = ["CodingMixin"]


class CodingMixin(TransformerBase, FittedMixin):
    """What a model of tables does with codes."""

    _form: Form

    def _incoming(self, X: Any) -> Incoming:
        """New data with the columns of the fit."""
        raise NotImplementedError

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
            In original units; of a date, the day of the week and the time of day as text.
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

        Of a date, only the day of the week and the time of day are coded: it comes back as text such as ``Wed 03:12``.

        Returns
        -------
        frame like `X`, or array
        """
        incoming = self._incoming(X)
        return incoming.give(self.model_.reconstruct(incoming.table))

    def sample(self, n_samples: int = 1, random_state: Any = None, *, where: str | None = None) -> Any:
        """New rows like those of the fit, with all its columns.

        Constants are repeated and identifiers are new. Models of ``preset="variational"`` draw dates; of others a date is
        text such as ``Wed 03:12``, and such rows are not scored.

        Parameters
        ----------
        n_samples : int, default=1
            Rows to make.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is the seed of the model. The first rows do not depend on their number.
        where : str, optional
            Only rows for which this is true, as after WHERE in SQL, such as ``"amount > 100 and country = 'DE'"``.

        Returns
        -------
        frame like that of the fit, or array, of `n_samples` rows

        Raises
        ------
        ValueError
            For an unknown column in `where`, or if hardly any row matches.

        Examples
        --------
        >>> import numpy as np
        >>> import narrows
        >>> X = np.random.default_rng(0).normal(size=(300, 3))
        >>> model = narrows.AutoEncoder(preset="variational", max_steps=50, random_state=0).fit(X)
        >>> rows = model.sample(5, where="x0 > 0")
        >>> bool((rows[:, 0] > 0).all())
        True
        """
        model = self._fitted()
        rows = model.generate(count_of(n_samples, "n_samples"), 0, self._seed(random_state), where)
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
        n = incoming.n_rows if n_samples is None else count_of(n_samples, "n_samples")
        spread = float(spread)
        if not 0 <= spread < float("inf"):
            raise ValueError(f"spread: expected a finite number of at least 0, got {spread}")
        return incoming.give(self.model_.vary(incoming.table, n, 0, spread, self._seed(random_state)))

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
        rows = self.model_.between(incoming.table, ends[0], ends[1], count_of(steps, "steps"))
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

    def _gives_arrays(self) -> bool:
        """Whether `set_output` will make a frame of an array."""
        if not HAS_SKLEARN:
            return False
        from sklearn.utils._set_output import _get_output_config

        return str(_get_output_config("transform", self)["dense"]) != "default"


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
