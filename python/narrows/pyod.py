"""The autoencoder of tables as a detector of PyOD: 0 and 1, higher scores for anomalies, and PyOD's argument names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from ._errors import missing_package
from ._table import AutoEncoder as TableAutoEncoder

try:
    from pyod.models.base import BaseDetector
except ImportError as error:
    raise missing_package("pyod", "narrows.pyod") from error

if TYPE_CHECKING:
    from ._explanation import Explanation

__all__ = ["AutoEncoder"]

_ACTIVATIONS = ("elu", "gelu", "identity", "leaky_relu", "relu", "sigmoid", "silu", "tanh")
_OPTIMIZERS = {"adam": "adam", "adamw": "adam_w"}
_NO_LIMIT = 2**32 - 1
"""Steps, where the number of epochs decides."""


class AutoEncoder(BaseDetector):  # type: ignore[misc]
    """`narrows.AutoEncoder` with the interface of PyOD's detectors and the argument names of its ``AutoEncoder``.

    Arguments left at None are those of the preset. An argument that cannot be honoured is refused by `fit`, never passed
    over.

    Parameters
    ----------
    contamination : float or object of PyThresh, default=0.1
        Share of anomalies in the rows of the fit, in (0, 0.5], or a thresholder that decides on their scores.
    preprocessing : bool, default=True
        Whether numbers are scaled; what they are scaled to, the recipe says.
    lr : float, optional
        Learning rate.
    epoch_num : int, optional
        Most passes over the data; training ends before if it no longer helps.
    batch_size : int, optional
        Rows of a step.
    optimizer_name : {"adam", "adamw"}, optional
        The optimiser.
    device : {None, "cpu"}, default=None
        Models are fitted on the processor.
    random_state : int, RandomState, Generator or None, default=None
        The seed; None is 0.
    use_compile : bool, default=False
        Only False: there is nothing to compile.
    compile_mode : str, default="default"
        Only ``"default"``.
    verbose : int, default=0
        1 shows progress; 2 also logs every check.
    optimizer_params : dict, optional
        ``weight_decay``, of ``"adamw"``; 0 for ``"adam"``.
    hidden_neuron_list : list of int, optional
        Units of the layers of the encoder, of which the last is the code; the decoder mirrors them.
    hidden_activation_name : str, optional
        ``"elu"``, ``"gelu"``, ``"identity"``, ``"leaky_relu"``, ``"relu"``, ``"sigmoid"``, ``"silu"`` or ``"tanh"``.
    batch_norm : bool, optional
        Whether hidden layers are normalised over the batch.
    dropout_rate : float, optional
        Share of hidden units dropped while training, in [0, 1).
    preset : str, default="auto"
        The preset to start from, as for `narrows.AutoEncoder`; PyOD's own network is most like ``"deep"``.
    settings : dict, optional
        Further fields of the recipe by path.
    n_jobs : int or None, default=None
        Threads; None and -1 are all cores.

    Attributes
    ----------
    estimator_ : narrows.AutoEncoder
        The fitted model, with the threshold of `contamination`: to explain, encode or save.
    decision_scores_ : array of shape (n_samples,)
        Scores of the rows of the fit; 1 is ordinary, higher is stranger.
    threshold_ : float
        Rows with higher scores are anomalies.
    labels_ : array of shape (n_samples,)
        1 for anomalies among the rows of the fit, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> from narrows.pyod import AutoEncoder
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = AutoEncoder(contamination=0.05, preset="deep", epoch_num=5).fit(X)
    >>> int(detector.labels_.sum()), detector.predict([[0.0, 0.0, 0.0, 90.0]])
    (10, array([1]))
    """

    estimator_: TableAutoEncoder
    decision_scores_: npt.NDArray[np.float64]
    threshold_: float
    labels_: npt.NDArray[np.int64]

    def __init__(
        self,
        contamination: Any = 0.1,
        preprocessing: bool = True,
        lr: float | None = None,
        epoch_num: int | None = None,
        batch_size: int | None = None,
        optimizer_name: str | None = None,
        device: Any = None,
        random_state: Any = None,
        use_compile: bool = False,
        compile_mode: str = "default",
        verbose: int = 0,
        optimizer_params: dict[str, Any] | None = None,
        hidden_neuron_list: list[int] | None = None,
        hidden_activation_name: str | None = None,
        batch_norm: bool | None = None,
        dropout_rate: float | None = None,
        *,
        preset: str = "auto",
        settings: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(contamination=contamination)
        self.preprocessing = preprocessing
        self.lr = lr
        self.epoch_num = epoch_num
        self.batch_size = batch_size
        self.optimizer_name = optimizer_name
        self.device = device
        self.random_state = random_state
        self.use_compile = use_compile
        self.compile_mode = compile_mode
        self.verbose = verbose
        self.optimizer_params = optimizer_params
        self.hidden_neuron_list = hidden_neuron_list
        self.hidden_activation_name = hidden_activation_name
        self.batch_norm = batch_norm
        self.dropout_rate = dropout_rate
        self.preset = preset
        self.settings = settings
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fits the detector.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or any other data that `narrows.AutoEncoder` takes
            The rows, a few of them anomalies.
        y : ignored
            As in PyOD.

        Returns
        -------
        AutoEncoder
            Itself.

        Raises
        ------
        ValueError
            If an argument or the data is invalid, or an argument cannot be honoured.
        """
        is_share = self._is_share()
        self._set_n_classes(y)
        estimator = TableAutoEncoder(
            preset=self.preset,
            settings=self._settings(),
            max_epochs=self.epoch_num,
            batch_size=self.batch_size,
            learning_rate=self.lr,
            # Replaced by that of `contamination` below.
            threshold="quantile=0.9",
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        ).fit(X)
        self.estimator_ = estimator
        self.decision_scores_ = -estimator.score_samples(X)
        self._process_decision_scores()
        if is_share:
            self.estimator_ = estimator.with_threshold(float(self.threshold_))
        return self

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Scores of rows; 1 is ordinary, higher is stranger.

        Parameters
        ----------
        X : array of shape (n_samples, n_features), or any other data that `narrows.AutoEncoder` takes

        Returns
        -------
        array of shape (n_samples,)
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, ["decision_scores_", "threshold_", "labels_"])
        return -self.estimator_.score_samples(X)

    @property
    def model(self) -> TableAutoEncoder:
        """`estimator_`, under PyOD's name."""
        return self.estimator_

    @property
    def history_(self) -> dict[str, list[Any]]:
        """The checks of the training: lists `loss`, `val_loss`, `epoch` and `member`, of one length."""
        names = {"loss": "train_loss", "val_loss": "validation_loss", "epoch": "epoch", "member": "member"}
        return {name: [check[field] for check in self.estimator_.history_] for name, field in names.items()}

    def explain(self, X: Any, top: int = 3) -> Explanation:
        """The columns that make rows strange: see `narrows.AutoEncoder.explain`."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, ["decision_scores_", "threshold_", "labels_"])
        return self.estimator_.explain(X, top)

    def _is_share(self) -> bool:
        """Whether `contamination` is a number, not a thresholder."""
        share = self.contamination
        if isinstance(share, (int, float)) and not isinstance(share, bool):
            if not 0 < share <= 0.5:
                raise ValueError(f"contamination: expected a number in (0, 0.5], got {share!r}")
            return True
        if not hasattr(share, "fit") or not hasattr(share, "predict"):
            raise ValueError(f"contamination: expected a number in (0, 0.5] or an object of PyThresh, got {share!r}")
        return False

    def _settings(self) -> dict[str, Any]:
        """The arguments as fields of the recipe."""
        self._refuse()
        fields: dict[str, Any] = {}
        if not _flag(self.preprocessing, "preprocessing"):
            fields["prep.scaling"] = "none"
        if self.epoch_num is not None:
            fields["train.steps"] = _NO_LIMIT
        fields |= self._optimizer()
        if self.hidden_neuron_list is not None:
            fields |= _layers(self.hidden_neuron_list)
        if self.hidden_activation_name is not None:
            _among(self.hidden_activation_name, _ACTIVATIONS, "hidden_activation_name")
            fields["backbone.activation"] = self.hidden_activation_name
        if self.batch_norm is not None:
            fields["backbone.norm"] = "batch" if _flag(self.batch_norm, "batch_norm") else "none"
        if self.dropout_rate is not None:
            fields["backbone.dropout"] = _real(
                self.dropout_rate, "dropout_rate", 0 <= _comparable(self.dropout_rate) < 1
            )
        return {**fields, **(self.settings or {})}

    def _refuse(self) -> None:
        """Refuses what has no counterpart, and numbers out of range under the names that they have here."""
        for name in ("epoch_num", "batch_size"):
            count = getattr(self, name)
            if count is not None and (not _is_count(count) or count < 1):
                raise ValueError(f"{name}: expected an integer of at least 1, got {count!r}")
        if self.lr is not None:
            _real(self.lr, "lr", _comparable(self.lr) > 0)
        if self.device is not None and str(self.device) != "cpu":
            raise ValueError(f"device: models are fitted on the processor: expected None or 'cpu', got {self.device!r}")
        if _flag(self.use_compile, "use_compile"):
            raise ValueError("use_compile: there is nothing to compile: expected False, got True")
        if self.compile_mode != "default":
            raise ValueError(
                f"compile_mode: there is nothing to compile: expected 'default', got {self.compile_mode!r}"
            )

    def _optimizer(self) -> dict[str, Any]:
        params = dict(self.optimizer_params or {})
        decay = params.pop("weight_decay", None)
        if params:
            raise ValueError(
                f"optimizer_params: expected no other than weight_decay, got {', '.join(map(str, params))}"
            )
        if self.optimizer_name is None:
            return {} if decay is None else {"train.optimizer": {"kind": "adam_w", "weight_decay": float(decay)}}
        kind = _OPTIMIZERS[_among(self.optimizer_name, tuple(_OPTIMIZERS), "optimizer_name")]
        if kind == "adam":
            if decay:
                message = "optimizer_params: weight_decay is of the optimiser 'adamw', got it for optimizer_name='adam'"
                raise ValueError(message)
            return {"train.optimizer": {"kind": "adam"}}
        return {"train.optimizer": {"kind": kind, **({} if decay is None else {"weight_decay": float(decay)})}}


def _layers(units: Any) -> dict[str, Any]:
    """The layers of the encoder as fields; the last is the code."""
    expected = f"hidden_neuron_list: expected a list of numbers of units, got {units!r}"
    if isinstance(units, str) or not hasattr(units, "__iter__"):
        raise ValueError(expected)
    sizes = list(units)
    if not sizes or any(
        isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1 for size in sizes
    ):
        raise ValueError(expected)
    sizes = [int(size) for size in sizes]
    hidden: dict[str, Any] = {"backbone.nodes": sizes[:-1]} if len(sizes) > 1 else {"backbone.nodes": "auto"}
    return {"backbone.layers": len(sizes) - 1, **hidden, "backbone.code_size": sizes[-1]}


def _flag(value: Any, argument: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{argument}: expected True or False, got {value!r}")
    return bool(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _comparable(value: Any) -> float:
    """A number as it is; NaN, which is in no range, of anything else."""
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")


def _real(value: Any, argument: str, is_right: bool) -> float:
    if not is_right:
        within = {"lr": "above 0", "dropout_rate": "in [0, 1)"}[argument]
        raise ValueError(f"{argument}: expected a number {within}, got {value!r}")
    return float(value)


def _among(value: Any, choices: tuple[str, ...], argument: str) -> str:
    if value not in choices:
        raise ValueError(f"{argument}: expected one of {', '.join(choices)}, got {value!r}")
    return str(value)
