"""An estimator and its model as stages of Spark's pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.ml import Estimator, Model
from pyspark.ml.util import (
    DefaultParamsReadable,
    DefaultParamsReader,
    DefaultParamsWritable,
    DefaultParamsWriter,
    MLReadable,
    MLReader,
    MLWritable,
    MLWriter,
)

from .. import _native
from .._load import estimator_of
from .._partitions.arguments import reasons_of
from .._partitions.given import given_model
from .._partitions.groups import SeriesGroups
from .._partitions.work import Scoring
from .files import read_bytes, write_bytes
from .fitting import fit
from .jobs import mapped
from .params import FIT_PARAMS, RESULT_PARAMS, declared

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from .._load import Estimator as Fitted

__all__ = ["NarrowsEstimator", "NarrowsModel"]

_FILE = "model.narrows"
"""The model file in the folder of a stage."""
_RESULTS = {"score_col": "score", "p_value_col": "p_value", "is_anomaly_col": "is_anomaly", "explain": 0}


@declared(RESULT_PARAMS)
@declared(FIT_PARAMS)
class NarrowsEstimator(Estimator, DefaultParamsReadable, DefaultParamsWritable):  # type: ignore[misc, type-arg, unused-ignore]
    """Fits an autoencoder of tables as a stage of a ``pyspark.ml.Pipeline``.

    Parameters
    ----------
    **params
        Those of `narrows.spark.fit`, as far as they can be saved with a pipeline: `preset`, `label`, `threshold`,
        `random_state` and so on; and those of `NarrowsModel`. Each has a getter and a setter, such as ``getCodeSize``
        and ``setCodeSize``.

    Examples
    --------
    >>> import narrows, narrows.spark
    >>> from pyspark.ml import Pipeline
    >>> from pyspark.sql import SparkSession
    >>> spark = SparkSession.builder.master("local[2]").getOrCreate()
    >>> df = spark.createDataFrame(narrows.datasets.payments(300))
    >>> stage = narrows.spark.NarrowsEstimator(preset="deep", max_steps=20, label="is_fraud")
    >>> Pipeline(stages=[stage]).fit(df).transform(df).columns[-3:]
    ['score', 'p_value', 'is_anomaly']
    """

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self._setDefault(**_RESULTS)
        set_params(self, params)

    def _fit(self, dataset: DataFrame) -> NarrowsModel:
        arguments = {name: self.getOrDefault(name) for name in FIT_PARAMS if self.isDefined(name)}
        model: NarrowsModel = self._copyValues(NarrowsModel(fit(dataset, **arguments)))
        return model


@declared(RESULT_PARAMS)
class NarrowsModel(Model, MLReadable, MLWritable):  # type: ignore[misc, type-arg, unused-ignore]
    """A fitted model of tables or series as a stage of a ``pyspark.ml.PipelineModel``.

    It is saved with the pipeline: `model.narrows` in the folder of the stage is a model file, which `narrows.load` and
    the command ``narrows`` read, too.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder, or path
        A fitted estimator, or the file of one.
    **params
        `score_col`, `p_value_col` and `is_anomaly_col`, the names of the results; `explain`, a number of reasons for each
        row.
    """

    def __init__(self, model: Any = None, **params: Any) -> None:
        super().__init__()
        self._model: _native.Model | None = None if model is None else given_model(model)
        self._setDefault(**_RESULTS)
        set_params(self, params)

    @property
    def model(self) -> Fitted:
        """The fitted estimator, such as `narrows.AutoEncoder`."""
        return estimator_of(self._native())

    def _native(self) -> _native.Model:
        if self._model is None:
            raise ValueError(
                "NarrowsModel: expected a model, got none: give one, or load a stage with `NarrowsModel.load`"
            )
        return self._model

    def _transform(self, dataset: DataFrame) -> DataFrame:
        names = {name: self.getOrDefault(f"{name}_col") for name in ("score", "p_value", "is_anomaly")}
        native = self._native()
        work = Scoring(reasons_of(self.getOrDefault("explain")), "text", names)
        return mapped(dataset, native, work, None, SeriesGroups.of(native))

    def write(self) -> MLWriter:
        """Writes the stage."""
        return _Writer(self)

    @classmethod
    def read(cls) -> MLReader[NarrowsModel]:
        """Reads such a stage."""
        return _Reader()


class _Writer(MLWriter):  # type: ignore[misc, unused-ignore]
    """The parameters as Spark writes them, and the model file beside them."""

    def __init__(self, instance: NarrowsModel) -> None:
        super().__init__()
        self.instance = instance

    def saveImpl(self, path: str) -> None:  # noqa: N802
        content = self.instance._native().to_bytes()
        DefaultParamsWriter.saveMetadata(self.instance, path, self.sparkSession)
        write_bytes(self.sparkSession, f"{path}/{_FILE}", content)


class _Reader(MLReader):  # type: ignore[misc, type-arg, unused-ignore]
    def load(self, path: str) -> NarrowsModel:
        metadata = DefaultParamsReader.loadMetadata(path, self.sparkSession)
        content = read_bytes(self.sparkSession, f"{path}/{_FILE}")
        model = NarrowsModel(_native.Model.from_bytes(content))
        model._resetUid(metadata["uid"])
        DefaultParamsReader.getAndSetParams(model, metadata)
        return model


def set_params(stage: Any, params: dict[str, Any]) -> None:
    """Sets parameters by name; those that are None stay as they are.

    Raises
    ------
    TypeError
        If there is no such parameter, or its value has another type.
    """
    unknown = [name for name in params if not stage.hasParam(name)]
    if unknown:
        known = ", ".join(param.name for param in stage.params)
        raise TypeError(f"{type(stage).__name__}: expected parameters among {known}, got {', '.join(unknown)}")
    stage._set(**{name: value for name, value in params.items() if value is not None})
